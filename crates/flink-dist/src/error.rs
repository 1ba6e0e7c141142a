use std::{io, path::PathBuf};

use flumen_model::{FlinkMinor, FlinkVersion, Kind};

/// Why there is no distribution or no base image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory is no Flink home.
    #[error("{} is not a home of Flink {version}: {problem}", path.display())]
    OpenDistribution {
        /// The directory.
        path: PathBuf,
        /// The version that it should hold.
        version: FlinkVersion,
        /// What is missing or wrong.
        problem: String,
    },
    /// A directory has no packages that a base image can be made with.
    #[error("{} cannot be the PyFlink of Flink {version}: {problem}", path.display())]
    OpenPyFlink {
        /// The directory.
        path: PathBuf,
        /// The version that it should hold.
        version: FlinkVersion,
        /// What is missing or wrong.
        problem: String,
    },
    /// A directory or file could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A directory or file could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The cache's disk is full.
    #[error("no space is left on the disk of {} for Flink {version}; about 1 GB must be free", path.display())]
    DiskFull {
        /// The cache directory.
        path: PathBuf,
        /// The version that was to be stored.
        version: FlinkVersion,
    },
    /// Python is not installed.
    #[error(
        "{} cannot be run, and Flink is downloaded with it; install it with \
         `apt-get install python3 python3-pip`, or give the directory of a Flink distribution", python.display()
    )]
    RunPython {
        /// The program.
        python: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Python has no pip.
    #[error(
        "{} has no pip, and Flink is downloaded with it; install it with `apt-get install python3-pip`, \
         or give the directory of a Flink distribution", python.display()
    )]
    FindPip {
        /// The program.
        python: PathBuf,
    },
    /// The package index does not have the version.
    #[error("the Python package index has no {package} {version}{available}")]
    FindVersion {
        /// The package.
        package: &'static str,
        /// The version.
        version: FlinkVersion,
        /// The versions that it has of this minor, with a leading text; empty if it named none.
        available: String,
    },
    /// The package index cannot be reached.
    #[error(
        "the Python package index could not be reached to download {package} {version}: {detail}"
    )]
    ReachIndex {
        /// The package.
        package: &'static str,
        /// The version.
        version: FlinkVersion,
        /// pip's last words.
        detail: String,
    },
    /// pip failed in another way.
    #[error("pip could not download {package} {version}: {detail}")]
    Download {
        /// The package.
        package: &'static str,
        /// The version.
        version: FlinkVersion,
        /// pip's last words.
        detail: String,
    },
    /// A downloaded package is damaged.
    #[error("could not unpack {}", path.display())]
    Unpack {
        /// The package file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// No Java that this Flink runs on.
    #[error(
        "Flink {minor} needs Java {wanted}, and /usr/lib/jvm, where the pods of the local cluster see it, has {found}; install it with \
         `apt-get install openjdk-{package}-jre-headless`"
    )]
    FindJava {
        /// The Flink minor.
        minor: FlinkMinor,
        /// The Java versions that it runs on, in words.
        wanted: String,
        /// What was found, in words.
        found: String,
        /// The Java version that is best for it.
        package: u32,
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
            Self::OpenDistribution { .. }
            | Self::OpenPyFlink { .. }
            | Self::RunPython { .. }
            | Self::FindPip { .. }
            | Self::FindJava { .. }
            | Self::Download { .. }
            | Self::Unpack { .. } => Kind::Invalid,
            Self::FindVersion { .. } => Kind::NotFound,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::DiskFull { .. }
            | Self::ReachIndex { .. }
            | Self::Interrupted { .. } => Kind::Unavailable,
        }
    }
}
