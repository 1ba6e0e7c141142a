//! What is known about a pod on this node. Changed only by [`State::begin`], [`State::fold`] and
//! [`State::observe`], all pure.

mod restore;

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};

use super::{
    backoff,
    decide::{Action, Course, course, deadline},
};
use crate::images::Image;

/// A thing that must be there before containers can start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Need<T> {
    Missing,
    /// Being made, after so many failures.
    Busy {
        failures: u32,
    },
    Ready(T),
    Failed(Failure),
}

impl<T> Need<T> {
    fn begin(&mut self) {
        *self = Self::Busy { failures: self.failures() };
    }

    fn failures(&self) -> u32 {
        match self {
            Self::Busy { failures } | Self::Failed(Failure { failures, .. }) => *failures,
            Self::Missing | Self::Ready(_) => 0,
        }
    }

    fn fail(&mut self, reason: &str, message: String, at: Timestamp) {
        let failures = self.failures() + 1;
        *self = Self::Failed(Failure { reason: reason.to_owned(), message, failures, at });
    }
}

/// A failure that is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// In one word, as Kubernetes has it.
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) failures: u32,
    pub(crate) at: Timestamp,
}

/// How a container's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit_code: i32,
    pub(crate) reason: String,
    pub(crate) message: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Timestamp,
    pub(crate) container_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// Never started since this kubelet knows the pod.
    Waiting,
    /// It could not be configured; tried again.
    Refused(Failure),
    /// After so many refusals.
    Starting {
        failures: u32,
    },
    Running(Running),
    Ended(Ended),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    /// The supervisor's number.
    pub(crate) process: u64,
    pub(crate) started_at: Timestamp,
    pub(crate) container_id: String,
    pub(crate) signal: Signal,
    /// Its startup probe, if any, has passed.
    pub(crate) started: bool,
    /// Its readiness probe, if any, says so.
    pub(crate) ready: bool,
    /// When it was asked to end, which a `preStop` hook delays.
    pub(crate) asked: Option<Timestamp>,
    /// It is to be ended because a probe or hook failed.
    pub(crate) condemned: Option<Condemned>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condemned {
    pub(crate) since: Timestamp,
    /// The probe's own `terminationGracePeriodSeconds`, which counts instead of the pod's.
    pub(crate) grace: Option<Duration>,
}

/// Which signal the process got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    None,
    Terminate,
    Kill,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerState {
    pub(crate) image: Need<Arc<Image>>,
    pub(crate) run: Run,
    pub(crate) restarts: u32,
    /// How the attempt before ended.
    pub(crate) last: Option<Ended>,
    /// Ends in a row, for the pause before the next start.
    pub(crate) crashes: u32,
    /// An earlier kubelet made the attempt with this number, so that the next start counts one more.
    pub(crate) attempted: bool,
}

impl Default for ContainerState {
    fn default() -> Self {
        Self {
            image: Need::Missing,
            run: Run::Waiting,
            restarts: 0,
            last: None,
            crashes: 0,
            attempted: false,
        }
    }
}

impl ContainerState {
    fn refusals(&self) -> u32 {
        match &self.run {
            Run::Starting { failures } | Run::Refused(Failure { failures, .. }) => *failures,
            Run::Waiting | Run::Running(_) | Run::Ended(_) => 0,
        }
    }

    /// Number of the attempt that would start now.
    pub(crate) fn next_attempt(&self) -> u32 {
        self.restarts + u32::from(self.attempted || matches!(self.run, Run::Ended(_)))
    }

    pub(crate) fn is_active(&self) -> bool {
        matches!(self.run, Run::Starting { .. } | Run::Running(_))
    }
}

/// The pod as a whole is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) volumes: Need<()>,
    pub(crate) sandbox: Need<Ipv4Addr>,
    /// Init containers and containers by name.
    pub(crate) containers: BTreeMap<String, ContainerState>,
    pub(crate) started_at: Timestamp,
    /// Since when one that is no init container was active: init containers are done then, whatever becomes of sidecars.
    pub(crate) begun: Option<Timestamp>,
    /// Since when the pod is being deleted.
    pub(crate) stopping: Option<Timestamp>,
    /// The object is gone from the API.
    pub(crate) gone: bool,
    /// How the pod ended under an earlier kubelet; its status stays as it is.
    pub(crate) finished: Option<Course>,
    /// The pod cannot or may not run here (any more).
    pub(crate) rejection: Option<Rejection>,
    /// The status that would be written now has been written.
    pub(crate) reported: bool,
    /// Deleting the object has been begun.
    pub(crate) deleting: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    VolumesReady,
    VolumesFailed(String),
    SandboxReady(Ipv4Addr),
    SandboxFailed(String),
    SandboxReleased,
    ImageReady(String, Arc<Image>),
    ImageFailed(String, String, String),
    Started(String, Running),
    /// It could not be configured.
    Refused(String, String, String),
    Exited(String, Ended),
    StartupPassed(String),
    Readiness(String, bool),
    /// A probe or hook failed for good; the grace that the probe gives, if it says so.
    Condemned(String, Option<Duration>),
    /// A signal was sent; its effect shows by itself.
    Signalled(String),
}

