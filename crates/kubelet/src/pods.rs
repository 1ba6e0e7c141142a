//! The pods of this node: a task for each, fed by one watch.

mod admit;
mod announce;
mod backoff;
mod check;
mod container;
pub(crate) mod decide;
mod effects;
mod names;
mod node;
mod one_id;
mod present;
mod probe;
mod pull;
pub(crate) mod report;
mod sandbox;
mod start;
mod state;
mod status;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use tokio::{sync::watch, task::JoinSet};

pub(crate) use names::Names;
pub(crate) use node::Node;
pub(crate) use present::{Place, Present, Running};
pub(crate) use status::time;
use worker::{Seen, work};

use crate::remove;

/// Runs all pods of the node until the future is dropped.
pub(crate) async fn run(node: Arc<Node>) {
    let api: Api<Pod> = Api::all(node.client.clone());
    let mine = watcher::Config::default().fields(&format!("spec.nodeName={}", node.name));
    let mut events = watcher::watcher(api, mine).default_backoff().boxed();
    let mut pods = Pods {
        node,
        workers: BTreeMap::new(),
        done: JoinSet::new(),
        over: BTreeSet::new(),
        arriving: BTreeSet::new(),
    };
    loop {
        tokio::select! {
            event = events.try_next() => match event {
                Ok(Some(event)) => pods.take(event),
                Ok(None) => return,
                // The stream goes on by itself, with growing pauses.
                Err(error) => tracing::debug!(%error, "could not watch pods"),
            },
            Some(done) = pods.done.join_next() => match done {
                Ok(uid) => {
                    pods.end(uid);
                }
                Err(error) => tracing::error!(%error, "the worker of a pod was lost"),
            },
        }
    }
}

struct Pods {
    node: Arc<Node>,
    workers: BTreeMap<String, watch::Sender<Seen>>,
    /// Ends with the uid of the pod.
    done: JoinSet<String>,
    /// Uids of pods that are over here and whose objects the watch has not seen go.
    over: BTreeSet<String>,
    /// Uids of a listing that is under way.
    arriving: BTreeSet<String>,
}

impl Pods {
    fn take(&mut self, event: Event<Pod>) {
        match event {
            Event::Init => self.arriving.clear(),
            Event::InitApply(pod) => {
                self.arriving.extend(pod.metadata.uid.clone());
                self.apply(pod);
            }
            Event::InitDone => {
                for (uid, seen) in &self.workers {
                    if !self.arriving.contains(uid) {
                        seen.send_modify(|seen| seen.gone = true);
                    }
                }
                self.over.retain(|uid| self.arriving.contains(uid));
                self.remove_leftovers();
            }
            Event::Apply(pod) => self.apply(pod),
            Event::Delete(pod) => {
                let Some(uid) = pod.metadata.uid else { return };
                self.over.remove(&uid);
                if let Some(seen) = self.workers.get(&uid) {
                    seen.send_modify(|seen| seen.gone = true);
                }
            }
        }
    }

    fn end(&mut self, uid: String) {
        self.node.names.remove(&uid);
        self.node.present.remove(&uid);
        let known_gone = self.workers.remove(&uid).is_some_and(|seen| seen.borrow().gone);
        if !known_gone {
            self.over.insert(uid);
        }
    }

    fn apply(&mut self, pod: Pod) {
        let Some(uid) = pod.metadata.uid.clone() else { return };
        // The echo of our own last words about it.
        if self.over.contains(&uid) {
            return;
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        self.node.names.insert(&text(&pod.metadata.namespace), &text(&pod.metadata.name), &uid);
        let pod = Arc::new(pod);
        if let Some(seen) = self.workers.get(&uid) {
            seen.send_modify(|seen| seen.pod = pod);
            return;
        }
        let (sender, receiver) = watch::channel(Seen { pod, gone: false });
        self.workers.insert(uid.clone(), sender);
        let work = work(Arc::clone(&self.node), uid.clone(), receiver);
        self.done.spawn(async move {
            work.await;
            uid
        });
    }

    /// Directories of pods that an earlier kubelet had and that no longer exist.
    fn remove_leftovers(&self) {
        let entries = match std::fs::read_dir(&self.node.pods_directory) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "could not look for what earlier pods left");
                return;
            }
        };
        for entry in entries.flatten() {
            let known =
                entry.file_name().to_str().is_some_and(|uid| self.workers.contains_key(uid));
            if !known {
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = remove::directory(&entry.path()) {
                        tracing::warn!(%error, path = %entry.path().display(), "could not remove what a pod left");
                    }
                });
            }
        }
    }
}
