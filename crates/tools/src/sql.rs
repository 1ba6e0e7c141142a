//! `flumen sql`.

mod check;
mod split;

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand};
use flumen_model::{FlinkVersion, VariableAssignment, VariableName};

use crate::{Error, Streams};

/// Read scripts in Flink SQL
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen sql check orders.sql --flink-version 1.20.5
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
    /// Check a script as far as that can be done without Flink
    #[command(after_help = "Examples:
  flumen sql check orders.sql
  flumen sql check orders.sql --flink-version 1.20.5
  flumen sql check orders.sql --flink-version 1.20.5 --jar lib/flink-sql-connector-kafka-3.4.0-1.20.jar
  flumen sql check orders.sql --var table=orders --var day=2026-01-31
  cat orders.sql | flumen sql check - --output json

A line is FILE:LINE:COLUMN: error or warning: and what is wrong. The exit status is 2 if there is an error.
Tables, columns, types and functions are known to Flink only and not checked.")]
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
struct Check {
    /// Script, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Flink version that the script is for, such as 1.20.5 [default: none; what depends on it is not checked]
    #[arg(long, value_name = "VERSION")]
    flink_version: Option<FlinkVersion>,

    /// Jar that the job will have, whose connectors and formats count as there; may be repeated
    #[arg(long = "jar", value_name = "FILE")]
    jars: Vec<PathBuf>,

    #[command(flatten)]
    variables: Variables,
}

pub(crate) fn run(arguments: &Sql, streams: &mut Streams<'_>) -> Result<(), Error> {
    match &arguments.action {
        Action::Split(split) => split::run(split, streams),
        Action::Check(check) => check::run(check, streams),
    }
}
