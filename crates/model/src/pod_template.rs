use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Pod templates of a job, each a Kubernetes Pod (`metadata`, `spec`). The main container is the one
/// called `flink-main-container`; Flink's rules say what of it survives
/// (<https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/resource-providers/native_kubernetes/#pod-template>).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodTemplates {
    /// For both, where no other is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common: Option<Map<String, Value>>,
    /// For the JobManager, instead of `common`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_manager: Option<Map<String, Value>>,
    /// For the TaskManagers, instead of `common`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_manager: Option<Map<String, Value>>,
}

impl PodTemplates {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.common.is_none() && self.job_manager.is_none() && self.task_manager.is_none()
    }
}
