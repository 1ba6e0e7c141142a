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

#[test]
fn survey() {
    let count: u64 = env::var("SURVEY").ok().map_or(0, |text| text.parse().expect("a number"));
    let mut kinds: std::collections::BTreeMap<String, (u64, u64)> =
        std::collections::BTreeMap::new();
    for seed in 0..count {
        if let Some(found) = history::live(seed, decide) {
            let kind: String =
                found.violation.chars().filter(|c| !c.is_ascii_digit()).take(110).collect();
            let entry = kinds.entry(kind).or_insert((0, found.seed));
            entry.0 += 1;
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    assert!(kinds.is_empty(), "{kinds:#?}");
}
