use std::path::Path;

use flumen_flink_rest as flink;
use flumen_k8s::{Cluster, LogRequest, MAIN_CONTAINER, PodSeen};
use flumen_lifecycle::{Outcome, State};
use flumen_model::{Kind, RunId};
use flumen_store::Job;
use futures::TryStreamExt;
use tokio::io::AsyncWriteExt;

use super::Done;
use crate::{Control, Error, clock, clusters::JobManager, jobs, logs::KEPT_BYTES};

/// Saves logs, exceptions and outcome of the run. The logs come first: once the outcome is written,
/// nothing holds up the deletion of the pods.
pub(super) async fn save_outcome(control: &Control, job: &Job, run: RunId) -> Result<Done, Error> {
    let key = jobs::key(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    let pods = cluster.pods_of(&key.namespace, &key.id).await?;
    let directory = control.run_logs(run);
    tokio::fs::create_dir_all(&directory).await.map_err(Error::file("create", &directory))?;
    let mut saved = 0;
    for pod in &pods {
        saved += u32::from(save_log(&cluster, job, pod, &directory).await?);
    }
    save_exceptions(control, job, run).await?;
    let outcome = match &job.status.state {
        State::Ending { outcome, .. } => outcome.clone(),
        State::New
        | State::Starting { .. }
        | State::Live { .. }
        | State::Ended { .. }
        | State::Deleted => Outcome::Unknown,
    };
    let reason = match outcome {
        Outcome::Failed => diagnosis(&directory, &pods).await.or_else(|| job.status.reason.clone()),
        Outcome::Finished | Outcome::Canceled | Outcome::Unknown => job.status.reason.clone(),
    };
    control.store().save_run_end(run, &outcome, reason.as_deref(), clock::now()).await?;
    Ok(Done { detail: Some(format!("{saved} logs")), reason })
}

/// Saves the newest part of a pod's log; says whether there was one. The file appears when it is whole.
async fn save_log(
    cluster: &Cluster,
    job: &Job,
    pod: &PodSeen,
    directory: &Path,
) -> Result<bool, Error> {
    let path = directory.join(format!("{}.log", pod.name));
    let part = path.with_extension("part");
    let request =
        LogRequest { previous: pod.waiting.is_some() && pod.restarts > 0, ..LogRequest::default() };
    let mut log = match cluster.pod_logs(&job.namespace, &pod.name, MAIN_CONTAINER, &request).await
    {
        Ok(log) => log,
        // A container that never started, or a pod that went meanwhile, has no log.
        Err(error) if !error.kind().is_transient() || error.kind() == Kind::NotFound => {
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let mut tail = Tail::default();
    while let Some(bytes) = log.try_next().await? {
        tail.push(&bytes);
    }
    let mut file = tokio::fs::File::create(&part).await.map_err(Error::file("create", &part))?;
    file.write_all(tail.newest()).await.map_err(Error::file("write", &part))?;
    file.sync_all().await.map_err(Error::file("write", &part))?;
    tokio::fs::rename(&part, &path).await.map_err(Error::file("rename", &part))?;
    Ok(true)
}

/// Keeps the newest [`KEPT_BYTES`] of a stream, in at most twice that memory.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        let kept = kept();
        if self.bytes.len() > 2 * kept {
            self.bytes.drain(..self.bytes.len() - kept);
        }
    }

    fn newest(&self) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(kept())..]
    }
}

fn kept() -> usize {
    usize::try_from(KEPT_BYTES).unwrap_or(usize::MAX / 2)
}

/// Flink's exception history, if the JobManager still answers. That it does not is no failure: the logs
/// have the exceptions too.
async fn save_exceptions(control: &Control, job: &Job, run: RunId) -> Result<(), Error> {
    let job_manager = JobManager::of(control.clusters_handle(), &jobs::key(job)).await?;
    let Ok(exceptions) = job_manager.call(&flink::exceptions(flink::JobId::from(run), 20)).await
    else {
        return Ok(());
    };
    if exceptions.entries.is_empty() {
        return Ok(());
    }
    let text: Vec<_> =
        exceptions.entries.iter().map(|failure| failure.stack_trace.trim_end()).collect();
    Ok(control.store().save_run_exceptions(run, &text.join("\n\n")).await?)
}

/// What a JobManager that ended before it had the job said last: the root cause in its log.
async fn diagnosis(directory: &Path, pods: &[PodSeen]) -> Option<String> {
    let job_manager = pods.iter().find(|pod| {
        pod.component == flumen_k8s::Component::JobManager
            && pod.restarts > 0
            && pod.terminated.as_ref().is_some_and(|end| end.exit_code != 0)
    })?;
    let log = tokio::fs::read(directory.join(format!("{}.log", job_manager.name))).await.ok()?;
    root_cause(&String::from_utf8_lossy(&log))
}

/// The cause at the bottom of the last stack trace in the log, without its class if it has a message.
fn root_cause(log: &str) -> Option<String> {
    let lines: Vec<_> = log.lines().collect();
    let is_frame = |line: &&str| line.trim_start().starts_with("at ");
    let last_frame = lines.iter().rposition(is_frame)?;
    let above = lines[..last_frame].iter().rev();
    let cause = above.clone().find(|line| line.starts_with("Caused by: "));
    let head = above.clone().find(|line| !is_frame(line) && !line.trim_start().starts_with("..."));
    let text = cause.or(head)?.trim_start_matches("Caused by: ").trim();
    (!text.is_empty()).then(|| text.chars().take(500).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_cause_is_at_the_bottom_of_the_last_trace() {
        let log = "INFO  Starting\norg.apache.flink.util.FlinkException: Could not load\n\tat a.B.c(B.java:1)\n\
                   Caused by: java.lang.ClassNotFoundException: no.such.Job\n\tat d.E.f(E.java:2)\n\t... 4 more\nbye\n";
        assert_eq!(
            root_cause(log).as_deref(),
            Some("java.lang.ClassNotFoundException: no.such.Job")
        );
    }

    #[test]
    fn a_log_without_a_trace_has_no_cause() {
        assert_eq!(root_cause("INFO  Starting\nINFO  Done\n"), None);
    }

    #[test]
    fn only_the_newest_part_of_a_long_log_is_kept() {
        let mut tail = Tail::default();
        for _ in 0..25 {
            tail.push(&vec![b'a'; 1 << 20]);
        }
        tail.push(b"end");
        assert_eq!(tail.newest().len(), kept());
        assert!(tail.newest().ends_with(b"aend"));
    }
}
