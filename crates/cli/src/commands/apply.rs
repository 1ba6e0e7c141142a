use std::{cell::LazyCell, path::PathBuf};

use clap::Args;
use flumen_api_types::{Applied, AppliedChange, ApplyJob, Change, JobQuery, Operation, Page};
use reqwest::Method;
use serde::Deserialize;

use crate::{
    Error,
    arguments::{StartWaitArguments, Until, VariableArguments},
    artifacts,
    commands::Context,
    follow::{self, Deadline},
    job_files::Defined,
    watch,
};

/// Create or change jobs as their files say, and start them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen apply -f word-count.yaml
  flumen apply -f word-count.yaml --wait --timeout 5m
  flumen apply -f word-count.yaml --wait=finished
  flumen apply -f jobs.yaml -f more.yaml --no-start
  flumen apply -f word-count.yaml --force --wait
  flumen apply -f orders-sql.yaml --var table=orders --var day=2026-01-31

What applying a file would change is said by flumen diff -f FILE. Where the
change takes that, a running job is replaced as its upgradeMode says.

A file may hold several jobs, separated by ---. With --output json the answer for several
jobs is a list: {\"items\": [...]}.")]
pub struct Apply {
    /// A job file, or - for standard input
    #[arg(long = "file", short, required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    variables: VariableArguments,

    /// Only define the jobs; do not start those that do not run
    #[arg(long)]
    no_start: bool,

    /// Carry a change out that puts the state of a job at risk
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    wait: StartWaitArguments,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let mut answers = Vec::new();
        let mut printed = Vec::new();
        // The time runs from the first that is waited for.
        let deadline = LazyCell::new(|| Deadline::after(self.wait.timeout));
        for defined in self.variables.read(&self.files)? {
            let (applied, steps) = match self.apply(context, defined).await? {
                Answer::Applied(applied) => (*applied, 0),
                Answer::Preparing(operation) => prepared(context, *operation, *deadline).await?,
            };
            if !context.printer.is_json() {
                for warning in &applied.warnings {
                    context.printer.note(format!("warning: {warning}"));
                }
                context.printer.line(sentence(&applied, self.wait.wait.is_some()))?;
            }
            answers.push(applied);
            printed.push(steps);
        }
        if let Some(until) = self.wait.wait {
            for (applied, printed) in answers.iter_mut().zip(printed) {
                wait(context, (applied, printed), until, *deadline).await?;
            }
        }
        match answers.as_slice() {
            _ if !context.printer.is_json() => Ok(()),
            [only] => context.printer.json(only),
            _ => context.printer.json(&Page::whole(answers)),
        }
    }

    async fn apply(&self, context: &Context<'_>, defined: Defined) -> Result<Answer, Error> {
        let artifacts = {
            let progress = context.printer.progress();
            artifacts::upload(&context.client, &defined, &progress).await?
        };
        let spec = defined.spec;
        let (environment, name) = (spec.environment.clone(), spec.name.clone());
        let body = ApplyJob { spec, artifacts, start: !self.no_start, force: self.force };
        context
            .client
            .call(
                Method::PUT,
                format!("apply the job {environment}/{name}"),
                &["environments", environment.as_str(), "jobs", name.as_str()],
            )
            .json(&body)
            .idempotent()
            .fetch()
            .await
    }
}

/// The answer to a job file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    /// It is applied.
    Applied(Box<Applied>),
    /// Its release is prepared first.
    Preparing(Box<Operation>),
}

/// Waits until the release is made, and says how many steps were printed for that.
async fn prepared(
    context: &Context<'_>,
    operation: Operation,
    deadline: Option<Deadline>,
) -> Result<(Applied, usize), Error> {
    let (operation, printed) = follow::release(context, operation, deadline).await?;
    let Some(reference) = operation.job.clone() else {
        return Err(Error::Superseded { what: follow::describe(&operation) });
    };
    let job = context.fetch_job(&reference, JobQuery::default()).await?;
    let AppliedChange { change, warnings } = operation
        .applied
        .clone()
        .unwrap_or(AppliedChange { change: Change::Unchanged, warnings: Vec::new() });
    Ok((Applied { job, operation: Some(operation), change, warnings }, printed))
}

/// Waits for what applying one job began, of which so many steps were printed before.
pub(super) async fn wait(
    context: &Context<'_>,
    (applied, printed): (&mut Applied, usize),
    until: Until,
    deadline: Option<Deadline>,
) -> Result<(), Error> {
    if let Some(operation) = applied.operation.take() {
        let ended = follow::further(context, operation, printed, deadline).await?;
        applied.operation = Some(ended);
    }
    let job = applied.job.reference();
    applied.job = watch::until(context, &job, until, deadline).await?;
    if context.printer.is_json() {
        return Ok(());
    }
    context.printer.line(watch::sentence(&applied.job))
}

/// What applying one job did.
pub(super) fn sentence(applied: &Applied, waits: bool) -> String {
    let job = applied.job.reference();
    let what = match applied.change {
        Change::Created => "was created",
        Change::Unchanged => "is unchanged",
        Change::Configured => "was changed",
        Change::Restart => "was changed and is restarted",
    };
    match &applied.operation {
        Some(operation) if !waits && !operation.state.has_ended() => format!(
            "The job {job} {what}; follow it with: flumen operation show {} --wait",
            operation.id
        ),
        _ => format!("The job {job} {what}."),
    }
}
