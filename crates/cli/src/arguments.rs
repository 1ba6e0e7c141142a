//! Arguments that several commands share. Their documentation is what `--help` prints.
#![allow(clippy::doc_markdown, reason = "backticks would be printed by --help")]

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use flumen_api_types::StartSource;
use flumen_model::{EnvironmentName, JobName, RestoreMode, SavepointFormat, VariableAssignment};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;

use crate::{
    Error,
    job_files::{self, Defined},
};

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArguments {
    /// Address of the server [env: FLUMEN_SERVER; default: the one that runs on this machine]
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,

    /// Token for the server [env: FLUMEN_TOKEN; default: the one in the data directory]
    #[arg(long, global = true, value_name = "TOKEN", hide_default_value = true)]
    pub token: Option<String>,

    /// Where Flumen keeps its data [env: FLUMEN_DATA_DIRECTORY; default: ~/.local/share/flumen]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub data_directory: Option<PathBuf>,

    /// How results are printed
    #[arg(long, short, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables and sentences for people
    #[default]
    Table,
    /// One JSON value for programs
    Json,
}

/// Values of the variables of SQL scripts.
#[derive(Debug, Clone, Args)]
pub(crate) struct VariableArguments {
    /// Value of a variable of the SQL scripts, instead of the one in the job file; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    variables: Vec<VariableAssignment>,
}

impl VariableArguments {
    /// The jobs of the files, with these values.
    pub(crate) fn read(&self, files: &[PathBuf]) -> Result<Vec<Defined>, Error> {
        let mut defined = job_files::read(files)?;
        job_files::set_variables(&mut defined, &self.variables)?;
        Ok(defined)
    }
}

/// Which environment a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct EnvironmentArguments {
    /// Environment [env: FLUMEN_ENVIRONMENT; default: local]
    #[arg(long, short)]
    pub(crate) environment: Option<EnvironmentName>,
}

/// Which job a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct JobArguments {
    /// Name of the job
    pub(crate) name: JobName,

    /// Environment of the job [env: FLUMEN_ENVIRONMENT; default: local]
    #[arg(long, short)]
    pub(crate) environment: Option<EnvironmentName>,
}

/// Whether and how long a command waits for the operation that it started.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WaitArguments {
    /// Wait until the operation has ended, and print its steps
    #[arg(long)]
    pub(crate) wait: bool,

    /// Stop waiting after this time, such as 90s or 5m; the operation goes on
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = parse_time)]
    pub(crate) timeout: Option<Duration>,
}

/// Whether, for what and how long a command waits that starts a job.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StartWaitArguments {
    /// Wait until the job has started (or failed to), or with =finished until its run has ended
    #[arg(
        long,
        value_enum,
        value_name = "UNTIL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "started"
    )]
    pub(crate) wait: Option<Until>,

    /// Stop waiting after this time, such as 90s or 5m; the job goes on
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = parse_time)]
    pub(crate) timeout: Option<Duration>,
}

/// From what a job is started, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct StartArguments {
    /// What to start from: latest, nothing (empty state), the id of a snapshot, or the path of a savepoint or checkpoint
    #[arg(long)]
    pub(crate) from: Option<StartSource>,

    /// Drop state that no operator of the job takes [default: as the job file says]
    #[arg(long)]
    pub(crate) allow_non_restored: bool,

    /// What becomes of the snapshot [default: what Flink does by itself]
    #[arg(long, value_name = "MODE", value_parser = words::<RestoreMode>(&["claim", "no-claim", "legacy"]))]
    pub(crate) restore_mode: Option<RestoreMode>,
}

/// How a savepoint is taken.
#[derive(Debug, Clone, Args)]
pub(crate) struct SavepointArguments {
    /// Directory that the savepoint goes under, as Flink sees it [default: the job's own]
    #[arg(long, value_name = "PATH")]
    pub(crate) savepoint_path: Option<String>,

    /// How the savepoint is written; native since Flink 1.15 [default: canonical, from Flink 2.0 native]
    #[arg(long, value_parser = words::<SavepointFormat>(&["canonical", "native"]))]
    pub(crate) format: Option<SavepointFormat>,
}

/// Which entries of a list about jobs, and how many.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArguments {
    /// Only those of jobs in this environment
    #[arg(long, short)]
    pub(crate) environment: Option<EnvironmentName>,

    /// Only those of the job with this name
    #[arg(long, short)]
    pub(crate) job: Option<JobName>,

    /// At most this many, the newest ones
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
}

/// One of these words, which are those of the API.
pub(crate) fn words<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value::<T>(serde_json::Value::String(word)))
}

/// What is waited for after a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// Until the operation has ended: the job runs, or it could not be started
    Started,
    /// Until the run of the job has ended
    Finished,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| "expected a time such as 90s, 5m or 1h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_are_not_negative() {
        assert_eq!(parse_time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("1h30m"), Ok(Duration::from_mins(90)));
        for bad in ["", "90", "-5s", "soon"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
