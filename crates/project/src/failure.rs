use std::fmt;

use flumen_model::Kind;
use jiff::SignedDuration;

use crate::log::last_lines;

/// A part of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The commit is fetched.
    Fetch,
    /// It is built.
    Build,
    /// The jar is handed over.
    HandOver,
}

/// Why a build has no jar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server does not know the repository.
    #[error("the git server has no such repository, or shows it only to others: {said}")]
    NoRepository {
        /// What git said.
        said: String,
    },
    /// The credentials are missing or wrong.
    #[error("the git server did not accept the credentials: {said}")]
    Denied {
        /// What git said.
        said: String,
    },
    /// The server's key is not among those that are known.
    #[error("the key of the git server is not the one in known_hosts: {said}")]
    Stranger {
        /// What ssh said.
        said: String,
    },
    /// The server could not be reached.
    #[error("the git server could not be reached from the pod: {said}")]
    Unreachable {
        /// What git said.
        said: String,
    },
    /// Nothing has this name.
    #[error("the repository has no branch and no tag of this name")]
    NoReference,
    /// Two things have this name.
    #[error("the repository has a branch and a tag of this name, which are different commits")]
    TwoReferences,
    /// No branch and no tag leads to the commit.
    #[error("no branch and no tag of the repository has this commit")]
    NoCommitThere,
    /// The directory is not there.
    #[error("this commit does not have the directory that the project names")]
    NoDirectory,
    /// Git failed in another way.
    #[error("git failed with status {status}: {said}")]
    Git {
        /// Its exit status.
        status: i32,
        /// What it said last.
        said: String,
    },
    /// What was fetched is no commit.
    #[error("the pod did not say which commit it fetched, but {said:?}")]
    NoCommit {
        /// What it said.
        said: String,
    },
    /// A program is not in the image.
    #[error("the build image lacks {program}")]
    NoProgram {
        /// What is missing.
        program: &'static str,
    },
    /// The builder failed.
    #[error("the builder ended with status {status}:\n{said}")]
    Build {
        /// Its exit status.
        status: i32,
        /// The end of its log.
        said: String,
    },
    /// The limit of memory was too low.
    #[error("the {part} took more memory than the project allows")]
    OutOfMemory {
        /// What did.
        part: Part,
    },
    /// The pattern matches nothing.
    #[error("the build made no jar that the pattern {pattern} has")]
    NoArtifact {
        /// The pattern of the project.
        pattern: String,
    },
    /// The pattern matches more than one.
    #[error("the pattern {pattern} has several jars: {}", found.join(", "))]
    SeveralArtifacts {
        /// The pattern of the project.
        pattern: String,
        /// The first of them.
        found: Vec<String>,
    },
    /// The jar could not be served.
    #[error("the jar could not be handed over: {said}")]
    HandOver {
        /// The end of the log.
        said: String,
    },
    /// The jar is larger than the server takes.
    #[error("the jar has {size} bytes, and a file of a job may have {limit}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Other bytes came than the pod has.
    #[error("what came is not what the pod has: its SHA-256 is {expected}, and {actual} came")]
    OtherBytes {
        /// What the pod said.
        expected: String,
        /// What came.
        actual: String,
    },
    /// The image cannot be had.
    #[error("the build image cannot be had: {reason}")]
    Image {
        /// What Kubernetes says.
        reason: String,
    },
    /// An object that the project names is not there, or lacks an entry.
    #[error("{what}")]
    Missing {
        /// Which, and what of it.
        what: String,
    },
    /// Kubernetes ended the Pod.
    #[error("the pod of the build was ended by the cluster ({reason}){}", after(message))]
    Evicted {
        /// Kubernetes' word.
        reason: String,
        /// Its sentence.
        message: String,
    },
    /// The Pod is not there any more.
    #[error("the pod of the build was deleted by somebody else")]
    Gone,
    /// The Pod was ended at its deadline: no server came for the jar.
    #[error("the pod of the build was ended at its deadline before a server took the jar")]
    Deadline,
    /// It took too long.
    #[error("it was not built within {limit:#}{}", after(waits.as_deref().unwrap_or_default()))]
    TimedOut {
        /// The limit.
        limit: SignedDuration,
        /// What it waited for at last.
        waits: Option<String>,
    },
}

fn after(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Fetch => "fetch of the commit",
            Self::Build => "build",
            Self::HandOver => "hand-over of the jar",
        })
    }
}

impl Failure {
    /// What the end of a container means. `said` is its last words.
    pub fn of(part: Part, status: i32, reason: &str, said: &str) -> Self {
        if reason == "OOMKilled" {
            return Self::OutOfMemory { part };
        }
        match (part, status) {
            (Part::Fetch, 90) => Self::NoProgram { program: "git" },
            (Part::Fetch, 91) => Self::NoReference,
            (Part::Fetch, 92) => Self::TwoReferences,
            (Part::Fetch, 93) => Self::NoCommitThere,
            (Part::Fetch, 94) => Self::NoDirectory,
            (Part::Fetch, _) => Self::of_git(status, said),
            (Part::Build, 95) => Self::NoProgram { program: "the builder that the project names" },
            (Part::Build, _) => Self::Build { status, said: last_lines(said, 20) },
            (Part::HandOver, 96) => Self::NoProgram { program: "javac" },
            (Part::HandOver, 97) => Self::NoArtifact { pattern: String::new() },
            (Part::HandOver, 98) => {
                let found = said.lines().map(str::to_owned).collect();
                Self::SeveralArtifacts { pattern: String::new(), found }
            }
            (Part::HandOver, _) => Self::HandOver { said: last_lines(said, 5) },
        }
    }

