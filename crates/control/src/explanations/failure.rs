use flumen_model::{FlinkVersion, Kind};

/// What kept Flink from explaining a script. What Flink says of the script is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplanationFailure {
    /// The cluster has no place for the pod.
    #[error(
        "the pod of Flink {flink} cannot be scheduled in the environment {environment}: {reason}"
    )]
    Unschedulable {
        /// The version.
        flink: FlinkVersion,
        /// Where.
        environment: String,
        /// In the scheduler's words.
        reason: String,
    },
    /// The container cannot be started.
    #[error("the pod of Flink {flink} in the environment {environment} cannot start: {reason}")]
    CannotStart {
        /// The version.
        flink: FlinkVersion,
        /// Where.
        environment: String,
        /// In Kubernetes' words.
        reason: String,
    },
    /// The pod ended without an answer.
    #[error("Flink {flink} gave no answer: {what}{}", last_words(.log))]
    Broken {
        /// The version.
        flink: FlinkVersion,
        /// How it ended.
        what: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// Somebody else deleted the pod.
    #[error(
        "the pod of Flink {flink} in the environment {environment} was deleted before it was done"
    )]
    Deleted {
        /// The version.
        flink: FlinkVersion,
        /// Where.
        environment: String,
    },
    /// The time is over.
    #[error("Flink {flink} gave no answer within {seconds} s; the last step was {step}")]
    Late {
        /// The version.
        flink: FlinkVersion,
        /// The time.
        seconds: u64,
        /// What it was at.
        step: String,
    },
    /// The server stops, or nobody waits.
    #[error("the server stops")]
    Stopping,
}

fn last_words(log: &[String]) -> String {
    if log.is_empty() { String::new() } else { format!("; it said: {}", log.join(" | ")) }
}

impl ExplanationFailure {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Late { .. } => Kind::Timeout,
            _ => Kind::Unavailable,
        }
    }

    /// The stable code of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Late { .. } => "sql.timeout",
            _ => "sql.pod",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unschedulable { .. } => {
                "The pod takes what a JobManager of the environment takes. Try again when there is room, or lower `jobmanager.memory.process.size` and `kubernetes.jobmanager.cpu.amount` in the configuration of the job or the environment."
            }
            Self::CannotStart { .. } => {
                "Jobs of this Flink version would fail in the same way there. `flumen registry check` looks at the registry; the Secrets that images are pulled with must be in the namespace of the environment."
            }
            Self::Broken { .. } => {
                "Give the pod more memory with `jobmanager.memory.process.size` if it ran out of that; else the log says why."
            }
            Self::Late { .. } => "`--timeout` gives it more time, up to 15m.",
            Self::Deleted { .. } | Self::Stopping => "Try again.",
        })
    }
}
