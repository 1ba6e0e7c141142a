//! From the pod to what it says.

use std::time::Duration;

use flumen_k8s::{ContainerEnd, LogRequest, Observation, PodPhase, PodSeen};
use flumen_model::FlinkVersion;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::time::{Instant, timeout_at};

use super::{ExplanationFailure, Progress, Work, prepare::Placed};
use crate::Error;

/// How long the cluster may have no place for the pod: others may be ending.
const UNSCHEDULABLE: Duration = Duration::from_secs(5);
/// Pause before a log that cannot be had now is asked for again.
const PAUSE: Duration = Duration::from_millis(500);
/// How much of a log is read, in bytes; nodes keep less.
const MAX_LOG: u64 = 32 << 20;
/// How many lines are told of a log without a report, and how long they are at most.
const LAST_LINES: usize = 5;
const LINE_CHARACTERS: usize = 300;

/// What keeps a container from ever starting, as Kubernetes calls it.
const NEVER_STARTS: [&str; 5] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
];

/// How the pod ended, and its log.
pub(super) struct Log {
    pub(super) text: String,
    end: ContainerEnd,
}

impl Log {
    /// What is said where the report is missing.
    pub(super) fn broken(&self, flink: FlinkVersion) -> ExplanationFailure {
        let what = match (self.end.exit_code, self.end.reason.as_str()) {
            (code, "" | "Error" | "Completed") => format!("its process ended with {code}"),
            (code, reason) => format!("its process ended with {code} ({reason})"),
        };
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut log: Vec<String> = lines
            .rev()
            .take(LAST_LINES)
            .map(|line| line.chars().take(LINE_CHARACTERS).collect())
            .collect();
        log.reverse();
        ExplanationFailure::Broken { flink, what, log }
    }
}

/// What a look at the pod says.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// It goes on; what it is at.
    Wait(&'static str),
    /// The scheduler finds no node; why.
    Unschedulable(String),
    /// It will never start; why.
    Stuck(String),
    /// It ended without its container; why.
    Lost(String),
    /// Its container ended.
    Ended(ContainerEnd),
}

impl Work<'_> {
    /// Waits for the end of the pod and reads its log.
    pub(super) async fn run(&self, placed: &Placed, progress: &Progress) -> Result<Log, Error> {
        let end = self.end(placed, progress).await?;
        loop {
            match read(placed).await {
                Err(error) if error.kind().is_transient() => {
                    progress.say(format!("reading the log of the pod: {}", error.paragraph()));
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
                Ok(text) => return Ok(Log { text, end }),
            }
        }
    }

    async fn end(&self, placed: &Placed, progress: &Progress) -> Result<ContainerEnd, Error> {
        let (flink, environment) = (self.order.flink_version, self.order.environment.to_string());
        let mut seen = placed.cluster.watch_pods_of(&placed.namespace, &placed.name);
        // Since when the scheduler finds no node, and why.
        let mut unschedulable: Option<(Instant, String)> = None;
        progress.say("waiting for the pod");
        loop {
            let next = match &unschedulable {
                None => seen.next().await,
                Some((since, reason)) => {
                    match timeout_at(*since + UNSCHEDULABLE, seen.next()).await {
                        Ok(next) => next,
                        Err(_elapsed) => {
                            let reason = reason.clone();
                            let why =
                                ExplanationFailure::Unschedulable { flink, environment, reason };
                            return Err(why.into());
                        }
                    }
                }
            };
            let pod = match next {
                Some(Observation::Pod(pod)) if pod.uid == placed.uid => pod,
                Some(Observation::PodGone { uid, .. }) if uid == placed.uid => {
                    return Err(ExplanationFailure::Deleted { flink, environment }.into());
                }
                Some(Observation::Unreachable { reason, .. }) => {
                    progress.say(format!("waiting for the cluster: {reason}"));
                    continue;
                }
                Some(_) => continue,
                None => return Err(ExplanationFailure::Stopping.into()),
            };
            let failure = match verdict(&pod, &placed.container) {
                Verdict::Ended(end) => return Ok(end),
                Verdict::Wait(step) => {
                    progress.say(step);
                    unschedulable = None;
                    continue;
                }
                Verdict::Unschedulable(reason) => {
                    progress.say(format!("waiting for the pod to be scheduled: {reason}"));
                    let since = unschedulable.map_or_else(Instant::now, |(since, _)| since);
                    unschedulable = Some((since, reason));
                    continue;
                }
                Verdict::Stuck(reason) => {
                    ExplanationFailure::CannotStart { flink, environment, reason }
                }
                Verdict::Lost(what) => ExplanationFailure::Broken { flink, what, log: Vec::new() },
            };
            return Err(failure.into());
        }
    }
}

