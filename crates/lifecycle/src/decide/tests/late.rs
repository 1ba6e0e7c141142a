//! What comes to pass later than it should: creations, savepoints, ends that nobody saw. Each of these was
//! found by the simulation.

use super::*;
use crate::{Savepoint, SavepointStep, SavepointWish};

const PLACE: &str = "file:/storage/savepoints/savepoint-1";

fn operation() -> OperationId {
    OperationId::from_uuid(uuid_one())
}

fn wants_stop() -> Desired {
    let savepoint = SavepointWish {
        operation: operation(),
        stops: true,
        directory: Some("file:/mine".into()),
        format: flumen_model::SavepointFormat::Canonical,
        drain: false,
    };
    Desired { savepoint: Some(savepoint), ..wants(Intent::Stop) }
}

fn with_savepoint(status: Status, run: RunId, step: SavepointStep) -> Status {
    let savepoint = Savepoint { operation: operation(), run, stops: true, directory: None, step };
    Status { savepoint: Some(savepoint), ..status }
}

fn complete() -> SavepointStep {
    SavepointStep::Completed { path: PLACE.into() }
}

fn gone() -> Observed {
    Observed { deployment: None, looked: Some(at(50)), ..standing() }
}

fn find() -> Action {
    Action::FindSavepoint { run: RUN, operation: operation() }
}

#[test]
fn an_ended_run_whose_deployment_was_created_late_is_cleared_away_once_more() {
    let ended = in_state(State::Ended { outcome: Outcome::Canceled, at: at(20) });
    for intent in [Intent::Rest, Intent::Cancel, Intent::Delete, WANTS_RUN] {
        let decision = decide(&wants(intent), &ended, &standing(), at(30));
        assert_eq!(decision.actions, [Action::DeleteDeployment { run: RUN }], "{intent:?}");
        let state =
            State::Ending { outcome: Outcome::Canceled, step: EndStep::Delete, since: at(30) };
        assert_eq!(decision.status.state, state);
    }
    let away = ClusterContact::Unreachable { since: at(25) };
    let unseen = Observed { cluster: away, ..standing() };
    assert_eq!(decide(&wants(Intent::Cancel), &ended, &unseen, at(30)).actions, []);
}

#[test]
fn a_deployment_that_was_created_while_its_run_ends_is_deleted_too() {
    for step in [EndStep::Pods, EndStep::HighAvailability] {
        let status = ending(Outcome::Canceled, step);
        let early = decide(&wants(Intent::Cancel), &status, &standing(), at(25));
        assert!(!early.actions.contains(&Action::DeleteDeployment { run: RUN }), "{step:?}");
        let late = decide(&wants(Intent::Cancel), &status, &standing(), at(30));
        assert_eq!(late.actions, [Action::DeleteDeployment { run: RUN }], "{step:?}");
    }
}

#[test]
fn a_stop_whose_job_runs_on_after_its_savepoint_is_ordered_once_more() {
    let status = with_savepoint(live(FlinkState::Running), RUN, complete());
    let job = JobSeen::in_state(FlinkState::Running);
    let observed =
        Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() };
    let again = decide(&wants_stop(), &status, &observed, at(30));
    let order = Action::TriggerSavepoint { run: RUN, operation: operation() };
    assert_eq!(again.actions, [order]);
    assert_eq!(progress(&wants_stop(), &again.status), Progress::Underway);
}

#[test]
fn an_order_to_a_job_manager_without_the_job_has_not_failed() {
    let status = with_savepoint(live(FlinkState::Running), RUN, SavepointStep::Trigger);
    let order = Action::TriggerSavepoint { run: RUN, operation: operation() };
    let failure = |kind| ActionFailure { kind, message: "no".into() };
    let missing = record(&status, order, Err(&failure(Kind::NotFound)), at(30));
    assert_eq!(missing, status);
    let denied = record(&status, order, Err(&failure(Kind::Denied)), at(30));
    assert!(matches!(progress(&wants_stop(), &denied), Progress::Failed { .. }));
}

#[test]
fn the_savepoint_of_an_earlier_run_does_not_make_the_next_one_stopped() {
    let status = with_savepoint(awaiting(), OTHER, complete());
    let decision = decide(&wants(WANTS_RUN), &status, &gone(), at(51));
    assert!(matches!(decision.status.state, State::Ending { outcome: Outcome::Unknown, .. }));
}

#[test]
fn a_savepoint_keeps_its_directory_when_its_wish_is_superseded() {
    let job = JobSeen::in_state(FlinkState::Running);
    let observed =
        Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() };
    let first = decide(&wants_stop(), &live(FlinkState::Running), &observed, at(20));
    let cancelled = decide(&wants(Intent::Cancel), &first.status, &observed, at(21));
    let known = cancelled.status.savepoint.and_then(|known| known.directory);
    assert_eq!(known.as_deref(), Some("file:/mine"));
}

