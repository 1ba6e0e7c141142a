use flumen_api_types as api;
use flumen_control as control;
use flumen_model::{self as model, EnvironmentName, InvalidValue, SecretEntry};

use super::count;

pub(crate) fn environment(environment: control::Environment) -> api::Environment {
    let control::EnvironmentDocument {
        cluster,
        namespace,
        registry,
        storage,
        delivery,
        fetch_from,
        configuration,
    } = environment.document;
    api::Environment {
        name: environment.name,
        version: count(environment.version),
        created_at: environment.created_at,
        spec: api::EnvironmentSpec {
            cluster,
            namespace,
            registry,
            storage: storage_shown(storage),
            delivery,
            fetch_from,
            configuration: control::shown_configuration(configuration),
        },
    }
}

fn storage_shown(storage: model::Storage) -> api::Storage {
    match storage {
        model::Storage::HostPath { host_path, mount_path } => {
            api::Storage::HostPath { host_path, mount_path }
        }
        model::Storage::File(model::FileStorage { place, claim }) => {
            api::Storage::File(api::FileStorage { place, claim })
        }
        model::Storage::S3(storage) => api::Storage::S3(api::S3Storage {
            place: storage.place,
            endpoint: storage.endpoint,
            region: storage.region,
            path_style_access: storage.path_style_access,
            plugin: storage.plugin,
            credentials: storage.credentials.map(credentials_shown),
            server_endpoint: storage.server_endpoint,
            readable: storage.readable,
        }),
        model::Storage::Oss(model::OssStorage { place, endpoint, credentials }) => {
            let credentials = credentials_shown(credentials);
            api::Storage::Oss(api::OssStorage { place, endpoint, credentials })
        }
        model::Storage::Hdfs(model::HdfsStorage { place, hadoop_config_map }) => {
            api::Storage::Hdfs(api::HdfsStorage { place, hadoop_config_map })
        }
    }
}

fn credentials_shown(credentials: model::StorageCredentials) -> api::StorageCredentials {
    api::StorageCredentials {
        secret: Some(credentials.secret),
        access_key_entry: Some(credentials.access_key_entry),
        secret_key_entry: Some(credentials.secret_key_entry),
        access_key: None,
        secret_key: None,
    }
}

/// What an environment is to say, and the keys of its storage if they were given.
pub(crate) fn environment_change(
    name: &EnvironmentName,
    spec: api::EnvironmentSpec,
) -> Result<(control::EnvironmentDocument, Option<control::StorageKeys>), InvalidValue> {
    let (storage, keys) = storage(name, spec.storage)?;
    let document = control::EnvironmentDocument {
        cluster: spec.cluster,
        namespace: spec.namespace,
        registry: spec.registry,
        storage,
        delivery: spec.delivery,
        fetch_from: spec.fetch_from,
        configuration: spec.configuration,
    };
    Ok((document, keys))
}

type Keys = Option<control::StorageKeys>;

fn storage(
    name: &EnvironmentName,
    storage: api::Storage,
) -> Result<(model::Storage, Keys), InvalidValue> {
    Ok(match storage {
        api::Storage::HostPath { host_path, mount_path } => {
            (model::Storage::HostPath { host_path, mount_path }, None)
        }
        api::Storage::File(api::FileStorage { place, claim }) => {
            (model::Storage::File(model::FileStorage { place, claim }), None)
        }
        api::Storage::S3(storage) => {
            let given = storage.credentials.map(|given| credentials(name, given)).transpose()?;
            let (credentials, keys) = given.unzip();
            let storage = model::S3Storage {
                place: storage.place,
                endpoint: storage.endpoint,
                region: storage.region,
                path_style_access: storage.path_style_access,
                plugin: storage.plugin,
                credentials,
                server_endpoint: storage.server_endpoint,
                readable: storage.readable,
            };
            (model::Storage::S3(storage), keys.flatten())
        }
        api::Storage::Oss(api::OssStorage { place, endpoint, credentials: given }) => {
            let (credentials, keys) = credentials(name, given)?;
            (model::Storage::Oss(model::OssStorage { place, endpoint, credentials }), keys)
        }
        api::Storage::Hdfs(api::HdfsStorage { place, hadoop_config_map }) => {
            (model::Storage::Hdfs(model::HdfsStorage { place, hadoop_config_map }), None)
        }
    })
}

/// Either the name of a Secret, or keys for the one that Flumen makes.
fn credentials(
    name: &EnvironmentName,
    given: api::StorageCredentials,
) -> Result<(model::StorageCredentials, Keys), InvalidValue> {
    let refuse = |value: &str, allowed: &str| {
        Err(InvalidValue::new("credentials of a storage", value, allowed))
    };
    let api::StorageCredentials {
        secret,
        access_key_entry,
        secret_key_entry,
        access_key,
        secret_key,
    } = given;
    match (secret, access_key, secret_key) {
        (Some(secret), None, None) => {
            let entry =
                |given: Option<SecretEntry>, usual: &str| given.map_or_else(|| usual.parse(), Ok);
            let credentials = model::StorageCredentials {
                secret,
                access_key_entry: entry(access_key_entry, "access-key")?,
                secret_key_entry: entry(secret_key_entry, "secret-key")?,
            };
            Ok((credentials, None))
        }
        (None, Some(access_key), Some(secret_key)) => {
            if access_key_entry.is_some() || secret_key_entry.is_some() {
                let allowed = "accessKeyEntry and secretKeyEntry are for a Secret of one's own; leave them out";
                return refuse("accessKey and secretKey", allowed);
            }
            let keys = control::StorageKeys { access_key: access_key.0, secret_key: secret_key.0 };
            Ok((control::own_storage_secret(name)?, Some(keys)))
        }
        (Some(_), _, _) => {
            refuse("secret and keys", "name a Secret, or give accessKey and secretKey, not both")
        }
        (None, Some(_), None) => refuse("accessKey", "secretKey is missing beside it"),
        (None, None, Some(_)) => refuse("secretKey", "accessKey is missing beside it"),
        (None, None, None) => {
            refuse("nothing", "name a Secret with `secret`, or give accessKey and secretKey")
        }
    }
}

pub(crate) fn environment_check(checks: Vec<control::Check>) -> api::EnvironmentCheck {
    let check = |one: control::Check| api::Check {
        name: one.name.to_owned(),
        outcome: match one.outcome {
            control::CheckOutcome::Passed => api::CheckOutcome::Ok,
            control::CheckOutcome::NotLooked => api::CheckOutcome::Warn,
            control::CheckOutcome::Failed => api::CheckOutcome::Fail,
        },
        detail: one.detail,
        remedy: one.remedy,
    };
    api::EnvironmentCheck { checks: checks.into_iter().map(check).collect() }
}
