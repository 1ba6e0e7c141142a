use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word that no known version says. Never an end.
            Unknown(String),
        }

        impl $name {
            /// Flink's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.to_ascii_uppercase().as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Unknown(word),
                }
            }
        }

        impl From<$name> for String {
            fn from(state: $name) -> Self {
                state.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The state of a job as its JobManager says it.
    JobState {
        /// Its graph is being made into an execution.
        Initializing = "INITIALIZING",
        /// Made, not yet scheduled.
        Created = "CREATED",
        /// Scheduled; whether all tasks run is told by [`TaskCounts`].
        Running = "RUNNING",
        /// Being torn down after a failure, to restart or to fail.
        Failing = "FAILING",
        /// Failed for good.
        Failed = "FAILED",
        /// Being torn down because someone cancelled it.
        Cancelling = "CANCELLING",
        /// Cancelled for good.
        Canceled = "CANCELED",
        /// All its work is done.
        Finished = "FINISHED",
        /// Waiting to run again, or for slots.
        Restarting = "RESTARTING",
        /// This JobManager gave it up; another may resume it. Not an end.
        Suspended = "SUSPENDED",
        /// Being taken over from an earlier JobManager.
        Reconciling = "RECONCILING",
    }
}

impl JobState {
    /// Whether the job will never run again.
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::Failed | Self::Canceled | Self::Finished)
    }
}

words! {
    /// The state of a task, or of a vertex as a whole.
    TaskState {
        /// Made, not yet scheduled.
        Created = "CREATED",
        /// Waits for a slot.
        Scheduled = "SCHEDULED",
        /// Being sent to its TaskManager.
        Deploying = "DEPLOYING",
        /// Restores its state.
        Initializing = "INITIALIZING",
        /// Runs.
        Running = "RUNNING",
        /// Done.
        Finished = "FINISHED",
        /// Being stopped.
        Canceling = "CANCELING",
        /// Stopped.
        Canceled = "CANCELED",
        /// Failed.
        Failed = "FAILED",
        /// Being taken over from an earlier JobManager.
        Reconciling = "RECONCILING",
    }
}

/// How many tasks are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Made, not yet scheduled.
    pub created: u32,
    /// Wait for a slot.
    pub scheduled: u32,
    /// On their way to a TaskManager.
    pub deploying: u32,
    /// Restore their state.
    pub initializing: u32,
    /// Run.
    pub running: u32,
    /// Done.
    pub finished: u32,
    /// Being stopped.
    pub canceling: u32,
    /// Stopped.
    pub canceled: u32,
    /// Failed.
    pub failed: u32,
    /// Being taken over from an earlier JobManager.
    pub reconciling: u32,
}

impl TaskCounts {
    /// All tasks.
    pub const fn total(&self) -> u32 {
        self.created
            + self.scheduled
            + self.deploying
            + self.initializing
            + self.running
            + self.finished
            + self.canceling
            + self.canceled
            + self.failed
            + self.reconciling
    }

    /// Whether there are tasks and every one runs or is done: what "the job runs" means to people.
    pub const fn all_running(&self) -> bool {
        self.total() > 0 && self.running + self.finished == self.total()
    }

    fn slot(&mut self, state: &TaskState) -> Option<&mut u32> {
        Some(match state {
            TaskState::Created => &mut self.created,
            TaskState::Scheduled => &mut self.scheduled,
            TaskState::Deploying => &mut self.deploying,
            TaskState::Initializing => &mut self.initializing,
            TaskState::Running => &mut self.running,
            TaskState::Finished => &mut self.finished,
            TaskState::Canceling => &mut self.canceling,
            TaskState::Canceled => &mut self.canceled,
            TaskState::Failed => &mut self.failed,
            TaskState::Reconciling => &mut self.reconciling,
            TaskState::Unknown(_) => return None,
        })
    }
}

/// The keys are states in lower case (`/jobs/overview`) or in upper case (a vertex), and a `total` that
/// is the sum of the others.
impl<'de> Deserialize<'de> for TaskCounts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = TaskCounts;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number of tasks for each state")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<TaskCounts, A::Error> {
                let mut counts = TaskCounts::default();
                while let Some(word) = map.next_key::<String>()? {
                    let count = map.next_value::<u32>()?;
                    if let Some(slot) = counts.slot(&TaskState::from(word)) {
                        *slot = count;
                    }
                }
                Ok(counts)
            }
        }
        from.deserialize_map(Visitor)
    }
}
