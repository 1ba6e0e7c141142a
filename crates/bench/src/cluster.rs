//! The local cluster as its API shows it: the same eyes for both sides.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::TryStreamExt as _;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    core::WatchEvent,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::process;

/// The kinds that a client of Flink creates, in the namespace that both sides use.
const KINDS: [&str; 3] = [
    "/apis/apps/v1/namespaces/default/deployments",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/configmaps",
];
const PODS: &str = "/api/v1/namespaces/default/pods";
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(3);

/// A client of the Kubernetes API.
pub(crate) struct Cluster {
    runtime: Runtime,
    client: Client,
}

/// An object that was created while somebody watched.
#[derive(Debug, Clone)]
pub(crate) struct Creation {
    pub(crate) at: Instant,
    /// Which list it is in, and its name.
    pub(crate) object: String,
    /// The CPU time of the observed process at that moment.
    pub(crate) cpu: Duration,
}

/// Watches what is created for one Flink cluster.
pub(crate) struct Creations {
    seen: Arc<Mutex<Vec<Creation>>>,
    tasks: Vec<JoinHandle<Result<()>>>,
}

impl Cluster {
    pub(crate) fn connect(kubeconfig: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("no runtime")?;
        let client = runtime.block_on(async {
            let file = Kubeconfig::read_from(kubeconfig)?;
            let mut config =
                Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
            // Whoever takes the time of an answer must not be made to wait before asking again.
            config.default_retry = false;
            anyhow::Ok(Client::try_from(config)?)
        });
        let client = client.with_context(|| format!("could not use {}", kubeconfig.display()))?;
        Ok(Self { runtime, client })
    }

    pub(crate) fn text(&self, path: &str) -> Result<String> {
        let request = http::Request::get(path).body(Vec::new())?;
        let answer = self.runtime.block_on(self.client.request_text(request));
        answer.with_context(|| format!("GET {path}"))
    }

    pub(crate) fn json(&self, path: &str) -> Result<Value> {
        self.typed(path)
    }

    pub(crate) fn typed<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        serde_json::from_str(&self.text(path)?).with_context(|| format!("GET {path} gave no JSON"))
    }

    /// Deletes a Deployment and waits until nothing with its label is left.
    pub(crate) fn delete_deployment(&self, name: &str) -> Result<()> {
        let path = format!("{}/{name}?propagationPolicy=Foreground", KINDS[0]);
        let request = http::Request::delete(&path).body(Vec::new())?;
        let answer = self.runtime.block_on(self.client.request_text(request));
        answer.with_context(|| format!("DELETE {path}"))?;
        self.wait_until_gone(name)
    }

    /// Waits until no object and no pod of the Flink cluster is left.
    pub(crate) fn wait_until_gone(&self, name: &str) -> Result<()> {
        let began = Instant::now();
        for list in KINDS.into_iter().chain([PODS]) {
            let path = format!("{list}?labelSelector=app%3D{name}");
            while self.json(&path)?["items"].as_array().is_none_or(|items| !items.is_empty()) {
                ensure!(began.elapsed() < PATIENCE, "{path} is not empty after {PATIENCE:?}");
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    /// Waits until Flink says of the only job of the cluster that all its tasks run; when that was.
    pub(crate) fn wait_until_all_run(&self, name: &str) -> Result<Instant> {
        let service = format!("/api/v1/namespaces/default/services/{name}-rest:8081/proxy");
        let path = format!("{service}/jobs/overview");
        let began = Instant::now();
        loop {
            // Until the JobManager listens, each answer is an error.
            let overview = self.json(&path).unwrap_or_default();
            let job = &overview["jobs"][0];
            let (running, total) = (&job["tasks"]["running"], &job["tasks"]["total"]);
            if job["state"] == "RUNNING" && running == total && total.as_u64() > Some(0) {
                return Ok(Instant::now());
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "not all tasks of {name} run after {PATIENCE:?}; the JobManager says {overview}"
            );
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Watches from now on what is created for a Flink cluster, and notes the CPU time of a process each time.
    pub(crate) fn watch(&self, name: &str, observed: u32) -> Result<Creations> {
        let seen = Arc::<Mutex<Vec<Creation>>>::default();
        let mut tasks = Vec::new();
        for list in KINDS {
            let version = self.json(list)?["metadata"]["resourceVersion"]
                .as_str()
                .with_context(|| format!("{list} has no resourceVersion"))?
                .to_owned();
            let selector = format!("app%3D{name}%2Cconfigmap-type!%3Dhigh-availability");
            let path =
                format!("{list}?watch=true&resourceVersion={version}&labelSelector={selector}");
            let request = http::Request::get(&path).body(Vec::new())?;
            let (client, seen) = (self.client.clone(), Arc::clone(&seen));
            // The watch is open when this returns; only then may the race begin.
            let events = self
                .runtime
                .block_on(async move { client.request_events::<Value>(request).await })
                .with_context(|| format!("GET {path}"))?;
            tasks.push(self.runtime.spawn(async move {
                let mut events = std::pin::pin!(events);
                while let Some(event) = events.try_next().await? {
                    let (at, cpu) = (Instant::now(), process::cpu(observed)?);
                    let WatchEvent::Added(object) = event else { continue };
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    let object = format!("{list}/{name}");
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.push(Creation { at, object, cpu });
                }
                Ok(())
            }));
        }
        Ok(Creations { seen, tasks })
    }
}

impl Creations {
    fn now(&self) -> Vec<Creation> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a Deployment was created.
    pub(crate) fn deployment(&self) -> Result<Creation> {
        let began = Instant::now();
        loop {
            let found = self.now().into_iter().find(|one| one.object.starts_with(KINDS[0]));
            if let Some(creation) = found {
                return Ok(creation);
            }
            ensure!(began.elapsed() < PATIENCE, "no Deployment was created in {PATIENCE:?}");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until so many objects were created and a while longer, so that none comes later; all of them.
    pub(crate) fn settled(&self, at_least: usize) -> Result<Vec<Creation>> {
        let began = Instant::now();
        let mut count = 0;
        let mut quiet = Instant::now();
        loop {
            let seen = self.now();
            if seen.len() != count {
                (count, quiet) = (seen.len(), Instant::now());
            }
            if count >= at_least && quiet.elapsed() > Duration::from_millis(500) {
                return Ok(seen);
            }
            let names: Vec<_> = seen.iter().map(|one| &one.object).collect();
            ensure!(
                began.elapsed() < PATIENCE,
                "{at_least} objects were expected, {names:?} are there after {PATIENCE:?}"
            );
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Creations {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