impl State {
    pub(crate) fn observe(&mut self, pod: &Pod, now: Timestamp) {
        if pod.metadata.deletion_timestamp.is_some() && self.stopping.is_none() {
            self.stopping = Some(now);
        }
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let mut known = containers.filter_map(|one| self.containers.get(&one.name));
        if self.begun.is_none() && known.any(ContainerState::is_active) {
            self.begun = Some(now);
        }
        let overdue = deadline(pod, self).is_some_and(|deadline| deadline <= now);
        let goes = self.stopping.is_none() && self.rejection.is_none();
        if overdue && goes && course(pod, self) == Course::Goes {
            let message = "Pod was active on the node longer than the specified deadline";
            self.rejection = Some(Rejection {
                reason: "DeadlineExceeded".to_owned(),
                message: message.to_owned(),
                at: now,
            });
        }
    }

    /// The object is gone: whoever deleted it does not want to wait.
    pub(crate) fn observe_gone(&mut self, now: Timestamp) {
        self.gone = true;
        self.stopping.get_or_insert(now);
    }

    pub(crate) fn container(&mut self, name: &str) -> &mut ContainerState {
        self.containers.entry(name.to_owned()).or_default()
    }

    /// Notes that an action is under way.
    pub(crate) fn begin(&mut self, action: &Action) {
        match action {
            Action::PrepareVolumes => self.volumes.begin(),
            Action::CreateSandbox | Action::ReleaseSandbox => self.sandbox.begin(),
            Action::Pull(name) => self.container(name).image.begin(),
            Action::Start(name) => {
                let container = self.container(name);
                let failures = container.refusals();
                container.restarts = container.next_attempt();
                container.attempted = false;
                let before = std::mem::replace(&mut container.run, Run::Starting { failures });
                if let Run::Ended(ended) = before {
                    container.last = Some(ended);
                }
            }
            Action::Terminate(name) => self.signal(name, Signal::Terminate),
            Action::Kill(name) => self.signal(name, Signal::Kill),
            Action::Delete => self.deleting = true,
        }
    }

    fn signal(&mut self, name: &str, signal: Signal) {
        self.with_running(name, |running| running.signal = signal);
    }

    /// What comes too late for a container that has ended is of no interest.
    fn with_running(&mut self, name: &str, change: impl FnOnce(&mut Running)) {
        if let Run::Running(running) = &mut self.container(name).run {
            change(running);
        }
    }

    pub(crate) fn fold(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::VolumesReady => self.volumes = Need::Ready(()),
            Event::VolumesFailed(message) => self.volumes.fail("FailedMount", message, now),
            Event::SandboxReady(address) => self.sandbox = Need::Ready(address),
            Event::SandboxFailed(message) => {
                self.sandbox.fail("FailedCreatePodSandBox", message, now);
            }
            Event::SandboxReleased => self.sandbox = Need::Missing,
            Event::ImageReady(name, image) => self.container(&name).image = Need::Ready(image),
            Event::ImageFailed(name, reason, message) => {
                self.container(&name).image.fail(&reason, message, now);
            }
            Event::Started(name, running) => self.container(&name).run = Run::Running(running),
            Event::Refused(name, reason, message) => {
                let container = self.container(&name);
                let failures = container.refusals() + 1;
                container.run = Run::Refused(Failure { reason, message, failures, at: now });
            }
            Event::StartupPassed(name) => {
                self.with_running(&name, |running| running.started = true);
            }
            Event::Readiness(name, ready) => {
                self.with_running(&name, |running| running.ready = ready);
            }
            Event::Condemned(name, grace) => self.with_running(&name, |running| {
                running.condemned.get_or_insert(Condemned { since: now, grace });
            }),
            Event::Signalled(name) => self.with_running(&name, |running| {
                running.asked.get_or_insert(now);
            }),
            Event::Exited(name, ended) => {
                let container = self.container(&name);
                let ran = ended
                    .started_at
                    .map(|started| ended.finished_at.duration_since(started).unsigned_abs());
                container.crashes = if ran.is_some_and(|ran| ran >= backoff::STEADY) {
                    1
                } else {
                    container.crashes + 1
                };
                container.run = Run::Ended(ended);
            }
        }
    }
}

/// Init containers first, in order, then the containers.
pub(crate) fn all_containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.as_ref();
    spec.and_then(|spec| spec.init_containers.as_ref())
        .into_iter()
        .flatten()
        .chain(spec.into_iter().flat_map(|spec| &spec.containers))
}
