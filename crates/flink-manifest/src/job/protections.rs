//! The options that keep a run from being lost or done twice, and what the versions without them
//! lack.

use flumen_flink_conf::{Effective, Layer, Value};
use flumen_model::FlinkMinor;

use crate::{Warning, feature, keys};

/// An option that protects the runs of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// The setting.
    pub key: &'static str,
    /// What Flumen sets it to; `None` if the version does not have it.
    pub value: Option<&'static str>,
    /// What is lost without it.
    pub lost: &'static str,
    /// What Flumen does where the version lacks it.
    pub instead: &'static str,
}

struct Setting {
    key: &'static str,
    value: &'static str,
    since: FlinkMinor,
    lost: &'static str,
    instead: &'static str,
}

const SETTINGS: [Setting; 5] = [
    Setting {
        key: "execution.shutdown-on-application-finish",
        value: "false",
        since: FlinkMinor::new(1, 15),
        lost: "the JobManager goes away as soon as the job ends, often before its outcome can be read",
        instead: "Flumen polls closely; an outcome that was not seen is shown as unknown",
    },
    Setting {
        key: "execution.submit-failed-job-on-application-error",
        value: "true",
        since: FlinkMinor::new(1, 15),
        lost: "a program that fails before it submits a job shows no job and no exception",
        instead: "Flumen reads the reason from the JobManager's log",
    },
    Setting {
        key: "job-result-store.delete-on-commit",
        value: "false",
        since: FlinkMinor::new(1, 15),
        lost: "a JobManager that restarts after the job ended runs the job again from the beginning",
        instead: "Flumen deletes the Deployment as soon as it has seen the end",
    },
    Setting {
        key: "application-result-store.delete-on-commit",
        value: "false",
        since: FlinkMinor::new(2, 3),
        lost: "a JobManager that restarts after the program ended runs the program again",
        instead: "there is no such store; what keeps the job from running twice keeps its program from it too",
    },
    Setting {
        key: "execution.checkpointing.externalized-checkpoint-retention",
        value: "RETAIN_ON_CANCELLATION",
        since: FlinkMinor::new(1, 11),
        lost: "the newest checkpoint goes with a job that is cancelled or fails, so that nothing can be started from it",
        instead: "",
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
    let others = SETTINGS.iter().map(|setting| Protection {
        key: setting.key,
        value: (setting.since <= minor).then_some(setting.value),
        lost: setting.lost,
        instead: setting.instead,
    });
    std::iter::once(recovery).chain(others).collect()
}

/// What Flumen sets where no higher layer says otherwise.
pub(super) fn entries(minor: FlinkMinor) -> impl Iterator<Item = (&'static str, Value)> {
    let typed = |text: &str| text.parse().map_or_else(|_| Value::from(text), Value::Boolean);
    protections(minor).into_iter().filter_map(move |it| Some((it.key, typed(it.value?))))
}

/// A warning for every protection that a higher layer took away.
pub(super) fn taken_away(effective: &Effective) -> Vec<Warning> {
    let configuration = effective.configuration();
    let warning = |Protection { key, value, lost, .. }| {
        let given = effective.entry(key).filter(|entry| entry.layer > Layer::Platform)?;
        let text = given.value.to_text(configuration.format()).into_owned();
        let is_same = text.trim().eq_ignore_ascii_case(value?);
        (!is_same).then(|| Warning::Unprotected {
            key: given.key.clone(),
            given: text,
            expected: value.unwrap_or_default().to_owned(),
            lost: lost.to_owned(),
        })
    };
    protections(configuration.minor()).into_iter().filter_map(warning).collect()
}

/// High availability by Kubernetes as this minor calls it, if it has any.
fn high_availability(minor: FlinkMinor) -> Option<&'static str> {
    const FACTORY: &str =
        "org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory";
    if !feature::KUBERNETES_HA.is_in(minor) {
        None
    } else if feature::FACTORY_CLASS_ONLY_HA.is_in(minor) {
        Some(FACTORY)
    } else {
        Some("kubernetes")
    }
}
