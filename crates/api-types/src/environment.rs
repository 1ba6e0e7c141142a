use std::collections::BTreeMap;

use flumen_model::{ConfigurationValue, EnvironmentName, Namespace};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where jobs run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Its name.
    #[schema(value_type = String, example = "local")]
    pub name: EnvironmentName,
    /// Counts its changes; the `ETag`.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many jobs it has.
    #[serde(default)]
    pub jobs: u64,
    /// What it is made of.
    #[serde(flatten)]
    pub spec: EnvironmentSpec,
}

/// What an environment is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSpec {
    /// The cluster that its jobs run in.
    pub cluster: String,
    /// The Kubernetes namespace.
    #[schema(value_type = String, example = "default")]
    pub namespace: Namespace,
    /// The service account of the JobManagers. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// The registry that images are pushed to, as `host:port/prefix`. Default: the cluster's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Where checkpoints, savepoints and HA data lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Flink configuration that every job here starts from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub configuration: BTreeMap<String, ConfigurationValue>,
}

/// Where checkpoints, savepoints and HA data lie, as Flink sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Storage {
    /// A directory that all pods share; on the local cluster a directory of this machine.
    Directory(String),
}
