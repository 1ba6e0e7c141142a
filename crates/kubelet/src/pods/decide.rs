//! What to do next for a pod. Pure: specification and state in, actions out.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};

use super::{
    backoff::{self, FRESH, NEEDS, PULLS},
    state::{Condemned, ContainerState, Failure, Need, Run, Running, Signal, State},
};

/// Between asking a container to end and killing it, as with the real kubelet.
const LEAST_GRACE: Duration = Duration::from_secs(2);

/// An effect; each is begun at most once at a time. Containers are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    PrepareVolumes,
    CreateSandbox,
    Pull(String),
    Start(String),
    /// Ask the container to end.
    Terminate(String),
    /// End the container.
    Kill(String),
    /// Free namespaces and address of a pod whose containers have all ended.
    ReleaseSandbox,
    /// Remove what the pod has on this node and then the object.
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) actions: Vec<Action>,
    /// When to decide again if nothing happens until then.
    pub(crate) wake_at: Option<Timestamp>,
}

/// `restartPolicy` of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestartPolicy {
    Always,
    OnFailure,
    Never,
}

impl RestartPolicy {
    pub(crate) fn of(pod: &Pod) -> Self {
        match pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()) {
            Some("Never") => Self::Never,
            Some("OnFailure") => Self::OnFailure,
            _ => Self::Always,
        }
    }

    /// Whether a container that ended with this code is started again.
    pub(crate) fn restarts(self, exit_code: i32) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => exit_code != 0,
            Self::Never => false,
        }
    }

    /// Init containers must succeed once; `Always` means to try until they do.
    pub(crate) fn restarts_init(self, exit_code: i32) -> bool {
        exit_code != 0 && self != Self::Never
    }
}

/// An init container that goes on running: what follows waits for its start, not for its end.
pub(crate) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// Whether a container that ended with this code is started again.
pub(crate) fn comes_back(pod: &Pod, name: &str, exit_code: i32) -> bool {
    let policy = RestartPolicy::of(pod);
    let spec = pod.spec.as_ref();
    let mut init = spec.and_then(|spec| spec.init_containers.as_ref()).into_iter().flatten();
    match init.find(|container| container.name == name) {
        Some(container) => is_sidecar(container) || policy.restarts_init(exit_code),
        None => policy.restarts(exit_code),
    }
}

/// When the pod has been active for long enough.
pub(crate) fn deadline(pod: &Pod, state: &State) -> Option<Timestamp> {
    let seconds = pod.spec.as_ref()?.active_deadline_seconds?;
    state.started_at.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?)).ok()
}

/// How the pod's life went, as far as its containers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    Goes,
    Succeeded,
    Failed,
}

/// Whether all containers have ended for good.
pub(crate) fn course(pod: &Pod, state: &State) -> Course {
    if let Some(finished) = state.finished {
        return finished;
    }
    let policy = RestartPolicy::of(pod);
    let Some(spec) = &pod.spec else { return Course::Goes };
    let exit = |container: &Container| match state.containers.get(&container.name).map(|c| &c.run) {
        Some(Run::Ended(ended)) => Some(ended.exit_code),
        _ => None,
    };
    if state.rejection.is_some() {
        let active = state.containers.values().any(ContainerState::is_active);
        return if active { Course::Goes } else { Course::Failed };
    }
    if spec
        .init_containers
        .iter()
        .flatten()
        .filter(|container| !is_sidecar(container))
        .any(|c| exit(c).is_some_and(|code| code != 0 && !policy.restarts_init(code)))
    {
        return Course::Failed;
    }
    let exits: Option<Vec<i32>> = spec.containers.iter().map(exit).collect();
    match exits {
        Some(exits) if exits.iter().all(|code| !policy.restarts(*code)) => {
            if exits.iter().all(|code| *code == 0) { Course::Succeeded } else { Course::Failed }
        }
        _ => Course::Goes,
    }
}

/// Whether every init container has done its work.
pub(crate) fn is_initialized(pod: &Pod, state: &State) -> bool {
    let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    state.begun.is_some()
        || init.into_iter().flatten().all(|container| has_done_its_work(container, state))
}

