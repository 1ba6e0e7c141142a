//! Probes of a running container, and its `postStart` hook: one task each, until the container ends.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Probe};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    announce::is_init,
    check::{Check, Passed, Target},
    state::Event,
};
use crate::events::Note;

/// A hook may take this long.
const LONGEST_HOOK: Duration = Duration::from_mins(10);

fn seconds(value: Option<i32>, usual: u64) -> Duration {
    Duration::from_secs(
        value
            .and_then(|value| u64::try_from(value).ok())
            .filter(|value| *value > 0)
            .unwrap_or(usual),
    )
}

/// How long a container that this probe condemns may take to end, if the probe says so.
fn grace(probe: &Probe) -> Option<Duration> {
    let seconds = probe.termination_grace_period_seconds?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// What a probe found, told when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
}

/// Counts results until there are enough in a row. Pure.
#[derive(Debug)]
struct Tally {
    successes_needed: i32,
    failures_needed: i32,
    verdict: Option<Verdict>,
    row: (bool, i32),
}

impl Tally {
    fn new(probe: &Probe) -> Self {
        Self {
            successes_needed: probe.success_threshold.unwrap_or(1).max(1),
            failures_needed: probe.failure_threshold.unwrap_or(3).max(1),
            verdict: None,
            row: (true, 0),
        }
    }

    /// The verdict if this result changes it.
    fn count(&mut self, success: bool) -> Option<Verdict> {
        self.row = if self.row.0 == success { (success, self.row.1 + 1) } else { (success, 1) };
        let (needed, verdict) = if success {
            (self.successes_needed, Verdict::Good)
        } else {
            (self.failures_needed, Verdict::Bad)
        };
        if self.row.1 < needed || self.verdict == Some(verdict) {
            return None;
        }
        self.verdict = Some(verdict);
        Some(verdict)
    }
}

/// Where the tasks of a container report to.
#[derive(Clone)]
pub(super) struct Reports {
    pub(super) pod: std::sync::Arc<Pod>,
    pub(super) events: mpsc::UnboundedSender<Event>,
}

/// Starts everything that watches over a container. The tasks end when the set is dropped.
pub(super) fn watch_over(target: &Target, reports: &Reports) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let container = &target.container;
    let (started, wait_started) = watch::channel(container.startup_probe.is_none());
    if let Some(probe) = container.startup_probe.clone() {
        let (target, reports) = (target.clone(), reports.clone());
        tasks.spawn(async move {
            run("Startup", &probe, &target, &reports, |verdict| {
                if verdict == Verdict::Good {
                    started.send_replace(true);
                }
                match verdict {
                    Verdict::Good => Some(Event::StartupPassed(target.container.name.clone())),
                    Verdict::Bad => {
                        Some(Event::Condemned(target.container.name.clone(), grace(&probe)))
                    }
                }
            })
            .await;
        });
    }
    for (kind, probe) in
        [("Liveness", &container.liveness_probe), ("Readiness", &container.readiness_probe)]
    {
        let Some(probe) = probe.clone() else { continue };
        let (target, reports, mut wait) = (target.clone(), reports.clone(), wait_started.clone());
        tasks.spawn(async move {
            // The sender goes when startup failed for good.
            if wait.wait_for(|started| *started).await.is_err() {
                return;
            }
            let name = target.container.name.clone();
            run(kind, &probe, &target, &reports, |verdict| match (kind, verdict) {
                ("Liveness", Verdict::Bad) => Some(Event::Condemned(name.clone(), grace(&probe))),
                ("Liveness", Verdict::Good) => None,
                (_, verdict) => Some(Event::Readiness(name.clone(), verdict == Verdict::Good)),
            })
            .await;
        });
    }
    if let Some(check) = target
        .container
        .lifecycle
        .as_ref()
        .and_then(|lifecycle| lifecycle.post_start.as_ref())
        .and_then(Check::of_hook)
    {
        let (target, reports) = (target.clone(), reports.clone());
        tasks.spawn(async move {
            match check.run(&target, LONGEST_HOOK).await {
                Ok(passed) => remark("PostStart", passed, &target, &reports),
                Err(message) => {
                    let text = format!("PostStartHook failed: {message}");
                    note(&target, &reports, Note::warning("FailedPostStartHook", text));
                    // The receiver is gone with the pod.
                    let name = target.container.name.clone();
                    let _ = reports.events.send(Event::Condemned(name, None));
                }
            }
        });
    }
    tasks
}

