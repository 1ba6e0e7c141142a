//! One task per pod: observes, decides, begins effects, folds what they bring.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::Api;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    announce::{self, PullPauses},
    check::Target,
    decide::{Action, decide, grace_of},
    effects::{self, Effect, Outcome},
    node::Node,
    present,
    probe::{self, Reports},
    report,
    start::Started,
    state::{Event, Need, Run, State, all_containers},
    status,
};
use crate::network::Attachment;

/// What the API says about the pod.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) pod: Arc<Pod>,
    /// The object no longer exists.
    pub(crate) gone: bool,
}

/// Pause after a status that could not be written.
const REPORT_AGAIN: Duration = Duration::from_secs(1);

/// A container that runs.
struct Live {
    target: Target,
    /// Ends when this is dropped.
    _probes: JoinSet<()>,
}

fn until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default()
}

struct Worker {
    node: Arc<Node>,
    uid: String,
    pod: Arc<Pod>,
    state: State,
    outcomes: JoinSet<Outcome>,
    /// What watches over the containers that run; their probes report to `reports`.
    live: BTreeMap<String, Live>,
    reports: mpsc::UnboundedSender<Event>,
    attachment: Option<Attachment>,
    pull_pauses: PullPauses,
    /// The status that the API has from us.
    reported: Option<PodStatus>,
    /// The version of the object that has it.
    reported_version: u64,
    report_begun: bool,
    report_not_before: Option<Timestamp>,
    refresh_at: Option<Timestamp>,
    /// When this worker first saw the pod.
    observed_at: Timestamp,
    over: bool,
}

