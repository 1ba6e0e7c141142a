//! A server's memory, and how it hears of the cluster: the code under test is the index; the feeds and the
//! polls do what those of the crate `control` do.

use std::collections::BTreeMap;

use flumen_lifecycle::{
    ClusterContact, DeploymentSeen, FlinkState, Index, JobManagerContact, JobSeen, Place, PodSeen,
    RestoredSeen, SavepointSeen, SavepointSeenProgress, Watched,
};
use flumen_model::{Kind, OperationId, RunId};
use jiff::Timestamp;

use crate::{
    effects::{Told, checkpoints, job_manager, record},
    flink::Stage,
    handle::Handle,
    kubernetes::{Kubernetes, News, Told as Log},
    world::{Way, World, failure},
};

/// A server; all of it is lost when it is killed, but for its clock and its network.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) alive: bool,
    /// Whether it reaches the cluster.
    pub(crate) link: bool,
    /// How far its clock is from the true time, in milliseconds.
    pub(crate) skew: i64,
    pub(crate) index: Index,
    deployments: Feed<DeploymentSeen>,
    pods: Feed<PodSeen>,
    pub(crate) follow: Option<Follow>,
    /// When the job is due, in true time.
    pub(crate) due: Option<i64>,
    pub(crate) failures: u32,
    /// The operation that was ended.
    pub(crate) ended: Option<OperationId>,
}

impl Server {
    pub(crate) fn new(alive: bool) -> Self {
        Self {
            alive,
            link: true,
            skew: 0,
            index: Index::default(),
            deployments: Feed::default(),
            pods: Feed::default(),
            follow: None,
            due: None,
            failures: 0,
            ended: None,
        }
    }

    /// As after a kill and a new start.
    pub(crate) fn forget(&mut self) {
        *self = Self { link: self.link, skew: self.skew, ..Self::new(false) };
    }
}

/// What is asked of the JobManager, and what it said of it before.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    pub(crate) run: RunId,
    pub(crate) trigger: Option<String>,
    pub(crate) restored: bool,
    asked: bool,
    checkpointed: bool,
    restored_from: RestoredSeen,
}

impl Follow {
    pub(crate) const fn new(run: RunId, trigger: Option<String>, restored: bool) -> Self {
        Self {
            run,
            trigger,
            restored,
            asked: false,
            checkpointed: false,
            restored_from: RestoredSeen::NotAsked,
        }
    }
}

/// The watch of one kind.
#[derive(Debug)]
pub(crate) struct Feed<V> {
    state: Hearing<V>,
    known: BTreeMap<u64, V>,
    unreachable: bool,
}

#[derive(Debug)]
enum Hearing<V> {
    /// Everything is to be listed.
    List,
    /// The list is on its way; it began then.
    Listing { as_of: Timestamp, read: Option<(BTreeMap<u64, V>, usize)> },
    /// The next news is this one.
    From(usize),
}

impl<V> Default for Feed<V> {
    fn default() -> Self {
        Self { state: Hearing::List, known: BTreeMap::new(), unreachable: false }
    }
}

/// A kind that is watched.
pub(crate) trait View: Clone + PartialEq + Sized {
    const WATCHED: Watched;

    fn log(kubernetes: &Kubernetes) -> &Log<Self>;
    fn feed(server: &mut Server) -> &mut Feed<Self>;
    fn seen(self, index: &mut Index, place: &Place) -> bool;
    fn gone(self, index: &mut Index, place: &Place, at: Timestamp) -> bool;
}

impl View for DeploymentSeen {
    const WATCHED: Watched = Watched::Deployments;

    fn log(kubernetes: &Kubernetes) -> &Log<Self> {
        &kubernetes.deployments
    }

    fn feed(server: &mut Server) -> &mut Feed<Self> {
        &mut server.deployments
    }

    fn seen(self, index: &mut Index, place: &Place) -> bool {
        index.deployment(place.clone(), self).is_some()
    }

    fn gone(self, index: &mut Index, place: &Place, at: Timestamp) -> bool {
        index.deployment_gone(place, at).is_some()
    }
}

impl View for PodSeen {
    const WATCHED: Watched = Watched::Pods;

