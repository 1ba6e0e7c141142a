//! Storages as requests and answers have them. Keys are in requests only.

use std::fmt;

use flumen_model::{
    ObjectName, Region, S3Plugin, Secret, SecretEntry, StorageEndpoint, StoragePlace,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// Where checkpoints, savepoints and HA data lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Storage {
    /// A directory of the node, which every pod mounts.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileStorage {
    /// The directory as the pods see it.
    #[schema(value_type = String, example = "file:///mnt/flink")]
    pub place: StoragePlace,
    /// The persistent volume claim that is mounted there. Default: none; image or pod templates bring the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub claim: Option<ObjectName>,
}

/// S3, or what speaks its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Storage {
    /// Bucket and prefix.
    #[schema(value_type = String, example = "s3://flink/prod")]
    pub place: StoragePlace,
    /// The server's address. Default: that of Amazon in the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "https://minio.example.com")]
    pub endpoint: Option<StorageEndpoint>,
    /// The region that requests are signed for. Default: `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "eu-central-1")]
    pub region: Option<Region>,
    /// Whether the bucket stands in the path of an address rather than in its host name. Default: no.
    #[serde(default)]
    pub path_style_access: bool,
    /// Flink's plugin that reads it: `presto`, which Flink recommends for checkpoints, or `hadoop`, which a job needs that
    /// writes its results to S3 with Flink's file sink. Default: `presto`.
    #[serde(default)]
    #[schema(value_type = String, example = "presto")]
    pub plugin: S3Plugin,
    /// The keys. Default: none; the pods get theirs from the cluster, and Flumen does not look into the storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<StorageCredentials>,
    /// The address by which the server's machine reaches it, where that is another than for pods. Default: the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub server_endpoint: Option<StorageEndpoint>,
    /// Whether Flumen looks into it; no where the server's machine cannot reach it. Default: yes.
    #[serde(default = "yes")]
    pub readable: bool,
}

const fn yes() -> bool {
    true
}

/// Alibaba's Object Storage Service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OssStorage {
    /// Bucket and prefix.
    #[schema(value_type = String, example = "oss://flink/prod")]
    pub place: StoragePlace,
    /// The server's address, which names the region.
    #[schema(value_type = String, example = "https://oss-cn-hangzhou.aliyuncs.com")]
    pub endpoint: StorageEndpoint,
    /// The keys.
    pub credentials: StorageCredentials,
}

/// Hadoop's file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HdfsStorage {
    /// Name node or name service, and directory.
    #[schema(value_type = String, example = "hdfs://namenode:8020/flink")]
    pub place: StoragePlace,
    /// The `ConfigMap` with Hadoop's configuration files. Default: none; the image brings them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub hadoop_config_map: Option<ObjectName>,
}

/// The keys of a storage: a Secret in the environment's namespace that has them, or the keys themselves, which Flumen puts
/// into a Secret there. Answers name the Secret only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageCredentials {
    /// The Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub secret: Option<ObjectName>,
    /// Its entry with the access key. Default: `access-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "access-key")]
    pub access_key_entry: Option<SecretEntry>,
    /// Its entry with the secret key. Default: `secret-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "secret-key")]
    pub secret_key_entry: Option<SecretEntry>,
    /// The access key itself. It is in no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, write_only)]
    pub access_key: Option<GivenKey>,
    /// The secret key itself. It is in no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, write_only)]
    pub secret_key: Option<GivenKey>,
}

/// A key on its way to the server. No message has it, not even one that says that it is none.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenKey(pub Secret);

impl fmt::Debug for GivenKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("GivenKey(…)")
    }
}

impl Serialize for GivenKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for GivenKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;

        // A library's own message would repeat what stands there.
        let refuse =
            |why: &str| D::Error::custom(format!("a key of a storage is not valid: {why}"));
        match serde_json::Value::deserialize(deserializer) {
            Ok(serde_json::Value::String(text)) if text.is_empty() => Err(refuse("it is empty")),
            Ok(serde_json::Value::String(text))
                if text.contains(|one: char| one.is_whitespace() || one.is_control()) =>
            {
                Err(refuse("it has a blank or the end of a line in it"))
            }
            Ok(serde_json::Value::String(text)) => Ok(Self(Secret::new(text))),
            Ok(_) | Err(_) => {
                Err(refuse("expected a text; one that looks like a number stands in quotes"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(text: &str) -> Result<StorageCredentials, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_that_is_none_is_not_repeated() {
        for text in [
            r#"{"accessKey": 31415926}"#,
            r#"{"accessKey": ["31415926"]}"#,
            r#"{"accessKey": "31415926\n"}"#,
            r#"{"secretKey": {"31415926": 1}}"#,
        ] {
            let error = credentials(text).expect_err(text);
            assert!(!error.contains("31415926"), "{error}");
        }
        let given =
            credentials(r#"{"accessKey": "31415926", "secretKey": "27182818"}"#).expect("valid");
        let shown = format!("{given:?}");
        assert!(!shown.contains("31415926") && !shown.contains("27182818"), "{shown}");
    }

    #[test]
    fn a_field_that_is_none_is_named() {
        let text = r#"{"kind": "s3", "place": "s3://flink/a", "pathStyle": true}"#;
        let error = serde_json::from_str::<Storage>(text).expect_err("unknown").to_string();
        assert!(error.contains("pathStyle"), "{error}");
        let text = r#"{"kind": "s3", "place": "s3://flink/../a"}"#;
        let error = serde_json::from_str::<Storage>(text).expect_err("wrong").to_string();
        assert!(error.contains("no part of the path is . or .."), "{error}");
    }
}
