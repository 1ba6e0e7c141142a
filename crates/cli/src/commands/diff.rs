use std::path::PathBuf;

use clap::Args;
use flumen_api_types::{DiffJob, Effect, FieldChange, JobDiff, Page};
use flumen_model::{JobSpec, UpgradeMode};
use reqwest::Method;

use crate::{
    Cell, Error, Table, Tone, arguments::VariableArguments, artifacts, commands::Context,
    job_files::Defined,
};

/// Say what applying job files would change, and whether that restarts jobs or risks their state
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen diff -f word-count.yaml
  flumen diff -f jobs.yaml -f more.yaml --output json
  flumen diff -f orders-sql.yaml --var table=orders

Nothing is changed or uploaded. The exit status is 0 whether something differs
or not; programs read effect in --output json: noOp, inPlace, restart or
stateAtRisk. For several jobs that is a list: {\"items\": [...]}.")]
pub struct Diff {
    /// A job file, or - for standard input
    #[arg(long = "file", short, required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    variables: VariableArguments,
}

impl Diff {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let mut answers = Vec::new();
        for defined in self.variables.read(&self.files)? {
            let (spec, diff) = diff(context, defined).await?;
            if !context.printer.is_json() {
                if !answers.is_empty() {
                    context.printer.line("")?;
                }
                print(context, &spec, &diff)?;
            }
            answers.push(diff);
        }
        match answers.as_slice() {
            _ if !context.printer.is_json() => Ok(()),
            [only] => context.printer.json(only),
            _ => context.printer.json(&Page::whole(answers)),
        }
    }
}

async fn diff(context: &Context<'_>, defined: Defined) -> Result<(JobSpec, JobDiff), Error> {
    let artifacts = artifacts::hash_all(&defined, &context.printer.progress())?;
    let spec = defined.spec;
    let body = DiffJob { spec: spec.clone(), artifacts };
    let (environment, name) = (spec.environment.as_str(), spec.name.as_str());
    let diff = context
        .client
        .call(
            Method::POST,
            format!("compare the job {environment}/{name} with its file"),
            &["environments", environment, "jobs", name, "diff"],
        )
        .json(&body)
        .fetch()
        .await?;
    Ok((spec, diff))
}

fn print(context: &Context<'_>, spec: &JobSpec, diff: &JobDiff) -> Result<(), Error> {
    if !diff.changes.is_empty() {
        context.printer.table(&table(&diff.changes))?;
        context.printer.line("")?;
    }
    print_risks(context, &diff.changes)?;
    context.printer.line(consequence(spec, diff))
}

pub(super) fn print_risks(context: &Context<'_>, changes: &[FieldChange]) -> Result<(), Error> {
    for change in changes {
        if let Some(risk) = &change.risk {
            context.printer.line(format!("{}: {risk}.", change.field))?;
        }
    }
    Ok(())
}

/// What differs, a line for each field.
pub(super) fn table(changes: &[FieldChange]) -> Table {
    let mut table = Table::new(&["FIELD", "BEFORE", "AFTER", "EFFECT"]);
    for change in changes {
        let (word, tone) = match change.effect {
            Effect::NoOp => ("none", Tone::Quiet),
            Effect::InPlace => ("in place", Tone::Good),
            Effect::Restart => ("restart", Tone::Notice),
            Effect::StateAtRisk => ("state at risk", Tone::Bad),
        };
        table.row(vec![
            change.field.as_str().into(),
            short(change.from.as_deref()).into(),
            short(change.to.as_deref()).into(),
            Cell::new(word, tone),
        ]);
    }
    table
}

/// A value, of which a digest is cut to what tells it apart.
fn short(value: Option<&str>) -> &str {
    const DIGITS: usize = 12;
    let value = value.unwrap_or_default();
    value.strip_prefix("sha256:").and_then(|digits| digits.get(..DIGITS)).unwrap_or(value)
}

/// What applying the file does, in words.
fn consequence(spec: &JobSpec, diff: &JobDiff) -> String {
    let job = &diff.job;
    let stateless = spec.upgrade_mode == UpgradeMode::Stateless;
    if diff.is_new {
        return format!("Applying it creates the job {job} and starts it.");
    }
    match (diff.effect, diff.runs) {
        (Effect::NoOp, true) => format!("Applying it changes nothing; the job {job} runs on."),
        (Effect::NoOp, false) => {
            format!("Applying it changes nothing; the job {job} is started only if it never was.")
        }
        (Effect::InPlace, true) => {
            format!("Applying it changes the job {job} in place; its run goes on.")
        }
        (Effect::StateAtRisk, _) if !stateless => {
            format!(
                "Applying it puts the state of the job {job} at risk: it is refused without --force, unless the job has no state yet."
            )
        }
        (Effect::Restart | Effect::StateAtRisk, true) => {
            let (mode, how) = match spec.upgrade_mode {
                UpgradeMode::Stateful => {
                    ("stateful", "stopped with a savepoint and started from there")
                }
                UpgradeMode::LastState => {
                    ("last-state", "cancelled and started from its newest checkpoint")
                }
                UpgradeMode::Stateless => ("stateless", "cancelled and started with empty state"),
            };
            format!("Applying it restarts the job {job} (upgradeMode {mode}): it is {how}.")
        }
        (_, false) if stateless => {
            format!("Applying it changes the job {job} and starts it with empty state.")
        }
        (_, false) => {
            format!("Applying it changes the job {job} and starts it from its newest snapshot.")
        }
    }
}
