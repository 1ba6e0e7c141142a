//! Where an environment's checkpoints, savepoints and high-availability data lie.

mod check;
mod place;
mod values;

use serde::{Deserialize, Serialize};

pub use place::{StorageKind, StoragePlace};
pub use values::{ObjectName, Region, SecretEntry, StorageEndpoint};

/// Where checkpoints, savepoints and high-availability data lie. Nothing secret is in it: keys are named by the
/// Secret that has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Storage {
    /// A directory of the node, which every pod mounts.
    #[serde(alias = "host-path")]
    HostPath {
        /// The directory on the node.
        host_path: String,
        /// Where the pods see it.
        mount_path: String,
    },
    /// A directory that all pods share.
    File(FileStorage),
    /// S3, or what speaks its protocol.
    S3(S3Storage),
    /// Alibaba's Object Storage Service.
    Oss(OssStorage),
    /// Hadoop's file system.
    Hdfs(HdfsStorage),
}

/// A directory that all pods share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileStorage {
    /// The directory as the pods see it.
    pub place: StoragePlace,
    /// The persistent volume claim that is mounted there. Default: none; image or pod templates bring the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ObjectName>,
}

/// S3, or what speaks its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Storage {
    /// Bucket and prefix.
    pub place: StoragePlace,
    /// The server's address. Default: that of Amazon in the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<StorageEndpoint>,
    /// The region that requests are signed for. Default: `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Whether the bucket stands in the path of an address rather than in its host name. Default: no.
    #[serde(default)]
    pub path_style_access: bool,
    /// Flink's plugin that reads it. Default: presto.
    #[serde(default)]
    pub plugin: S3Plugin,
    /// The Secret with the keys. Default: none; the pods get theirs from the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<StorageCredentials>,
    /// The address by which the server's machine reaches it, where that is another than for pods. Default: the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_endpoint: Option<StorageEndpoint>,
    /// Whether Flumen looks into it; no where the server's machine cannot reach it. Default: yes.
    #[serde(default = "yes")]
    pub readable: bool,
}

const fn yes() -> bool {
    true
}

/// The plugins that Flink has for S3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum S3Plugin {
    /// `flink-s3-fs-presto`, which Flink recommends for checkpoints.
    #[default]
    Presto,
    /// `flink-s3-fs-hadoop`, which a job needs that writes its results to S3 with Flink's file sink.
    Hadoop,
}

/// Alibaba's Object Storage Service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OssStorage {
    /// Bucket and prefix.
    pub place: StoragePlace,
    /// The server's address, which names the region.
    pub endpoint: StorageEndpoint,
    /// The Secret with the keys.
    pub credentials: StorageCredentials,
}

/// Hadoop's file system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HdfsStorage {
    /// Name node or name service, and directory.
    pub place: StoragePlace,
    /// The `ConfigMap` with Hadoop's configuration files. Default: none; the image brings them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hadoop_config_map: Option<ObjectName>,
}

/// The Secret in the environment's namespace that has the keys of a storage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageCredentials {
    /// Its name.
    pub secret: ObjectName,
    /// Its entry with the access key. Default: `access-key`.
    #[serde(default = "SecretEntry::access_key")]
    pub access_key_entry: SecretEntry,
    /// Its entry with the secret key. Default: `secret-key`.
    #[serde(default = "SecretEntry::secret_key")]
    pub secret_key_entry: SecretEntry,
}

impl Storage {
    /// Under which Flink puts everything, without a slash at the end.
    pub fn base(&self) -> String {
        match self {
            Self::HostPath { mount_path, .. } => {
                format!("file://{}", mount_path.trim_end_matches('/'))
            }
            Self::File(FileStorage { place, .. })
            | Self::S3(S3Storage { place, .. })
            | Self::Oss(OssStorage { place, .. })
            | Self::Hdfs(HdfsStorage { place, .. }) => place.to_string(),
        }
    }

    /// What people call it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::HostPath { .. } => "directory of the node",
            Self::File(_) => "directory",
            Self::S3(_) => "S3",
            Self::Oss(_) => "OSS",
            Self::Hdfs(_) => "HDFS",
        }
    }

    /// The Secret with its keys, if it has any.
    pub const fn credentials(&self) -> Option<&StorageCredentials> {
        match self {
            Self::S3(storage) => storage.credentials.as_ref(),
            Self::Oss(storage) => Some(&storage.credentials),
            Self::HostPath { .. } | Self::File(_) | Self::Hdfs(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