#[test]
fn a_savepoint_that_was_under_way_is_looked_for_when_the_pods_are_gone() {
    let begun = SavepointStep::Await { trigger: "t".into(), since: at(15) };
    for step in [SavepointStep::Trigger, begun, SavepointStep::Absent] {
        let status = with_savepoint(ending(Outcome::Finished, EndStep::Pods), RUN, step);
        let search = decide(&wants_stop(), &status, &gone(), at(51));
        assert_eq!(search.actions, [find()]);
        assert_eq!(progress(&wants_stop(), &search.status), Progress::Underway);
        let again = decide(&wants_stop(), &search.status, &gone(), at(52));
        assert_eq!(again.actions, [find()]);

        let found = Finding::Savepoint(Some(PLACE.into()));
        let found = record(&search.status, find(), Ok(&found), at(53));
        assert!(matches!(found.state, State::Ending { outcome: Outcome::Stopped, .. }));
        let absent = record(&search.status, find(), Ok(&Finding::Savepoint(None)), at(53));
        for status in [found, absent] {
            let clear = decide(&wants_stop(), &status, &gone(), at(54));
            assert_eq!(clear.actions, [Action::DeleteHighAvailabilityData { run: RUN }]);
        }
    }
}

#[test]
fn a_savepoint_is_looked_for_also_where_another_has_taken_the_name() {
    let deployment = DeploymentSeen { run: None, deleting: false, replicas: 1 };
    let taken = Observed { deployment: Some(deployment), ..gone() };
    let status =
        with_savepoint(ending(Outcome::Unknown, EndStep::Pods), RUN, SavepointStep::Trigger);
    let search = decide(&wants_stop(), &status, &taken, at(51));
    assert_eq!(search.actions, [find()]);
    let absent = record(&search.status, find(), Ok(&Finding::Savepoint(None)), at(52));
    // Which looks whose data it is.
    let clear = decide(&wants_stop(), &absent, &taken, at(53));
    assert_eq!(clear.actions, [Action::DeleteHighAvailabilityData { run: RUN }]);
}

#[test]
fn a_run_that_ended_with_its_savepoint_is_stopped_also_where_another_has_taken_the_name() {
    let deployment = DeploymentSeen { run: None, deleting: false, replicas: 1 };
    let taken = Observed { deployment: Some(deployment), ..gone() };
    let status = with_savepoint(live(FlinkState::Running), RUN, complete());
    let decision = decide(&wants_stop(), &status, &taken, at(51));
    let state = State::Ending { outcome: Outcome::Stopped, step: EndStep::Delete, since: at(51) };
    assert_eq!(decision.status.state, state);
}

#[test]
fn old_news_of_an_earlier_run_do_not_keep_the_data_of_this_one() {
    let deployment = DeploymentSeen { run: Some(OTHER), deleting: false, replicas: 1 };
    let old = Observed { deployment: Some(deployment), ..gone() };
    let status = ending(Outcome::Canceled, EndStep::Pods);
    let decision = decide(&wants(Intent::Cancel), &status, &old, at(51));
    assert_eq!(decision.actions, [Action::DeleteHighAvailabilityData { run: RUN }]);
}

#[test]
fn a_result_that_tells_of_an_end_with_the_savepoint_of_a_stop_means_stopped() {
    let status = with_savepoint(ending(Outcome::Unknown, EndStep::Save), RUN, complete());
    let told = Finding::Outcome(Outcome::Finished);
    let next = record(&status, Action::SaveOutcome { run: RUN }, Ok(&told), at(30));
    assert!(matches!(next.state, State::Ending { outcome: Outcome::Stopped, .. }));
}

#[test]
fn a_job_manager_that_restarted_before_anybody_asked_and_has_no_job_is_not_waited_for_for_ever() {
    let without = |restarts| Observed {
        job_manager: JobManagerContact::Answers { job: None },
        ..job_manager(|pod| (pod.restarts, pod.last_exit, pod.ready) = (restarts, Some(1), true))
    };
    let first = decide(&wants(WANTS_RUN), &awaiting(), &without(1), at(100));
    assert_eq!(first.status.unreachable_since, Some(at(100)));
    let late = decide(&wants(WANTS_RUN), &first.status, &without(1), at(220));
    assert!(matches!(late.status.state, State::Ending { outcome: Outcome::Unknown, .. }));
    // A program may take long to come to its job.
    let patient = decide(&wants(WANTS_RUN), &awaiting(), &without(0), at(5000));
    assert_eq!(patient.status.state, awaiting().state);
}
