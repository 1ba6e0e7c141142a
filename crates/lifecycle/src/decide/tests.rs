use flumen_model::{Kind, OperationId, RunId};

use super::*;
use crate::{
    ActionFailure, ClusterContact, Component, DeletionSeen, DeploymentSeen, Finding, FlinkState,
    JobManagerContact, JobSeen, JobState, PodSeen, Progress, progress, record,
};

const RUN: RunId = RunId::from_bits(1);
const OTHER: RunId = RunId::from_bits(2);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

fn wants(intent: Intent) -> Desired {
    Desired::of(intent, Some(OperationId::from_uuid(uuid_one())))
}

fn uuid_one() -> flumen_model::Uuid {
    flumen_model::Uuid::from_u128(1)
}

fn in_state(state: State) -> Status {
    Status::of(state, Some(RUN))
}

fn live(flink: FlinkState) -> Status {
    in_state(State::Live { flink, since: at(10) })
}

fn awaiting() -> Status {
    in_state(State::Starting { step: StartStep::JobManager, since: at(10) })
}

fn ending(outcome: Outcome, step: EndStep) -> Status {
    in_state(State::Ending { outcome, step, since: at(20) })
}

/// The cluster answers, our Deployment stands, the JobManager was not asked yet.
fn standing() -> Observed {
    let deployment = DeploymentSeen { run: Some(RUN), deleting: false, replicas: 1 };
    Observed {
        cluster: ClusterContact::Reachable,
        looked: Some(at(0)),
        deployment: Some(deployment),
        ..Observed::nothing()
    }
}

fn with_job_in(state: FlinkState) -> Observed {
    let job = JobSeen {
        failure: Some("java.io.IOException: disk gone".to_owned()),
        ..JobSeen::in_state(state)
    };
    Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() }
}

fn job_manager(change: impl FnOnce(&mut PodSeen)) -> Observed {
    let mut pod = PodSeen {
        name: "a-5f7".to_owned(),
        component: Component::JobManager,
        ready: false,
        deleting: false,
        unschedulable: None,
        waiting: None,
        restarts: 0,
        last_exit: None,
    };
    change(&mut pod);
    Observed { pods: vec![pod], ..standing() }
}

const WANTS_RUN: Intent = Intent::Run { run: RUN, handover: Handover::Cancel };

mod late;
mod restores;
mod savepoints;

#[test]
fn a_start_goes_through_its_steps_in_order() {
    let desired = wants(WANTS_RUN);
    let mut status = Status::new();
    let mut seen = Vec::new();
    for second in 0..5 {
        let decision = decide(&desired, &status, &Observed::nothing(), at(second));
        let [action] = decision.actions[..] else { panic!("{decision:?}") };
        seen.push(action.name());
        status = record(&decision.status, action, Ok(&Finding::Nothing), at(second));
    }
    assert_eq!(
        seen,
        ["locate-snapshot", "build-image", "render-objects", "remove-leftovers", "create-objects"]
    );
    assert_eq!(status.state, State::Starting { step: StartStep::JobManager, since: at(4) });
    assert_eq!(decide(&desired, &status, &standing(), at(5)).actions, []);
}

#[test]
fn a_crash_between_deciding_and_acting_repeats_the_same_action() {
    let desired = wants(WANTS_RUN);
    let first = decide(&desired, &Status::new(), &Observed::nothing(), at(0));
    let again = decide(&desired, &first.status, &Observed::nothing(), at(1));
    assert_eq!(again.actions, first.actions);
}

#[test]
fn a_run_that_ended_is_not_started_again() {
    let ended = in_state(State::Ended { outcome: Outcome::Finished, at: at(0) });
    let gone = Observed { deployment: None, ..standing() };
    assert_eq!(decide(&wants(WANTS_RUN), &ended, &gone, at(1)).actions, []);
    let other = decide(
        &wants(Intent::Run { run: OTHER, handover: Handover::Cancel }),
        &ended,
        &standing(),
        at(1),
    );
    assert_eq!(other.actions, [Action::LocateSnapshot { run: OTHER }]);
}

