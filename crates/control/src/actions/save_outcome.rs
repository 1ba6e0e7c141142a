use std::path::Path;

use flumen_flink_rest as flink;
use flumen_k8s::PodSeen;
use flumen_lifecycle::{Finding, Outcome, State};
use flumen_model::RunId;
use flumen_store::{Job, Run};

use super::{Done, run_of, save_logs};
use crate::{Control, Error, clock, clusters::JobManager, jobs, results, snapshots};

/// Saves logs, snapshots and exceptions of the run, and finds out how it ended. The status that follows from
/// it has the outcome, and lets the pods go.
pub(super) async fn save_outcome(control: &Control, job: &Job, run: RunId) -> Result<Done, Error> {
    let (outcome, since) = match &job.status.state {
        State::Ending { outcome, since, .. } => (*outcome, *since),
        State::New
        | State::Starting { .. }
        | State::Live { .. }
        | State::Ended { .. }
        | State::Deleted => (Outcome::Unknown, clock::now()),
    };
    let run = run_of(control, run).await?;
    let place = jobs::place(job);
    let cluster = control.clusters_handle().get(&place.cluster).await?;
    let pods = cluster.pods_of(&place.namespace, &place.id).await?;
    let directory = control.run_logs(run.id);
    let saved =
        save_logs::save_logs((&cluster, control.faults()), job, &pods, &directory, since).await?;
    let job_manager = JobManager::of(control.clusters_handle(), &place).await?;
    save_snapshots(control, job, &run, &job_manager).await?;
    let told = save_exceptions(control, &job_manager, run.id).await?;
    let mut detail = saved.to_string();
    let mut finding = Finding::Nothing;
    let mut known = outcome;
    if outcome == Outcome::Unknown
        && let Some(left) =
            results::left(control.storages(), &job.environment, &job.cluster_id, &run).await?
    {
        detail.push_str("; the outcome stood in the result that Flink left");
        (finding, known) = (Finding::Outcome(left), left);
    } else if outcome == Outcome::Failed
        && !told
        && let Some(cause) = diagnosis(&directory, &pods, job.status.reason.is_some()).await
    {
        finding = Finding::Reason(cause);
    }
    if matches!(known, Outcome::Finished | Outcome::Stopped) {
        // Flink deletes the checkpoints of a job that finished.
        control.store().delete_checkpoints(run.id).await?;
    }
    Ok(Done { detail: Some(detail), finding })
}

/// Writes down what Flink still tells of checkpoints, and a savepoint that was being taken when the run
/// ended. That the JobManager does not answer any more is no failure.
async fn save_snapshots(
    control: &Control,
    job: &Job,
    run: &Run,
    job_manager: &JobManager,
) -> Result<(), Error> {
    if let Ok(told) = job_manager.call(&flink::checkpoints(flink::JobId::from(run.id))).await {
        snapshots::record(control.store(), job, run, &told).await?;
    }
    let underway = job
        .status
        .savepoint
        .as_ref()
        .filter(|savepoint| savepoint.run == run.id && savepoint.path().is_none());
    let Some(savepoint) = underway else { return Ok(()) };
    let look = control.storages().of(&job.environment).await?;
    let Some(files) = look.files() else { return Ok(()) };
    let wished = savepoint.directory.as_deref();
    let Ok(directory) = snapshots::savepoint_directory(run, wished, savepoint.operation) else {
        return Ok(());
    };
    if let Some(path) = files.savepoint_in(&directory).await? {
        snapshots::record_savepoint(control, job, savepoint, &path).await?;
    }
    Ok(())
}

/// Saves Flink's exception history and says whether there is one. That the JobManager does not answer any
/// more is no failure: the logs have the exceptions too.
async fn save_exceptions(
    control: &Control,
    job_manager: &JobManager,
    run: RunId,
) -> Result<bool, Error> {
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

/// What a JobManager said last: the root cause in its log. Where there is a reason already, one that has not
/// ended has nothing to add.
async fn diagnosis(directory: &Path, pods: &[PodSeen], explained: bool) -> Option<String> {
    let job_manager = pods.iter().find(|pod| {
        let ended = pod.terminated.as_ref().is_some_and(|end| end.exit_code != 0);
        pod.component == flumen_k8s::Component::JobManager && (ended || !explained)
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
    if let Some(said) = above.clone().find_map(|line| flink::said_by_runner(line)) {
        return Some(said.chars().take(500).collect());
    }
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
    fn what_the_sql_runner_says_has_the_causes_below_it() {
        let log = "org.apache.flink.client.program.ProgramInvocationException: failed\n\tat a.B.c(B.java:1)\n\
                   Caused by: flumen.sql.Failure: line 3, column 7: no table b\n\tat d.E.f(E.java:2)\n\
                   Caused by: org.apache.calcite.X: no table b\n\tat d.E.f(E.java:2)\n";
        assert_eq!(root_cause(log).as_deref(), Some("line 3, column 7: no table b"));
    }

    #[test]
    fn a_log_without_a_trace_has_no_cause() {
        assert_eq!(root_cause("INFO  Starting\nINFO  Done\n"), None);
    }
}
