//! What becomes of a job when something happens that nobody asked for.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Whether a run that failed is followed by another, after Flink's own restart strategy gave it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RestartPolicy {
    /// How many runs in a row may be started so; 0: none. Default: 3 for a job that has completed a
    /// checkpoint, else 0, as Flink itself does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How long to wait before the first, for example `10 s`; doubled each time. Default: 10 s.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub back_off: SignedDuration,
    /// The longest wait. Default: 5 min.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub max_back_off: SignedDuration,
    /// A run that ran this long starts the count anew. Default: 1 h.
    #[serde(serialize_with = "jiff::fmt::serde::duration::friendly::compact::required")]
    pub window: SignedDuration,
    /// A start that has not come to RUNNING by then is given up. Default: it is waited for, and what
    /// holds it up is shown.
    #[serde(
        serialize_with = "jiff::fmt::serde::duration::friendly::compact::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_timeout: Option<SignedDuration>,
}

impl RestartPolicy {
    /// [`attempts`](Self::attempts) of a job that has completed a checkpoint and says nothing.
    pub const ATTEMPTS: u32 = 3;

    /// The policy of a job file that says nothing.
    pub const STANDARD: Self = Self {
        attempts: None,
        back_off: SignedDuration::from_secs(10),
        max_back_off: SignedDuration::from_mins(5),
        window: SignedDuration::from_hours(1),
        start_timeout: None,
    };
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// What follows when someone else ends a run: cancels its job at Flink, or deletes its Deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterventionPolicy {
    /// It is named and stays so.
    #[default]
    Accept,
    /// It is named, and the job is started again from its newest snapshot, as after a failure.
    Restart,
}

/// What becomes of an earlier cluster's objects under the job's cluster id, before a start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftoverPolicy {
    /// Those of the job's own ended runs are removed, others refuse the start.
    #[default]
    Own,
    /// High-availability data of unknown origin is removed too.
    Remove,
    /// Any leftover refuses the start.
    Refuse,
}

/// From what a run begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum StartFrom {
    /// With empty state.
    #[default]
    Nothing,
    /// From the newest snapshot of the job; with empty state if there is none.
    Latest,
    /// From the savepoint or retained checkpoint that lies there.
    Path {
        /// As Flink sees it.
        path: String,
    },
}

/// How a savepoint is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavepointFormat {
    /// The same for all state backends. Up to 1.14 there is no other.
    #[default]
    Canonical,
    /// The state backend's own: faster, tied to it (1.15 and later).
    Native,
}

impl SavepointFormat {
    /// The format where nobody names one: canonical as Flink has it, and native from 2.0 on. There
    /// operators with asynchronous state fail, and with them their job, when a canonical one is asked for
    /// (`StreamOperatorStateHandler`: `UnsupportedOperationException`, seen with 2.3.0).
    pub fn standard(minor: crate::FlinkMinor) -> Self {
        const ASYNCHRONOUS_STATE: crate::FlinkMinor = crate::FlinkMinor::new(2, 0);
        if minor < ASYNCHRONOUS_STATE { Self::Canonical } else { Self::Native }
    }
}

/// What becomes of the snapshot that a job starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreMode {
    /// Flink takes it over and may delete it.
    Claim,
    /// It stays the user's; the first checkpoint is a full one.
    NoClaim,
    /// Neither: how Flink did it up to 1.14; gone in 2.0.
    Legacy,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_say_them() {
        let policy: RestartPolicy = serde_json::from_str(
            r#"{"attempts":5,"backOff":"10 s","maxBackOff":"2 min","window":"1 h"}"#,
        )
        .expect("valid");
        assert_eq!(policy.max_back_off, SignedDuration::from_secs(120));
        let again = serde_json::to_string(&policy).expect("json");
        assert_eq!(serde_json::from_str::<RestartPolicy>(&again).expect("valid"), policy);
    }

    #[test]
    fn savepoints_are_native_where_canonical_ones_may_end_the_job() {
        let standard = |text: &str| SavepointFormat::standard(text.parse().expect("a minor"));
        assert_eq!(standard("1.20"), SavepointFormat::Canonical);
        assert_eq!(
            (standard("2.0"), standard("2.3")),
            (SavepointFormat::Native, SavepointFormat::Native)
        );
    }

    #[test]
    fn what_is_not_said_is_the_documented_default() {
        let policy: RestartPolicy = serde_json::from_str("{}").expect("valid");
        assert_eq!(policy, RestartPolicy::default());
        assert!(serde_json::from_str::<RestartPolicy>(r#"{"backoff":"1 s"}"#).is_err());
        assert!(serde_json::from_str::<RestartPolicy>(r#"{"backOff":"soon"}"#).is_err());
    }
}
