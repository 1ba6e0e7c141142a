//! How Flumen finds what it made.

use std::collections::BTreeMap;

use flumen_flink_conf::{Configuration, Value};
use flumen_model::RunId;

use super::JobDeployment;
use crate::{Error, Marks};

/// The label that names the job.
pub const JOB_LABEL: &str = "flumen.dev/job";
/// The label that names the environment.
pub const ENVIRONMENT_LABEL: &str = "flumen.dev/environment";
/// The label that says who made an object; Kubernetes recommends it.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`].
pub const MANAGER: &str = "flumen";

const TASK_MANAGER_LABELS: &str = "kubernetes.taskmanager.labels";
const TASK_MANAGER_ANNOTATIONS: &str = "kubernetes.taskmanager.annotations";

pub(super) fn marks(deployment: &JobDeployment) -> Marks {
    Marks { labels: labels(deployment), annotations: annotations(deployment) }
}

/// The JobManager makes the TaskManagers' pods, so what they carry goes through the configuration,
/// beside what the user asked for.
pub(super) fn entries(
    deployment: &JobDeployment,
    settled: &Configuration,
) -> Result<[(&'static str, Value); 2], Error> {
    let merged = |key, ours| -> Result<_, Error> {
        let mut all = settled.map(key)?.unwrap_or_default();
        all.extend::<BTreeMap<_, _>>(ours);
        Ok((key, Value::Map(all)))
    };
    Ok([
        merged(TASK_MANAGER_LABELS, labels(deployment))?,
        merged(TASK_MANAGER_ANNOTATIONS, annotations(deployment))?,
    ])
}

fn labels(deployment: &JobDeployment) -> BTreeMap<String, String> {
    BTreeMap::from([
        (MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned()),
        (JOB_LABEL.to_owned(), deployment.job.to_string()),
        (ENVIRONMENT_LABEL.to_owned(), deployment.environment.to_string()),
    ])
}

fn annotations(deployment: &JobDeployment) -> BTreeMap<String, String> {
    BTreeMap::from([(RunId::ANNOTATION.to_owned(), deployment.run.to_string())])
}