fn verdict(pod: &PodSeen, container: &str) -> Verdict {
    match &pod.terminated {
        Some(end) if end.container == container => return Verdict::Ended(end.clone()),
        Some(ContainerEnd { container: other, exit_code, .. }) => {
            return Verdict::Lost(format!(
                "its container {other} ended with {exit_code} before Flink began"
            ));
        }
        None => {}
    }
    if matches!(pod.phase, PodPhase::Failed | PodPhase::Succeeded) {
        let reason = pod.reason.as_deref().unwrap_or("the cluster does not say why");
        return Verdict::Lost(format!("its pod failed: {reason}"));
    }
    if let Some(wait) = pod.waiting.as_ref().filter(|wait| NEVER_STARTS.contains(&&*wait.reason)) {
        let message =
            if wait.message.is_empty() { String::new() } else { format!(": {}", wait.message) };
        return Verdict::Stuck(format!("{}{message}", wait.reason));
    }
    match (&pod.unschedulable, pod.phase) {
        (Some(reason), _) => Verdict::Unschedulable(reason.clone()),
        (None, PodPhase::Running) => Verdict::Wait("waiting for Flink in its pod"),
        (None, _) => Verdict::Wait("waiting for the pod to start"),
    }
}

async fn read(placed: &Placed) -> Result<String, Error> {
    let request = LogRequest { limit_bytes: Some(MAX_LOG), ..LogRequest::default() };
    let (cluster, container) = (&placed.cluster, &placed.container);
    let log =
        cluster.pod_logs(&placed.namespace, placed.name.as_str(), container, &request).await?;
    let pieces: Vec<bytes::Bytes> = log.try_collect().await?;
    Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
}

#[cfg(test)]
mod tests {
    use flumen_k8s::{Component, ContainerWait};

    use super::*;

    const MAIN: &str = "flink-main-container";

    fn pod(phase: PodPhase) -> PodSeen {
        PodSeen {
            namespace: "default".to_owned(),
            cluster_id: "sql-check-a".parse().unwrap(),
            component: Component::Other,
            name: "sql-check-a".to_owned(),
            uid: "1".to_owned(),
            node: None,
            phase,
            reason: None,
            containers: vec![MAIN.to_owned(), "proxy".to_owned()],
            waiting: None,
            terminated: None,
            restarts: 0,
            ready: false,
            deleting: false,
            unschedulable: None,
        }
    }

    fn end(container: &str) -> ContainerEnd {
        ContainerEnd {
            container: container.to_owned(),
            exit_code: 3,
            reason: "Error".to_owned(),
            message: String::new(),
            at: None,
        }
    }

    fn waiting(reason: &str) -> PodSeen {
        let wait = ContainerWait {
            container: MAIN.to_owned(),
            reason: reason.to_owned(),
            message: String::new(),
        };
        PodSeen { waiting: Some(wait), ..pod(PodPhase::Pending) }
    }

    #[test]
    fn a_pod_is_waited_for_as_long_as_it_may_get_further() {
        let lost = |what: &str| Verdict::Lost(what.to_owned());
        let evicted =
            PodSeen { reason: Some("Evicted: no memory".into()), ..pod(PodPhase::Failed) };
        let unschedulable =
            PodSeen { unschedulable: Some("0/1 nodes".into()), ..pod(PodPhase::Pending) };
        let ended = |container: &str| PodSeen {
            terminated: Some(end(container)),
            ..pod(PodPhase::Running)
        };
        for (seen, expected) in [
            (pod(PodPhase::Pending), Verdict::Wait("waiting for the pod to start")),
            (waiting("ContainerCreating"), Verdict::Wait("waiting for the pod to start")),
            (waiting("ErrImagePull"), Verdict::Wait("waiting for the pod to start")),
            (pod(PodPhase::Running), Verdict::Wait("waiting for Flink in its pod")),
            (unschedulable, Verdict::Unschedulable("0/1 nodes".to_owned())),
            (waiting("ImagePullBackOff"), Verdict::Stuck("ImagePullBackOff".to_owned())),
            (ended(MAIN), Verdict::Ended(end(MAIN))),
            (ended("init"), lost("its container init ended with 3 before Flink began")),
            (evicted, lost("its pod failed: Evicted: no memory")),
            (pod(PodPhase::Failed), lost("its pod failed: the cluster does not say why")),
        ] {
            assert_eq!(verdict(&seen, MAIN), expected, "{seen:?}");
        }
    }
}
