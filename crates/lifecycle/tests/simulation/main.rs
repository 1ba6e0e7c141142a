//! The deciding code, driven through random histories of a small world; see `docs/lifecycle.md`.

#![expect(clippy::panic, reason = "a panic is how a test fails")]

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

use flumen_lifecycle::decide;

#[test]
fn nothing_happens_that_never_may() {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let (first, count) = match (number("SIMULATION_SEED"), number("SIMULATION_HISTORIES")) {
        (None, count) => (0, count.unwrap_or(100_000)),
        (Some(seed), count) => (seed, count.unwrap_or(1)),
    };
    for seed in first..first + count {
        if let Some(found) = history::live(seed, decide) {
            panic!("SIMULATION_SEED={}\n{}\n{}", found.seed, found.story, found.violation);
        }
    }
}
