use clap::Args;
use flumen_api_types::{
    Job, JobQuery, Live, NextRestart, SavepointProgress, SavepointState, Snapshot,
};
use jiff::Timestamp;

use super::{outcome_cell, state_cell};
use crate::{Cell, Error, Table, Tone, arguments::JobArguments, commands::Context, text, watch};

/// Show a job: its state and why, its run, its newest snapshot, its operators
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job show word-count
  flumen job show orders --environment prod --output json")]
pub struct Show {
    #[command(flatten)]
    job: JobArguments,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let job = context.fetch_job(&job, JobQuery { live: true }).await?;
        if context.printer.is_json() {
            return context.printer.json(&job);
        }
        context.printer.table(&summary(&job, (context.now)()))?;
        match &job.live {
            Some(live) => {
                context.printer.line("")?;
                context.printer.table(&vertices(live))
            }
            None => Ok(()),
        }
    }
}

fn summary(job: &Job, now: Timestamp) -> Table {
    let mut table = Table::pairs();
    table.pair("job", job.reference().to_string());
    table.pair("state", state_cell(job.state));
    table.pair_if("reason", job.reason.clone());
    if let Some(since) = job.unreachable_since {
        let since = format!("{} ({} ago)", text::moment(since), text::age(since, now));
        table.pair("unreachable since", Cell::new(since, Tone::Bad));
    }
    table.pair(
        "since",
        format!("{} ({} ago)", text::moment(job.state_since), text::age(job.state_since, now)),
    );
    table.pair("wanted", job.desired.as_str());
    table.pair_if("savepoint", job.savepoint.as_ref().and_then(|one| savepoint(one, now)));
    table.pair_if("next restart", job.next_restart.as_ref().map(|next| next_restart(next, now)));
    table.pair("Flink", job.spec.flink_version.to_string());
    table.pair("artifact", job.spec.artifact.clone());
    table.pair("release", job.release.short());
    table.pair_if("last operation", job.operation.map(|operation| operation.to_string()));
    table.pair("in the cluster", format!("Deployment {}/{}", job.namespace, job.cluster_id));
    if let Some(run) = &job.run {
        table.pair("run", format!("{} ({})", run.number, run.id));
        table.pair("started", text::moment(run.started_at));
        table.pair_if("ended", run.ended_at.map(text::moment));
        if run.outcome.is_some() {
            table.pair("outcome", outcome_cell(run.outcome));
        }
        table.pair_if("restored from", run.restored_from.clone());
        table.pair_if("image", run.image.clone());
        table.pair_if("exception", run.exceptions.as_deref().map(first_lines));
    }
    table.pair_if("latest snapshot", job.latest_snapshot.as_ref().map(|one| snapshot(one, now)));
    if let Some(live) = &job.live {
        table.pair("TaskManagers", live.task_managers.to_string());
        table.pair("now", watch::rates(live));
    }
    table
}

/// A savepoint that is under way or was not taken; one that is complete is among the snapshots.
fn savepoint(progress: &SavepointProgress, now: Timestamp) -> Option<Cell> {
    let what = if progress.stops { "a stop with savepoint" } else { "a savepoint" };
    let begun = progress.since.map(|since| format!(" for {}", text::age(since, now)));
    match progress.state {
        SavepointState::Underway => {
            let begun = begun.unwrap_or_default();
            let text = format!("{what} is under way{begun} (operation {})", progress.operation);
            Some(Cell::new(text, Tone::Notice))
        }
        SavepointState::Failed => {
            let reason = progress.reason.as_deref().unwrap_or("the reason is not known");
            Some(Cell::new(format!("{what} failed: {reason}"), Tone::Bad))
        }
        SavepointState::Completed => None,
    }
}

fn next_restart(next: &NextRestart, now: Timestamp) -> String {
    let NextRestart { at, attempt, attempts } = next;
    let wait = text::duration(text::between(now, *at));
    format!("{} (in {wait}, attempt {attempt} of {attempts})", text::moment(*at))
}

fn snapshot(snapshot: &Snapshot, now: Timestamp) -> String {
    let size = snapshot.size_bytes.map(|size| format!(", {}", text::bytes(size)));
    format!(
        "{} of {} ago{}: {}",
        snapshot.kind.as_str(),
        text::age(snapshot.completed_at, now),
        size.unwrap_or_default(),
        snapshot.path
    )
}

fn vertices(live: &Live) -> Table {
    let mut table =
        Table::new(&["OPERATORS", "STATE", "TASKS", "READ", "WRITTEN", "READ/S", "WRITTEN/S"]);
    for vertex in &live.vertices {
        table.row(vec![
            vertex.name.clone().into(),
            vertex.state.clone().into(),
            vertex.parallelism.map_or_else(|| "-".to_owned(), |number| number.to_string()).into(),
            text::count(vertex.records_in).into(),
            text::count(vertex.records_out).into(),
            vertex.records_in_per_second.map(text::rate).unwrap_or_default().into(),
            vertex.records_out_per_second.map(text::rate).unwrap_or_default().into(),
        ]);
    }
    table
}

/// The beginning of an exception and its causes: where it was thrown stands in the log.
fn first_lines(exception: &str) -> String {
    let mut lines = exception.lines();
    let first = lines.next().unwrap_or_default();
    let causes = lines.filter(|line| line.starts_with("Caused by:"));
    std::iter::once(first).chain(causes).take(4).collect::<Vec<_>>().join("\n")
}