/// Whether what follows the init container may start.
pub(crate) fn has_done_its_work(container: &Container, state: &State) -> bool {
    match state.containers.get(&container.name).map(|known| &known.run) {
        Some(Run::Running(running)) => is_sidecar(container) && running.started,
        Some(Run::Ended(ended)) => !is_sidecar(container) && ended.exit_code == 0,
        _ => false,
    }
}

/// How long this container may take to end: one that its probe condemned what the probe gives, unless the pod ends.
pub(super) fn grace_of(pod: &Pod, state: &State, name: &str) -> Duration {
    let own = match state.containers.get(name).map(|known| &known.run) {
        Some(Run::Running(Running { condemned: Some(Condemned { grace, .. }), .. })) => *grace,
        _ => None,
    };
    let goes_on = state.stopping.is_none() && state.rejection.is_none();
    own.filter(|_| goes_on).unwrap_or_else(|| grace(pod, state))
}

struct Deciding<'a> {
    state: &'a State,
    now: Timestamp,
    actions: Vec<Action>,
    wake_at: Option<Timestamp>,
}

/// Next actions for a pod.
pub(crate) fn decide(pod: &Pod, state: &State, now: Timestamp) -> Decision {
    let mut deciding = Deciding { state, now, actions: Vec::new(), wake_at: None };
    if let Some(since) = state.stopping {
        deciding.wind_down(pod, since);
        deciding.delete_when_over();
    } else if let Some(rejection) = &state.rejection {
        deciding.wind_down(pod, rejection.at);
        deciding.release_when_over();
    } else if course(pod, state) == Course::Goes {
        deciding.go_on(pod);
        deciding.end_condemned(pod);
        if let Some(deadline) = deadline(pod, state) {
            deciding.wake(deadline);
        }
    } else {
        // Sidecars are still there, and have the grace together.
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let ends = containers.filter_map(|one| match &state.containers.get(&one.name)?.run {
            Run::Ended(ended) => Some(ended.finished_at),
            _ => None,
        });
        deciding.wind_down(pod, ends.max().unwrap_or(now));
        deciding.release_when_over();
    }
    Decision { actions: deciding.actions, wake_at: deciding.wake_at }
}

/// How long containers may take to end.
fn grace(pod: &Pod, state: &State) -> Duration {
    if state.gone {
        return Duration::ZERO;
    }
    let asked = pod.metadata.deletion_grace_period_seconds;
    let usual = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
    Duration::from_secs(u64::try_from(asked.or(usual).unwrap_or(30)).unwrap_or_default())
}

