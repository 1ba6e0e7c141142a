//! The grid: every state, everything that can be wanted in it, and everything that can be seen.

use flumen_lifecycle::{
    ClusterContact, Component, DeletionSeen, DeploymentSeen, EndStep, FlinkState, Intent,
    JobManagerContact, JobSeen, Observed, Outcome, PodSeen, StartStep, State, Status,
};
use flumen_model::RunId;
use jiff::Timestamp;

pub(crate) const RUN: RunId = RunId::from_bits(1);
const OTHER: RunId = RunId::from_bits(2);

/// When it is decided; everything in the grid lies before.
pub(crate) const NOW: i64 = 100;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn states() -> Vec<(&'static str, State)> {
    let starting = |step| State::Starting { step, since: at(10) };
    let ending = |step| State::Ending { outcome: Outcome::Finished, step, since: at(10) };
    vec![
        ("new", State::New),
        ("starting: image", starting(StartStep::Image)),
        ("starting: render", starting(StartStep::Render)),
        ("starting: leftovers", starting(StartStep::Leftovers)),
        ("starting: create", starting(StartStep::Create)),
        ("starting: JobManager", starting(StartStep::JobManager)),
        ("live", State::Live { flink: FlinkState::Running, since: at(10) }),
        ("ending: save", ending(EndStep::Save)),
        ("ending: delete", ending(EndStep::Delete)),
        ("ending: pods", ending(EndStep::Pods)),
        ("ending: high availability", ending(EndStep::HighAvailability)),
        ("ended", State::Ended { outcome: Outcome::Finished, at: at(10) }),
        ("deleted", State::Deleted),
    ]
}

pub(crate) fn status(state: &State) -> Status {
    let run = (*state != State::New).then_some(RUN);
    Status { state: state.clone(), run, reason: None, unreachable_since: None }
}

pub(crate) fn wishes(state: &State) -> Vec<(&'static str, Intent)> {
    let this = ("run", Intent::Run { run: RUN });
    let next = ("the next run", Intent::Run { run: OTHER });
    let (cancel, delete) = (("cancel", Intent::Cancel), ("delete", Intent::Delete));
    match state {
        State::New => vec![("nothing", Intent::Rest), next, cancel, delete],
        State::Starting { .. } | State::Live { .. } | State::Ending { .. } => {
            vec![this, cancel, delete]
        }
        State::Ended { .. } => vec![this, next, cancel, delete],
        State::Deleted => vec![delete],
    }
}

pub(crate) fn situations() -> Vec<(&'static str, Observed)> {
    let said = |job_manager| Observed { job_manager, ..standing() };
    let job =
        |state| said(JobManagerContact::Answers { job: Some(JobSeen { state, failure: None }) });
    let silent = |since| said(JobManagerContact::NoAnswer { since: at(since) });
    let away = ClusterContact::Unreachable { since: at(50) };
    let deletion = DeletionSeen { run: RUN, at: at(60) };
    let mut all = vec![
        ("nobody has looked yet", Observed::nothing()),
        ("cluster does not answer", Observed { cluster: away, ..job(FlinkState::Running) }),
        ("Deployment gone, a pod left", Observed { deletion: Some(deletion), ..gone(vec![pod()]) }),
        ("Deployment and pods gone", Observed { looked: Some(at(60)), ..gone(Vec::new()) }),
        ("not there in a look before the creation", gone(Vec::new())),
        ("another's Deployment", Observed { looked: Some(at(60)), ..of(None) }),
        ("the earlier run's Deployment, in old news", of(Some(OTHER))),
        ("JobManager not asked yet", standing()),
        ("JobManager silent for a second", silent(99)),
        ("JobManager silent for a minute", silent(40)),
        ("JobManager does not have the job", said(JobManagerContact::Answers { job: None })),
    ];
    let crashed = PodSeen { ready: false, restarts: 2, last_exit: Some(1), ..pod() };
    let unfit = PodSeen { ready: false, unschedulable: Some("no room".to_owned()), ..pod() };
    all.push(("JobManager ended three times", with_pod(crashed)));
    all.push(("pod does not fit", with_pod(unfit)));
    all.extend([
        ("job INITIALIZING", job(FlinkState::Initializing)),
        ("job CREATED", job(FlinkState::Created)),
        ("job RUNNING", job(FlinkState::Running)),
        ("job FAILING", job(FlinkState::Failing)),
        ("job RESTARTING", job(FlinkState::Restarting)),
        ("job SUSPENDED", job(FlinkState::Suspended)),
        ("job RECONCILING", job(FlinkState::Reconciling)),
        ("job CANCELLING", job(FlinkState::Cancelling)),
        ("job FINISHED", job(FlinkState::Finished)),
        ("job FAILED", job(FlinkState::Failed)),
        ("job CANCELED", job(FlinkState::Canceled)),
    ]);
    all
}

fn of(run: Option<RunId>) -> Observed {
    let deployment = DeploymentSeen { run, deleting: false, replicas: 1 };
    Observed {
        cluster: ClusterContact::Reachable,
        looked: Some(at(1)),
        deployment: Some(deployment),
        pods: vec![pod()],
        ..Observed::nothing()
    }
}

fn standing() -> Observed {
    of(Some(RUN))
}

fn gone(pods: Vec<PodSeen>) -> Observed {
    Observed { deployment: None, pods, ..standing() }
}

fn with_pod(pod: PodSeen) -> Observed {
    let silent = JobManagerContact::NoAnswer { since: at(99) };
    Observed { pods: vec![pod], job_manager: silent, ..standing() }
}

fn pod() -> PodSeen {
    PodSeen {
        name: "a-5f7".to_owned(),
        component: Component::JobManager,
        ready: true,
        deleting: false,
        unschedulable: None,
        waiting: None,
        restarts: 0,
        last_exit: None,
    }
}