#[test]
fn what_flink_says_is_what_is_shown() {
    for (flink, shown) in [
        (FlinkState::Created, JobState::Created),
        (FlinkState::Running, JobState::Running),
        (FlinkState::Restarting, JobState::Restarting),
        (FlinkState::Suspended, JobState::Suspended),
    ] {
        let decision = decide(&wants(WANTS_RUN), &awaiting(), &with_job_in(flink), at(30));
        assert_eq!(JobState::of(&wants(WANTS_RUN), &decision.status), shown);
        assert_eq!(decision.actions, []);
    }
}

#[test]
fn an_end_is_saved_before_anything_is_deleted() {
    let desired = wants(WANTS_RUN);
    let mut status = live(FlinkState::Running);
    let mut observed = with_job_in(FlinkState::Failed);
    let mut seen = Vec::new();
    for second in 20..40 {
        let decision = decide(&desired, &status, &observed, at(second));
        status = decision.status;
        for action in decision.actions {
            seen.push(action.name());
            status = record(&status, action, Ok(&Finding::Nothing), at(second));
            if matches!(action, Action::DeleteDeployment { .. }) {
                observed.deployment = None;
            }
        }
    }
    assert_eq!(seen, ["save-outcome", "delete-deployment", "delete-high-availability-data"]);
    assert!(matches!(status.state, State::Ended { outcome: Outcome::Failed, .. }));
    assert_eq!(status.reason.as_deref(), Some("java.io.IOException: disk gone"));
}

#[test]
fn pods_that_are_left_hold_up_the_end() {
    let observed = Observed { deployment: None, ..job_manager(|_| {}) };
    let decision =
        decide(&wants(WANTS_RUN), &ending(Outcome::Finished, EndStep::Pods), &observed, at(31));
    assert_eq!(decision.status, ending(Outcome::Finished, EndStep::Pods));
    assert_eq!(decision.actions, []);
}

#[test]
fn what_cannot_be_looked_at_is_neither_failed_nor_gone() {
    let away =
        Observed { cluster: ClusterContact::Unreachable { since: at(12) }, ..Observed::nothing() };
    let silent =
        Observed { job_manager: JobManagerContact::NoAnswer { since: at(12) }, ..standing() };
    for observed in [away, silent] {
        let decision = decide(&wants(WANTS_RUN), &live(FlinkState::Running), &observed, at(500));
        assert_eq!(decision.status.state, live(FlinkState::Running).state);
        assert_eq!(decision.status.unreachable_since, Some(at(12)));
        assert_eq!(decision.actions, []);
    }
}

#[test]
fn contact_made_again_clears_the_unreachable_mark() {
    let status = Status { unreachable_since: Some(at(12)), ..live(FlinkState::Running) };
    let decision = decide(&wants(WANTS_RUN), &status, &with_job_in(FlinkState::Running), at(20));
    assert_eq!(decision.status.unreachable_since, None);
}

#[test]
fn an_absence_older_than_the_creation_says_nothing() {
    let absent = Observed { deployment: None, ..standing() };
    let early = Observed { looked: Some(at(9)), ..absent.clone() };
    assert_eq!(decide(&wants(WANTS_RUN), &awaiting(), &early, at(11)).status, awaiting());
    let late = Observed { looked: Some(at(11)), ..absent.clone() };
    let decision = decide(&wants(WANTS_RUN), &awaiting(), &late, at(12));
    assert!(matches!(decision.status.state, State::Ending { outcome: Outcome::Unknown, .. }));
}

