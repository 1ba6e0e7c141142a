use clap::Args;
use flumen_api_types::{JobState, JobSummary, JobsQuery, Page};
use flumen_model::EnvironmentName;
use jiff::Timestamp;

use super::state_cell;
use crate::{Cell, Error, Table, Tone, commands::Context, text};

/// List jobs with their states
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen job list
  flumen job list --environment prod --state FAILED
  flumen job list --name orders --output json")]
pub struct List {
    /// Only jobs of this environment
    #[arg(long, short)]
    environment: Option<EnvironmentName>,

    /// Only jobs in this state, such as RUNNING
    #[arg(long, value_parser = parse_state)]
    state: Option<JobState>,

    /// Only jobs with this text in their name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let mut query = JobsQuery {
            environment: self.environment,
            state: self.state,
            name: self.name,
            ..JobsQuery::default()
        };
        let mut jobs: Vec<JobSummary> = Vec::new();
        loop {
            let page: Page<JobSummary> = context.client.get("list jobs", &["jobs"], &query).await?;
            jobs.extend(page.items);
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        if context.printer.is_json() {
            return context.printer.json(&Page::whole(jobs));
        }
        if jobs.is_empty() {
            context.printer.note("There are no such jobs. Define one with: flumen apply -f FILE");
            return Ok(());
        }
        context.printer.table(&table(&jobs, (context.now)()))
    }
}

fn parse_state(text: &str) -> Result<JobState, String> {
    let upper = text.to_ascii_uppercase();
    JobState::ALL.into_iter().find(|state| state.as_str() == upper).ok_or_else(|| {
        let all: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
        format!("expected one of {}", all.join(", "))
    })
}

fn table(jobs: &[JobSummary], now: Timestamp) -> Table {
    let mut table = Table::new(&["ENVIRONMENT", "NAME", "STATE", "SINCE", "FLINK", "REASON"]);
    for job in jobs {
        let state = if job.unreachable_since.is_some() {
            Cell::new(format!("{} (unreachable)", job.state), Tone::Bad)
        } else {
            state_cell(job.state)
        };
        table.row(vec![
            job.environment.as_str().into(),
            job.name.as_str().into(),
            state,
            text::age(job.state_since, now).into(),
            job.flink_version.to_string().into(),
            job.reason.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
