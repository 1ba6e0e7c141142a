//! What there is to be seen of each job, folded from what watches and JobManagers report, in whatever order
//! and however late that comes.

use std::collections::{BTreeMap, HashMap};

use flumen_model::{ClusterId, JobId, Namespace, RunId};
use jiff::Timestamp;

use crate::{ClusterContact, DeletionSeen, DeploymentSeen, JobManagerContact, Observed, PodSeen};

/// Where a job lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The cluster's name.
    pub cluster: String,
    /// The namespace in it.
    pub namespace: Namespace,
    /// The name of the job's Deployment.
    pub id: ClusterId,
}

/// A namespace of a cluster.
type Area = (String, Namespace);

fn area(key: &Place) -> Area {
    (key.cluster.clone(), key.namespace.clone())
}

/// A sort of object that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// Deployments.
    Deployments,
    /// Pods.
    Pods,
}

/// What was seen, by place. Every change answers with the jobs that it concerns.
#[derive(Debug, Default)]
pub struct Index {
    jobs: HashMap<Place, JobId>,
    /// By cluster and namespace: Flumen may look into namespaces of its own only, each by itself.
    areas: HashMap<Area, ClusterSeen>,
    seen: HashMap<Place, Seen>,
}

#[derive(Debug, Default)]
struct ClusterSeen {
    /// When the newest complete look at each sort of object began.
    looked: BTreeMap<Watched, Timestamp>,
    /// Since when each sort cannot be looked at.
    outages: BTreeMap<Watched, Timestamp>,
}

