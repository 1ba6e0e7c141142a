use std::{fmt, str::FromStr};

use flumen_model::{InvalidValue, RunId};
use serde::{Deserialize, Serialize};

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u128);

        impl $name {
            /// The id with these bits.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The bits of the id.
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}({self})", stringify!($name))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:032x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                let hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                hex.then(|| u128::from_str_radix(text, 16).ok())
                    .flatten()
                    .map(Self)
                    .ok_or_else(|| InvalidValue::new($what, text, "expected 32 hex digits"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

hex_id! {
    /// A job as Flink names it. Where the version honours `$internal.pipeline.job-id` it is the run's id.
    JobId, "Flink job id"
}
hex_id! {
    /// An asynchronous operation of the JobManager, kept in its memory only.
    TriggerId, "trigger id"
}
hex_id! {
    /// A vertex of the job's graph.
    VertexId, "vertex id"
}

impl From<RunId> for JobId {
    fn from(run: RunId) -> Self {
        run.to_string().parse().expect("a run id and a job id have the same form")
    }
}

impl From<JobId> for RunId {
    fn from(job: JobId) -> Self {
        Self::from_bits(job.bits())
    }
}
