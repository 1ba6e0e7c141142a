//! Which runs there are, and carrying them out side by side.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use flumen_faults::Hit;
use tokio::task::{JoinError, JoinSet};

use super::{
    bench::{Bench, Ended},
    scenarios::Scenario,
};

/// Most of a run is waiting, so more than there are cores.
const BENCHES: usize = 6;

/// One run of a scenario.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) scenario: &'static Scenario,
    pub(super) strike: Option<Strike>,
}

/// What goes wrong in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Strike {
    /// The server dies.
    Kill(Hit),
    /// The server dies, and the next one when it comes to the same point.
    KillTwice(Hit),
    /// The answer is lost.
    Cut(Hit),
}

impl Case {
    pub(super) fn with(&self, strike: Strike) -> Self {
        Self { scenario: self.scenario, strike: Some(strike) }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.scenario.name;
        match &self.strike {
            None => write!(out, "{name}, undisturbed"),
            Some(Strike::Kill(hit)) => write!(out, "{name}, killed at {hit}"),
            Some(Strike::KillTwice(hit)) => write!(out, "{name}, killed twice at {hit}"),
            Some(Strike::Cut(hit)) => write!(out, "{name}, no answer at {hit}"),
        }
    }
}

/// At most so many of them, from the first to the last at even distances.
pub(super) fn evenly(cases: Vec<Case>, count: usize) -> Vec<Case> {
    let all = cases.len();
    let count = count.min(all);
    let is_selected = |index: usize| (index + 1) * count / all > index * count / all;
    let selected = cases.into_iter().enumerate().filter(|(index, _)| is_selected(*index));
    selected.map(|(_, case)| case).collect()
}

/// Carries out all cases, each in the world that others left clean; a world in which something failed
/// is used no more.
pub(super) async fn carry_out(cases: Vec<Case>) -> Vec<(Case, Result<Ended, String>)> {
    let queue = Arc::new(Mutex::new(VecDeque::from(cases)));
    let mut workers = JoinSet::new();
    for _ in 0..BENCHES {
        let queue = Arc::clone(&queue);
        workers.spawn(async move {
            let (mut results, mut bench) = (Vec::new(), None);
            loop {
                let Some(case) = queue.lock().unwrap().pop_front() else { break };
                let (kept, result) = one(bench, case.clone()).await;
                bench = kept;
                results.push((case, result));
            }
            if let Some(bench) = bench {
                bench.finish().await;
            }
            results
        });
    }
    workers.join_all().await.concat()
}

async fn one(bench: Option<Bench>, case: Case) -> (Option<Bench>, Result<Ended, String>) {
    let run = tokio::spawn(async move {
        let mut bench = match bench {
            Some(bench) => bench,
            None => Bench::start().await,
        };
        let ended = Box::pin(bench.run(&case)).await;
        (bench, ended)
    });
    match run.await {
        Ok((bench, ended)) => (Some(bench), Ok(ended)),
        Err(error) => (None, Err(told(error))),
    }
}

fn told(error: JoinError) -> String {
    match error.into_panic().downcast::<String>() {
        Ok(text) => *text,
        Err(other) => other.downcast_ref::<&str>().copied().unwrap_or("a panic").to_owned(),
    }
}