impl Deciding<'_> {
    fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// True when the pause is over; else asks to be woken then.
    fn is_due(&mut self, since: Timestamp, pause: Duration) -> bool {
        let at = since.checked_add(pause).unwrap_or(Timestamp::MAX);
        if at > self.now {
            self.wake(at);
        }
        at <= self.now
    }

    fn need<T>(&mut self, need: &Need<T>, backoff: backoff::Backoff, action: Action) {
        match need {
            Need::Missing => self.actions.push(action),
            Need::Failed(Failure { failures, at, .. })
                if self.is_due(*at, backoff.pause(*failures)) =>
            {
                self.actions.push(action);
            }
            Need::Failed(_) | Need::Busy { .. } | Need::Ready(_) => {}
        }
    }

    fn go_on(&mut self, pod: &Pod) {
        let state = self.state;
        self.need(&state.volumes, NEEDS, Action::PrepareVolumes);
        self.need(&state.sandbox, NEEDS, Action::CreateSandbox);
        let Some(spec) = &pod.spec else { return };
        for container in spec.init_containers.iter().flatten() {
            if is_sidecar(container) || !has_done_its_work(container, state) {
                self.advance(pod, container);
            }
            // A sidecar that has to be started again holds up nothing that has been started.
            if state.begun.is_none() && !has_done_its_work(container, state) {
                // Fetched meanwhile, so that it is there when its turn comes.
                for later in &spec.containers {
                    self.ensure_image(later);
                }
                return;
            }
        }
        for container in &spec.containers {
            self.advance(pod, container);
        }
    }

    /// Ends containers whose probes have failed; the restart policy says what follows.
    fn end_condemned(&mut self, pod: &Pod) {
        let state = self.state;
        for (name, container) in &state.containers {
            let Run::Running(running) = &container.run else { continue };
            if let Some(Condemned { since, .. }) = running.condemned {
                let grace = grace_of(pod, state, name);
                self.end(name, running, since.checked_add(grace).unwrap_or(since));
            }
        }
    }

    fn ensure_image(&mut self, container: &Container) {
        let missing = ContainerState::default();
        let known = self.state.containers.get(&container.name).unwrap_or(&missing);
        if let Need::Failed(failure) = &known.image {
            // The status changes then.
            self.is_due(failure.at, FRESH);
        }
        self.need(&known.image, PULLS, Action::Pull(container.name.clone()));
    }

    fn advance(&mut self, pod: &Pod, container: &Container) {
        let missing = ContainerState::default();
        let known = self.state.containers.get(&container.name).unwrap_or(&missing);
        let due = match &known.run {
            Run::Waiting => true,
            Run::Refused(failure) => self.is_due(failure.at, NEEDS.pause(failure.failures)),
            Run::Ended(ended) => {
                comes_back(pod, &container.name, ended.exit_code)
                    && self.is_due(ended.finished_at, backoff::before_restart(known.crashes))
            }
            Run::Starting { .. } | Run::Running(_) => return,
        };
        if !due {
            return;
        }
        self.ensure_image(container);
        let ready = matches!(self.state.volumes, Need::Ready(()))
            && matches!(self.state.sandbox, Need::Ready(_))
            && matches!(known.image, Need::Ready(_));
        if ready {
            self.actions.push(Action::Start(container.name.clone()));
        }
    }

    /// Ends all containers, by force when the grace since then is over; sidecars after the others, the last one first.
    fn wind_down(&mut self, pod: &Pod, since: Timestamp) {
        let state = self.state;
        let deadline = since.checked_add(grace(pod, state)).unwrap_or(since);
        let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
        let sidecars: Vec<&String> = init
            .into_iter()
            .flatten()
            .filter(|container| is_sidecar(container))
            .map(|container| &container.name)
            .collect();
        let others = state.containers.keys().filter(|name| !sidecars.contains(name));
        let mut left = false;
        for name in others {
            left |= self.end_if_running(name, deadline);
        }
        for name in sidecars.iter().rev() {
            if left && deadline > self.now {
                break;
            }
            left |= self.end_if_running(name, deadline);
        }
    }

    /// Whether it is still there.
    fn end_if_running(&mut self, name: &str, deadline: Timestamp) -> bool {
        let Some(container) = self.state.containers.get(name) else { return false };
        if let Run::Running(running) = &container.run {
            self.end(name, running, deadline);
        }
        container.is_active()
    }

    fn end(&mut self, name: &str, running: &Running, deadline: Timestamp) {
        let deadline = self.least(running, deadline);
        if deadline > self.now {
            self.wake(deadline);
            if running.signal == Signal::None {
                self.actions.push(Action::Terminate(name.to_owned()));
            }
        } else if running.signal != Signal::Kill {
            self.actions.push(Action::Kill(name.to_owned()));
        }
    }

    /// Once it is asked to end, a container has a moment for it, even if its hook took all of the grace.
    fn least(&self, running: &Running, deadline: Timestamp) -> Timestamp {
        if running.signal != Signal::Terminate || self.state.gone {
            return deadline;
        }
        // The hook itself may not go beyond the deadline.
        let asked = running.asked.unwrap_or(deadline);
        deadline.max(asked.checked_add(LEAST_GRACE).unwrap_or(deadline))
    }

    /// Nothing runs and nothing is being made.
    fn is_quiet(&self) -> bool {
        let state = self.state;
        !state.containers.values().any(ContainerState::is_active)
            && !matches!(state.volumes, Need::Busy { .. })
            && !matches!(state.sandbox, Need::Busy { .. })
    }

    fn release_when_over(&mut self) {
        if self.is_quiet() && matches!(self.state.sandbox, Need::Ready(_)) {
            self.actions.push(Action::ReleaseSandbox);
        }
    }

    fn delete_when_over(&mut self) {
        self.release_when_over();
        let released = matches!(self.state.sandbox, Need::Missing | Need::Failed(_));
        // Whoever reads the object last should see how it ended.
        if self.is_quiet()
            && released
            && !self.state.deleting
            && (self.state.reported || self.state.gone)
        {
            self.actions.push(Action::Delete);
        }
    }
}

#[cfg(test)]
mod tests;
