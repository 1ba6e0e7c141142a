use flumen_flink_conf::Finding;

/// Something that is done as asked, and that the user should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// Flink's client writes this key from its own options, over what the user gave.
    #[error(
        "{key} is written as {written:?}, which the command line says or leaves at its default; {given:?} is not used"
    )]
    Replaced {
        /// The key.
        key: String,
        /// What the user gave.
        given: String,
        /// What is written.
        written: String,
    },
    /// The API server will not take this name.
    #[error(
        "cluster id {id:?} is no valid name for a Service (lower-case letters, digits and '-', beginning with a letter); the API server will refuse it"
    )]
    ClusterIdRefusedLater {
        /// The id.
        id: String,
    },
    /// A file that the configuration names is missing on the client's side.
    #[error(
        "the file {path} of {key} does not exist; the pods will wait for {object}, which nobody makes"
    )]
    FileMissing {
        /// The option.
        key: String,
        /// The path.
        path: String,
        /// The object that is not made.
        object: String,
    },
    /// Flink's JobManager will refuse this when it makes a TaskManager.
    #[error(
        "{key} is {value}, and the JobManager will start no TaskManager with it: it must be at least 1"
    )]
    TaskManagerLimitFactor {
        /// The option.
        key: String,
        /// The value.
        value: String,
    },
    /// An entry of a toleration or owner reference that Flink ignores.
    #[error("{key} has an entry {entry:?} that Flink does not know and ignores")]
    IgnoredEntry {
        /// The option.
        key: String,
        /// The entry.
        entry: String,
    },
    /// A field that no Kubernetes Pod has.
    #[error("{field} in the pod template {path} is no field of a Kubernetes Pod and has no effect")]
    TemplateField {
        /// The template.
        path: String,
        /// The field with those above it.
        field: String,
    },
    /// The JobManager reads this template only when it makes a TaskManager, and will fail then.
    #[error(
        "the JobManager will start no TaskManager with the pod template {path}: it is no Kubernetes Pod ({reason})"
    )]
    TaskManagerTemplate {
        /// The template.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two volumes at one path of the main container.
    #[error(
        "{path} is a mount path of the main container already; the claim {claim} is mounted there as well"
    )]
    MountPathTaken {
        /// The path.
        path: String,
        /// The claim.
        claim: String,
    },
    /// The old configuration file has no way to write this value.
    #[error("{key}: {what}")]
    Lost {
        /// The key.
        key: String,
        /// What becomes of the value.
        what: &'static str,
    },
    /// A key or value of the configuration that may not mean what the user thinks.
    #[error("{0}")]
    Doubtful(Finding),
    /// The user set a key that protects a job's runs to another value.
    #[error("{key} is set to {given:?} instead of {expected:?}: {lost}")]
    Unprotected {
        /// The key.
        key: String,
        /// What the user set.
        given: String,
        /// What Flumen would set.
        expected: String,
        /// What is lost.
        lost: String,
    },
}
