//! What there is to be seen of each job. The [`Index`] is synchronous and knows no network; one task a
//! cluster feeds it from a watch, and one task a live job from the JobManager's REST API. Checkpoints that
//! Flink tells of are written down on the way.

mod listen;
mod poll;
mod result;
mod watch;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

pub(crate) use flumen_lifecycle::Place;
use flumen_lifecycle::{Index, Observed, State};
use flumen_model::{JobId, Namespace, RunId};
use flumen_store::{JobEvent, Store};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

pub(crate) use self::poll::Questions;
use crate::{clock, clusters::Clusters, identity, queue::Queue, storage::Storages, tasks::Tasks};

/// A namespace of a cluster.
pub(crate) type Area = (String, Namespace);

/// Follows clusters and JobManagers and wakes the controller when something is different.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    index: Mutex<Index>,
    followed: Mutex<HashMap<JobId, Followed>>,
    /// What is watched, of which version of its cluster, and how that ends.
    watched: Mutex<BTreeMap<Area, (i64, CancellationToken)>>,
    wakes: Arc<Queue<JobId>>,
    clusters: Clusters,
    storages: Storages,
    store: Store,
    /// One for each log that is followed.
    listeners: Semaphore,
    tasks: Tasks,
}

#[derive(Debug)]
struct Followed {
    run: RunId,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

/// What the task that asks a JobManager is told.
#[derive(Debug)]
struct Shared {
    questions: Mutex<Questions>,
    nudge: Notify,
    /// Whether the job's high-availability data changed, as it does with each checkpoint.
    state_moved: AtomicBool,
    /// Whether that data was deleted, by Flink at the end of the job or by someone else.
    state_gone: AtomicBool,
}

impl Shared {
    fn questions(&self) -> Questions {
        lock(&self.questions).clone()
    }

    fn take_state_moved(&self) -> bool {
        self.state_moved.swap(false, Ordering::Relaxed)
    }
}

impl Tracker {
    pub(crate) fn new(
        (clusters, storages, store): (Clusters, Storages, Store),
        wakes: Arc<Queue<JobId>>,
        tasks: Tasks,
    ) -> Self {
        let inner = Inner {
            index: Mutex::new(Index::default()),
            followed: Mutex::new(HashMap::new()),
            watched: Mutex::default(),
            wakes,
            clusters,
            storages,
            store,
            listeners: Semaphore::new(listen::AT_ONCE),
            tasks,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Everything seen of the job that lives under this key, and of its newest run.
    pub(crate) fn observed(&self, key: &Place, run: Option<RunId>) -> Observed {
        self.index().observed(key, run)
    }

    /// Says which job lives under the key, so that what is seen there wakes it.
    pub(crate) fn register(&self, key: Place, job: JobId) {
        self.index().register(key, job);
    }

    /// Forgets a job.
    pub(crate) fn forget(&self, key: &Place, job: JobId) {
        self.unfollow(job);
        self.index().forget(key);
    }

    /// Watches just these namespaces of clusters from now on. One with another version of its cluster is watched anew.
    pub(crate) fn watch(&self, wanted: &BTreeMap<Area, i64>) {
        let mut watched = lock(&self.inner.watched);
        watched.retain(|area, (version, stop)| {
            let stays = wanted.get(area) == Some(version);
            if !stays {
                stop.cancel();
            }
            stays
        });
        for (area, version) in wanted {
            if watched.contains_key(area) {
                continue;
            }
            let stop = self.inner.tasks.stop().child_token();
            watched.insert(area.clone(), (*version, stop.clone()));
            let (tracker, area) = (self.clone(), area.clone());
            self.inner.tasks.spawn("watch cluster", |_| {
                let stopped = stop.clone();
                let watching = watch::run(tracker, area, stop);
                async move { stopped.run_until_cancelled_owned(watching).await.unwrap_or(()) }
            });
        }
    }

    /// Asks the JobManager of the run again and again; these questions from now on.
    pub(crate) fn follow(&self, job: JobId, place: &Place, questions: Questions) {
        let mut followed = lock(&self.inner.followed);
        if let Some(known) = followed.get(&job).filter(|known| known.run == questions.run) {
            let changed = *lock(&known.shared.questions) != questions;
            if changed {
                *lock(&known.shared.questions) = questions;
                known.shared.nudge.notify_one();
            }
            return;
        }
        if let Some(old) = followed.remove(&job) {
            old.stop.cancel();
        }
        let run = questions.run;
        let shared = Arc::new(Shared {
            questions: Mutex::new(questions),
            nudge: Notify::new(),
            state_moved: AtomicBool::new(false),
            state_gone: AtomicBool::new(false),
        });
        let stop = self.inner.tasks.stop().child_token();
        followed.insert(job, Followed { run, shared: Arc::clone(&shared), stop: stop.clone() });
        drop(followed);
        let target = poll::Target { job, place: place.clone() };
        let heard = listen::run(self.clone(), target.clone(), run, Arc::clone(&shared));
        let listening = stop.clone().run_until_cancelled_owned(heard);
        self.inner.tasks.spawn("listen to JobManager", |_| async { listening.await.unwrap_or(()) });
        let tracker = self.clone();
        self.inner.tasks.spawn("follow JobManager", |_| poll::run(tracker, target, shared, stop));
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
            known.shared.nudge.notify_one();
        }
    }

    /// The job has completed a checkpoint, or so it seems: they are asked for at its next turn.
    fn state_moved(&self, job: JobId) {
        if let Some(known) = lock(&self.inner.followed).get(&job) {
            known.shared.state_moved.store(true, Ordering::Relaxed);
        }
    }

    /// The job has ended, or someone deleted what Flink keeps of its state: to be seen at once.
    fn state_gone(&self, job: JobId) {
        if let Some(known) = lock(&self.inner.followed).get(&job) {
            known.shared.state_gone.store(true, Ordering::Relaxed);
            known.shared.nudge.notify_one();
        }
    }

    /// Writes into the timeline of a job that runs that someone deleted something of it.
    async fn note_deletion(&self, id: JobId, message: &str) {
        let store = &self.inner.store;
        let lives = |job: &flumen_store::Job| matches!(job.status.state, State::Live { .. });
        let noted = async {
            if store.job(id).await?.is_some_and(|job| lives(&job)) {
                tracing::warn!(job.id = %id, message);
                let (kind, message) = ("warning".to_owned(), message.to_owned());
                let event = JobEvent { id: identity::event(), at: clock::now(), kind, message };
                store.save_event(id, &event).await?;
            }
            Ok::<_, flumen_store::Error>(())
        };
        if let Err(error) = noted.await {
            let error = crate::Error::from(error).paragraph();
            tracing::warn!(job.id = %id, error, "the timeline could not be written");
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
