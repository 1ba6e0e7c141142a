//! The keys of a storage, which live in a Secret of the environment's namespace and nowhere else.

use std::collections::BTreeMap;

use flumen_flink_manifest::{ENVIRONMENT_LABEL, MANAGED_BY_LABEL, MANAGER};
use flumen_k8s::Cluster;
use flumen_model::{EnvironmentName, InvalidValue, Secret, StorageCredentials};
use flumen_storage::Keys;
use flumen_store::{Environment, EnvironmentDocument};
use k8s_openapi::{
    ByteString, api::core::v1::Secret as SecretObject,
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use crate::Error;

/// The keys of a storage, given once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageKeys {
    /// The access key.
    pub access_key: Secret,
    /// The secret key.
    pub secret_key: Secret,
}

/// The Secret that Flumen puts the keys of an environment's storage into.
///
/// # Errors
/// None for a name that is valid.
pub fn own_storage_secret(name: &EnvironmentName) -> Result<StorageCredentials, InvalidValue> {
    Ok(StorageCredentials {
        secret: format!("flumen-storage-{name}").parse()?,
        access_key_entry: "access-key".parse()?,
        secret_key_entry: "secret-key".parse()?,
    })
}

/// Puts keys into the Secret that the document names.
pub(crate) async fn put_keys(
    cluster: &Cluster,
    (name, document): (&EnvironmentName, &EnvironmentDocument),
    keys: &StorageKeys,
) -> Result<(), Error> {
    let Some(StorageCredentials { secret, access_key_entry, secret_key_entry }) =
        document.storage.credentials()
    else {
        return Ok(());
    };
    let namespace = &document.namespace;
    cluster.ensure_namespace(namespace).await?;
    let known = cluster.secret(namespace, secret.as_str()).await?;
    let is_own = |labels: &BTreeMap<String, String>| {
        labels.get(MANAGED_BY_LABEL).is_some_and(|value| value == MANAGER)
            && labels.get(ENVIRONMENT_LABEL).is_some_and(|value| value == name.as_str())
    };
    if known.is_some_and(|known| !is_own(&known.labels)) {
        let message = format!(
            "a Secret {secret} that Flumen did not make for this environment stands in namespace {namespace}; delete it, or name it under credentials instead of giving keys"
        );
        return Err(Error::Conflict { message });
    }
    let labels = [(MANAGED_BY_LABEL, MANAGER), (ENVIRONMENT_LABEL, name.as_str())];
    let entries = [(access_key_entry, &keys.access_key), (secret_key_entry, &keys.secret_key)];
    let object = SecretObject {
        metadata: ObjectMeta {
            name: Some(secret.to_string()),
            namespace: Some(namespace.to_string()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        },
        data: Some(
            entries
                .map(|(entry, key)| {
                    (entry.to_string(), ByteString(key.expose().as_bytes().to_vec()))
                })
                .into(),
        ),
        type_: Some("Opaque".to_owned()),
        ..SecretObject::default()
    };
    let object = serde_json::to_value(&object).map_err(|_| Error::Invalid {
        message: "the keys of the storage cannot be written as a Secret".to_owned(),
    })?;
    Ok(cluster.apply(&object).await?)
}

/// The keys as the Secret has them.
pub(super) async fn read(cluster: &Cluster, environment: &Environment) -> Result<Keys, Error> {
    let document = &environment.document;
    let failed =
        |problem: String| Error::StorageKeys { environment: environment.name.to_string(), problem };
    let Some(StorageCredentials { secret, access_key_entry, secret_key_entry }) =
        document.storage.credentials()
    else {
        return Err(failed("it names none".to_owned()));
    };
    let place = format!("{}/{secret}", document.namespace);
    let Some(found) = cluster.secret(&document.namespace, secret.as_str()).await? else {
        return Err(failed(format!("there is no Secret {place} in cluster {}", document.cluster)));
    };
    let entry = |name: &str| {
        let key = found.entries.get(name).filter(|key| !key.expose().is_empty());
        let Some(key) = key else {
            return Err(failed(format!("the Secret {place} has no entry {name}, or an empty one")));
        };
        if key.expose().contains(|one: char| one.is_whitespace() || one.is_control()) {
            return Err(failed(format!(
                "the entry {name} of the Secret {place} has a blank or the end of a line in it, which pods would take for a part of the key"
            )));
        }
        Ok(key.clone())
    };
    Ok(Keys {
        access_key: entry(access_key_entry.as_str())?,
        secret_key: entry(secret_key_entry.as_str())?,
    })
}
