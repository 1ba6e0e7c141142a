//! How the pods of a run reach a storage that is no directory: the options of Flink's file systems, keys as environment
//! variables out of a Secret, and the plugin.

use std::collections::BTreeMap;

use flumen_flink_conf::{Configuration, Value};
use flumen_model::{
    FileStorage, FlinkVersion, HdfsStorage, OssStorage, S3Plugin, S3Storage, StorageCredentials,
    StorageEndpoint,
};

use super::{JobDeployment, Storage, StorageVolume, VolumeSource};
use crate::{Error, feature::ENV_FROM_SECRETS};

const SECRET_VARIABLES: &str = "kubernetes.env.secretKeyRef";
const HADOOP_CONFIG_MAP: &str = "kubernetes.hadoop.conf.config-map.name";
const ENABLE_PLUGINS: [&str; 2] = [
    "containerized.master.env.ENABLE_BUILT_IN_PLUGINS",
    "containerized.taskmanager.env.ENABLE_BUILT_IN_PLUGINS",
];

/// What pods need to reach a storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageAccess {
    /// Options of Flink. Nothing secret is in them.
    pub options: Vec<(&'static str, String)>,
    /// Environment variables with keys. Default: none.
    pub variables: Vec<SecretVariable>,
    /// The jar of the image's folder `opt` that its entry point makes a plugin. Default: none.
    pub built_in_plugin: Option<String>,
}

/// An environment variable whose value is in a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVariable {
    /// The variable.
    pub name: &'static str,
    /// The Secret.
    pub secret: String,
    /// The entry of the Secret.
    pub entry: String,
}

/// A plugin by which Flink reads a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoragePlugin {
    artifact: &'static str,
}

impl StoragePlugin {
    /// The one that a storage needs; none if Flink reads it by itself.
    pub const fn of(storage: &flumen_model::Storage) -> Option<Self> {
        let artifact = match storage {
            flumen_model::Storage::S3(S3Storage { plugin: S3Plugin::Presto, .. }) => {
                "flink-s3-fs-presto"
            }
            flumen_model::Storage::S3(S3Storage { plugin: S3Plugin::Hadoop, .. }) => {
                "flink-s3-fs-hadoop"
            }
            flumen_model::Storage::Oss(_) => "flink-oss-fs-hadoop",
            flumen_model::Storage::HostPath { .. }
            | flumen_model::Storage::File(_)
            | flumen_model::Storage::Hdfs(_) => return None,
        };
        Some(Self { artifact })
    }

    /// The Maven artifact, which is also its folder below `plugins`.
    pub const fn artifact(self) -> &'static str {
        self.artifact
    }

    /// Its jar in the folder `opt` of a distribution.
    pub fn jar(self, version: FlinkVersion) -> String {
        format!("{}-{version}.jar", self.artifact)
    }

    /// Maven coordinates of the jar of this version.
    pub fn coordinates(self, version: impl std::fmt::Display) -> String {
        format!("org.apache.flink:{}:{version}", self.artifact)
    }

    /// Whether a jar of this name is this plugin, in whatever version.
    pub fn is_jar(self, name: &str) -> bool {
        name.strip_prefix(self.artifact).is_some_and(|rest| rest.starts_with('-'))
    }
}

impl Storage {
    /// The storage of an environment as its pods see it. `built_in_plugin` is the jar in the folder `opt` of their image,
    /// if the plugin is to be taken from there.
    pub fn of(storage: &flumen_model::Storage, built_in_plugin: Option<String>) -> Self {
        let volume = |source, mount_path: &str| {
            Some(StorageVolume { source, mount_path: mount_path.to_owned() })
        };
        let volume = match storage {
            flumen_model::Storage::HostPath { host_path, mount_path } => {
                volume(VolumeSource::HostPath(host_path.clone()), mount_path)
            }
            flumen_model::Storage::File(FileStorage { place, claim: Some(claim) }) => {
                volume(VolumeSource::Claim(claim.to_string()), &format!("/{}", place.path()))
            }
            _ => None,
        };
        let access = StorageAccess {
            options: options(storage),
            variables: variables(storage),
            built_in_plugin,
        };
        Self { access, ..Self::under(&storage.base(), volume) }
    }
}

