use std::io;

use flumen_model::{FlinkMinor, FlinkVersion, Kind};

/// Why an offline command did not print what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not there or cannot be read.
    #[error("could not read the file {file}")]
    ReadFile {
        /// The file.
        file: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The job file is wrong.
    #[error(transparent)]
    JobFile(#[from] flumen_job_file::Error),
    /// The file of a layer is no Flink configuration.
    #[error("could not read a layer from {file}")]
    ReadLayer {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: flumen_flink_conf::Error,
    },
    /// A job's configuration is wrong.
    #[error("the configuration of job {job} cannot be used")]
    Configuration {
        /// The job.
        job: String,
        /// What is wrong with it.
        #[source]
        source: flumen_flink_conf::Error,
    },
    /// A job cannot become Kubernetes objects.
    #[error("could not render job {job}")]
    Render {
        /// The job.
        job: String,
        /// What is wrong with it.
        #[source]
        source: flumen_flink_manifest::Error,
    },
    /// The job makes no objects of its own.
    #[error(
        "job {job} runs in the session {session} and has no objects of its own: there is nothing to render"
    )]
    InSession {
        /// The job.
        job: String,
        /// The session.
        session: String,
    },
    /// Nobody set the key, and Flink does not know it.
    #[error("no layer sets {key}, and Flink {version} has no such option{}", hint.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        key: String,
        /// The version.
        version: String,
        /// A key that is much like it.
        hint: Option<String>,
    },
    /// Flumen does not know the options of this minor.
    #[error(
        "Flumen does not know the options of Flink {minor}: expected {} to {}",
        FlinkMinor::SUPPORTED[0],
        FlinkMinor::SUPPORTED[FlinkMinor::SUPPORTED.len() - 1]
    )]
    UnknownMinor {
        /// The minor.
        minor: FlinkMinor,
    },
    /// A script in Flink SQL is wrong; the findings were printed.
    #[error("the script {file} has {errors} error{}", if *errors == 1 { "" } else { "s" })]
    Script {
        /// The file.
        file: String,
        /// How many errors, at least one.
        errors: usize,
    },
    /// A jar cannot be inspected.
    #[error("could not inspect the jar {file}")]
    Jar {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: flumen_jar::Error,
    },
    /// Artifacts cannot be resolved or fetched.
    #[error(transparent)]
    Maven(#[from] flumen_maven::Error),
    /// An image cannot be made or looked at.
    #[error(transparent)]
    Image(#[from] flumen_image::Error),
    /// The name of the image to make says already what is in it.
    #[error("the target {target} has a digest, which follows from what is put into the image")]
    TargetHasDigest {
        /// The name.
        target: String,
    },
    /// A label has two values.
    #[error("the label {key} is given twice, as {first:?} and {second:?}")]
    LabelTwice {
        /// The label.
        key: String,
        /// The one value.
        first: String,
        /// The other.
        second: String,
    },
    /// A directory has nothing in it.
    #[error("the directory {directory} is empty: there is nothing to put into the image")]
    NothingToAdd {
        /// The directory.
        directory: String,
    },
    /// The file of a base image is not of its form.
    #[error("the file of a base image {file} cannot be read")]
    BaseFile {
        /// The file.
        file: String,
        /// What is wrong with it, and where.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// Coordinates leave the version of Scala open.
    #[error(
        "could not resolve {coordinates}: the two colons stand for a version of Scala, and none is given"
    )]
    NoScala {
        /// The coordinates.
        coordinates: String,
    },
    /// A value in the file of a base image cannot be used.
    #[error("{file}: {key}: {problem}")]
    BaseValue {
        /// The file.
        file: String,
        /// The key with its parents, such as `plugins.s3[0]`.
        key: String,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
    /// Flink would fail on what is put into a base image; each problem is a sentence.
    #[error("the jars of the base image {name} do not run on Flink {flink}: {}", problems.join("; "))]
    Unfit {
        /// The name of the base image.
        name: String,
        /// Its Flink.
        flink: FlinkVersion,
        /// At least one.
        problems: Vec<String>,
    },
    /// There is no place for files on their way into the image.
    #[error("could not make a directory for the layers")]
    MakeScratch {
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Nobody says where the user's files are.
    #[error("could not find the settings of Maven: the variable HOME is not set")]
    NoHome,
    /// The runtime for connections does not start.
    #[error("could not start what repositories are asked with")]
    Start {
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The output is closed or full.
    #[error("could not print the result")]
    Print {
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// An object could not be written as YAML.
    #[error("could not write an object as YAML")]
    WriteYaml {
        /// What went wrong.
        #[source]
        source: Box<serde_saphyr::SerializeError>,
    },
}

impl Error {
    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ReadFile { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Kind::NotFound
            }
            Self::JobFile(error) => error.kind(),
            Self::Maven(error) => error.kind(),
            Self::Image(error) => error.kind(),
            Self::ReadLayer { source, .. } | Self::Configuration { source, .. } => source.kind(),
            Self::Render { source, .. } => source.kind(),
            Self::Jar { source, .. } => source.kind(),
            Self::UnknownKey { .. } => Kind::NotFound,
            Self::ReadFile { .. }
            | Self::InSession { .. }
            | Self::Script { .. }
            | Self::NoHome
            | Self::TargetHasDigest { .. }
            | Self::LabelTwice { .. }
            | Self::BaseFile { .. }
            | Self::BaseValue { .. }
            | Self::NoScala { .. }
            | Self::Unfit { .. }
            | Self::NothingToAdd { .. }
            | Self::UnknownMinor { .. } => Kind::Invalid,
            Self::Start { .. } | Self::MakeScratch { .. } => Kind::Unavailable,
            Self::Print { .. } | Self::WriteYaml { .. } => Kind::Bug,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoScala { .. } => Some("Name it with `--scala`, such as `--scala 2.12`."),
            Self::Maven(error) => error.hint(),
            Self::Image(error) => hint_for_image(error),
            Self::TargetHasDigest { .. } => Some("Name the target by its repository and a tag."),
            Self::NoHome => {
                Some("Set HOME, or name the files with `--settings` and `--local-repository`.")
            }
            _ => None,
        }
    }
}

fn hint_for_image(error: &flumen_image::Error) -> Option<&'static str> {
    match error {
        flumen_image::Error::Authenticate { .. } => Some(
            "Credentials are taken from where `docker login` and `podman login` keep them; `--credentials` names another file.",
        ),
        flumen_image::Error::ChoosePlatform { .. } => Some("`--platform` names another one."),
        flumen_image::Error::Reach { .. } => Some(
            "For a registry without TLS there is `--insecure-registry HOST`, for a certificate authority of one's own `--ca FILE`.",
        ),
        _ => None,
    }
}
