//! The restart policy: whether, when and as which attempt a run that ended is followed by another.

use flumen_model::{InterventionPolicy, RestartPolicy};
use jiff::{SignedDuration, Timestamp};

use crate::{Desired, Intent, Outcome, State, Status};

/// The run that the restart policy calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRun {
    /// When it is to be started.
    pub at: Timestamp,
    /// Which one in a row it is, from 1.
    pub attempt: u32,
    /// How many there may be.
    pub attempts: u32,
}

/// The run that follows the one that ended; none if it is to rest.
pub fn next(desired: &Desired, status: &Status) -> Option<NextRun> {
    let State::Ended { outcome, at } = &status.state else { return None };
    let Intent::Run { run, .. } = desired.intent else { return None };
    if status.run != Some(run) || status.giving_up.is_some() {
        return None;
    }
    let called_for = match outcome {
        Outcome::Failed => true,
        Outcome::Canceled | Outcome::Unknown => {
            status.intervened && desired.interventions == InterventionPolicy::Restart
        }
        Outcome::Finished | Outcome::Stopped => false,
    };
    let policy = &desired.restart;
    let attempts =
        policy.attempts.unwrap_or(if status.checkpointed { RestartPolicy::ATTEMPTS } else { 0 });
    let attempts = if status.intervened { attempts.max(1) } else { attempts };
    let done = if ran_for(status, *at) >= policy.window { 0 } else { desired.attempt };
    (called_for && done < attempts).then(|| NextRun {
        at: *at + back_off(policy, done),
        attempt: done + 1,
        attempts,
    })
}

fn ran_for(status: &Status, ended: Timestamp) -> SignedDuration {
    status.running_at.map_or(SignedDuration::ZERO, |began| ended.duration_since(began))
}

/// Doubled for each attempt before.
fn back_off(policy: &RestartPolicy, done: u32) -> SignedDuration {
    let factor = 1_i32 << done.min(20);
    policy.back_off.saturating_mul(factor).min(policy.max_back_off).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use flumen_model::RunId;

    use super::*;

    const RUN: RunId = RunId::from_bits(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("in range")
    }

    fn ended(outcome: Outcome) -> Status {
        let state = State::Ended { outcome, at: at(100) };
        Status { running_at: Some(at(50)), checkpointed: true, ..Status::of(state, Some(RUN)) }
    }

    fn wants(attempt: u32) -> Desired {
        let intent = Intent::Run { run: RUN, handover: crate::Handover::default() };
        Desired { attempt, ..Desired::of(intent, None) }
    }

    #[test]
    fn waits_double_until_the_attempts_are_used_up() {
        let waits: Vec<_> = (0..4)
            .map(|attempt| {
                next(&wants(attempt), &ended(Outcome::Failed))
                    .map(|next| next.at.duration_since(at(100)).as_secs())
            })
            .collect();
        assert_eq!(waits, [Some(10), Some(20), Some(40), None]);
    }

    #[test]
    fn a_run_that_lasted_longer_than_the_window_starts_the_count_anew() {
        let mut status = ended(Outcome::Failed);
        status.running_at = Some(at(100 - 3600));
        assert_eq!(next(&wants(3), &status).map(|next| next.attempt), Some(1));
    }

    #[test]
    fn a_job_without_checkpoints_is_started_again_only_where_its_file_says_so() {
        let status = Status { checkpointed: false, ..ended(Outcome::Failed) };
        assert_eq!(next(&wants(0), &status), None);
        let mut desired = wants(0);
        desired.restart.attempts = Some(1);
        assert!(next(&desired, &status).is_some());
    }

    #[test]
    fn what_someone_else_ended_stays_ended_unless_the_job_file_says_otherwise() {
        for outcome in [Outcome::Canceled, Outcome::Unknown] {
            let status = Status { intervened: true, ..ended(outcome) };
            assert_eq!(next(&wants(0), &status), None);
            let desired = Desired { interventions: InterventionPolicy::Restart, ..wants(0) };
            assert!(next(&desired, &status).is_some());
        }
    }

    #[test]
    fn what_was_wanted_or_cannot_help_is_not_started_again() {
        for outcome in [Outcome::Finished, Outcome::Stopped, Outcome::Canceled] {
            assert_eq!(next(&wants(0), &ended(outcome)), None, "{outcome:?}");
        }
        let status =
            Status { giving_up: Some("restored nothing".into()), ..ended(Outcome::Failed) };
        assert_eq!(next(&wants(0), &status), None);
        let cancelled = Desired { intent: Intent::Cancel, ..wants(0) };
        assert_eq!(next(&cancelled, &ended(Outcome::Failed)), None);
    }
}
