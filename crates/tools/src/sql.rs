//! `flumen sql`.

mod check;
mod split;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Subcommand};
use flumen_job_file::ScriptCheck;
use flumen_model::{EnvironmentName, FlinkVersion, VariableAssignment, VariableName};
use jiff::SignedDuration;

use crate::{Error, Streams};

/// Read scripts in Flink SQL
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen sql check orders.sql --flink-version 1.20.5
  flumen sql check orders.sql --flink-version 1.20.5 --explain
  flumen sql split orders.sql")]
pub struct Sql {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the statements of a script, each with its place and what it is
    #[command(after_help = "Examples:
  flumen sql split orders.sql
  flumen sql split orders.sql --output json | jq -r '.[].text'
  flumen sql split orders.sql --var table=orders
  cat orders.sql | flumen sql split -

A line is FILE:LINE:COLUMN: KIND: and how the statement begins. The statements of EXECUTE STATEMENT SET
follow it. Variables without a value stay as they are.")]
    Split(Split),
    /// Check a script as far as that can be done without Flink, or by Flink itself
    #[command(after_help = "Examples:
  flumen sql check orders.sql
  flumen sql check orders.sql --flink-version 1.20.5
  flumen sql check orders.sql --flink-version 1.14.6 --scala 2.11
  flumen sql check orders.sql --flink-version 1.20.5 --jar lib/flink-sql-connector-kafka-3.4.0-1.20.jar
  flumen sql check orders.sql --var table=orders --var day=2026-01-31
  cat orders.sql | flumen sql check - --output json
  flumen sql check orders.sql --flink-version 1.20.5 --explain
  flumen sql check orders.sql --flink-version 1.20.5 --explain --dependency org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20
  flumen sql check --explain --job-file job.yaml --timeout 5m

A line is FILE:LINE:COLUMN: error or warning: and what is wrong. The exit status is 2 if there is an error.
Tables, columns, types and functions are known to Flink only: --explain has the server ask it, in a pod that
is there for that alone, and prints the plan. Without it no server is needed.")]
    Check(Check),
}

#[derive(Debug, Args)]
struct Split {
    /// Script, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    variables: Variables,
}

#[derive(Debug, Args)]
struct Variables {
    /// Value of a variable: ${NAME} in the script becomes VALUE; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<VariableAssignment>,
}

impl Variables {
    /// Of a variable that is given twice, the last value.
    fn values(&self) -> BTreeMap<VariableName, String> {
        self.variables.iter().map(|one| (one.name.clone(), one.value.clone())).collect()
    }
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("target").args(["flink_version", "job_file"]).multiple(true)))]
struct Check {
    /// Script, or - for standard input [default: that of the job file]
    #[arg(value_name = "FILE", required_unless_present = "job_file")]
    file: Option<PathBuf>,

    /// Flink version that the script is for, such as 1.20.5 [default: none; what depends on it is not checked]
    #[arg(long, value_name = "VERSION")]
    flink_version: Option<FlinkVersion>,

    /// Scala of the jars that are named for what is missing; only those up to Flink 1.14 are for one
    #[arg(long, value_name = "VERSION", value_parser = ["2.11", "2.12"], default_value = "2.12")]
    scala: String,

    /// Jar that the job will have, whose connectors and formats count as there; may be repeated
    #[arg(long = "jar", value_name = "FILE")]
    jars: Vec<PathBuf>,

    #[command(flatten)]
    variables: Variables,

    /// Have Flink itself check the script, in a pod of that version, and print the plan
    #[arg(long, requires = "target")]
    explain: bool,

    /// Environment of the pod [env: `FLUMEN_ENVIRONMENT`; default: that of the job file, else local]
    #[arg(long, short, requires = "explain")]
    environment: Option<EnvironmentName>,

    /// Artifact in Maven that the job will have, with what it depends on; may be repeated
    #[arg(long = "dependency", value_name = "GROUP:ARTIFACT:VERSION", requires = "explain")]
    dependencies: Vec<String>,

    /// File of one job, of which all but the script holds: version, environment, dependencies, configuration
    #[arg(long, short = 'f', value_name = "FILE", requires = "explain")]
    job_file: Option<PathBuf>,

    /// Give up after this time, such as 90s or 5m [default: 2m]
    #[arg(long, value_name = "TIME", requires = "explain", value_parser = parse_time)]
    timeout: Option<Duration>,
}

impl Sql {
    /// What is asked of Flink, if something is. Without that, no server is needed.
    pub fn by_flink(&self) -> Option<ScriptCheck> {
        let Action::Check(check) = &self.action else { return None };
        check.explain.then(|| ScriptCheck {
            script: check.file.clone(),
            flink_version: check.flink_version,
            environment: check.environment.clone(),
            dependencies: check.dependencies.clone(),
            jars: check.jars.clone(),
            variables: check.variables.values(),
            job_file: check.job_file.clone(),
            timeout: check.timeout,
        })
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| "expected a time such as 90s, 5m or 1h30m".to_owned())
}

pub(crate) fn run(arguments: &Sql, streams: &mut Streams<'_>) -> Result<(), Error> {
    match &arguments.action {
        Action::Split(split) => split::run(split, streams),
        Action::Check(check) => check::run(check, streams),
    }
}
