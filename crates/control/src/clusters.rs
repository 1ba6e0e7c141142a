//! The clusters that this server speaks to, each by one handle.

mod access;
mod check;
mod follow;
mod save;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flumen_faults::Faults;
use flumen_flink_rest::Call;
use flumen_k8s::{Cause, Cluster, ServicePort, Timeouts};
use flumen_store::Store;
use tokio::time::Instant;

pub(crate) use self::follow::{follow, follow_places};
pub use self::{
    check::{AnotherPlace, ClusterCheck, ClusterFinding},
    save::{ClusterSource, ClusterView, NoAnswer},
};
use crate::{Error, Settings, clock, tracker::Place, vault::Vault};

/// How long a JobManager may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long it is not tried again to make a handle that could not be made: many may want it at once, and a command that does
/// not answer keeps each of them waiting.
const PAUSE: Duration = Duration::from_secs(2);

/// How long before its certificate ends a handle is not used any more.
const EARLY: Duration = Duration::from_secs(10);

/// Handles by name, made when first needed.
#[derive(Debug, Clone)]
pub(crate) struct Clusters {
    store: Store,
    vault: Arc<Vault>,
    /// Commands that a kubeconfig may name.
    commands: Arc<[String]>,
    faults: Faults,
    handles: Arc<Mutex<HashMap<String, Handle>>>,
    /// One at a time makes the handle of a cluster; what kept it from that, and when.
    making: Arc<Mutex<HashMap<String, Making>>>,
}

type Making = Arc<tokio::sync::Mutex<Option<(Instant, String)>>>;

#[derive(Debug)]
struct Handle {
    version: i64,
    cluster: Cluster,
}

impl Clusters {
    pub(crate) fn new((store, vault): (Store, Vault), settings: &Settings) -> Self {
        Self {
            store,
            vault: Arc::new(vault),
            commands: settings.cluster_commands.clone().into(),
            faults: settings.faults.clone(),
            handles: Arc::default(),
            making: Arc::default(),
        }
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Cluster, Error> {
        if let Some(known) = self.known(name) {
            return Ok(known);
        }
        // Its command may take longer than whoever asks waits: what is made is for the next one then.
        let (clusters, cluster) = (self.clone(), name.to_owned());
        let made = tokio::spawn(async move { clusters.made(&cluster).await });
        made.await.unwrap_or_else(|error| {
            Err(Error::Away { cluster: name.to_owned(), problem: error.to_string() })
        })
    }

    async fn made(&self, name: &str) -> Result<Cluster, Error> {
        let making = Arc::clone(lock(&self.making).entry(name.to_owned()).or_default());
        let mut failed = making.lock().await;
        if let Some(known) = self.known(name) {
            return Ok(known);
        }
        if let Some((at, problem)) = &*failed
            && at.elapsed() < PAUSE
        {
            return Err(Error::Away { cluster: name.to_owned(), problem: problem.clone() });
        }
        *failed = None;
        match self.make(name).await {
            Ok(handle) => {
                let cluster = handle.cluster.clone();
                let making_now = lock(&self.making);
                // Whoever was told to forget it meanwhile has another way to reach it.
                if making_now.get(name).is_some_and(|now| Arc::ptr_eq(now, &making)) {
                    lock(&self.handles).insert(name.to_owned(), handle);
                }
                Ok(cluster)
            }
            Err(error) => {
                // A key that is back is found at once.
                if error.kind().is_transient() && !matches!(error, Error::SecretKey { .. }) {
                    *failed = Some((Instant::now(), reason(&error)));
                }
                Err(error)
            }
        }
    }

    async fn make(&self, name: &str) -> Result<Handle, Error> {
        let clusters = self.store.clusters().await?;
        let Some(stored) = clusters.into_iter().find(|cluster| cluster.name == name) else {
            return Err(Error::NoCluster { name: name.to_owned() });
        };
        let access = self.access(&stored).await?;
        let cluster = Cluster::connect(name, &access, Timeouts::default()).await?;
        let cluster = cluster.with_faults(self.faults.clone());
        Ok(Handle { version: stored.version, cluster })
    }

    /// Forgets what is known of a cluster that is reached otherwise from now on, a failure too.
    fn forget(&self, name: &str) {
        lock(&self.making).remove(name);
        lock(&self.handles).remove(name);
    }

    /// Forgets the handles of clusters that are not there in this version.
    fn keep(&self, versions: &HashMap<String, i64>) {
        lock(&self.handles).retain(|name, handle| versions.get(name) == Some(&handle.version));
        lock(&self.making).retain(|name, _| versions.contains_key(name));
    }

    fn known(&self, name: &str) -> Option<Cluster> {
        let known = lock(&self.handles).get(name).map(|handle| handle.cluster.clone());
        known.filter(|cluster| time_left(cluster).is_none_or(|left| !left.is_zero()))
    }
}

/// How long a handle is good for, if not for ever.
fn time_left(cluster: &Cluster) -> Option<Duration> {
    let left = cluster.good_until()?.duration_since(clock::now());
    Some(Duration::try_from(left).unwrap_or_default().saturating_sub(EARLY))
}

/// Why a cluster does not answer.
fn reason(error: &Error) -> String {
    match error {
        // That it was not done says nothing here, and neither what was asked first.
        Error::Cluster(cause) => {
            let known = usize::from(matches!(cause, flumen_k8s::Error::Check { .. }));
            error.causes().split_off(known).join(": ")
        }
        Error::Away { problem, .. } => problem.clone(),
        other => other.paragraph(),
    }
}

/// Comes when another handle is needed.
pub(crate) async fn needs_another(cluster: &Cluster) {
    match time_left(cluster) {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
