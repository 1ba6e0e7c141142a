//! What a run was to start from, and what follows when it did not, failed or never ran.

use super::*;
use crate::{Restore, RestoredSeen};

const SAVEPOINT: &str = "file:///storage/savepoints/savepoint-1";

fn restoring() -> Status {
    let restore = Some(Restore { path: SAVEPOINT.into(), confirmed: false });
    Status { restore, checkpointed: true, ..awaiting() }
}

fn restored(state: FlinkState, restored: RestoredSeen) -> Observed {
    let job = JobSeen { restored, ..JobSeen::in_state(state) };
    Observed { job_manager: JobManagerContact::Answers { job: Some(job) }, ..standing() }
}

fn from(path: &str, own: bool) -> RestoredSeen {
    RestoredSeen::From { path: path.into(), own }
}

#[test]
fn a_start_from_a_savepoint_has_succeeded_when_flink_says_that_it_restored_it() {
    let desired = wants(WANTS_RUN);
    let unasked = restored(FlinkState::Running, RestoredSeen::NotAsked);
    let first = decide(&desired, &restoring(), &unasked, at(20));
    assert_eq!(progress(&desired, &first.status), Progress::Underway);
    let seen = restored(FlinkState::Running, from("file:/storage/savepoints/savepoint-1/", false));
    let confirmed = decide(&desired, &first.status, &seen, at(21));
    assert_eq!(progress(&desired, &confirmed.status), Progress::Succeeded);
    assert!(confirmed.status.restore.is_some_and(|restore| restore.confirmed));
}

#[test]
fn a_run_that_took_up_its_own_checkpoint_has_restored_what_it_should() {
    let own = restored(FlinkState::Running, from("file:/storage/checkpoints/chk-7", true));
    let decision = decide(&wants(WANTS_RUN), &restoring(), &own, at(20));
    assert!(decision.status.restore.is_some_and(|restore| restore.confirmed));
}

#[test]
fn a_run_that_restored_something_else_is_stopped_and_not_started_again() {
    let desired = wants(WANTS_RUN);
    for (seen, told) in [
        (RestoredSeen::Nothing, "started with empty state"),
        (
            from("file:/storage/savepoints/savepoint-2", false),
            "restored file:/storage/savepoints/savepoint-2",
        ),
    ] {
        let observed = restored(FlinkState::Running, seen);
        let wrong = decide(&desired, &restoring(), &observed, at(20));
        assert_eq!(wrong.actions, [Action::CancelJob { run: RUN }]);
        let reason = format!("the run was to start from {SAVEPOINT}, and Flink {told}");
        assert_eq!(progress(&desired, &wrong.status), Progress::Failed { reason: reason.clone() });
        let canceled = decide(&desired, &wrong.status, &with_job_in(FlinkState::Canceled), at(21));
        assert!(matches!(canceled.status.state, State::Ending { outcome: Outcome::Failed, .. }));
        assert_eq!(canceled.status.reason, Some(reason));
        let state = State::Ended { outcome: Outcome::Failed, at: at(22) };
        let ended = Status { state, ..canceled.status };
        assert_eq!(decide(&desired, &ended, &Observed::nothing(), at(5000)).actions, []);
    }
}

#[test]
fn a_run_that_finished_from_something_else_has_failed() {
    let desired = wants(WANTS_RUN);
    let finished = restored(FlinkState::Finished, RestoredSeen::Nothing);
    let decision = decide(&desired, &restoring(), &finished, at(20));
    assert!(matches!(decision.status.state, State::Ending { outcome: Outcome::Failed, .. }));
    let reason =
        format!("the run was to start from {SAVEPOINT}, and Flink started with empty state");
    assert_eq!(progress(&desired, &decision.status), Progress::Failed { reason });
    let right = restored(FlinkState::Finished, from(SAVEPOINT, false));
    let decision = decide(&desired, &restoring(), &right, at(20));
    assert!(matches!(decision.status.state, State::Ending { outcome: Outcome::Finished, .. }));
}

#[test]
fn a_failed_run_is_followed_by_another_after_the_back_off() {
    let desired = wants(WANTS_RUN);
    let state = State::Ended { outcome: Outcome::Failed, at: at(100) };
    let ended = Status { running_at: Some(at(50)), checkpointed: true, ..in_state(state) };
    assert_eq!(JobState::of(&desired, &ended), JobState::Restarting);
    let early = decide(&desired, &ended, &Observed::nothing(), at(103));
    assert_eq!((early.actions, early.wake_in), (vec![], Some(Duration::from_secs(7))));
    let due = decide(&desired, &ended, &Observed::nothing(), at(110));
    assert_eq!(due.actions, [Action::StartAgain { run: RUN }]);
    let cancelled = wants(Intent::Cancel);
    assert_eq!(decide(&cancelled, &ended, &Observed::nothing(), at(110)).actions, []);
    assert_eq!(JobState::of(&cancelled, &ended), JobState::Failed);
}

#[test]
fn a_start_that_takes_longer_than_the_policy_allows_fails_with_what_holds_it_up() {
    let mut desired = wants(WANTS_RUN);
    desired.restart.start_timeout = Some(jiff::SignedDuration::from_secs(60));
    let status = Status { started_at: Some(at(0)), ..awaiting() };
    let unfit = job_manager(|pod| pod.unschedulable = Some("no room".into()));
    let early = decide(&desired, &status, &unfit, at(40));
    assert_eq!((early.actions, early.wake_in), (vec![], Some(Duration::from_secs(20))));
    let late = decide(&desired, &status, &unfit, at(60));
    assert_eq!(late.actions, [Action::SaveOutcome { run: RUN }]);
    assert_eq!(
        late.status.reason.as_deref(),
        Some(
            "the job did not run within 1m of its start: pod a-5f7 does not fit into the cluster: no room"
        )
    );
}

#[test]
fn a_job_manager_that_crashes_again_and_again_is_given_up_after_a_while() {
    let crash = |since| Observed {
        job_manager: JobManagerContact::NoAnswer { since: at(since) },
        ..job_manager(|pod| {
            pod.waiting = Some(("CrashLoopBackOff".into(), "back-off 40s".into()));
            (pod.restarts, pod.last_exit) = (4, Some(2));
        })
    };
    let early = decide(&wants(WANTS_RUN), &live(FlinkState::Running), &crash(100), at(200));
    assert_eq!(early.status.unreachable_since, Some(at(100)));
    let late = decide(&wants(WANTS_RUN), &live(FlinkState::Running), &crash(100), at(280));
    assert!(matches!(late.status.state, State::Ending { outcome: Outcome::Failed, .. }));
}

#[test]
fn a_job_that_a_restarted_job_manager_does_not_have_is_gone_after_a_while() {
    let without = Observed { job_manager: JobManagerContact::Answers { job: None }, ..standing() };
    let first = decide(&wants(WANTS_RUN), &live(FlinkState::Running), &without, at(100));
    assert_eq!(first.status.unreachable_since, Some(at(100)));
    let late = decide(&wants(WANTS_RUN), &first.status, &without, at(220));
    assert!(matches!(late.status.state, State::Ending { outcome: Outcome::Unknown, .. }));
}
