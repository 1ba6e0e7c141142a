//! Savepoints, stops and the change from one run to the next.

use super::*;
use crate::{
    Handover, Savepoint, SavepointSeen, SavepointSeenProgress as Seen, SavepointStep,
    SavepointWish, settle,
};

const PLACE: &str = "file:/storage/savepoints/savepoint-1";

fn operation() -> OperationId {
    OperationId::from_uuid(uuid_one())
}

fn wish(stops: bool) -> SavepointWish {
    SavepointWish {
        operation: operation(),
        stops,
        directory: None,
        format: flumen_model::SavepointFormat::Canonical,
        drain: false,
    }
}

fn wants_stop() -> Desired {
    Desired { savepoint: Some(wish(true)), ..wants(Intent::Stop) }
}

fn wants_savepoint() -> Desired {
    Desired { savepoint: Some(wish(false)), ..wants(WANTS_RUN) }
}

fn wants_next() -> Desired {
    let intent = Intent::Run { run: OTHER, handover: Handover::Savepoint };
    Desired { savepoint: Some(wish(true)), ..wants(intent) }
}

fn taking(step: SavepointStep, stops: bool) -> Status {
    let savepoint = Savepoint { operation: operation(), run: RUN, stops, directory: None, step };
    Status { savepoint: Some(savepoint), ..live(FlinkState::Running) }
}

fn awaited(stops: bool) -> Status {
    taking(SavepointStep::Await { trigger: "t".into(), since: at(20) }, stops)
}

fn seen(state: FlinkState, progress: Seen) -> Observed {
    let savepoint = Some(SavepointSeen { trigger: "t".into(), progress });
    let job = JobSeen { savepoint, ..JobSeen::in_state(state) };
    Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() }
}

fn running() -> Observed {
    let job = JobSeen::in_state(FlinkState::Running);
    Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() }
}

fn completed() -> Seen {
    Seen::Completed { path: PLACE.into() }
}

fn trigger() -> Action {
    Action::TriggerSavepoint { run: RUN, operation: operation() }
}

fn find() -> Action {
    Action::FindSavepoint { run: RUN, operation: operation() }
}

#[test]
fn a_stop_asks_for_a_savepoint_and_ends_with_it() {
    let desired = wants_stop();
    let first = decide(&desired, &live(FlinkState::Running), &running(), at(20));
    assert_eq!(first.actions, [trigger()]);
    assert_eq!(JobState::of(&desired, &first.status), JobState::Stopping);
    let order = Finding::Trigger("t".into());
    let status = record(&first.status, trigger(), Ok(&order), at(21));
    assert_eq!(decide(&desired, &status, &running(), at(22)).actions, []);
    // The job goes on until it has finished, also when the savepoint is complete before.
    let done = decide(&desired, &status, &seen(FlinkState::Running, completed()), at(23));
    assert_eq!(done.status.savepoint.as_ref().and_then(Savepoint::path), Some(PLACE));
    assert_eq!(progress(&desired, &done.status), Progress::Underway);
    let over = decide(&desired, &done.status, &seen(FlinkState::Finished, completed()), at(24));
    let state = State::Ending { outcome: Outcome::Stopped, step: EndStep::Save, since: at(24) };
    assert_eq!(over.status.state, state);
    let ended =
        Status { state: State::Ended { outcome: Outcome::Stopped, at: at(25) }, ..over.status };
    assert_eq!(progress(&desired, &ended), Progress::Succeeded);
    assert_eq!(JobState::of(&desired, &ended), JobState::Stopped);
}

#[test]
fn a_crash_between_deciding_and_acting_repeats_the_same_trigger() {
    let status = taking(SavepointStep::Trigger, true);
    assert_eq!(decide(&wants_stop(), &status, &running(), at(30)).actions, [trigger()]);
}

#[test]
fn a_savepoint_waits_until_all_tasks_run() {
    let job = JobSeen { all_tasks_run: false, ..JobSeen::in_state(FlinkState::Running) };
    let observed =
        Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() };
    let decision = decide(&wants_savepoint(), &live(FlinkState::Running), &observed, at(20));
    assert_eq!(decision.actions, []);
    assert_eq!(
        decision.status.reason.as_deref(),
        Some("the savepoint is taken when all tasks run")
    );
}

#[test]
fn a_savepoint_that_failed_leaves_the_job_as_it_was_and_fails_the_operation() {
    let failed = Seen::Failed { reason: "no rights".into() };
    for (desired, stops) in [(wants_stop(), true), (wants_savepoint(), false), (wants_next(), true)]
    {
        let observed = seen(FlinkState::Running, failed.clone());
        let decision = decide(&desired, &awaited(stops), &observed, at(30));
        assert_eq!(decision.actions, [], "{desired:?}");
        assert_eq!(JobState::of(&desired, &decision.status), JobState::Running);
        let reason =
            "the savepoint was not taken, and the job goes on as it was: no rights".to_owned();
        assert_eq!(progress(&desired, &decision.status), Progress::Failed { reason });
        let settled = settle(&desired, &decision.status);
        assert_eq!(settled.is_some(), stops);
        let desired = settled.unwrap_or(desired);
        assert!(matches!(desired.intent, Intent::Run { run: RUN, .. }));
        let later = decide(&desired, &decision.status, &observed, at(60));
        assert_eq!((later.actions, later.status.state), (vec![], decision.status.state));
    }
}