    fn log(kubernetes: &Kubernetes) -> &Log<Self> {
        &kubernetes.pods_told
    }

    fn feed(server: &mut Server) -> &mut Feed<Self> {
        &mut server.pods
    }

    fn seen(self, index: &mut Index, place: &Place) -> bool {
        index.pod(place.clone(), self).is_some()
    }

    fn gone(self, index: &mut Index, place: &Place, _: Timestamp) -> bool {
        index.pod_gone(place, &self.name).is_some()
    }
}

/// The watches of a server are cut, and everything is listed anew; that happens now and then.
pub(crate) fn list_anew(server: &mut Server) {
    server.deployments.state = Hearing::List;
    server.pods.state = Hearing::List;
}

/// Whether the server has heard everything of the kind.
pub(crate) fn is_up_to_date<V: View>(world: &mut World, server: usize) -> bool {
    let heard = V::log(&world.kubernetes).news.len();
    let feed = V::feed(&mut world.servers[server]);
    matches!(feed.state, Hearing::From(next) if next == heard)
}

/// One step of the watch: late, twice, after an outage or from a new list, as it comes.
pub(crate) fn hear<V: View>(world: &mut World, server: usize) {
    let clock = world.clock(server);
    let chance = if world.calm { 99 } else { world.random.below(100) };
    let World { kubernetes, servers, place, .. } = &mut *world;
    let log = V::log(kubernetes);
    let link = servers[server].link;
    let mut feed = std::mem::take(V::feed(&mut servers[server]));
    let index = &mut servers[server].index;
    let next = std::mem::replace(&mut feed.state, Hearing::List);
    let mut wakes = false;
    match next {
        Hearing::From(at) if !link && chance >= 30 => feed.state = Hearing::From(at),
        _ if !link => {
            if !std::mem::replace(&mut feed.unreachable, true) {
                wakes = !index
                    .unreachable((&place.cluster, &place.namespace), V::WATCHED, clock)
                    .is_empty();
            }
        }
        Hearing::List => {
            let read = (chance < 50).then(|| (log.now.clone(), log.news.len()));
            feed.state = Hearing::Listing { as_of: clock, read };
        }
        Hearing::Listing { as_of, read } => {
            let (found, at) = read.unwrap_or_else(|| (log.now.clone(), log.news.len()));
            feed.unreachable = false;
            feed.state = Hearing::From(at);
            let mut before = std::mem::take(&mut feed.known);
            let changed: Vec<V> = found
                .iter()
                .filter(|(uid, view)| before.remove(uid).as_ref() != Some(view))
                .map(|(_, view)| view.clone())
                .collect();
            for view in before.into_values() {
                wakes |= view.gone(index, place, as_of);
            }
            for view in changed {
                wakes |= view.seen(index, place);
            }
            feed.known = found;
            wakes |=
                !index.looked((&place.cluster, &place.namespace), V::WATCHED, as_of).is_empty();
        }
        // The server has forgotten the version: everything is listed anew.
        Hearing::From(_) if chance < 3 => {}
        Hearing::From(at) => {
            feed.state = Hearing::From(log.news.len().min(at + 1));
            match log.news.get(at) {
                None => {}
                Some(News::Gone(uid)) => {
                    if let Some(view) = feed.known.remove(uid) {
                        wakes = view.gone(index, place, clock);
                    }
                }
                Some(News::Seen(uid, view)) => {
                    let again = chance < 10;
                    if feed.known.insert(*uid, view.clone()).as_ref() != Some(view) || again {
                        wakes = view.clone().seen(index, place);
                    }
                }
            }
        }
    }
    *V::feed(&mut servers[server]) = feed;
    if wakes {
        world.wake(server, 0);
    }
}

