//! A Pod that runs once, with its `ConfigMap`: created, looked at, read from and removed.

use std::{collections::BTreeSet, time::Duration};

use flumen_model::Namespace;
use futures::{StreamExt, TryStreamExt};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::{
    Api,
    api::{DeleteParams, Preconditions},
    client::Body,
};

use crate::{
    Cause, Cluster, Deletion, Error,
    create::params,
    error::innermost,
    proxy::{ProxyBody, own_status, status_of},
};

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
    /// Creates a `ConfigMap` and then the Pod that reads it. What is there already under their names is taken for them:
    /// names are given once.
    ///
    /// # Errors
    /// [`Error::CreateObject`]; the call can be repeated.
    pub async fn create_pod(
        &self,
        namespace: &Namespace,
        config_map: &ConfigMap,
        pod: &Pod,
    ) -> Result<(), Error> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace.as_str());
        let params = params();
        let made = self.change("k8s.create-config-map", config_maps.create(&params, config_map));
        settled(namespace, "ConfigMap", config_map.metadata.name.as_deref(), made.await)?;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let made = self.change("k8s.create-pod", pods.create(&params, pod));
        settled(namespace, "Pod", pod.metadata.name.as_deref(), made.await)
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

    /// Deletes a Pod. One that is gone already is fine.
    ///
    /// # Errors
    /// [`Error::DeleteObject`].
    pub async fn delete_pod(&self, namespace: &Namespace, name: &str) -> Result<Deletion, Error> {
        let Some(found) = self.pod(namespace, name).await? else { return Ok(Deletion::Gone) };
        if found.metadata.deletion_timestamp.is_some() {
            return Ok(Deletion::Underway);
        }
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace.as_str());
        let this_one = Preconditions { uid: found.metadata.uid, resource_version: None };
        let params = DeleteParams::background().preconditions(this_one);
        match self.change("k8s.delete-pod", pods.delete(name, &params)).await {
            Ok(_) => Ok(Deletion::Underway),
            Err(cause) if cause.is_not_found() => Ok(Deletion::Gone),
            Err(source) => {
                let name = format!("{namespace}/{name}");
                Err(Error::DeleteObject { what: "Pod", name, source })
            }
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
                let server = cluster.server.to_string();
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

/// A creation that found the object there is one that was repeated.
fn settled<T>(
    namespace: &Namespace,
    what: &str,
    name: Option<&str>,
    made: Result<T, Cause>,
) -> Result<(), Error> {
    match made {
        Ok(_) => Ok(()),
        Err(cause) if cause.is_already_exists() => Ok(()),
        Err(source) => {
            let name = format!("{namespace}/{}", name.unwrap_or_default());
            Err(Error::CreateObject { what: what.to_owned(), name, source })
        }
    }
}

fn reading(what: &'static str, namespace: &Namespace, name: &str, source: Cause) -> Error {
    Error::ReadObject { what, name: format!("{namespace}/{name}"), source }
}

fn reading_from(from: &PodPort, source: Cause) -> Error {
    Error::ReadFromPod { pod: format!("{}/{}", from.namespace, from.pod), source }
}