    fn of_git(status: i32, said: &str) -> Self {
        const DENIED: [&str; 6] = [
            "Authentication failed",
            "could not read Username",
            "Permission denied",
            "returned error: 401",
            "returned error: 403",
            "invalid credentials",
        ];
        const UNREACHABLE: [&str; 9] = [
            "Could not resolve host",
            "Failed to connect",
            "Couldn't connect",
            "Connection refused",
            "Connection timed out",
            "Connection reset",
            "Network is unreachable",
            "No route to host",
            "SSL certificate problem",
        ];
        const UNKNOWN: [&str; 4] = [
            "not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "does not exist",
        ];
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let words = last_lines(said, 4);
        if said.contains("Host key verification failed") {
            return Self::Stranger { said: words };
        }
        if has(&DENIED) {
            return Self::Denied { said: words };
        }
        if has(&UNREACHABLE) {
            return Self::Unreachable { said: words };
        }
        if has(&UNKNOWN) {
            return Self::NoRepository { said: words };
        }
        Self::Git { status, said: words }
    }

    /// The same with the pattern of the project, and the end of the builder's log where that is known better.
    #[must_use]
    pub fn with(self, pattern: &str, log: Option<String>) -> Self {
        match (self, log) {
            (Self::NoArtifact { .. }, _) => Self::NoArtifact { pattern: pattern.to_owned() },
            (Self::SeveralArtifacts { found, .. }, _) => {
                Self::SeveralArtifacts { pattern: pattern.to_owned(), found }
            }
            (Self::Build { status, .. }, Some(said)) => Self::Build { status, said },
            (other, _) => other,
        }
    }

    /// The part of the build in which it fails, as far as that is known.
    pub fn part(&self) -> Part {
        match self {
            Self::OutOfMemory { part } => *part,
            Self::NoProgram { program: "git" } => Part::Fetch,
            Self::NoProgram { program: "javac" } => Part::HandOver,
            _ => match self.code() {
                "project.build" => Part::Build,
                "project.artifact" => Part::HandOver,
                _ => Part::Fetch,
            },
        }
    }

    /// What sort of failure this is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::NoRepository { .. }
            | Self::NoReference
            | Self::NoCommitThere
            | Self::NoDirectory => Kind::NotFound,
            Self::Denied { .. } => Kind::Denied,
            Self::Unreachable { .. }
            | Self::Evicted { .. }
            | Self::Gone
            | Self::Deadline
            | Self::HandOver { .. }
            | Self::OtherBytes { .. } => Kind::Unavailable,
            Self::TimedOut { .. } => Kind::Timeout,
            _ => Kind::Invalid,
        }
    }

    /// The stable name of what failed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRepository { .. }
            | Self::Denied { .. }
            | Self::Stranger { .. }
            | Self::Unreachable { .. }
            | Self::NoReference
            | Self::TwoReferences
            | Self::NoCommitThere
            | Self::NoDirectory
            | Self::NoCommit { .. }
            | Self::Git { .. } => "project.fetch",
            Self::NoProgram { .. } | Self::Build { .. } | Self::OutOfMemory { .. } => {
                "project.build"
            }
            Self::NoArtifact { .. }
            | Self::SeveralArtifacts { .. }
            | Self::HandOver { .. }
            | Self::TooLarge { .. }
            | Self::OtherBytes { .. } => "project.artifact",
            Self::Image { .. }
            | Self::Missing { .. }
            | Self::Evicted { .. }
            | Self::Gone
            | Self::Deadline
            | Self::TimedOut { .. } => "project.pod",
        }
    }

    /// What to do about it, in whole sentences.
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoRepository { .. } => {
                "Check the address. If the repository is not open to all, name a Secret under `credentials` of the project."
            }
            Self::Denied { .. } => {
                "Check the Secret that `credentials` of the project names: `username` and `password` for https, `ssh-privatekey` and `known_hosts` for ssh."
            }
            Self::Stranger { .. } => {
                "Put the server's line into `known_hosts` of the Secret; `ssh-keyscan HOST` prints it, and compare it with what the server's operator says."
            }
            Self::Unreachable { .. } => {
                "The pod must reach the git server from its namespace; pods of the local cluster reach only each other."
            }
            Self::NoReference => {
                "Check `ref` of the project, or name one with `--ref`. A commit is named by its whole id."
            }
            Self::TwoReferences => "Write refs/heads/NAME or refs/tags/NAME.",
            Self::NoDirectory => "Check `directory` of the project.",
            Self::NoProgram { .. } => {
                "Name an image that has git, a JDK and the builder under `image` of the project."
            }
            Self::Build { .. } => "`flumen project log NAME` has all that it said.",
            Self::OutOfMemory { .. } => "Raise `resources.memory` of the project.",
            Self::NoArtifact { .. } | Self::SeveralArtifacts { .. } => {
                "Set `artifact` of the project to a pattern below its directory that one jar has."
            }
            Self::TooLarge { .. } => {
                "`flumen serve --artifact-limit` sets how large a file may be."
            }
            Self::TimedOut { .. } => "Raise `timeout` of the project, or see what it waits for.",
            Self::Evicted { .. } | Self::Gone | Self::Deadline | Self::OtherBytes { .. } => {
                "Build it again with `flumen project build NAME`."
            }
            Self::Image { .. } => "Check `image` of the project, and that the nodes may pull it.",
            Self::NoCommitThere
            | Self::NoCommit { .. }
            | Self::Git { .. }
            | Self::HandOver { .. }
            | Self::Missing { .. } => return None,
        })
    }
}
