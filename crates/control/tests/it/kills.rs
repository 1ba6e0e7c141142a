//! The server dies at each point around each effect, and answers are lost there: the same end as without.
//!
//! Each scenario runs once undisturbed, which tells its points, and then once more for each of them. Without
//! `FLUMEN_ALL_KILLS` an even selection has to do.

mod bench;
mod cases;
mod scenarios;

use std::io::Write as _;

use self::{
    cases::{Case, Strike, carry_out, evenly},
    scenarios::SCENARIOS,
};

/// How many are selected, if not all.
const KILLS: usize = 100;
const DOUBLE_KILLS: usize = 20;
const CUTS: usize = 50;

/// A second kill at the same point seldom finds what the first did not, so these are never all.
const ALL_DOUBLE_KILLS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_server_dies_or_an_answer_is_lost_the_end_is_the_same() {
    let undisturbed = SCENARIOS.iter().map(|scenario| Case { scenario, strike: None }).collect();
    let (mut kills, mut doubles, mut cuts) = (Vec::new(), Vec::new(), Vec::new());
    let mut failures = Vec::new();
    for (case, result) in carry_out(undisturbed).await {
        match result {
            Ok(ended) => {
                assert!(!ended.trace.is_empty(), "{case} has no points");
                for hit in ended.trace {
                    if hit.is_after() {
                        cuts.push(case.with(Strike::Cut(hit.clone())));
                    }
                    kills.push(case.with(Strike::Kill(hit.clone())));
                    doubles.push(case.with(Strike::KillTwice(hit)));
                }
            }
            Err(failure) => failures.push(format!("{case}: {failure}")),
        }
    }
    assert!(failures.is_empty(), "undisturbed:\n{}", failures.join("\n"));
    let known = (kills.len(), cuts.len());
    if std::env::var_os("FLUMEN_ALL_KILLS").is_none() {
        kills = evenly(kills, KILLS);
        cuts = evenly(cuts, CUTS);
        doubles = evenly(doubles, DOUBLE_KILLS);
    }
    doubles = evenly(doubles, ALL_DOUBLE_KILLS);
    let all = kills.into_iter().chain(doubles).chain(cuts).collect();
    let (mut killed, mut cut, mut missed) = (0, 0, Vec::new());
    for (case, result) in carry_out(all).await {
        match (result, &case.strike) {
            (Err(failure), _) => failures.push(format!("{case}: {failure}")),
            (Ok(ended), _) if ended.struck == 0 => missed.push(case.to_string()),
            (Ok(ended), Some(Strike::Cut(_))) => cut += ended.struck,
            (Ok(ended), _) => killed += ended.struck,
        }
    }
    let report = format!(
        "{killed} kills of {} points, {cut} lost answers of {}, in {} scenarios; not reached again: {missed:?}; {} failed\n{}\n",
        known.0,
        known.1,
        SCENARIOS.len(),
        failures.len(),
        failures.join("\n"),
    );
    // Also where the test succeeds: how much was proven belongs in its output.
    std::io::stderr().write_all(report.as_bytes()).unwrap();
    assert!(failures.is_empty() && killed >= 100, "{report}");
}
