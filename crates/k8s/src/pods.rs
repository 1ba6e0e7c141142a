//! A pod of its own, which ends and is not started again: created with what it reads, looked at, read from, removed.

use std::{collections::BTreeSet, time::Duration};

use flumen_model::{ClusterId, Namespace};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod, Secret},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{Api, ResourceExt as _, api::DeleteParams, client::Body};

use crate::{
    Cause, Cluster, Created, Deletion, Error, LABEL_APP, Observation,
    create::params,
    delete::deleting,
    error::innermost,
    proxy::{ProxyBody, own_status, status_of},
    watch::Feed,
};

/// Nobody waits for what the pod would still do.
const GRACE_SECONDS: u32 = 1;

/// A port of a Pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodPort {
    /// The namespace.
    pub namespace: Namespace,
    /// The Pod.
    pub pod: String,
    /// The port's number.
    pub port: u16,
}

impl Cluster {
    /// Creates a pod, then the ConfigMap that it waits for as its property. Their name must be one that is used once: what
    /// is there already was made by the same call, whose answer was lost.
    ///
    /// # Errors
    /// [`Error::CreateObject`]; the call can be repeated.
    pub async fn create_pod(
        &self,
        namespace: &Namespace,
        pod: &Pod,
        config_map: &ConfigMap,
    ) -> Result<Created, Error> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let name = pod.name_any();
        let failed = |source| creating("Pod", namespace, &name, source);
        let create = self.change("k8s.create-pod", pods.create(&params(), pod)).await;
        let (made, existed) = match create {
            Ok(made) => (made, false),
            Err(cause) if cause.is_already_exists() => {
                (self.read(|| pods.get(&name)).await.map_err(failed)?, true)
            }
            Err(cause) => return Err(failed(cause)),
        };
        let no_uid = || Cause::Build { problem: "the API server gave it no uid".to_owned() };
        let uid = made.metadata.uid.ok_or_else(no_uid).map_err(failed)?;
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: name.clone(),
            uid: uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        };
        let mut property = config_map.clone();
        property.metadata.owner_references = Some(vec![owner]);
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let params = params();
        let create = config_maps.create(&params, &property);
        match self.change("k8s.create-config-map", create).await {
            Ok(_) => {}
            Err(cause) if cause.is_already_exists() => {}
            Err(cause) => {
                return Err(creating("ConfigMap", namespace, &property.name_any(), cause));
            }
        }
        Ok(Created { uid, existed })
    }

    /// Reports the pods that have this value in the label of Flink's cluster id, for ever: first what is there, then what
    /// changes. Dropping the stream ends it.
    pub fn watch_pods_of(
        &self,
        namespace: &Namespace,
        id: &ClusterId,
    ) -> BoxStream<'static, Observation> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        Feed::new(self.clone(), pods, format!("{LABEL_APP}={id}")).stream().boxed()
    }

    /// The Pod of this name, if it is there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn pod(&self, namespace: &Namespace, name: &str) -> Result<Option<Pod>, Error> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| pods.get_opt(name)).await;
        found.map_err(|source| reading("Pod", namespace, name, source))
    }

    /// Deletes a pod. One that is gone already is fine.
    ///
    /// # Errors
    /// [`Error::DeleteObject`].
    pub async fn delete_pod(&self, namespace: &Namespace, name: &str) -> Result<Deletion, Error> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let delete = DeleteParams::background().grace_period(GRACE_SECONDS);
        match self.change("k8s.delete-pod", pods.delete(name, &delete)).await {
            Ok(_) => Ok(Deletion::Underway),
            Err(cause) if cause.is_not_found() => Ok(Deletion::Gone),
            Err(cause) => Err(deleting("Pod", namespace, name, cause)),
        }
    }

    /// The names of the entries of a Secret; none if it is not there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn secret_keys(
        &self,
        namespace: &Namespace,
        name: &str,
    ) -> Result<Option<BTreeSet<String>>, Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| secrets.get_opt(name)).await;
        let found = found.map_err(|source| reading("Secret", namespace, name, source))?;
        Ok(found.map(|found| found.data.unwrap_or_default().into_keys().collect()))
    }

    /// The names of the entries of a `ConfigMap`; none if it is not there.
    ///
    /// # Errors
    /// [`Error::ReadObject`].
    pub async fn config_map_keys(
        &self,
        namespace: &Namespace,
        name: &str,
    ) -> Result<Option<BTreeSet<String>>, Error> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let found = self.read(|| config_maps.get_opt(name)).await;
        let found = found.map_err(|source| reading("ConfigMap", namespace, name, source))?;
        Ok(found.map(|found| {
            let binary = found.binary_data.unwrap_or_default().into_keys();
            found.data.unwrap_or_default().into_keys().chain(binary).collect()
        }))
    }

    /// Reads a path from a server in a Pod, through the API server, and hands the body on as it comes; none while nobody
    /// listens there. The time limit is for the answer to begin.
    ///
    /// # Errors
    /// [`Error::ReadFromPod`]; what the pod answers but success is one too.
    pub async fn read_from_pod(
        &self,
        from: &PodPort,
        path: &str,
        limit: Duration,
    ) -> Result<Option<Response<ProxyBody>>, Error> {
        let failed = |source| reading_from(from, source);
        let PodPort { namespace, pod, port } = from;
        let uri = format!("/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{path}");
        let request = Request::get(uri).body(Body::empty());
        let request =
            request.map_err(|error| failed(Cause::Build { problem: error.to_string() }))?;
        let answer = self.within(limit, self.client.send(request)).await.map_err(failed)?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            let (cluster, from) = (self.clone(), from.clone());
            let pieces = body.into_data_stream().map_err(move |error| {
                let server = cluster.way.to_string();
                reading_from(&from, Cause::Unreachable { server, problem: innermost(&error) })
            });
            return Ok(Some(Response::from_parts(head, pieces.boxed())));
        }
        let body = self.within(limit, body.collect_bytes()).await.map_err(failed)?;
        // Nobody listens yet, or the Pod has no address.
        if own_status(head.status, &body).is_some() && head.status != StatusCode::FORBIDDEN {
            return Ok(None);
        }
        Err(failed(status_of(head.status.as_u16(), &body)))
    }
}

fn creating(what: &str, namespace: &Namespace, name: &str, source: Cause) -> Error {
    Error::CreateObject { what: what.to_owned(), name: format!("{namespace}/{name}"), source }
}

fn reading(what: &'static str, namespace: &Namespace, name: &str, source: Cause) -> Error {
    Error::ReadObject { what, name: format!("{namespace}/{name}"), source }
}

fn reading_from(from: &PodPort, source: Cause) -> Error {
    Error::ReadFromPod { pod: format!("{}/{}", from.namespace, from.pod), source }
}
