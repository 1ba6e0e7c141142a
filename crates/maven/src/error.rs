use std::{io, path::PathBuf, sync::Arc, time::Duration};

use flumen_model::Kind;

use crate::{effective::Unusable, xml::XmlError};

/// Why artifacts were not resolved or not fetched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A text is none that names an artifact.
    #[error("{text:?} names no artifact: {why}")]
    ReadCoordinates {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A text is no exclusion.
    #[error(
        "{text:?} names no artifacts to exclude: expected GROUP:ARTIFACT, where either may be *"
    )]
    ReadExclusion {
        /// The text.
        text: String,
    },
    /// No version lies in the range that is asked for.
    #[error(
        "no version of {artifact} lies in {range}; the newest that are known: {}",
        listed(known)
    )]
    NoVersion {
        /// Group and artifact.
        artifact: String,
        /// The range.
        range: String,
        /// The newest versions.
        known: Vec<String>,
    },
    /// No version fits all that is asked for.
    #[error("no version of {artifact} fits all that is wanted of it: {}", wanted.join(" and "))]
    Contradiction {
        /// Group and artifact.
        artifact: String,
        /// The versions and ranges.
        wanted: Vec<String>,
    },
    /// The graph is larger than any that is real.
    #[error("the dependencies are more than {nodes} in all, counted at every place; exclude some")]
    TooLarge {
        /// The limit.
        nodes: usize,
    },
    /// A chain is longer than any that is real.
    #[error("the chain of dependencies that ends at {at} has more than {depth} steps")]
    TooDeep {
        /// The last one.
        at: String,
        /// The limit.
        depth: usize,
    },
    /// Something asked for directly has no POM and no file.
    #[error("could not find {artifact}: none of the repositories {} has it", listed(repositories))]
    NotFound {
        /// The coordinates.
        artifact: String,
        /// The ids of the repositories that were asked.
        repositories: Vec<String>,
    },
    /// Nothing lies at an address.
    #[error("could not fetch {address}: there is no such file")]
    NoFile {
        /// The address.
        address: String,
    },
    /// Offline, and the local repository does not have it.
    #[error("could not read {artifact} offline: it is not in the local repository {}", directory.display())]
    Offline {
        /// The coordinates.
        artifact: String,
        /// The local repository.
        directory: PathBuf,
    },
    /// A POM that was asked for directly cannot be used.
    #[error("could not use what {artifact} says of its dependencies")]
    UsePom {
        /// The coordinates.
        artifact: String,
        /// What is wrong.
        #[source]
        source: Box<Unusable>,
    },
    /// A repository refuses.
    #[error(
        "could not fetch {path}: the repository {repository} does not allow it (status {status})"
    )]
    Denied {
        /// The path in the repository.
        path: String,
        /// The repository's id.
        repository: String,
        /// 401 or 403, or 407 of a proxy.
        status: u16,
    },
    /// A repository answers with a failure.
    #[error(
        "could not fetch {path}: the repository {repository} answers with status {status}{}",
        later(*wait)
    )]
    Answer {
        /// The path in the repository.
        path: String,
        /// The repository's id.
        repository: String,
        /// The status.
        status: u16,
        /// How long it wants to be left alone, if it says that.
        wait: Option<Duration>,
    },
    /// A repository cannot be reached, or the connection broke.
    #[error("could not fetch {path} from the repository {repository}")]
    Fetch {
        /// The path in the repository.
        path: String,
        /// The repository's id.
        repository: String,
        /// What the connection says, without the address.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// A file is not what the repository's checksum says.
    #[error(
        "could not use {path}: its {algorithm} is {found}, and the repository {repository} says {expected}"
    )]
    Checksum {
        /// The path in the repository.
        path: String,
        /// The repository's id.
        repository: String,
        /// Which checksum.
        algorithm: &'static str,
        /// What was counted.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A file is larger than is taken.
    #[error("could not use {path}: the repository {repository} sends more than {limit} bytes")]
    TooManyBytes {
        /// The path in the repository.
        path: String,
        /// The repository's id.
        repository: String,
        /// The limit.
        limit: u64,
    },
    /// The repositories that must not be asked.
    #[error(
        "could not fetch {path}: the repository {repository} is blocked by the mirror {mirror} of the settings"
    )]
    Blocked {
        /// The path in the repository.
        path: String,
        /// The repository's id.
        repository: String,
        /// The mirror's id.
        mirror: String,
    },
    /// A list of versions is none.
    #[error("could not read the versions of {of} that the repository {repository} lists")]
    ReadVersions {
        /// Group and artifact.
        of: String,
        /// The repository's id.
        repository: String,
        /// What is wrong.
        #[source]
        source: XmlError,
    },
    /// A settings file is wrong.
    #[error("could not read the settings of Maven in {}", file.display())]
    ReadSettings {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: XmlError,
    },
    /// An address in the settings or of a flag is none.
    #[error(
        "the address of the repository {repository} is none that can be asked: expected http://, https:// or file://"
    )]
    Address {
        /// The repository's id.
        repository: String,
    },
    /// The port of a proxy in the settings is none.
    #[error(
        "the port {text:?} of the proxy {proxy} in the settings is none: expected a number up to 65535"
    )]
    ReadPort {
        /// The proxy's host.
        proxy: String,
        /// The text.
        text: String,
    },
    /// A password cannot be decrypted.
    #[error("could not decrypt the password of {of}: {why}")]
    Decrypt {
        /// What it is for.
        of: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The HTTP client cannot be set up.
    #[error("could not set up the connection for repositories")]
    Connect {
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// A file or directory cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file or directory cannot be written.
    #[error("could not write {}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

fn later(wait: Option<Duration>) -> String {
    let text =
        |wait: Duration| format!(", and that it is to be asked again in {} s", wait.as_secs());
    wait.map(text).unwrap_or_default()
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound { .. }
            | Self::NoFile { .. }
            | Self::NoVersion { .. }
            | Self::Offline { .. } => Kind::NotFound,
            Self::Denied { .. } | Self::Blocked { .. } => Kind::Denied,
            Self::Fetch { source, .. } if source.is_timeout() => Kind::Timeout,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            Self::Read { source, .. } | Self::Write { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Kind::Denied
            }
            Self::Answer { .. }
            | Self::Fetch { .. }
            | Self::Checksum { .. }
            | Self::Read { .. }
            | Self::Write { .. } => Kind::Unavailable,
            Self::Connect { .. } => Kind::Bug,
            Self::ReadCoordinates { .. }
            | Self::ReadExclusion { .. }
            | Self::Contradiction { .. }
            | Self::TooLarge { .. }
            | Self::TooDeep { .. }
            | Self::UsePom { .. }
            | Self::TooManyBytes { .. }
            | Self::ReadVersions { .. }
            | Self::ReadSettings { .. }
            | Self::Address { .. }
            | Self::ReadPort { .. }
            | Self::Decrypt { .. } => Kind::Invalid,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { .. } => Some(
                "Check the coordinates, or name the repository that has it with `--repository URL`. Repositories that \
                 POMs name are not asked.",
            ),
            Self::Offline { .. } => Some("Leave out `--offline`."),
            Self::Denied { .. } => Some(
                "Put user name and password for the repository's id under `servers` in ~/.m2/settings.xml.",
            ),
            Self::Decrypt { .. } => Some(
                "Encrypt it again with `mvn --encrypt-password`; the master password stands in \
                 ~/.m2/settings-security.xml.",
            ),
            Self::Checksum { .. } => {
                Some("Try again; if it stays, the repository's copy is damaged: ask its keeper.")
            }
            Self::Contradiction { .. } | Self::TooLarge { .. } => {
                Some("Exclude one of those that want it with `--exclude GROUP:ARTIFACT`.")
            }
            _ => None,
        }
    }
}
