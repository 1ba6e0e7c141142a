use std::collections::BTreeMap;

use flumen_model::{ConfigurationValue, Delivery, EnvironmentName, FetchFrom, Namespace};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Check, Storage};

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
    /// The registry's address and image prefix, as the cluster's nodes reach it: `host:5000/flumen`.
    pub registry: String,
    /// Where checkpoints, savepoints and HA data lie.
    pub storage: Storage,
    /// How the files of its jobs get into their pods, where a job does not say it: `image` (the default) in an image of
    /// their own, `init-container` fetched by the pods, `flink` by Flink itself.
    #[serde(default)]
    #[schema(value_type = String, example = "image")]
    pub delivery: Delivery,
    /// From where init containers fetch these files: `server` (the default), or `storage` by links that the server signs
    /// with the keys of a storage of kind `s3`.
    #[serde(default)]
    #[schema(value_type = String, example = "server")]
    pub fetch_from: FetchFrom,
    /// Flink configuration that every job here starts from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub configuration: BTreeMap<String, ConfigurationValue>,
}

/// What a look at an environment found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentCheck {
    /// What was looked at, one by one.
    pub checks: Vec<Check>,
}
