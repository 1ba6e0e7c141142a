//! The deciding code, driven through random histories of a small world; see `docs/lifecycle.md`.

mod controller;
mod database;
mod effects;
mod flink;
mod handle;
mod history;
mod invariants;
mod kubernetes;
mod others;
mod random;
mod tracker;
mod users;
mod world;

use std::env;

use flumen_lifecycle::{
    Action, Decision, Desired, Intent, Observed, SavepointStep, State, Status, decide,
};
use jiff::Timestamp;

use crate::world::Decide;

const HISTORIES: u64 = 100_000;

#[test]
fn nothing_happens_that_never_may() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (first, count) = match (number("SIMULATION_SEED"), number("SIMULATION_HISTORIES")) {
        (None, count) => (0, count.unwrap_or(HISTORIES)),
        (Some(seed), count) => (seed, count.unwrap_or(1)),
    };
    for seed in first..first.saturating_add(count) {
        if let Some(found) = history::live(seed, decide) {
            panic!(
                "{}\n\nSIMULATION_SEED={} shows it again: {}",
                found.story, found.seed, found.violation
            );
        }
    }
}

/// What is found in the first histories with a bug planted in the decisions; they take less than a minute.
fn found_with(decide: Decide) -> String {
    let found = (0..HISTORIES / 5).find_map(|seed| history::live(seed, decide));
    found.map(|found| found.violation).unwrap_or_default()
}

#[test]
fn an_absence_that_is_older_than_the_creation_and_counts_is_found() {
    fn planted(desired: &Desired, status: &Status, seen: &Observed, now: Timestamp) -> Decision {
        let looked = seen.looked.map(|_| Timestamp::MAX);
        decide(desired, status, &Observed { looked, ..seen.clone() }, now)
    }
    let found = found_with(planted);
    assert!(found.contains("is called gone"), "{found:?}");
}

#[test]
fn a_lost_savepoint_that_is_not_looked_for_is_found() {
    fn planted(desired: &Desired, status: &Status, seen: &Observed, now: Timestamp) -> Decision {
        let decision = decide(desired, status, seen, now);
        let searches = |action: &Action| matches!(action, Action::FindSavepoint { .. });
        if !decision.actions.iter().any(searches) {
            return decision;
        }
        let mut status = decision.status;
        status.savepoint.iter_mut().for_each(|known| known.step = SavepointStep::Absent);
        decide(desired, &status, seen, now)
    }
    let found = found_with(planted);
    assert!(found.contains("savepoint") || found.contains("Flink stopped the job"), "{found:?}");
}

#[test]
fn pods_that_are_not_waited_for_are_found() {
    fn planted(desired: &Desired, status: &Status, seen: &Observed, now: Timestamp) -> Decision {
        let mut decision = decide(desired, status, seen, now);
        if let State::Ending { outcome, .. } = decision.status.state
            && decision.actions.iter().any(|one| matches!(one, Action::DeleteDeployment { .. }))
        {
            decision.status.state = State::Ended { outcome, at: now };
        }
        decision
    }
    let found = found_with(planted);
    assert!(found.contains("its cluster is still there"), "{found:?}");
}

#[test]
fn a_run_that_is_started_again_is_found() {
    fn planted(desired: &Desired, status: &Status, seen: &Observed, now: Timestamp) -> Decision {
        let ended = matches!(status.state, State::Ended { .. });
        let again = matches!(desired.intent, Intent::Run { run, .. } if status.run == Some(run));
        let forgotten = Status { run: None, ..status.clone() };
        decide(desired, if ended && again { &forgotten } else { status }, seen, now)
    }
    let found = found_with(planted);
    assert!(found.contains("started again") || found.contains("is created after"), "{found:?}");
}

#[test]
fn histories_get_somewhere() {
    let lives: Vec<_> = (0..1000).map(|seed| history::facts(seed, decide)).collect();
    let count = |what: fn(&world::Facts) -> bool| lives.iter().filter(|facts| what(facts)).count();
    for (least, what, seen) in [
        (500, "run", count(|facts| !facts.ran.is_empty())),
        (300, "run twice", count(|facts| facts.ran.len() > 1)),
        (100, "complete a savepoint", count(|facts| !facts.completed.is_empty())),
        (60, "stop", count(|facts| !facts.stopped.is_empty())),
        (150, "are restored", count(|facts| facts.first_restored.values().any(Option::is_some))),
        (150, "are meddled with", count(|facts| !facts.touched.is_empty())),
    ] {
        assert!(seen >= least, "{seen} of 1000 histories {what}, {least} were expected");
    }
}
