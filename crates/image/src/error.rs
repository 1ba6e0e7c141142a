use std::{io, path::PathBuf};

use flumen_model::{Digest, Kind};
use http::StatusCode;

/// Why an image could not be built, pushed or pulled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client could not be made.
    #[error("could not set up the registry client")]
    BuildClient {
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// A certificate authority in the settings cannot be read.
    #[error("a certificate authority given for registries is not a PEM certificate")]
    ReadCertificateAuthority {
        /// What the HTTP library says.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The proxy in the settings has no address.
    #[error("the proxy given for registries is not an address such as http://proxy.example:3128")]
    ReadProxy {
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// No answer came.
    #[error("could not reach registry {registry} to {step}")]
    Reach {
        /// Host and port of the registry.
        registry: String,
        /// What was to be done.
        step: String,
        /// What the HTTP library says.
        #[source]
        source: reqwest::Error,
    },
    /// The registry answered with an error.
    #[error("registry {registry} refused to {step}: {status}{detail}")]
    Refused {
        /// Host and port of the registry.
        registry: String,
        /// What was to be done.
        step: String,
        /// The status of the answer.
        status: StatusCode,
        /// The registry's own words, with a leading `, `; empty if it gave none.
        detail: String,
    },
    /// The registry wants to know who asks, and what it was told is missing or wrong.
    #[error("could not log in to registry {registry}: {problem}")]
    Authenticate {
        /// Host and port of the registry.
        registry: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The registry's answer makes no sense.
    #[error(
        "registry {registry} gave an answer that breaks the protocol when asked to {step}: {problem}"
    )]
    Understand {
        /// Host and port of the registry.
        registry: String,
        /// What was to be done.
        step: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// Content is not what its name says.
    #[error(
        "{what} has {actual} where {expected} was promised; it was damaged on the way or in the registry"
    )]
    VerifyContent {
        /// What was read.
        what: String,
        /// The digest or size that was asked for.
        expected: String,
        /// The digest or size of what came.
        actual: String,
    },
    /// An image for several platforms has none for ours.
    #[error("image {reference} has nothing for {platform}; it has {available}")]
    ChoosePlatform {
        /// The image.
        reference: String,
        /// The platform that was wanted.
        platform: String,
        /// The platforms that there are.
        available: String,
    },
    /// A manifest or an image configuration is not one.
    #[error("{what} is not an image document that Flumen can read")]
    ParseDocument {
        /// Which document of which image.
        what: String,
        /// What the JSON library says.
        #[source]
        source: serde_json::Error,
    },
    /// A document is well formed but cannot be worked with.
    #[error("{what} cannot be used: {problem}")]
    UseDocument {
        /// Which document of which image.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be read.
    #[error("could not read {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file could not be written.
    #[error("could not write {}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file grew or shrank while a layer was made of it.
    #[error("{} changed while it was read; try again when nothing writes to it", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// A path cannot stand in a layer.
    #[error("{path:?} cannot be a path in an image: {problem}")]
    PlaceInLayer {
        /// The path.
        path: String,
        /// Why not.
        problem: &'static str,
    },
    /// A symbolic link of a tree leads out of it.
    #[error(
        "the symbolic link {} leads to {target:?}, out of the directory that is put into the image; \
         replace it by what it leads to", link.display()
    )]
    LinkLeaves {
        /// The link.
        link: PathBuf,
        /// What it says.
        target: String,
    },
    /// The stored credentials of Docker or Podman could not be read.
    #[error(
        "could not get the credentials for registry {registry} from {}: {problem}", file.display()
    )]
    LookUpCredential {
        /// Host and port of the registry.
        registry: String,
        /// The file that holds them, or names who does.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A blocking step was torn down before it ended.
    #[error("{step} was interrupted")]
    Interrupted {
        /// What was interrupted.
        step: &'static str,
    },
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Reach { source, .. } if source.is_timeout() && !source.is_connect() => {
                Kind::Timeout
            }
            Self::Refused { status, .. } => kind_of_status(*status),
            Self::Authenticate { .. } => Kind::Denied,
            Self::ReadFile { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Kind::NotFound
            }
            Self::Reach { .. }
            | Self::Interrupted { .. }
            | Self::BuildClient { .. }
            | Self::ReadFile { .. }
            | Self::WriteFile { .. }
            | Self::FileChanged { .. } => Kind::Unavailable,
            Self::ReadCertificateAuthority { .. }
            | Self::ReadProxy { .. }
            | Self::Understand { .. }
            | Self::VerifyContent { .. }
            | Self::ChoosePlatform { .. }
            | Self::ParseDocument { .. }
            | Self::UseDocument { .. }
            | Self::PlaceInLayer { .. }
            | Self::LinkLeaves { .. }
            | Self::LookUpCredential { .. } => Kind::Invalid,
        }
    }

    pub(crate) fn wrong_digest(
        what: impl Into<String>,
        expected: &Digest,
        actual: &Digest,
    ) -> Self {
        Self::VerifyContent {
            what: what.into(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }
    }

    pub(crate) fn wrong_size(what: impl Into<String>, expected: u64, actual: u64) -> Self {
        Self::VerifyContent {
            what: what.into(),
            expected: format!("{expected} bytes"),
            actual: format!("{actual} bytes"),
        }
    }
}

fn kind_of_status(status: StatusCode) -> Kind {
    match status.as_u16() {
        401 | 403 => Kind::Denied,
        404 => Kind::NotFound,
        409 | 412 => Kind::Conflict,
        408 | 504 => Kind::Timeout,
        429 | 500.. => Kind::Unavailable,
        _ => Kind::Invalid,
    }
}
