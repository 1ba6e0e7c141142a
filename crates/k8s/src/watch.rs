//! What is watched, and how an object of each kind becomes an observation.

mod feed;

use std::fmt::Debug;

use flumen_model::{ClusterId, Namespace};
use futures::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{apps::v1::Deployment, core::v1::Pod},
};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use crate::{
    Cluster, DeploymentSeen, LABEL_APP, LABEL_TYPE, NATIVE_TYPE, Observation, PodSeen, Watched,
    reduce,
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
    /// Reports the Deployments and pods of native Flink clusters, for ever: first all that is there, then
    /// what changes. Dropping the stream ends it.
    pub fn watch(&self, scope: &WatchScope) -> BoxStream<'static, Observation> {
        let deployments = self.watch_kind::<Deployment>(scope);
        let pods = self.watch_kind::<Pod>(scope);
        futures::stream::select(deployments, pods).boxed()
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
        feed::Feed::new(self.clone(), api, selector).stream().boxed()
    }
}

/// A kind that is watched, and what is kept of it.
trait Seen:
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