/// One look at the JobManager.
pub(crate) async fn poll(handle: Handle) {
    let (mut follow, observed, now) = {
        let world = handle.look();
        let server = &world.servers[handle.server];
        let Some(follow) = server.follow.clone() else { return };
        let observed = server.index.observed(&world.place, Some(follow.run));
        (follow, observed, world.clock(handle.server))
    };
    let contact = if observed.cluster != ClusterContact::Reachable {
        JobManagerContact::NotYet
    } else if observed.pods.iter().any(|pod| pod.ready) {
        match ask(&handle, &mut follow).await {
            Ok(job) => JobManagerContact::Answers { job },
            Err(_) => JobManagerContact::NoAnswer { since: handle.look().clock(handle.server) },
        }
    } else {
        JobManagerContact::NoAnswer { since: now }
    };
    let mut world = handle.world();
    let World { servers, place, .. } = &mut *world;
    let server = &mut servers[handle.server];
    let Some(current) = server.follow.as_mut().filter(|current| current.run == follow.run) else {
        return;
    };
    current.asked = follow.asked;
    current.checkpointed = follow.checkpointed;
    current.restored_from = follow.restored_from;
    // A JobManager that stays silent has been so since it was first.
    let before = server.index.observed(place, Some(follow.run)).job_manager;
    let contact = match (before, contact) {
        (JobManagerContact::NoAnswer { since }, JobManagerContact::NoAnswer { .. }) => {
            JobManagerContact::NoAnswer { since }
        }
        (_, contact) => contact,
    };
    if server.index.job_manager(place, follow.run, contact.clone()) {
        world.wake(handle.server, 0);
        world.tell(|_| format!("server {} hears {contact:?}", handle.server));
    }
}

async fn ask(
    handle: &Handle,
    follow: &mut Follow,
) -> Result<Option<JobSeen>, flumen_lifecycle::ActionFailure> {
    let run = follow.run;
    let overview = handle.call(Way::Cluster, "poll: jobs", |world| {
        let process = job_manager(world)?;
        let job = process.job.as_ref().filter(|job| job.run == run);
        Ok(job.map(|job| (job.state, job.all_tasks_run)))
    });
    let Some((state, all_tasks_run)) = overview.await? else { return Ok(None) };
    let first = !follow.asked && state == FlinkState::Running;
    let unheard =
        follow.restored && !matches!(state, FlinkState::Initializing | FlinkState::Created);
    if first || unheard || handle.world().random.one_in(4) {
        follow.asked = true;
        let told = handle.call(Way::Cluster, "poll: checkpoints", |world| checkpoints(world, run));
        let told = told.await?.ok_or_else(|| failure(Kind::NotFound, "no such job"))?;
        follow.checkpointed |= told.checkpointed;
        follow.restored_from = restored_from(run, &told);
        if record(handle, run, told).await.is_err() {
            follow.asked = false;
        }
    }
    let savepoint = match follow.trigger.clone() {
        None => None,
        Some(trigger) => {
            let progress = handle.call(Way::Cluster, "poll: savepoint", |world| {
                let process = job_manager(world)?;
                let order = process.orders.iter().find(|order| order.id == trigger);
                Ok(progress(order.map(|order| &order.stage)))
            });
            Some(SavepointSeen { progress: progress.await?, trigger: trigger.clone() })
        }
    };
    let failing =
        matches!(state, FlinkState::Failing | FlinkState::Failed | FlinkState::Restarting);
    Ok(Some(JobSeen {
        state,
        failure: failing.then(|| "the program failed".to_owned()),
        all_tasks_run,
        checkpointed: follow.checkpointed,
        restored: if follow.restored {
            follow.restored_from.clone()
        } else {
            RestoredSeen::NotAsked
        },
        savepoint,
    }))
}

fn restored_from(run: RunId, told: &Told) -> RestoredSeen {
    told.restored.as_ref().map_or(RestoredSeen::Nothing, |path| RestoredSeen::From {
        own: path.contains(&run.to_string()) && path.contains("/chk-"),
        path: path.clone(),
    })
}

fn progress(stage: Option<&Stage>) -> SavepointSeenProgress {
    match stage {
        None => SavepointSeenProgress::Unknown,
        Some(Stage::InProgress | Stage::Written(_)) => SavepointSeenProgress::InProgress,
        Some(Stage::Completed(path)) => SavepointSeenProgress::Completed { path: path.clone() },
        Some(Stage::Failed(reason)) => SavepointSeenProgress::Failed { reason: reason.clone() },
    }
}