/// Runs a pod until its object and everything it has on this node are gone.
pub(crate) async fn work(node: Arc<Node>, uid: String, mut seen: watch::Receiver<Seen>) {
    let pod = Arc::clone(&seen.borrow_and_update().pod);
    let mut state = State::restore(&pod, Timestamp::now());
    state.rejection = super::admit::admit(&pod, node.ids, Timestamp::now());
    effects::adopt_logs(&node, &pod, &uid);
    let (reports, mut probed) = mpsc::unbounded_channel();
    let mut worker = Worker {
        node,
        uid,
        pod,
        state,
        outcomes: JoinSet::new(),
        live: BTreeMap::new(),
        reports,
        attachment: None,
        pull_pauses: PullPauses::default(),
        reported: None,
        reported_version: 0,
        report_begun: false,
        report_not_before: None,
        refresh_at: None,
        observed_at: Timestamp::now(),
        over: false,
    };
    let mut watching = true;
    while !worker.over {
        let wake_at = worker.step();
        let sleep = async {
            match wake_at {
                Some(at) => tokio::time::sleep(until(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = seen.changed(), if watching => match changed {
                Ok(()) => worker.see(&seen.borrow_and_update()),
                Err(_) => watching = false,
            },
            Some(outcome) = worker.outcomes.join_next() => match outcome {
                Ok(outcome) => worker.take(outcome),
                Err(error) => tracing::error!(%error, pod = worker.uid, "a pod's effect was lost"),
            },
            Some(event) = probed.recv() => worker.fold(event),
            () = sleep => {}
        }
    }
}

impl Worker {
    fn see(&mut self, seen: &Seen) {
        self.pod = Arc::clone(&seen.pod);
        if seen.gone {
            self.state.observe_gone(Timestamp::now());
        }
    }

    /// Of a node that was not heard for a while others have said what its pods are.
    fn heed_others(&mut self) {
        let is_news = report::version(&self.pod) > self.reported_version && !self.report_begun;
        if is_news && self.reported.as_ref().is_some_and(|told| !status::agrees(told, &self.pod)) {
            self.reported = None;
        }
    }

    /// Begins everything that is to be done now; returns when to look again at the latest.
    fn step(&mut self) -> Option<Timestamp> {
        let now = Timestamp::now();
        self.heed_others();
        self.state.observe(&self.pod, now);
        let desired = self.status(now);
        for name in status::backing_off(&desired) {
            self.node.logs.retire(&(self.uid.clone(), name.to_owned()));
        }
        for note in self.pull_pauses.follow(&self.pod, &desired) {
            self.node.recorder.note(&self.pod, note);
        }
        self.state.reported =
            self.state.finished.is_some() || self.reported.as_ref() == Some(&desired);
        let decision = decide(&self.pod, &self.state, now);
        for action in decision.actions {
            self.begin(&action);
        }
        let report_at = self.report(now);
        let refresh_at = self.refresh(now);
        decision.wake_at.into_iter().chain(report_at).chain(refresh_at).min()
    }

    fn begin(&mut self, action: &Action) {
        let Some(effect) = effects::prepare(&self.node, &self.pod, &self.uid, &self.state, action)
        else {
            return;
        };
        let effect = match action {
            Action::Terminate(name) => self.after_hook(name, effect),
            _ => effect,
        };
        if let Some(note) = announce::action(&self.pod, action) {
            self.node.recorder.note(&self.pod, note);
        }
        self.state.begin(action);
        if *action == Action::ReleaseSandbox {
            self.attachment = None;
            self.node.present.remove(&self.uid);
        }
        self.outcomes.spawn(effect);
    }

    fn status(&self, now: Timestamp) -> PodStatus {
        status::build(&self.pod, &self.state, self.reported.as_ref(), self.node.address(), now)
    }

    /// The effect, once the container's `preStop` hook has run.
    fn after_hook(&self, name: &str, effect: Effect) -> Effect {
        let Some(target) = self.live.get(name).map(|live| live.target.clone()) else {
            return effect;
        };
        let reports = self.reports();
        let longest = grace_of(&self.pod, &self.state, name);
        Box::pin(async move {
            probe::before_stop(&target, &reports, longest).await;
            effect.await
        })
    }

    fn reports(&self) -> Reports {
        Reports { pod: Arc::clone(&self.pod), events: self.reports.clone() }
    }

    /// Begins to look after a container that has started.
    fn watch_over(&mut self, name: &str, started: &Started) {
        let Some(address) = address(&self.state) else { return };
        let target = Target {
            node: Arc::clone(&self.node),
            process: started.running.process,
            address,
            container: Arc::new(self.container(name)),
            configuration: Arc::new(started.configuration.clone()),
        };
        let running = present::Running {
            process: target.process,
            configuration: Arc::clone(&target.configuration),
        };
        self.node.present.started(&self.uid, name, running);
        let probes = probe::watch_over(&target, &self.reports());
        self.live.insert(name.to_owned(), Live { target, _probes: probes });
    }

    /// Writes the status if it is new.
    fn report(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.state.finished.is_some() {
            return None;
        }
        let desired = self.status(now);
        if self.state.gone
            || self.state.deleting
            || self.report_begun
            || self.reported.as_ref() == Some(&desired)
        {
            return None;
        }
        if let Some(at) = self.report_not_before
            && at > now
        {
            return Some(at);
        }
        self.report_begun = true;
        let api = self.api();
        let (pod, before) = (Arc::clone(&self.pod), self.reported.clone());
        self.outcomes.spawn(async move {
            let result = report::write(&api, &pod, before.as_ref(), &desired).await;
            Outcome::Reported(Box::new(desired), result)
        });
        None
    }

    /// Tokens in volumes expire.
    fn refresh(&mut self, now: Timestamp) -> Option<Timestamp> {
        let at = self.refresh_at?;
        if at > now || self.state.stopping.is_some() {
            return Some(at).filter(|_| self.state.stopping.is_none());
        }
        self.refresh_at = None;
        let volumes = self.node.volumes(&self.uid, None);
        let pod = Arc::clone(&self.pod);
        self.outcomes.spawn(async move { Outcome::Refreshed(volumes.prepare(&pod).await) });
        None
    }

    fn take(&mut self, outcome: Outcome) {
        let now = Timestamp::now();
        let event = match outcome {
            Outcome::Event(event) => event,
            Outcome::VolumesReady(refresh_at) => {
                self.refresh_at = refresh_at;
                Event::VolumesReady
            }
            Outcome::Attached(attachment) => {
                let address = attachment.address();
                self.node.present.connected(&self.uid, attachment.namespace());
                self.attachment = Some(attachment);
                Event::SandboxReady(address)
            }
            Outcome::Started(name, started) => {
                let since_observed_ms = now.duration_since(self.observed_at).as_millis();
                tracing::debug!(
                    pod = self.uid,
                    container = name,
                    since_observed_ms,
                    "started a container"
                );
                let event = Event::Started(name.clone(), started.running.clone());
                self.watch_over(&name, &started);
                self.outcomes.spawn(effects::wait(
                    Arc::clone(&self.node),
                    self.uid.clone(),
                    self.container(&name),
                    *started,
                ));
                event
            }
            Outcome::Refreshed(result) => {
                self.refresh_at = Some(match result {
                    Ok(Some(at)) => at,
                    Ok(None) => return,
                    Err(error) => {
                        let message = crate::error::chain(&error);
                        tracing::debug!(
                            pod = self.uid,
                            message,
                            "could not refresh a pod's volumes"
                        );
                        now + Duration::from_secs(10)
                    }
                });
                return;
            }
            Outcome::Reported(status, result) => return self.reported(*status, result, now),
            Outcome::Deleted(result) => return self.deleted(result),
        };
        self.fold(event);
    }

    fn fold(&mut self, event: Event) {
        if let Event::Exited(name, _) = &event {
            self.live.remove(name);
            self.node.present.ended(&self.uid, name);
        }
        if let Some(note) = announce::event(&self.pod, &self.state, &event) {
            self.node.recorder.note(&self.pod, note);
        }
        self.state.fold(event, Timestamp::now());
    }

    fn reported(&mut self, status: PodStatus, result: Result<u64, kube::Error>, now: Timestamp) {
        self.report_begun = false;
        match result {
            Ok(version) => {
                self.reported = Some(status);
                self.reported_version = version;
            }
            // There is nobody to tell; the watch will say that the object is gone.
            Err(kube::Error::Api(answer)) if answer.code == 404 || answer.code == 409 => {
                self.reported = Some(status);
            }
            Err(error) => {
                // What the API refuses once it will refuse again; what it cannot answer now it may answer soon.
                if matches!(&error, kube::Error::Api(answer) if answer.code < 500) {
                    tracing::warn!(%error, pod = self.uid, "the API refused a pod's status");
                } else {
                    tracing::debug!(%error, pod = self.uid, "could not write a pod's status");
                }
                self.report_not_before = Some(now + REPORT_AGAIN);
            }
        }
    }

    fn deleted(&mut self, result: Result<(), kube::Error>) {
        match result {
            Ok(()) => self.over = true,
            Err(error) => {
                tracing::debug!(%error, pod = self.uid, "could not delete a pod's object");
                // Tried again with the next decision, which the timer brings.
                self.state.deleting = false;
                self.refresh_at = None;
            }
        }
    }

    fn container(&self, name: &str) -> k8s_openapi::api::core::v1::Container {
        all_containers(&self.pod)
            .find(|container| container.name == name)
            .cloned()
            .unwrap_or_default()
    }

    fn api(&self) -> Api<Pod> {
        let namespace = self.pod.metadata.namespace.as_deref().unwrap_or("default");
        Api::namespaced(self.node.client.clone(), namespace)
    }
}

/// The address of a pod that has one.
pub(super) fn address(state: &State) -> Option<Ipv4Addr> {
    match state.sandbox {
        Need::Ready(address) => Some(address),
        _ => None,
    }
}

/// The process of a container that runs.
pub(super) fn process(state: &State, name: &str) -> Option<u64> {
    match state.containers.get(name).map(|container| &container.run) {
        Some(Run::Running(running)) => Some(running.process),
        _ => None,
    }
}
