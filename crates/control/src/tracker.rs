//! What there is to be seen of each job. The [`Index`] is synchronous and knows no network; one task a
//! cluster feeds it from a watch, and one task a live job from the JobManager's REST API.

mod index;
mod poll;
mod watch;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flumen_lifecycle::Observed;
use flumen_model::{FlinkMinor, JobId, RunId};
use tokio::sync::Notify;

use self::index::Index;
pub(crate) use self::index::Key;
use crate::{clusters::Clusters, queue::Queue, tasks::Tasks};

/// Follows clusters and JobManagers and wakes the controller when something is different.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    index: Mutex<Index>,
    followed: Mutex<HashMap<JobId, Followed>>,
    wakes: Arc<Queue<JobId>>,
    clusters: Clusters,
    tasks: Tasks,
}

#[derive(Debug)]
struct Followed {
    run: RunId,
    nudge: Arc<Notify>,
    stop: tokio_util::sync::CancellationToken,
}

impl Tracker {
    pub(crate) fn new(clusters: Clusters, wakes: Arc<Queue<JobId>>, tasks: Tasks) -> Self {
        let inner = Inner {
            index: Mutex::new(Index::default()),
            followed: Mutex::new(HashMap::new()),
            wakes,
            clusters,
            tasks,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Everything seen of the job that lives under this key, and of its newest run.
    pub(crate) fn observed(&self, key: &Key, run: Option<RunId>) -> Observed {
        self.index().observed(key, run)
    }

    /// Says which job lives under the key, so that what is seen there wakes it.
    pub(crate) fn register(&self, key: Key, job: JobId) {
        self.index().register(key, job);
    }

    /// Forgets a job.
    pub(crate) fn forget(&self, key: &Key, job: JobId) {
        self.unfollow(job);
        self.index().forget(key);
    }

    /// Watches a cluster until the server stops.
    pub(crate) fn watch_cluster(&self, cluster: String) {
        let tracker = self.clone();
        self.inner.tasks.spawn("watch cluster", |stop| watch::run(tracker, cluster, stop));
    }

    /// Asks the JobManager of the run again and again, unless that is done already.
    pub(crate) fn follow(&self, job: JobId, key: &Key, run: RunId, minor: FlinkMinor) {
        let mut followed = lock(&self.inner.followed);
        if followed.get(&job).is_some_and(|known| known.run == run) {
            return;
        }
        if let Some(old) = followed.remove(&job) {
            old.stop.cancel();
        }
        let nudge = Arc::new(Notify::new());
        let stop = self.inner.tasks.stop().child_token();
        followed.insert(job, Followed { run, nudge: Arc::clone(&nudge), stop: stop.clone() });
        drop(followed);
        let target = poll::Target { job, key: key.clone(), run, minor };
        let tracker = self.clone();
        self.inner.tasks.spawn("follow JobManager", |_| poll::run(tracker, target, nudge, stop));
    }

    /// Asks no more.
    pub(crate) fn unfollow(&self, job: JobId) {
        if let Some(old) = lock(&self.inner.followed).remove(&job) {
            old.stop.cancel();
        }
    }

    /// Has the JobManager asked now rather than at its next turn.
    pub(crate) fn nudge(&self, job: JobId) {
        if let Some(known) = lock(&self.inner.followed).get(&job) {
            known.nudge.notify_one();
        }
    }

    fn wake(&self, job: JobId) {
        self.nudge(job);
        self.inner.wakes.wake(job);
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        lock(&self.inner.index)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
