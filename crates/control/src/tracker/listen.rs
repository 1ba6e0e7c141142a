//! Flink logs each change of a job's state as it happens, so who follows the log of its JobManager knows when to
//! ask.

use std::{sync::Arc, time::Duration};

use flumen_flink_rest as flink;
use flumen_k8s::{LogRequest, MAIN_CONTAINER};
use flumen_lifecycle::Component;
use flumen_model::RunId;
use futures::{StreamExt as _, future::select_all};
use tokio::time::Instant;

use super::{Shared, Tracker, poll::Target};
use crate::Error;

/// How many logs a server follows side by side: each is a connection to an API server. A change of the jobs beyond
/// it is seen with their next question.
pub(super) const AT_ONCE: usize = 200;

/// From the end of a log until it is tried again; doubled while that brings nothing.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_mins(1);

/// Has the JobManager asked whenever it logs a change of the run's job.
pub(super) async fn run(tracker: Tracker, target: Target, run: RunId, shared: Arc<Shared>) {
    let mut pause = AGAIN;
    loop {
        let pods = tracker.observed(&target.place, Some(run)).pods;
        let logs: Vec<_> = pods
            .iter()
            .filter(|pod| pod.component == Component::JobManager && pod.ready)
            .map(|pod| Box::pin(hear(&tracker, &target, &pod.name, (run, &shared))))
            .collect();
        if !logs.is_empty() {
            let Ok(_listener) = tracker.inner.listeners.acquire().await else { return };
            let begin = Instant::now();
            // Of several the first that writes no more ends it: another may have taken its place.
            let problem = match select_all(logs).await.0 {
                Ok(()) => "it ended".to_owned(),
                Err(error) => error.paragraph(),
            };
            tracing::debug!(job.id = %target.job, problem, "the log of the JobManager is not followed");
            pause = if begin.elapsed() > pause { AGAIN } else { (2 * pause).min(AGAIN_AT_MOST) };
        }
        tokio::time::sleep(pause).await;
    }
}

async fn hear(
    tracker: &Tracker,
    target: &Target,
    pod: &str,
    (run, shared): (RunId, &Shared),
) -> Result<(), Error> {
    let cluster = tracker.inner.clusters.get(&target.place.cluster).await?;
    let request = LogRequest { follow: true, tail_lines: Some(0), ..LogRequest::default() };
    let mut log = cluster.pod_logs(&target.place.namespace, pod, MAIN_CONTAINER, &request).await?;
    // Of what was written before nothing is heard.
    shared.nudge.notify_one();
    let mut change = Phrase::new(&format!("({}) switched from state ", flink::JobId::from(run)));
    while let Some(piece) = log.next().await {
        if change.ends_in(&piece?) {
            shared.nudge.notify_one();
        }
    }
    Ok(())
}

/// A phrase that is looked for in a text that comes in pieces.
struct Phrase {
    words: Vec<u8>,
    /// The end of what came before, in which it may have begun.
    open: Vec<u8>,
}

impl Phrase {
    fn new(words: &str) -> Self {
        Self { words: words.into(), open: Vec::new() }
    }

    /// Whether it comes to its end in this piece.
    fn ends_in(&mut self, piece: &[u8]) -> bool {
        self.open.extend_from_slice(piece);
        let found = self.open.windows(self.words.len()).any(|part| part == self.words);
        let kept = self.open.len().min(self.words.len() - 1);
        self.open.drain(..self.open.len() - kept);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_once_however_its_text_is_cut() {
        let text =
            b"Job words (ab) switched from state RUNNING to RESTARTING.\n(ab) switched off\n";
        for size in 1..text.len() {
            let mut phrase = Phrase::new("(ab) switched from state ");
            let found = text.chunks(size).filter(|piece| phrase.ends_in(piece)).count();
            assert_eq!(found, 1, "in pieces of {size}");
        }
    }

    #[test]
    fn another_job_is_not_meant() {
        let mut phrase = Phrase::new("(ab) switched from state ");
        assert!(!phrase.ends_in(b"Job words (ac) switched from state RUNNING to RESTARTING.\n"));
    }
}
