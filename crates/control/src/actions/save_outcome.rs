use std::path::Path;

use flumen_flink_rest as flink;
use flumen_k8s::PodSeen;
use flumen_lifecycle::{Outcome, State};
use flumen_model::RunId;
use flumen_store::Job;

use super::{Done, save_logs};
use crate::{Control, Error, clock, clusters::JobManager, jobs};

/// Saves logs, exceptions and outcome of the run. The logs come first: once the outcome is written,
/// nothing holds up the deletion of the pods.
pub(super) async fn save_outcome(control: &Control, job: &Job, run: RunId) -> Result<Done, Error> {
    let (outcome, since) = match &job.status.state {
        State::Ending { outcome, since, .. } => (outcome.clone(), *since),
        State::New
        | State::Starting { .. }
        | State::Live { .. }
        | State::Ended { .. }
        | State::Deleted => (Outcome::Unknown, clock::now()),
    };
    let key = jobs::key(job);
    let cluster = control.clusters_handle().get(&key.cluster).await?;
    let pods = cluster.pods_of(&key.namespace, &key.id).await?;
    let directory = control.run_logs(run);
    let saved =
        save_logs::save_logs((&cluster, control.faults()), job, &pods, &directory, since).await?;
    let told = save_exceptions(control, job, run).await?;
    let mut reason = job.status.reason.clone();
    if outcome == Outcome::Failed && !told {
        reason = diagnosis(&directory, &pods).await.or(reason);
    }
    control.store().save_run_end(run, &outcome, reason.as_deref(), clock::now()).await?;
    Ok(Done { detail: Some(saved.to_string()), reason })
}

/// Saves Flink's exception history and says whether there is one. That the JobManager does not answer any
/// more is no failure: the logs have the exceptions too.
async fn save_exceptions(control: &Control, job: &Job, run: RunId) -> Result<bool, Error> {
    let job_manager = JobManager::of(control.clusters_handle(), &jobs::key(job)).await?;
    let Ok(exceptions) = job_manager.call(&flink::exceptions(flink::JobId::from(run), 20)).await
    else {
        return Ok(false);
    };
    if exceptions.entries.is_empty() {
        return Ok(false);
    }
    let text: Vec<_> =
        exceptions.entries.iter().map(|failure| failure.stack_trace.trim_end()).collect();
    control.store().save_run_exceptions(run, &text.join("\n\n")).await?;
    Ok(true)
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
}