impl ClusterSeen {
    fn contact(&self) -> ClusterContact {
        match self.outages.values().min() {
            Some(since) => ClusterContact::Unreachable { since: *since },
            None if self.looked.len() == 2 => ClusterContact::Reachable,
            None => ClusterContact::NotYet,
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    deployment: Option<DeploymentSeen>,
    deletion: Option<DeletionSeen>,
    pods: BTreeMap<String, PodSeen>,
    /// With the run whose JobManager was asked: an answer may come when the next run is on its way.
    job_manager: Option<(RunId, JobManagerContact)>,
}

impl Index {
    /// Says which job lives there, so that what is seen there concerns it.
    pub fn register(&mut self, key: Place, job: JobId) {
        self.jobs.insert(key, job);
    }

    /// Forgets the job that lived there.
    pub fn forget(&mut self, key: &Place) {
        self.jobs.remove(key);
        if let Some(seen) = self.seen.get_mut(key) {
            seen.job_manager = None;
        }
    }

    /// Everything seen of the job under the key, whose newest run this is.
    pub fn observed(&self, key: &Place, run: Option<RunId>) -> Observed {
        let cluster = self.areas.get(&area(key));
        let seen = self.seen.get(key);
        let contact = seen.and_then(|seen| seen.job_manager.as_ref());
        Observed {
            cluster: cluster.map_or(ClusterContact::NotYet, ClusterSeen::contact),
            looked: cluster.and_then(|cluster| cluster.looked.get(&Watched::Deployments).copied()),
            deployment: seen.and_then(|seen| seen.deployment.clone()),
            deletion: seen.and_then(|seen| seen.deletion),
            pods: seen.map(|seen| seen.pods.values().cloned().collect()).unwrap_or_default(),
            job_manager: contact
                .filter(|(asked, _)| Some(*asked) == run)
                .map_or(JobManagerContact::NotYet, |(_, contact)| contact.clone()),
        }
    }

    /// All Deployments, or all pods, of a namespace were looked at, and the look began then.
    pub fn looked(
        &mut self,
        (cluster, namespace): (&str, &Namespace),
        watched: Watched,
        began: Timestamp,
    ) -> Vec<JobId> {
        let area = (cluster.to_owned(), namespace.clone());
        let entry = self.areas.entry(area.clone()).or_default();
        entry.outages.remove(&watched);
        entry.looked.insert(watched, began);
        self.jobs_in(&area)
    }

    /// Nobody can look at them any more.
    pub fn unreachable(
        &mut self,
        (cluster, namespace): (&str, &Namespace),
        watched: Watched,
        since: Timestamp,
    ) -> Vec<JobId> {
        let area = (cluster.to_owned(), namespace.clone());
        let entry = self.areas.entry(area.clone()).or_default();
        entry.outages.entry(watched).or_insert(since);
        self.jobs_in(&area)
    }

    /// The namespace is looked at anew, by whom nothing is known of what was there: nothing is known to be there or gone until
    /// all of it was looked at again.
    pub fn begin_anew(&mut self, (cluster, namespace): (&str, &Namespace)) {
        self.areas.remove(&(cluster.to_owned(), namespace.clone()));
        let is_there = |key: &Place| key.cluster == cluster && key.namespace == *namespace;
        for (_, seen) in self.seen.iter_mut().filter(|(key, _)| is_there(key)) {
            seen.deployment = None;
            seen.pods.clear();
        }
    }

    /// A Deployment is there.
    pub fn deployment(&mut self, key: Place, deployment: DeploymentSeen) -> Option<JobId> {
        let job = self.job_at(&key);
        let seen = self.seen.entry(key).or_default();
        let changed = seen.deployment.as_ref() != Some(&deployment);
        seen.deployment = Some(deployment);
        job.filter(|_| changed)
    }

    /// A Deployment is not there any more, since then.
    pub fn deployment_gone(&mut self, key: &Place, at: Timestamp) -> Option<JobId> {
        let seen = self.seen.entry(key.clone()).or_default();
        let run = seen.deployment.take().and_then(|deployment| deployment.run);
        seen.deletion = run.map(|run| DeletionSeen { run, at }).or(seen.deletion);
        self.job_at(key)
    }

    /// A pod is there.
    pub fn pod(&mut self, key: Place, pod: PodSeen) -> Option<JobId> {
        let job = self.job_at(&key);
        let seen = self.seen.entry(key).or_default();
        let changed = seen.pods.get(&pod.name) != Some(&pod);
        seen.pods.insert(pod.name.clone(), pod);
        job.filter(|_| changed)
    }

    /// A pod is not there any more.
    pub fn pod_gone(&mut self, key: &Place, name: &str) -> Option<JobId> {
        let removed = self.seen.get_mut(key)?.pods.remove(name);
        self.job_at(key).filter(|_| removed.is_some())
    }

    /// What the JobManager of the run said; answers whether that is new.
    pub fn job_manager(&mut self, key: &Place, run: RunId, contact: JobManagerContact) -> bool {
        let said = Some((run, contact));
        let seen = self.seen.entry(key.clone()).or_default();
        let changed = seen.job_manager != said;
        seen.job_manager = said;
        changed
    }

    /// The job that lives there.
    pub fn job_at(&self, key: &Place) -> Option<JobId> {
        self.jobs.get(key).copied()
    }

    fn jobs_in(&self, (cluster, namespace): &Area) -> Vec<JobId> {
        let is_there = |key: &Place| key.cluster == *cluster && key.namespace == *namespace;
        self.jobs.iter().filter(|(key, _)| is_there(key)).map(|(_, job)| *job).collect()
    }
}

#[cfg(test)]
mod tests {
    use flumen_model::Uuid;

    use super::*;
    use crate::{Component, FlinkState, JobSeen};

    fn key() -> Place {
        Place {
            cluster: "local".into(),
            namespace: "default".parse().expect("valid"),
            id: "word-count".parse().expect("valid"),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    const RUN: RunId = RunId::from_bits(1);
    const NEXT_RUN: RunId = RunId::from_bits(2);

    fn deployment() -> DeploymentSeen {
        DeploymentSeen { run: Some(RUN), deleting: false, replicas: 1 }
    }

    fn observed(index: &Index) -> Observed {
        index.observed(&key(), Some(RUN))
    }

    fn pod(name: &str) -> PodSeen {
        PodSeen {
            name: name.into(),
            component: Component::TaskManager,
            ready: true,
            deleting: false,
            unschedulable: None,
            waiting: None,
            restarts: 0,
            last_exit: None,
        }
    }

    fn with_job() -> (Index, JobId) {
        let job = JobId::from_uuid(Uuid::from_u128(1));
        let mut index = Index::default();
        index.register(key(), job);
        (index, job)
    }

    fn looked(index: &mut Index, second: i64) {
        index.looked(("local", &key().namespace), Watched::Deployments, at(second));
        index.looked(("local", &key().namespace), Watched::Pods, at(second));
    }

    #[test]
    fn before_the_first_look_nothing_is_known_to_be_absent() {
        let (index, _) = with_job();
        assert_eq!(observed(&index), Observed::nothing());
    }

    #[test]
    fn a_deletion_is_told_with_the_run_whose_deployment_it_was() {
        let (mut index, _) = with_job();
        looked(&mut index, 5);
        assert_eq!((observed(&index).looked, observed(&index).deletion), (Some(at(5)), None));
        index.deployment(key(), deployment());
        index.deployment_gone(&key(), at(9));
        let seen = observed(&index);
        assert_eq!(seen.deletion, Some(DeletionSeen { run: RUN, at: at(9) }));
        assert_eq!((seen.looked, seen.deployment), (Some(at(5)), None));
    }

    #[test]
    fn what_the_job_manager_of_one_run_said_is_not_said_of_the_next() {
        let (mut index, _) = with_job();
        let job = JobSeen::in_state(FlinkState::Finished);
        let finished = JobManagerContact::Answers { job: Some(job) };
        assert!(index.job_manager(&key(), RUN, finished.clone()));
        assert_eq!(observed(&index).job_manager, finished);
        assert_eq!(index.observed(&key(), Some(NEXT_RUN)).job_manager, JobManagerContact::NotYet);
    }

    #[test]
    fn what_did_not_change_wakes_nobody() {
        let (mut index, job) = with_job();
        assert_eq!(index.pod(key(), pod("a")), Some(job));
        assert_eq!(index.pod(key(), pod("a")), None);
        assert_eq!(index.deployment(key(), deployment()), Some(job));
        assert_eq!(index.deployment(key(), deployment()), None);
    }

    #[test]
    fn a_cluster_is_reachable_when_all_of_it_was_looked_at() {
        let (mut index, job) = with_job();
        assert_eq!(index.looked(("local", &key().namespace), Watched::Deployments, at(5)), [job]);
        assert_eq!(observed(&index).cluster, ClusterContact::NotYet);
        index.looked(("local", &key().namespace), Watched::Pods, at(5));
        assert_eq!(observed(&index).cluster, ClusterContact::Reachable);
    }

    #[test]
    fn an_outage_keeps_what_was_seen_and_the_time_it_began() {
        let (mut index, job) = with_job();
        looked(&mut index, 5);
        index.deployment(key(), deployment());
        assert_eq!(index.unreachable(("local", &key().namespace), Watched::Pods, at(6)), [job]);
        index.unreachable(("local", &key().namespace), Watched::Deployments, at(8));
        let seen = observed(&index);
        assert_eq!(seen.cluster, ClusterContact::Unreachable { since: at(6) });
        assert_eq!(seen.deployment, Some(deployment()));
        looked(&mut index, 9);
        assert_eq!(observed(&index).cluster, ClusterContact::Reachable);
    }

    #[test]
    fn an_outage_of_one_namespace_or_cluster_is_none_of_another() {
        let (mut index, job) = with_job();
        looked(&mut index, 5);
        let other: Namespace = "other".parse().expect("valid");
        assert_eq!(index.unreachable(("local", &other), Watched::Pods, at(6)), []);
        assert_eq!(index.unreachable(("eu", &key().namespace), Watched::Pods, at(6)), []);
        assert_eq!(observed(&index).cluster, ClusterContact::Reachable);
        let told = index.unreachable(("local", &key().namespace), Watched::Pods, at(6));
        assert_eq!(told, [job]);
    }

    #[test]
    fn what_is_looked_at_anew_is_not_known_before_it_was_looked_at() {
        let (mut index, _) = with_job();
        looked(&mut index, 5);
        index.deployment(key(), deployment());
        index.begin_anew(("local", &key().namespace));
        assert_eq!(observed(&index), Observed::nothing());
        looked(&mut index, 6);
        let seen = observed(&index);
        assert_eq!((seen.cluster, seen.deployment), (ClusterContact::Reachable, None));
    }
}
