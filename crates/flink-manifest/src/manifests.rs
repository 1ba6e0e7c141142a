use flumen_flink_conf::Configuration;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret, Service},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde::Serialize;
use serde_json::Value;

use crate::{Names, Warning};

/// Everything that is to be created for one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifests {
    /// What the objects are called.
    pub names: Names,
    /// Where they are created.
    pub namespace: String,
    /// Created first; it owns the rest.
    pub deployment: Deployment,
    /// The rest, in the order in which Flink's client creates it.
    pub accompanying: Vec<Object>,
    /// The configuration that the JobManager gets, still with the keys that only a client needs.
    pub configuration: Configuration,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// An object beside the Deployment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Object {
    /// A Service.
    Service(Box<Service>),
    /// A `ConfigMap`.
    ConfigMap(ConfigMap),
    /// A Secret.
    Secret(Secret),
}

impl Object {
    /// The kind, as in `kind:`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Service(_) => "Service",
            Self::ConfigMap(_) => "ConfigMap",
            Self::Secret(_) => "Secret",
        }
    }

    /// The object's metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Service(service) => &service.metadata,
            Self::ConfigMap(config_map) => &config_map.metadata,
            Self::Secret(secret) => &secret.metadata,
        }
    }

    /// The object's metadata, to be changed.
    pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Service(service) => &mut service.metadata,
            Self::ConfigMap(config_map) => &mut config_map.metadata,
            Self::Secret(secret) => &mut secret.metadata,
        }
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// The order of the older client library: by kind, then by name.
    pub(crate) fn rank(&self) -> (u8, &str) {
        let kind = match self {
            Self::Secret(_) => 0,
            Self::Service(_) => 1,
            Self::ConfigMap(_) => 2,
        };
        (kind, self.name())
    }
}

impl Manifests {
    /// The same objects, owned by the Deployment that the API server gave this uid. Without it they
    /// name an owner without a uid, which no API server takes.
    #[must_use]
    pub fn with_owner(mut self, uid: &str) -> Self {
        for object in &mut self.accompanying {
            for owner in object.metadata_mut().owner_references.iter_mut().flatten() {
                uid.clone_into(&mut owner.uid);
            }
        }
        self
    }

    /// All objects as JSON, in the order of creation, the Deployment first.
    ///
    /// # Panics
    /// Never: Kubernetes objects have only text keys.
    pub fn objects(&self) -> Vec<Value> {
        let json = |object: serde_json::Result<Value>| object.expect("keys are texts");
        let accompanying =
            self.accompanying.iter().map(|object| json(serde_json::to_value(object)));
        std::iter::once(json(serde_json::to_value(&self.deployment))).chain(accompanying).collect()
    }

    /// The Services.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.accompanying.iter().filter_map(|object| match object {
            Object::Service(service) => Some(&**service),
            _ => None,
        })
    }

    /// The `ConfigMap`s.
    pub fn config_maps(&self) -> impl Iterator<Item = &ConfigMap> {
        self.accompanying.iter().filter_map(|object| match object {
            Object::ConfigMap(config_map) => Some(config_map),
            _ => None,
        })
    }

    /// The Secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.accompanying.iter().filter_map(|object| match object {
            Object::Secret(secret) => Some(secret),
            _ => None,
        })
    }
}

/// The owner that everything but the Deployment has, still without the uid.
pub(crate) fn owner(names: &Names) -> OwnerReference {
    OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        name: names.cluster_id().to_owned(),
        uid: String::new(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}
