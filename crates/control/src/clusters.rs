//! The clusters that this server speaks to, each by one handle.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flumen_faults::Faults;
use flumen_flink_rest::Call;
use flumen_k8s::{Access, Cause, Cluster, ServicePort, Timeouts};
use flumen_store::Store;

use crate::{Control, Error, tracker::Place};

/// How long a JobManager may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Handles by name, made when first needed.
#[derive(Debug, Clone)]
pub(crate) struct Clusters {
    store: Store,
    faults: Faults,
    handles: Arc<Mutex<HashMap<String, Cluster>>>,
}

impl Clusters {
    pub(crate) fn new(store: Store, faults: Faults) -> Self {
        Self { store, faults, handles: Arc::default() }
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Cluster, Error> {
        if let Some(handle) = self.known(name) {
            return Ok(handle);
        }
        let clusters = self.store.clusters().await?;
        let Some(cluster) = clusters.into_iter().find(|cluster| cluster.name == name) else {
            return Err(Error::not_found(format!("cluster {name}")));
        };
        let access = Access::File { path: cluster.kubeconfig.into(), context: cluster.context };
        let handle = Cluster::connect(name, &access, Timeouts::default()).await?;
        let handle = handle.with_faults(self.faults.clone());
        self.handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), handle.clone());
        Ok(handle)
    }

    fn known(&self, name: &str) -> Option<Cluster> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The JobManager of a job, reached by the service proxy of its cluster.
#[derive(Debug, Clone)]
pub(crate) struct JobManager {
    pub(crate) cluster: Cluster,
    pub(crate) service: ServicePort,
    faults: Faults,
}

impl JobManager {
    pub(crate) async fn of(clusters: &Clusters, key: &Place) -> Result<Self, Error> {
        let cluster = clusters.get(&key.cluster).await?;
        let service = ServicePort::job_manager(&key.namespace, &key.id);
        Ok(Self { cluster, service, faults: clusters.faults.clone() })
    }

    pub(crate) async fn call<T>(&self, call: &Call<T>) -> Result<T, Error> {
        let answer = self.cluster.proxy(&self.service, call.request().clone(), ANSWER_WITHIN);
        let answer = match effect(call.request()) {
            None => answer.await?,
            Some(effect) => self.faults.around(effect, answer, || self.no_answer()).await?,
        };
        Ok(call.parse(answer.status, &answer.body)?)
    }

    fn no_answer(&self) -> flumen_k8s::Error {
        flumen_k8s::Error::Proxy {
            service: self.service.service.clone(),
            cluster: self.cluster.name().to_owned(),
            source: Cause::TimedOut(ANSWER_WITHIN),
        }
    }
}

/// What a request does to Flink; none if it only reads.
fn effect<B>(request: &http::Request<B>) -> Option<&'static str> {
    use http::Method;

    let verb = request.uri().path().rsplit('/').next().unwrap_or_default();
    Some(match (request.method(), verb) {
        (&Method::GET, _) => return None,
        (&Method::PATCH, _) => "flink.cancel",
        (&Method::POST, "stop") => "flink.stop",
        (&Method::POST, "savepoints") => "flink.trigger-savepoint",
        (&Method::POST, "checkpoints") => "flink.trigger-checkpoint",
        (&Method::POST, "savepoint-disposal") => "flink.dispose-savepoint",
        _ => "flink.other",
    })
}

/// A cluster and whether it answers.
#[derive(Debug, Clone)]
pub struct ClusterContactView {
    /// Its name.
    pub name: String,
    /// The kubeconfig on the server's machine.
    pub kubeconfig: String,
    /// The address of its API server, if the kubeconfig could be read.
    pub server: Option<String>,
    /// Its version, or why it does not answer.
    pub version: Result<String, String>,
}

impl Control {
    /// The clusters, each asked for its version.
    pub async fn clusters(&self) -> Result<Vec<ClusterContactView>, Error> {
        let mut views = Vec::new();
        for cluster in self.store().clusters().await? {
            let handle = self.clusters_handle().get(&cluster.name).await;
            let (server, version) = match handle {
                Err(error) => (None, Err(error.paragraph())),
                Ok(handle) => {
                    let version = handle.check().await.map(|version| version.git_version);
                    let version = version.map_err(|error| Error::from(error).paragraph());
                    (Some(handle.server().to_owned()), version)
                }
            };
            views.push(ClusterContactView {
                name: cluster.name,
                kubeconfig: cluster.kubeconfig,
                server,
                version,
            });
        }
        Ok(views)
    }
}
