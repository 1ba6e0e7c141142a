use clap::Args;
use flumen_api_types::{
    Effect, JobQuery, JobReference, Page, PageQuery, Release, ReleaseDiff, ReleaseDiffQuery,
};

use crate::{
    Error,
    arguments::JobArguments,
    commands::{
        Context,
        diff::{print_risks, table},
        job::path,
    },
};

/// Say where one release of a job differs from another
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen release diff word-count 2 3
  flumen release diff word-count 2
  flumen release diff word-count 3 2 --output json

With one number it is compared with the release that the job has. EFFECT is what it takes to go from the first to the second, as flumen diff says
it of a job file.")]
pub struct Diff {
    #[command(flatten)]
    job: JobArguments,

    /// Number of the release that is compared with
    from: u64,

    /// Number of the release that is compared [default: that of the job]
    to: Option<u64>,
}

impl Diff {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let to = match self.to {
            Some(to) => to,
            None => present(context, &job).await?,
        };
        let number = to.to_string();
        let action =
            format!("compare release {number} of the job {job} with release {}", self.from);
        let query = ReleaseDiffQuery { from: self.from };
        let diff: ReleaseDiff =
            context.client.get(action, &path(&job, &["releases", &number, "diff"]), &query).await?;
        if context.printer.is_json() {
            return context.printer.json(&diff);
        }
        if !diff.changes.is_empty() {
            context.printer.table(&table(&diff.changes))?;
            context.printer.line("")?;
        }
        print_risks(context, &diff.changes)?;
        context.printer.line(sentence(&diff))
    }
}

/// The number of the job's own release.
async fn present(context: &Context<'_>, job: &JobReference) -> Result<u64, Error> {
    let id = context.fetch_job(job, JobQuery::default()).await?.release;
    let action = format!("list the releases of the job {job}");
    let query = PageQuery { limit: Some(500), cursor: None };
    let page: Page<Release> = context.client.get(action, &path(job, &["releases"]), &query).await?;
    let found = page.items.iter().find(|release| release.id == id);
    Ok(found.map_or(0, |release| release.number))
}

fn sentence(diff: &ReleaseDiff) -> String {
    let ReleaseDiff { job, from, to, .. } = diff;
    let what = match diff.effect {
        Effect::NoOp => return format!("Releases {from} and {to} of the job {job} are the same."),
        Effect::InPlace => "changes it in place",
        Effect::Restart => "restarts it",
        Effect::StateAtRisk => "puts its state at risk",
    };
    format!("Going from release {from} to {to} of the job {job} {what}.")
}
