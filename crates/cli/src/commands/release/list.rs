use clap::Args;
use flumen_api_types::{JobQuery, Page, PageQuery, Release};
use flumen_model::ReleaseId;
use jiff::Timestamp;

use crate::{
    Cell, Error, Table, Tone,
    arguments::JobArguments,
    commands::{Context, job::path},
    text,
};

/// List the releases of a job, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen release list word-count
  flumen release list orders --environment prod --limit 10 --output json

SIZE is that of all files of the release together.")]
pub struct List {
    #[command(flatten)]
    job: JobArguments,

    /// At most this many, the newest ones
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let query = PageQuery { limit: Some(self.limit), cursor: None };
        let action = format!("list the releases of the job {job}");
        let page: Page<Release> =
            context.client.get(action, &path(&job, &["releases"]), &query).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        let present = context.fetch_job(&job, JobQuery::default()).await?.release;
        context.printer.table(&table(&page.items, &present, (context.now)()))
    }
}

fn table(releases: &[Release], present: &ReleaseId, now: Timestamp) -> Table {
    let mut table = Table::new(&["RELEASE", "ID", "AGE", "BY", "FLINK", "FILES", "SIZE", ""]);
    for release in releases {
        let size = release.artifacts.iter().map(|artifact| artifact.size).sum();
        let mark = if release.id == *present { "the job's" } else { "" };
        table.row(vec![
            release.number.to_string().into(),
            release.id.short().into(),
            text::age(release.created_at, now).into(),
            release.created_by.as_str().into(),
            release.flink_version.to_string().into(),
            release.artifacts.len().to_string().into(),
            text::bytes(size).into(),
            Cell::new(mark, Tone::Good),
        ]);
    }
    table
}