#[test]
fn late_news_of_an_earlier_run_say_nothing_about_this_one() {
    let deleted = |run| Observed {
        deployment: None,
        deletion: Some(DeletionSeen { run, at: at(11) }),
        ..standing()
    };
    assert_eq!(decide(&wants(WANTS_RUN), &awaiting(), &deleted(OTHER), at(12)).status, awaiting());
    let mut lagging = standing();
    lagging.deployment = Some(DeploymentSeen { run: Some(OTHER), deleting: true, replicas: 1 });
    assert_eq!(decide(&wants(WANTS_RUN), &awaiting(), &lagging, at(12)).status, awaiting());
    let decision = decide(&wants(WANTS_RUN), &awaiting(), &deleted(RUN), at(12));
    assert!(matches!(decision.status.state, State::Ending { outcome: Outcome::Unknown, .. }));
}

#[test]
fn an_outcome_that_flink_told_counts_more_than_a_deployment_that_is_gone() {
    let gone =
        Observed { looked: Some(at(50)), deployment: None, ..with_job_in(FlinkState::Finished) };
    let decision = decide(&wants(WANTS_RUN), &live(FlinkState::Running), &gone, at(51));
    assert_eq!(
        decision.status.state,
        State::Ending { outcome: Outcome::Finished, step: EndStep::Save, since: at(51) }
    );
}

#[test]
fn a_job_is_not_called_cancelled_before_its_job_manager_was_asked() {
    let decision =
        decide(&wants(Intent::Cancel), &live(FlinkState::Running), &standing(), at(5000));
    assert_eq!((decision.status, decision.actions), (live(FlinkState::Running), vec![]));
}

#[test]
fn a_job_manager_that_dies_before_it_has_the_job_fails_the_run_after_three_deaths() {
    let dead =
        |restarts| job_manager(move |pod| (pod.restarts, pod.last_exit) = (restarts, Some(1)));
    assert_eq!(decide(&wants(WANTS_RUN), &awaiting(), &dead(1), at(20)).actions, []);
    let decision = decide(&wants(WANTS_RUN), &awaiting(), &dead(2), at(20));
    assert_eq!(decision.actions, [Action::SaveOutcome { run: RUN }]);
    let reason = decision.status.reason.expect("a reason");
    assert_eq!(
        reason,
        "the JobManager ended 3 times before it had the job, the last time with exit code 1"
    );
}

#[test]
fn a_pod_that_does_not_fit_waits_with_the_schedulers_words() {
    let observed = job_manager(|pod| {
        pod.unschedulable = Some("0/1 nodes are available: 1 Insufficient memory.".into());
    });
    let decision = decide(&wants(WANTS_RUN), &awaiting(), &observed, at(20));
    assert_eq!(JobState::of(&wants(WANTS_RUN), &decision.status), JobState::Starting);
    assert_eq!(
        decision.status.reason.as_deref(),
        Some(
            "pod a-5f7 does not fit into the cluster: 0/1 nodes are available: 1 Insufficient memory."
        )
    );
}

#[test]
fn cancelling_asks_flink_and_then_follows_the_usual_end() {
    let desired = wants(Intent::Cancel);
    let decision =
        decide(&desired, &live(FlinkState::Running), &with_job_in(FlinkState::Running), at(20));
    assert_eq!(decision.actions, [Action::CancelJob { run: RUN }]);
    assert_eq!(JobState::of(&desired, &decision.status), JobState::Canceling);
    let cancelling =
        decide(&desired, &decision.status, &with_job_in(FlinkState::Cancelling), at(21));
    assert_eq!(cancelling.actions, []);
    let canceled = decide(&desired, &cancelling.status, &with_job_in(FlinkState::Canceled), at(22));
    assert_eq!(canceled.actions, [Action::SaveOutcome { run: RUN }]);
}

#[test]
fn a_job_whose_job_manager_is_silent_is_cancelled_without_it_after_a_while() {
    let silent =
        Observed { job_manager: JobManagerContact::NoAnswer { since: at(20) }, ..standing() };
    let early = decide(&wants(Intent::Cancel), &live(FlinkState::Running), &silent, at(30));
    assert_eq!((early.actions, early.wake_in), (vec![], Some(Duration::from_secs(20))));
    let late = decide(&wants(Intent::Cancel), &live(FlinkState::Running), &silent, at(50));
    assert_eq!(late.actions, [Action::SaveOutcome { run: RUN }]);
}

