//! The grid: every state, everything that can be wanted in it, and everything that can be seen.

use flumen_lifecycle::{
    ClusterContact, Component, DeletionSeen, DeploymentSeen, Desired, EndStep, FlinkState,
    Handover, Intent, JobManagerContact, JobSeen, Observed, Outcome, PodSeen, Restore,
    RestoredSeen, Savepoint, SavepointSeen, SavepointSeenProgress, SavepointStep, SavepointWish,
    StartStep, State, Status,
};
use flumen_model::{OperationId, RunId, SavepointFormat, Uuid};
use jiff::Timestamp;

pub(crate) const RUN: RunId = RunId::from_bits(1);
const OTHER: RunId = RunId::from_bits(2);

/// When it is decided; everything in the grid lies before.
pub(crate) const NOW: i64 = 100;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn operation() -> OperationId {
    OperationId::from_uuid(Uuid::from_u128(7))
}

/// Every state with what else is known in it.
pub(crate) fn states() -> Vec<(&'static str, Status)> {
    let starting = |step| known(State::Starting { step, since: at(10) });
    let ending = |step| known(State::Ending { outcome: Outcome::Finished, step, since: at(10) });
    let live = || known(State::Live { flink: FlinkState::Running, since: at(10) });
    let unconfirmed = Restore { path: "file:/s/1".to_owned(), confirmed: false };
    let failed = known(State::Ended { outcome: Outcome::Failed, at: at(10) });
    vec![
        ("new", Status::new()),
        ("starting: snapshot", starting(StartStep::Snapshot)),
        ("starting: image", starting(StartStep::Image)),
        ("starting: render", starting(StartStep::Render)),
        ("starting: leftovers", starting(StartStep::Leftovers)),
        ("starting: create", starting(StartStep::Create)),
        ("starting: JobManager", starting(StartStep::JobManager)),
        ("live", live()),
        ("live, restore not confirmed", Status { restore: Some(unconfirmed), ..live() }),
        ("live, stop ordered", stopping(SavepointStep::Trigger)),
        ("live, stop under way", stopping(awaited())),
        ("live, stop lost", stopping(SavepointStep::Search)),
        ("live, stop not found", stopping(SavepointStep::Absent)),
        ("live, stop failed", stopping(SavepointStep::Failed { reason: "no rights".to_owned() })),
        ("ending: save", ending(EndStep::Save)),
        ("ending: delete", ending(EndStep::Delete)),
        ("ending: pods", ending(EndStep::Pods)),
        ("ending: high availability", ending(EndStep::HighAvailability)),
        ("ended", known(State::Ended { outcome: Outcome::Finished, at: at(10) })),
        ("ended: failed, with checkpoints", Status { checkpointed: true, ..failed }),
        ("deleted", known(State::Deleted)),
    ]
}

fn known(state: State) -> Status {
    Status::of(state, Some(RUN))
}

fn awaited() -> SavepointStep {
    SavepointStep::Await { trigger: "t".to_owned(), since: at(20) }
}

fn stopping(step: SavepointStep) -> Status {
    let savepoint =
        Savepoint { operation: operation(), run: RUN, stops: true, directory: None, step };
    let live = State::Live { flink: FlinkState::Running, since: at(10) };
    Status { savepoint: Some(savepoint), ..known(live) }
}

/// Everything that can be wanted in a state.
pub(crate) fn wishes(status: &Status) -> Vec<(&'static str, Desired)> {
    let wants = |intent| Desired::of(intent, Some(operation()));
    let with = |intent, stops| {
        let wish = SavepointWish {
            operation: operation(),
            stops,
            directory: None,
            format: SavepointFormat::Canonical,
            drain: false,
        };
        Desired { savepoint: Some(wish), ..wants(intent) }
    };
    let run = |run, handover| Intent::Run { run, handover };
    let this = ("run", wants(run(RUN, Handover::Cancel)));
    let savepoint = ("a savepoint", with(run(RUN, Handover::Cancel), false));
    let next = ("the next run", wants(run(OTHER, Handover::Cancel)));
    let after = ("the next run by savepoint", with(run(OTHER, Handover::Savepoint), true));
    let stop = ("stop", with(Intent::Stop, true));
    let (cancel, delete) = (("cancel", wants(Intent::Cancel)), ("delete", wants(Intent::Delete)));
    match (&status.state, &status.savepoint) {
        (State::New, _) => vec![("nothing", wants(Intent::Rest)), next, cancel, delete],
        (State::Live { .. }, Some(_)) => vec![stop, after, cancel, delete],
        (State::Live { .. }, None) => vec![this, savepoint, stop, next, after, cancel, delete],
        (State::Starting { .. }, _) => vec![this, stop, next, after, cancel, delete],
        (State::Ending { .. }, _) => vec![this, stop, cancel, delete],
        (State::Ended { .. }, _) => vec![this, next, after, stop, cancel, delete],
        (State::Deleted, _) => vec![delete],
    }
}

pub(crate) fn situations() -> Vec<(&'static str, Observed)> {
    let said = |job_manager| Observed { job_manager, ..standing() };
    let job = |state| said(JobManagerContact::Answers { job: Some(JobSeen::in_state(state)) });
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
        ("job RUNNING, tasks on their way", saying(|job| job.all_tasks_run = false)),
        ("job RUNNING, restored from nothing", saying(|job| job.restored = RestoredSeen::Nothing)),
        ("job RUNNING, restored from another", saying(|job| job.restored = restored("file:/s/2"))),
        ("job RUNNING, restored as wanted", saying(|job| job.restored = restored("file:/s/1"))),
        ("savepoint under way", savepoint(SavepointSeenProgress::InProgress)),
        ("savepoint complete", savepoint(SavepointSeenProgress::Completed { path: place() })),
        ("savepoint failed", savepoint(SavepointSeenProgress::Failed { reason: place() })),
        ("savepoint unknown", savepoint(SavepointSeenProgress::Unknown)),
        ("job FINISHED", job(FlinkState::Finished)),
        ("job FAILED", job(FlinkState::Failed)),
        ("job CANCELED", job(FlinkState::Canceled)),
    ]);
    all
}

fn saying(change: impl FnOnce(&mut JobSeen)) -> Observed {
    let mut job = JobSeen::in_state(FlinkState::Running);
    change(&mut job);
    Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() }
}

fn savepoint(progress: SavepointSeenProgress) -> Observed {
    saying(|job| job.savepoint = Some(SavepointSeen { trigger: "t".to_owned(), progress }))
}

fn restored(path: &str) -> RestoredSeen {
    RestoredSeen::From { path: path.to_owned(), own: false }
}

fn place() -> String {
    "file:/savepoints/1".to_owned()
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
