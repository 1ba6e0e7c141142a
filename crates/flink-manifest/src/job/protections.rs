//! The options that keep a run from being lost or done twice, and what the versions without them
//! lack.

use flumen_flink_conf::Configuration;
use flumen_model::FlinkMinor;

use super::high_availability;
use crate::{Warning, keys};

/// An option that protects the runs of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// The option.
    pub key: &'static str,
    /// What Flumen sets it to; `None` if the version does not have it.
    pub value: Option<&'static str>,
    /// What is lost without it.
    pub lost: &'static str,
    /// What Flumen does where the version lacks it.
    pub instead: &'static str,
}

struct Option_ {
    key: &'static str,
    value: &'static str,
    since: FlinkMinor,
    lost: &'static str,
    instead: &'static str,
}

const OPTIONS: [Option_; 4] = [
    Option_ {
        key: "execution.shutdown-on-application-finish",
        value: "false",
        since: FlinkMinor::new(1, 15),
        lost: "the JobManager goes away as soon as the job ends, often before its outcome can be read",
        instead: "Flumen polls closely; an outcome that was not seen is shown as unknown",
    },
    Option_ {
        key: "execution.submit-failed-job-on-application-error",
        value: "true",
        since: FlinkMinor::new(1, 15),
        lost: "a program that fails before it submits a job shows no job and no exception",
        instead: "Flumen reads the reason from the JobManager's log",
    },
    Option_ {
        key: "job-result-store.delete-on-commit",
        value: "false",
        since: FlinkMinor::new(1, 15),
        lost: "a JobManager that restarts after the job ended runs the job again from the beginning",
        instead: "Flumen deletes the Deployment as soon as it has seen the end",
    },
    Option_ {
        key: "application-result-store.delete-on-commit",
        value: "false",
        since: FlinkMinor::new(2, 3),
        lost: "a JobManager that restarts after the program ended runs the program again",
        instead: "the job's own result is kept, so its submission is ignored",
    },
];

const RECOVERY_LOST: &str = "a JobManager that restarts begins with empty state and a new job id instead of the newest checkpoint";
const RECOVERY_INSTEAD: &str = "Flink 1.11 has no high availability by Kubernetes; Flumen starts such a job again from its newest checkpoint";

/// Every protection with its value in this minor, or without one where the minor lacks it.
pub fn protections(minor: FlinkMinor) -> Vec<Protection> {
    let recovery = Protection {
        key: keys::HIGH_AVAILABILITY.key(minor),
        value: high_availability(minor),
        lost: RECOVERY_LOST,
        instead: RECOVERY_INSTEAD,
    };
    let others = OPTIONS.iter().map(|option| Protection {
        key: option.key,
        value: (option.since <= minor).then_some(option.value),
        lost: option.lost,
        instead: option.instead,
    });
    std::iter::once(recovery).chain(others).collect()
}

/// Sets what the user left open, and says what is lost where the user chose otherwise.
pub(super) fn write(configuration: &mut Configuration, warnings: &mut Vec<Warning>) {
    for Protection { key, value, lost, .. } in protections(configuration.minor()) {
        let Some(value) = value else { continue };
        let Some((_, given)) = configuration.entry_of(key) else {
            configuration.set_text(key, value);
            continue;
        };
        let given = given.to_text(configuration.format()).into_owned();
        if !given.trim().eq_ignore_ascii_case(value) {
            warnings.push(Warning::Unprotected {
                key: key.to_owned(),
                given,
                expected: value.to_owned(),
                lost: lost.to_owned(),
            });
        }
    }
}
