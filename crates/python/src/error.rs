use std::{io, path::PathBuf};

use flumen_model::{Digest, Kind};

/// Why wheels cannot be had, or an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line of a requirements file is none that can be taken.
    #[error("{file}, line {line}: {problem}")]
    ReadRequirement {
        /// The name of the file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The Python of an image is not described as it should be.
    #[error("the Python of the image cannot be resolved for: {problem}")]
    UseTarget {
        /// What is wrong.
        problem: String,
    },
    /// No version of a project fits.
    #[error("no version of {project} fits: {}; the index has {known}", wanted.join(" and "))]
    NoVersion {
        /// The project.
        project: String,
        /// Who wants what of it.
        wanted: Vec<String>,
        /// The newest versions that it could be.
        known: String,
    },
    /// Flink's own packages are those of the image.
    #[error(
        "the image has {project} {version}, which belongs to its Flink, and that does not fit: {}",
        wanted.join(" and ")
    )]
    OfFlink {
        /// The project.
        project: String,
        /// Who wants what of it.
        wanted: Vec<String>,
        /// What the image has.
        version: String,
    },
    /// The index does not know a project.
    #[error("the index {index} has no {project}, which {by} names")]
    NoProject {
        /// The project.
        project: String,
        /// Who wants it.
        by: String,
        /// The index.
        index: String,
    },
    /// There are versions, but no wheel of them for this Python.
    #[error("{project} cannot be had as a wheel for {target}: {why}")]
    NoWheel {
        /// The project, with what is wanted of it.
        project: String,
        /// The Python.
        target: String,
        /// What there is instead.
        why: String,
    },
    /// What is wanted has no wheel with one of the digests that the requirements name.
    #[error(
        "no wheel of {project} {version} for this Python has a hash that {file} names; the index has {found}"
    )]
    NoHash {
        /// The project.
        project: String,
        /// The version.
        version: String,
        /// The requirements file.
        file: String,
        /// What the index says of the best wheel.
        found: String,
    },
    /// Once a requirement has a hash, all that is fetched needs one.
    #[error(
        "{project}, which {by} needs, is not in the requirements with == and --hash, as all are once one is"
    )]
    NotHashed {
        /// The project.
        project: String,
        /// Who wants it.
        by: String,
    },
    /// Something depends on a file by URL.
    #[error("{by} wants {project} from a URL, and only what is in the index is fetched")]
    ByUrl {
        /// The project.
        project: String,
        /// Who wants it.
        by: String,
    },
    /// No end is in sight.
    #[error("the requirements were not resolved after {tries} tries; pin some of them with ==")]
    TooHard {
        /// How many.
        tries: u32,
    },
    /// The index cannot be reached.
    #[error("could not fetch {what} from {index}")]
    Fetch {
        /// What was asked for.
        what: String,
        /// The index.
        index: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The index answered with a status that says no.
    #[error("{index} answered {status} for {what}")]
    Answer {
        /// What was asked for.
        what: String,
        /// The index.
        index: String,
        /// The HTTP status.
        status: u16,
    },
    /// Something that the index names is not there.
    #[error("{index} names {what}, and does not have it")]
    Gone {
        /// What.
        what: String,
        /// The index.
        index: String,
    },
    /// The answer of an index is of no form that is known.
    #[error("what {index} answers for {what} cannot be read: {problem}")]
    ReadAnswer {
        /// What was asked for.
        what: String,
        /// The index.
        index: String,
        /// What is wrong.
        problem: String,
    },
    /// A file is larger than is taken.
    #[error("{what} has more than {limit} bytes")]
    TooManyBytes {
        /// Which.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// What came is not what was announced.
    #[error("{what} has the digest {actual}, and {expected} was announced")]
    OtherContent {
        /// Which.
        what: String,
        /// What the requirements or the index say.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A wheel or an archive is not what it should be.
    #[error("{name} cannot be used: {problem}")]
    UseArchive {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of this machine.
    #[error("could not read or write {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The HTTP client cannot be made.
    #[error("could not make an HTTP client")]
    Connect {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Work beside the requests ended without a result.
    #[error("{step} was interrupted")]
    Interrupted {
        /// What.
        step: &'static str,
    },
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn archive(name: &str) -> impl Fn(String) -> Self {
        move |problem| Self::UseArchive { name: name.to_owned(), problem }
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoVersion { .. } | Self::NoProject { .. } | Self::NoWheel { .. } => {
                Kind::NotFound
            }
            Self::Answer { status: 401 | 403 | 407, .. } => Kind::Denied,
            Self::Fetch { source, .. } if source.is_timeout() => Kind::Timeout,
            Self::Fetch { .. }
            | Self::Answer { .. }
            | Self::Gone { .. }
            | Self::ReadAnswer { .. }
            | Self::OtherContent { .. }
            | Self::Interrupted { .. }
            | Self::File { .. } => Kind::Unavailable,
            Self::Connect { .. } => Kind::Bug,
            Self::ReadRequirement { .. }
            | Self::UseTarget { .. }
            | Self::OfFlink { .. }
            | Self::NoHash { .. }
            | Self::NotHashed { .. }
            | Self::ByUrl { .. }
            | Self::TooHard { .. }
            | Self::TooManyBytes { .. }
            | Self::UseArchive { .. } => Kind::Invalid,
        }
    }

    /// What to do about it, in whole sentences.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoWheel { .. } => Some(
                "Build a wheel of it with `pip wheel`, and name that as a dependency with `role: python`, or put the package into the base image.",
            ),
            Self::NoVersion { .. } | Self::NoProject { .. } => Some(
                "Check the requirements. The server asks one index; `flumen serve --python-index URL` names another.",
            ),
            Self::Fetch { .. } | Self::Answer { .. } => Some(
                "The server asks the index that `flumen serve --python-index URL` names; apply the job file again when it can be reached.",
            ),
            Self::NoHash { .. } | Self::NotHashed { .. } => {
                Some("`pip-compile --generate-hashes` writes requirements that are whole.")
            }
            _ => None,
        }
    }
}