#[test]
fn a_savepoint_whose_job_manager_restarted_is_looked_for_and_else_taken_again() {
    let desired = wants_stop();
    let lost = decide(&desired, &awaited(true), &seen(FlinkState::Running, Seen::Unknown), at(30));
    assert_eq!(lost.actions, [find()]);
    let found = Finding::Savepoint(Some(PLACE.into()));
    let status = record(&lost.status, find(), Ok(&found), at(31));
    assert_eq!(status.savepoint.as_ref().and_then(Savepoint::path), Some(PLACE));
    let absent = record(&lost.status, find(), Ok(&Finding::Savepoint(None)), at(31));
    assert_eq!(decide(&desired, &absent, &running(), at(32)).actions, [trigger()]);
}

#[test]
fn a_job_that_finished_while_its_stop_was_not_answered_is_asked_for_its_savepoint() {
    let desired = wants_stop();
    let finished = with_job_in(FlinkState::Finished);
    let asked = decide(&desired, &awaited(true), &finished, at(30));
    assert_eq!((asked.status.state, asked.actions), (live(FlinkState::Running).state, vec![]));
    let unheard = decide(&desired, &taking(SavepointStep::Trigger, true), &finished, at(30));
    assert_eq!(unheard.actions, [find()]);
    let absent = taking(SavepointStep::Absent, true);
    let over = decide(&desired, &absent, &finished, at(31));
    assert!(matches!(over.status.state, State::Ending { outcome: Outcome::Finished, .. }));
}

#[test]
fn a_run_that_vanished_during_its_stop_is_looked_for_in_storage_before_it_is_given_up() {
    let gone = Observed { deployment: None, looked: Some(at(50)), ..standing() };
    let decision = decide(&wants_stop(), &awaited(true), &gone, at(51));
    assert_eq!(decision.actions, [find()]);
    let found = Finding::Savepoint(Some(PLACE.into()));
    let status = record(&decision.status, find(), Ok(&found), at(52));
    let over = decide(&wants_stop(), &status, &gone, at(53));
    assert!(matches!(over.status.state, State::Ending { outcome: Outcome::Stopped, .. }));
    let absent = record(&decision.status, find(), Ok(&Finding::Savepoint(None)), at(52));
    let over = decide(&wants_stop(), &absent, &gone, at(53));
    assert!(matches!(over.status.state, State::Ending { outcome: Outcome::Unknown, .. }));
}

#[test]
fn a_savepoint_by_itself_leaves_the_job_running() {
    let desired = wants_savepoint();
    let observed = seen(FlinkState::Running, completed());
    let decision = decide(&desired, &awaited(false), &observed, at(30));
    assert_eq!(decision.actions, []);
    assert_eq!(progress(&desired, &decision.status), Progress::Succeeded);
    let after = decide(&desired, &decision.status, &observed, at(31));
    assert_eq!((after.actions, after.status), (vec![], decision.status));
}

#[test]
fn a_next_run_waits_for_the_savepoint_of_the_one_before() {
    let desired = wants_next();
    let first = decide(&desired, &live(FlinkState::Running), &running(), at(20));
    assert_eq!(first.actions, [trigger()]);
    let observed = seen(FlinkState::Finished, completed());
    let over = decide(&desired, &awaited(true), &observed, at(30));
    assert!(matches!(over.status.state, State::Ending { outcome: Outcome::Stopped, .. }));
    let ended =
        Status { state: State::Ended { outcome: Outcome::Stopped, at: at(31) }, ..over.status };
    let next = decide(&desired, &ended, &Observed::nothing(), at(32));
    assert_eq!(next.actions, [Action::LocateSnapshot { run: OTHER }]);
    assert_eq!(next.status.run, Some(OTHER));
}

#[test]
fn a_next_run_that_needs_no_savepoint_has_the_one_before_cancelled() {
    let desired = wants(Intent::Run { run: OTHER, handover: Handover::Cancel });
    let decision = decide(&desired, &live(FlinkState::Running), &running(), at(20));
    assert_eq!(decision.actions, [Action::CancelJob { run: RUN }]);
    let canceled = decide(&desired, &decision.status, &with_job_in(FlinkState::Canceled), at(21));
    assert!(matches!(canceled.status.state, State::Ending { outcome: Outcome::Canceled, .. }));
    assert!(!canceled.status.intervened);
}

#[test]
fn a_cancellation_that_nobody_asked_flumen_for_is_named() {
    let decision = decide(
        &wants(WANTS_RUN),
        &live(FlinkState::Running),
        &with_job_in(FlinkState::Canceled),
        at(20),
    );
    assert!(decision.status.intervened);
    assert_eq!(decision.status.reason.as_deref(), Some("the job was cancelled, and not by Flumen"));
}