fn options(storage: &flumen_model::Storage) -> Vec<(&'static str, String)> {
    match storage {
        flumen_model::Storage::HostPath { .. } | flumen_model::Storage::File(_) => Vec::new(),
        flumen_model::Storage::S3(storage) => s3(storage),
        flumen_model::Storage::Oss(OssStorage { endpoint, .. }) => vec![
            ("fs.oss.endpoint", endpoint.to_string()),
            (
                "fs.oss.credentials.provider",
                "com.aliyun.oss.common.auth.EnvironmentVariableCredentialsProvider".to_owned(),
            ),
        ],
        flumen_model::Storage::Hdfs(HdfsStorage { hadoop_config_map, .. }) => {
            hadoop_config_map.iter().map(|name| (HADOOP_CONFIG_MAP, name.to_string())).collect()
        }
    }
}

fn s3(storage: &S3Storage) -> Vec<(&'static str, String)> {
    let S3Storage { endpoint, region, path_style_access, plugin, .. } = storage;
    let mut options = Vec::new();
    let mut endpoint = endpoint.as_ref().map(StorageEndpoint::to_string);
    match (plugin, region) {
        (_, None) => {}
        (S3Plugin::Hadoop, Some(region)) => {
            options.push(("s3.endpoint.region", region.to_string()));
        }
        // Presto has no option for the region: it reads it off the host name.
        (S3Plugin::Presto, Some(region)) => {
            let suffix = if region.as_str().starts_with("cn-") { ".cn" } else { "" };
            endpoint.get_or_insert(format!("https://s3.{region}.amazonaws.com{suffix}"));
        }
    }
    options.extend(endpoint.map(|endpoint| ("s3.endpoint", endpoint)));
    if *path_style_access {
        options.push(("s3.path.style.access", "true".to_owned()));
    }
    options
}

/// The variables that the plugins read keys from where the configuration has none. The configuration is a `ConfigMap`,
/// which more people may read than a Secret.
fn variables(storage: &flumen_model::Storage) -> Vec<SecretVariable> {
    let names = match storage {
        flumen_model::Storage::Oss(_) => ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"],
        _ => ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    };
    let Some(StorageCredentials { secret, access_key_entry, secret_key_entry }) =
        storage.credentials()
    else {
        return Vec::new();
    };
    let entries = [access_key_entry, secret_key_entry];
    let variable = |(name, entry): (&'static str, &flumen_model::SecretEntry)| SecretVariable {
        name,
        secret: secret.to_string(),
        entry: entry.to_string(),
    };
    names.into_iter().zip(entries).map(variable).collect()
}

/// What extends a value that the user may have given.
pub(super) fn additions(
    deployment: &JobDeployment,
    settled: &Configuration,
) -> Result<Vec<(&'static str, Value)>, Error> {
    let StorageAccess { variables, built_in_plugin, .. } = &deployment.storage.access;
    let mut additions = Vec::new();
    if !variables.is_empty() {
        let minor = deployment.version.minor();
        if !ENV_FROM_SECRETS.is_in(minor) {
            let what = "environment variables from Secrets for the keys of its storage";
            return Err(Error::Unsupported { minor, what });
        }
        additions.push((SECRET_VARIABLES, with_variables(variables, settled)?));
    }
    if let Some(jar) = built_in_plugin {
        for key in ENABLE_PLUGINS {
            let given = settled.string(key)?.unwrap_or_default();
            let mut jars: Vec<&str> =
                given.split(';').map(str::trim).filter(|one| !one.is_empty()).collect();
            if !jars.contains(&jar.as_str()) {
                jars.push(jar);
            }
            additions.push((key, Value::Text(jars.join(";"))));
        }
    }
    Ok(additions)
}

/// A variable that the user sets stays the user's.
fn with_variables(variables: &[SecretVariable], settled: &Configuration) -> Result<Value, Error> {
    let mut all = settled.list_of_maps(SECRET_VARIABLES)?.unwrap_or_default();
    for SecretVariable { name, secret, entry } in variables {
        if all.iter().any(|given| given.get("env").is_some_and(|env| env == name)) {
            continue;
        }
        let parts = [("env", *name), ("secret", secret), ("key", entry)];
        let owned = parts.map(|(part, text)| (part.to_owned(), text.to_owned()));
        all.push(BTreeMap::from(owned));
    }
    Ok(Value::ListOfMaps(all))
}

#[cfg(test)]
mod tests;
