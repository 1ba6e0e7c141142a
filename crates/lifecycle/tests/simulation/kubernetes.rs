//! The cluster: one Deployment name, its pods and the ConfigMaps of Flink's high availability, and the news
//! of each kind in the order in which it happened.

use std::collections::BTreeMap;

use flumen_lifecycle::{Component, DeploymentSeen, PodSeen};
use flumen_model::RunId;

use crate::flink::JobManager;

/// What the watch of one kind tells.
#[derive(Debug, Clone)]
pub(crate) enum News<V> {
    Seen(u64, V),
    Gone(u64),
}

#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) uid: u64,
    /// None: not made by Flumen.
    pub(crate) run: Option<RunId>,
    pub(crate) deleting: bool,
    pub(crate) replicas: i32,
    /// `execution.savepoint.path`.
    pub(crate) restore: Option<String>,
}

/// What keeps a pod from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    NoRoom,
    NoImage,
}

#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) uid: u64,
    /// The Deployment it belongs to.
    pub(crate) owner: u64,
    pub(crate) run: Option<RunId>,
    pub(crate) restore: Option<String>,
    pub(crate) deleting: bool,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) restarts: i32,
    pub(crate) last_exit: Option<i32>,
    /// The process in its container, while there is one.
    pub(crate) process: Option<JobManager>,
}

/// Whose high-availability data; none: another Flink's.
pub(crate) type Owner = Option<RunId>;

#[derive(Debug, Default)]
pub(crate) struct Kubernetes {
    pub(crate) deployment: Option<Deployment>,
    pub(crate) pods: Vec<Pod>,
    /// With the number of the newest checkpoint, 0 before the first.
    pub(crate) high_availability: BTreeMap<Owner, u64>,
    pub(crate) deployments: Told<DeploymentSeen>,
    pub(crate) pods_told: Told<PodSeen>,
    made: u64,
}

/// The news of one kind.
#[derive(Debug)]
pub(crate) struct Told<V> {
    pub(crate) news: Vec<News<V>>,
    pub(crate) now: BTreeMap<u64, V>,
}

impl<V> Default for Told<V> {
    fn default() -> Self {
        Self { news: Vec::new(), now: BTreeMap::new() }
    }
}

impl<V: Clone + PartialEq> Told<V> {
    fn tell(&mut self, views: Vec<(u64, V)>) {
        let gone: Vec<u64> = self
            .now
            .keys()
            .filter(|uid| views.iter().all(|(other, _)| other != *uid))
            .copied()
            .collect();
        for uid in gone {
            self.now.remove(&uid);
            self.news.push(News::Gone(uid));
        }
        for (uid, view) in views {
            if self.now.get(&uid) != Some(&view) {
                self.now.insert(uid, view.clone());
                self.news.push(News::Seen(uid, view));
            }
        }
    }
}

impl Kubernetes {
    pub(crate) fn uid(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Tells the watches what is different.
    pub(crate) fn publish(&mut self) {
        let deployments = self.deployment.iter().map(|one| {
            let seen =
                DeploymentSeen { run: one.run, deleting: one.deleting, replicas: one.replicas };
            (one.uid, seen)
        });
        self.deployments.tell(deployments.collect());
        let pods = self.pods.iter().map(|pod| (pod.uid, pod.view())).collect();
        self.pods_told.tell(pods);
    }

    pub(crate) fn create(&mut self, run: Option<RunId>, restore: Option<String>) {
        let uid = self.uid();
        self.deployment = Some(Deployment { uid, run, deleting: false, replicas: 1, restore });
        self.publish();
    }

    /// The JobManager that the Service leads to.
    pub(crate) fn job_manager(&mut self) -> Option<&mut JobManager> {
        let uid = self.deployment.as_ref()?.uid;
        self.pods
            .iter_mut()
            .filter(|pod| pod.owner == uid && !pod.deleting)
            .filter_map(|pod| pod.process.as_mut())
            .find(|process| process.up && !process.silent)
    }

    /// Whether the run's Deployment stands and nobody deletes it.
    pub(crate) fn stands(&self, run: RunId) -> bool {
        self.deployment.as_ref().is_some_and(|one| one.run == Some(run) && !one.deleting)
    }

    /// What is there of Flumen's runs, in words.
    pub(crate) fn left(&self) -> Option<String> {
        if let Some(one) = self.deployment.as_ref().filter(|one| one.run.is_some()) {
            return Some(format!("the Deployment of run {}", short(one.run)));
        }
        if let Some(pod) = self.pods.iter().find(|pod| pod.run.is_some()) {
            return Some(format!("a pod of run {}", short(pod.run)));
        }
        let data = self.high_availability.keys().find(|owner| owner.is_some())?;
        Some(format!("high-availability data of run {}", short(*data)))
    }
}

pub(crate) fn short(run: Option<RunId>) -> String {
    run.map_or_else(
        || "of someone else".to_owned(),
        |run| run.to_string().trim_start_matches('0').to_owned(),
    )
}

impl Pod {
    fn view(&self) -> PodSeen {
        let words = |reason: &str| (reason.to_owned(), String::new());
        let crashed = self.process.is_none() && self.restarts > 0;
        PodSeen {
            name: format!("jm-{}", self.uid),
            component: Component::JobManager,
            ready: self.process.is_some(),
            deleting: self.deleting,
            unschedulable: (self.trouble == Some(Trouble::NoRoom)).then(|| "no room".to_owned()),
            waiting: if crashed {
                Some(words("CrashLoopBackOff"))
            } else {
                (self.trouble == Some(Trouble::NoImage)).then(|| words("ImagePullBackOff"))
            },
            restarts: self.restarts,
            last_exit: self.last_exit,
        }
    }
}