fn note(target: &Target, reports: &Reports, what: Note) {
    let name = &target.container.name;
    target.node.recorder.note(&reports.pod, what.about(name, is_init(&reports.pod, name)));
}

/// Tells what is odd about a success.
fn remark(kind: &str, passed: Passed, target: &Target, reports: &Reports) {
    match passed {
        Passed::Plainly => {}
        Passed::Redirected(text) => {
            let text = format!("{kind} probe warning: {text}");
            note(target, reports, Note::warning("ProbeWarning", text));
        }
        // The real kubelet says this about the whole pod.
        Passed::WithoutTls(text) => {
            target.node.recorder.note(&reports.pod, Note::warning("LifecycleHTTPFallback", text));
        }
    }
}

async fn run(
    kind: &str,
    probe: &Probe,
    target: &Target,
    reports: &Reports,
    meaning: impl Fn(Verdict) -> Option<Event>,
) {
    let Some(check) = Check::of_probe(probe) else { return };
    let delay = u64::try_from(probe.initial_delay_seconds.unwrap_or_default()).unwrap_or_default();
    tokio::time::sleep(Duration::from_secs(delay)).await;
    let (period, longest) = (seconds(probe.period_seconds, 10), seconds(probe.timeout_seconds, 1));
    let mut tally = Tally::new(probe);
    loop {
        let success = match check.run(target, longest).await {
            Ok(passed) => {
                remark(kind, passed, target, reports);
                true
            }
            Err(message) => {
                let text = format!("{kind} probe failed: {message}");
                note(target, reports, Note::warning("Unhealthy", text));
                false
            }
        };
        if let Some(verdict) = tally.count(success) {
            if kind != "Readiness" && verdict == Verdict::Bad {
                let name = &target.container.name;
                let text = format!(
                    "Container {name} failed {} probe, will be restarted",
                    kind.to_lowercase()
                );
                note(target, reports, Note::normal("Killing", text));
            }
            if let Some(event) = meaning(verdict)
                && reports.events.send(event).is_err()
            {
                return;
            }
            if kind == "Startup" {
                return;
            }
        }
        tokio::time::sleep(period).await;
    }
}

/// Runs the `preStop` hook of a container, if it has one.
pub(super) async fn before_stop(target: &Target, reports: &Reports, longest: Duration) {
    let lifecycle = target.container.lifecycle.as_ref();
    let hook = lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref()).and_then(Check::of_hook);
    let Some(hook) = hook else { return };
    match hook.run(target, longest).await {
        Ok(passed) => remark("PreStop", passed, target, reports),
        Err(message) => {
            let text = format!("PreStopHook failed: {message}");
            note(target, reports, Note::warning("FailedPreStopHook", text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_needs_enough_results_in_a_row() {
        let probe =
            Probe { success_threshold: Some(2), failure_threshold: Some(3), ..Probe::default() };
        let mut tally = Tally::new(&probe);
        let results =
            [true, true, true, false, false, true, false, false, false, false, true, true];
        let verdicts: Vec<_> = results.map(|success| tally.count(success)).into();
        let (good, bad) = (Some(Verdict::Good), Some(Verdict::Bad));
        let expected = [None, good, None, None, None, None, None, None, bad, None, None, good];
        assert_eq!(verdicts, expected);
    }
}
