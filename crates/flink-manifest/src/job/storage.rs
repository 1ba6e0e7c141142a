//! Where a run keeps checkpoints, savepoints and what a restarted JobManager needs.

use flumen_flink_conf::Configuration;

use super::JobDeployment;
use crate::{Warning, feature, keys};

/// The storage of an environment, as Flink sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Under which the directories of runs for high availability lie, such as `s3://bucket/ha`.
    pub high_availability: String,
    /// Under which the checkpoint directories of runs lie.
    pub checkpoints: String,
    /// Under which the savepoint directories of runs lie.
    pub savepoints: String,
    /// A volume that every pod needs to reach the storage. Default: none.
    pub volume: Option<StorageVolume>,
}

/// A volume with the storage in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageVolume {
    /// What is mounted.
    pub source: VolumeSource,
    /// Where, in every main container.
    pub mount_path: String,
}

/// What a storage volume is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeSource {
    /// A directory of the node, which exists.
    HostPath(String),
    /// A persistent volume claim that several pods may write to.
    Claim(String),
}

impl Storage {
    /// All three under one URI: `<base>/ha`, `<base>/checkpoints`, `<base>/savepoints`.
    pub fn under(base: &str, volume: Option<StorageVolume>) -> Self {
        let below = |name| format!("{}/{name}", base.trim_end_matches('/'));
        Self {
            high_availability: below("ha"),
            checkpoints: below("checkpoints"),
            savepoints: below("savepoints"),
            volume,
        }
    }
}

/// Flink's own paths hold the cluster id and a job id that may repeat, so a run's directories name
/// everything that tells it from another one.
fn directory(base: &str, deployment: &JobDeployment) -> String {
    let JobDeployment { environment, namespace, job, run, .. } = deployment;
    format!("{}/{environment}/{namespace}/{job}/{run}", base.trim_end_matches('/'))
}

pub(super) fn write(
    deployment: &JobDeployment,
    configuration: &mut Configuration,
    warnings: &mut Vec<Warning>,
) {
    let minor = configuration.minor();
    let storage = &deployment.storage;
    let (checkpoints, savepoints) = if feature::STATE_RECOVERY_KEYS.is_in(minor) {
        ("execution.checkpointing.dir", "execution.checkpointing.savepoint-dir")
    } else {
        ("state.checkpoints.dir", "state.savepoints.dir")
    };
    let mut entries = vec![
        (
            checkpoints,
            &storage.checkpoints,
            "checkpoints of other runs may lie in the same directory",
        ),
        (savepoints, &storage.savepoints, "savepoints of other runs may lie in the same directory"),
    ];
    if feature::KUBERNETES_HA.is_in(minor) {
        let lost = "what another run left there may be taken for this run's";
        entries.push((keys::HA_STORAGE, &storage.high_availability, lost));
    }
    for (key, base, lost) in entries {
        let expected = directory(base, deployment);
        match configuration.entry_of(key) {
            None => configuration.set_text(key, expected),
            Some((_, given)) => warnings.push(Warning::Unprotected {
                key: key.to_owned(),
                given: given.to_text(configuration.format()).into_owned(),
                expected,
                lost: lost.to_owned(),
            }),
        }
    }
}
