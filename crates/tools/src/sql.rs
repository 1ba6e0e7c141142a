//! `flumen sql`.

mod check;
mod split;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use flumen_model::FlinkVersion;

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
  cat orders.sql | flumen sql split -

A line is FILE:LINE:COLUMN: KIND: and how the statement begins. The statements of EXECUTE STATEMENT SET
follow it.")]
    Split(Split),
    /// Check a script as far as that can be done without Flink
    #[command(after_help = "Examples:
  flumen sql check orders.sql
  flumen sql check orders.sql --flink-version 1.20.5
  flumen sql check orders.sql --flink-version 1.14.6 --scala 2.11
  flumen sql check orders.sql --flink-version 1.20.5 --jar lib/flink-sql-connector-kafka-3.4.0-1.20.jar
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
}

#[derive(Debug, Args)]
struct Check {
    /// Script, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Flink version that the script is for, such as 1.20.5 [default: none; what depends on it is not checked]
    #[arg(long, value_name = "VERSION")]
    flink_version: Option<FlinkVersion>,

    /// Scala of the jars that are named for what is missing; only those up to Flink 1.14 are for one
    #[arg(long, value_name = "VERSION", value_parser = ["2.11", "2.12"], default_value = "2.12")]
    scala: String,

    /// Jar that the job will have, whose connectors and formats count as there; may be repeated
    #[arg(long = "jar", value_name = "FILE")]
    jars: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Sql, streams: &mut Streams<'_>) -> Result<(), Error> {
    match &arguments.action {
        Action::Split(split) => split::run(split, streams),
        Action::Check(check) => check::run(check, streams),
    }
}
