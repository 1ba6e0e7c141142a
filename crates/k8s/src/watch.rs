//! What is watched, and how an object of each kind becomes an observation.

mod feed;

pub(crate) use feed::Feed;

use std::fmt::Debug;

use flumen_model::{ClusterId, Namespace};
use futures::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Pod},
    },
};
use kube::{Api, Resource, core::PartialObjectMeta};
use serde::de::DeserializeOwned;

use crate::{
    Cluster, DeploymentSeen, LABEL_APP, LABEL_TYPE, NATIVE_TYPE, Observation, PodSeen, Watched,
    names::is_job_config_map, reduce,
};

/// What to watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchScope {
    /// One namespace. Default: all.
    pub namespace: Option<Namespace>,
    /// One Flink cluster. Default: all.
    pub cluster_id: Option<ClusterId>,
}

impl Cluster {
    /// Reports the Deployments, pods and high-availability data of native Flink clusters, for ever: first all that is there, then
    /// what changes. Dropping the stream ends it.
    pub fn watch(&self, scope: &WatchScope) -> BoxStream<'static, Observation> {
        let deployments = self.watch_kind::<Deployment>(scope);
        let pods = self.watch_kind::<Pod>(scope);
        let state = self.watch_kind::<PartialObjectMeta<ConfigMap>>(scope);
        futures::stream::select_all([deployments, pods, state]).boxed()
    }

    fn watch_kind<K: Seen>(&self, scope: &WatchScope) -> BoxStream<'static, Observation> {
        let client = self.client.clone();
        let api: Api<K> = match &scope.namespace {
            Some(namespace) => Api::namespaced(client, namespace.as_str()),
            None => Api::all(client),
        };
        let selector = match &scope.cluster_id {
            Some(id) => format!("{LABEL_APP}={id},{LABEL_TYPE}={NATIVE_TYPE}"),
            None => format!("{LABEL_TYPE}={NATIVE_TYPE}"),
        };
        Feed::new(self.clone(), api, selector).stream().boxed()
    }
}

/// A kind that is watched, and what is kept of it.
pub(crate) trait Seen:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    type View: Clone + PartialEq + Send + Sync + 'static;
    const WATCHED: Watched;

    /// None for an object whose labels name no valid Flink cluster.
    fn view(&self) -> Option<Self::View>;
    fn seen(view: Self::View) -> Observation;
    fn gone(view: Self::View, as_of: Timestamp) -> Observation;
}

impl Seen for Deployment {
    type View = DeploymentSeen;
    const WATCHED: Watched = Watched::Deployments;

    fn view(&self) -> Option<DeploymentSeen> {
        reduce::cluster_id(self).map(|id| reduce::deployment(self, id))
    }

    fn seen(view: DeploymentSeen) -> Observation {
        Observation::Deployment(view)
    }

    fn gone(view: DeploymentSeen, as_of: Timestamp) -> Observation {
        let DeploymentSeen { namespace, cluster_id, uid, .. } = view;
        Observation::DeploymentGone { namespace, cluster_id, uid, as_of }
    }
}

impl Seen for Pod {
    type View = PodSeen;
    const WATCHED: Watched = Watched::Pods;

    fn view(&self) -> Option<PodSeen> {
        reduce::cluster_id(self).map(|id| reduce::pod(self, id))
    }

    fn seen(view: PodSeen) -> Observation {
        Observation::Pod(Box::new(view))
    }

    fn gone(view: PodSeen, as_of: Timestamp) -> Observation {
        let PodSeen { namespace, cluster_id, name, uid, .. } = view;
        Observation::PodGone { namespace, cluster_id, name, uid, as_of }
    }
}

/// What is kept of a ConfigMap of a Flink cluster.
#[derive(Clone, PartialEq)]
struct ConfigMapSeen {
    namespace: String,
    cluster_id: ClusterId,
    part: ConfigMapPart,
}

#[derive(Clone, PartialEq)]
enum ConfigMapPart {
    /// The pointers to the state of a job. It changes with each checkpoint, and with nothing else: the
    /// leader's lease is in another ConfigMap.
    State { version: Option<String> },
    /// Flink's configuration.
    Configuration,
}

impl Seen for PartialObjectMeta<ConfigMap> {
    type View = ConfigMapSeen;
    const WATCHED: Watched = Watched::ConfigMaps;

    fn view(&self) -> Option<ConfigMapSeen> {
        let cluster_id = reduce::cluster_id(self)?;
        let name = self.metadata.name.as_deref()?;
        let part = if is_job_config_map(&cluster_id, name) {
            ConfigMapPart::State { version: self.metadata.resource_version.clone() }
        } else if name.strip_prefix("flink-config-") == Some(cluster_id.as_str()) {
            ConfigMapPart::Configuration
        } else {
            return None;
        };
        let namespace = self.metadata.namespace.clone().unwrap_or_default();
        Some(ConfigMapSeen { namespace, cluster_id, part })
    }

    fn seen(ConfigMapSeen { namespace, cluster_id, .. }: ConfigMapSeen) -> Observation {
        Observation::HighAvailability { namespace, cluster_id }
    }

    fn gone(
        ConfigMapSeen { namespace, cluster_id, part }: ConfigMapSeen,
        _: Timestamp,
    ) -> Observation {
        match part {
            ConfigMapPart::State { .. } => {
                Observation::HighAvailabilityGone { namespace, cluster_id }
            }
            ConfigMapPart::Configuration => {
                Observation::ConfigurationGone { namespace, cluster_id }
            }
        }
    }
}
