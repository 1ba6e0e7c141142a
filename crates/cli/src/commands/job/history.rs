use clap::Args;
use flumen_api_types::{Event, Page, Run, StartSource};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{last_part, outcome_cell, path};
use crate::{Error, Table, arguments::JobArguments, commands::Context, text};

/// List the runs of a job with what they began from, or all that happened to it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job history word-count
  flumen job history word-count --events

FROM is the last part of the path of the snapshot that a run was restored from;
the whole path and the ids of run and release are in --output json.")]
pub struct History {
    #[command(flatten)]
    job: JobArguments,

    /// List what happened to the job, newest first, instead of its runs
    #[arg(long)]
    events: bool,

    /// At most this many entries, the newest ones
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

impl History {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        if self.events {
            self.print::<Event>(context, "events", events).await
        } else {
            self.print::<Run>(context, "runs", runs).await
        }
    }

    async fn print<T: DeserializeOwned + Serialize>(
        self,
        context: &Context<'_>,
        what: &str,
        table: fn(&[T], Timestamp) -> Table,
    ) -> Result<(), Error> {
        let job = context.job(self.job);
        let action = format!("list the {what} of the job {job}");
        let page: Page<T> =
            context.client.get(action, &path(&job, &[what]), &[("limit", self.limit)]).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        context.printer.table(&table(&page.items, (context.now)()))
    }
}

fn runs(runs: &[Run], now: Timestamp) -> Table {
    let mut table = Table::new(&["RUN", "STARTED", "TOOK", "FROM", "OUTCOME", "REASON"]);
    for run in runs {
        let took = text::between(run.started_at, run.ended_at.unwrap_or(now));
        table.row(vec![
            run.number.to_string().into(),
            text::moment(run.started_at).into(),
            text::duration(took).into(),
            from(run).into(),
            outcome_cell(run.outcome),
            run.reason.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

/// What a run began from, or what it is to begin from before that was found.
fn from(run: &Run) -> String {
    match (&run.restored_from, &run.start_from) {
        (Some(path), _) | (None, Some(StartSource::Path(path))) => last_part(path).to_owned(),
        (None, Some(StartSource::Latest)) if run.running_at.is_some() => "nothing".to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => String::new(),
    }
}

fn events(events: &[Event], _now: Timestamp) -> Table {
    let mut table = Table::new(&["WHEN", "KIND", "WHAT"]);
    for event in events {
        table.row(vec![
            text::moment(event.at).into(),
            event.kind.as_str().into(),
            event.message.as_str().into(),
        ]);
    }
    table
}