#[test]
fn deleting_a_running_job_cancels_it_first_and_forgets_it_last() {
    let desired = wants(Intent::Delete);
    let first =
        decide(&desired, &live(FlinkState::Running), &with_job_in(FlinkState::Running), at(20));
    assert_eq!(first.actions, [Action::CancelJob { run: RUN }]);
    let ended = in_state(State::Ended { outcome: Outcome::Canceled, at: at(30) });
    let last = decide(&desired, &ended, &Observed::nothing(), at(31));
    assert_eq!((last.status.state, last.actions), (State::Deleted, vec![Action::Forget]));
}

#[test]
fn a_deployment_of_someone_else_is_left_alone() {
    let mut observed = job_manager(|_| {});
    observed.deployment = Some(DeploymentSeen { run: None, deleting: false, replicas: 1 });
    let decision =
        decide(&wants(WANTS_RUN), &ending(Outcome::Failed, EndStep::Pods), &observed, at(30));
    assert!(matches!(decision.status.state, State::Ended { outcome: Outcome::Failed, .. }));
    assert_eq!(decision.actions, []);
}

#[test]
fn a_failure_that_cannot_get_better_ends_the_run_with_its_reason() {
    let starting = in_state(State::Starting { step: StartStep::Image, since: at(0) });
    let failure =
        |kind| ActionFailure { kind, message: "the registry refused the image".to_owned() };
    let action = Action::BuildImage { run: RUN };
    let again = record(&starting, action, Err(&failure(Kind::Unavailable)), at(1));
    assert_eq!(again.state, starting.state);
    let over = record(&starting, action, Err(&failure(Kind::Denied)), at(1));
    assert_eq!(over.state, State::Ended { outcome: Outcome::Failed, at: at(1) });
    let reason = "the registry refused the image".to_owned();
    assert_eq!(progress(&wants(WANTS_RUN), &over), Progress::Failed { reason });
}

#[test]
fn a_run_that_ends_before_its_objects_were_created_touches_nothing_in_the_cluster() {
    for step in [StartStep::Snapshot, StartStep::Image, StartStep::Render, StartStep::Leftovers] {
        let starting = in_state(State::Starting { step, since: at(0) });
        let cancelled = decide(&wants(Intent::Cancel), &starting, &standing(), at(1));
        assert_eq!(cancelled.actions, [], "{step:?}");
        assert_eq!(cancelled.status.state, State::Ended { outcome: Outcome::Canceled, at: at(1) });
    }
    let created = in_state(State::Starting { step: StartStep::Create, since: at(0) });
    let cancelled = decide(&wants(Intent::Cancel), &created, &standing(), at(1));
    assert_eq!(cancelled.actions, [Action::DeleteDeployment { run: RUN }]);
}

#[test]
fn the_result_of_an_action_of_another_run_changes_nothing() {
    let status = in_state(State::Starting { step: StartStep::Image, since: at(0) });
    assert_eq!(
        record(&status, Action::BuildImage { run: OTHER }, Ok(&Finding::Nothing), at(1)),
        status
    );
}

#[test]
fn every_state_reads_back_from_json_under_its_own_name() {
    let states = [
        State::New,
        State::Starting { step: StartStep::Create, since: at(0) },
        State::Live { flink: FlinkState::Running, since: at(0) },
        State::Ending { outcome: Outcome::Unknown, step: EndStep::Pods, since: at(0) },
        State::Ended { outcome: Outcome::Canceled, at: at(0) },
        State::Deleted,
    ];
    for state in states {
        let text = serde_json::to_string(&state).expect("json");
        assert!(text.contains(&format!("\"name\":\"{}\"", state.name())), "{text}");
        assert_eq!(serde_json::from_str::<State>(&text).expect("reads back"), state);
    }
}
