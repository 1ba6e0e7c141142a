//! Where a run keeps checkpoints, savepoints and what a restarted JobManager needs.

use flumen_flink_conf::{Configuration, Effective, Layer};
use flumen_model::FlinkMinor;

use super::{JobDeployment, StorageAccess};
use crate::{Error, Warning, feature, keys};

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
    /// What every pod needs beside that.
    pub access: StorageAccess,
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
    /// A directory of the node; made if it is not there.
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
            access: StorageAccess::default(),
        }
    }
}

/// Flink's own paths hold the cluster id and a job id that may repeat, so a run's directories name
/// everything that tells it from another one.
fn directory(base: &str, deployment: &JobDeployment) -> String {
    let JobDeployment { environment, namespace, job, run, .. } = deployment;
    format!("{}/{environment}/{namespace}/{job}/{run}", base.trim_end_matches('/'))
}

/// The run's directories.
pub(super) fn entries(deployment: &JobDeployment) -> Vec<(&'static str, String)> {
    directories(deployment).into_iter().map(|(key, directory, _)| (key, directory)).collect()
}

/// A warning for every directory that a higher layer decided.
pub(super) fn taken_away(deployment: &JobDeployment, effective: &Effective) -> Vec<Warning> {
    let format = effective.configuration().format();
    let warning = |(key, expected, lost): (&str, String, &str)| {
        let given = effective.entry(key).filter(|entry| entry.layer > Layer::Platform)?;
        let text = given.value.to_text(format).into_owned();
        (text != expected).then(|| Warning::Unprotected {
            key: given.key.clone(),
            given: text,
            expected,
            lost: lost.to_owned(),
        })
    };
    directories(deployment).into_iter().filter_map(warning).collect()
}

/// Where a run keeps its state, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePlan {
    /// How many checkpoints Flink keeps.
    pub retained_checkpoints: u64,
    /// The directory of its checkpoints, under which Flink makes one with the job id. Default: none.
    pub checkpoints: Option<String>,
    /// The directory of its savepoints. Default: none.
    pub savepoints: Option<String>,
    /// The directory of high availability. Default: none.
    pub high_availability: Option<String>,
}

pub(super) fn plan(configuration: &Configuration) -> Result<StatePlan, Error> {
    let [checkpoints, savepoints, retained] = state_keys(configuration.minor());
    let directory =
        |key| Ok::<_, Error>(configuration.string(key)?.filter(|text| !text.is_empty()));
    let retained = configuration.string(retained)?.and_then(|text| text.trim().parse().ok());
    Ok(StatePlan {
        retained_checkpoints: retained.unwrap_or(1).max(1),
        checkpoints: directory(checkpoints)?,
        savepoints: directory(savepoints)?,
        high_availability: directory(keys::HA_STORAGE)?,
    })
}

/// The keys of the checkpoint and savepoint directories and of the number of checkpoints that are kept.
fn state_keys(minor: FlinkMinor) -> [&'static str; 3] {
    if feature::STATE_RECOVERY_KEYS.is_in(minor) {
        [
            "execution.checkpointing.dir",
            "execution.checkpointing.savepoint-dir",
            "execution.checkpointing.num-retained",
        ]
    } else {
        ["state.checkpoints.dir", "state.savepoints.dir", "state.checkpoints.num-retained"]
    }
}

/// Each key with its directory and what a shared one costs.
fn directories(deployment: &JobDeployment) -> Vec<(&'static str, String, &'static str)> {
    const CHECKPOINTS_LOST: &str = "checkpoints of other runs may lie in the same directory";
    const SAVEPOINTS_LOST: &str = "savepoints of other runs may lie in the same directory";
    const STORAGE_LOST: &str = "what another run left there may be taken for this run's";
    let minor = deployment.version.minor();
    let [checkpoints, savepoints, _] = state_keys(minor);
    let storage = &deployment.storage;
    let below = |base: &str| directory(base, deployment);
    let mut all = vec![
        (checkpoints, below(&storage.checkpoints), CHECKPOINTS_LOST),
        (savepoints, below(&storage.savepoints), SAVEPOINTS_LOST),
    ];
    if feature::KUBERNETES_HA.is_in(minor) {
        all.push((keys::HA_STORAGE, below(&storage.high_availability), STORAGE_LOST));
    }
    all
}
