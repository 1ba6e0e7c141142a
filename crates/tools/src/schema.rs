//! `flumen schema`.

mod environment;
mod project;
mod values;

use clap::{Args, Subcommand};
use flumen_model::FlinkMinor;

use crate::{Error, Streams, image::base_schema};

/// Print the JSON schema of a file
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen schema job > job.schema.json
  flumen schema job --flink-minor 1.20 > job-1.20.schema.json
  flumen schema base > base.schema.json
  flumen schema environment > environment.schema.json
  flumen schema project > project.schema.json")]
pub struct Schema {
    #[command(subcommand)]
    file: File,
}

#[derive(Debug, Subcommand)]
enum File {
    /// Print the JSON schema of job files
    #[command(after_help = "Examples:
  flumen schema job > job.schema.json
  flumen schema job --flink-minor 1.20 > job-1.20.schema.json

Editors with a YAML language server read it from a first line such as:
  # yaml-language-server: $schema=job.schema.json")]
    Job {
        /// Flink minor whose options the schema knows, such as 1.20 [default: none; any option is allowed]
        #[arg(long, value_name = "MINOR")]
        flink_minor: Option<FlinkMinor>,
    },
    /// Print the JSON schema of the files of base images
    #[command(after_help = "Examples:
  flumen schema base > base.schema.json

flumen image build reads such files.")]
    Base,
    /// Print the JSON schema of the files of environments
    #[command(after_help = "Examples:
  flumen schema environment > environment.schema.json

flumen environment apply reads such files.")]
    Environment,
    /// Print the JSON schema of the files of projects
    #[command(after_help = "Examples:
  flumen schema project > project.schema.json

flumen project apply reads such files.")]
    Project,
}

pub(crate) fn run(arguments: &Schema, streams: &mut Streams<'_>) -> Result<(), Error> {
    let flink_minor = match &arguments.file {
        File::Job { flink_minor } => flink_minor,
        File::Base => return streams.print_json(&base_schema()),
        File::Environment => return streams.print_json(&environment::environment_schema()),
        File::Project => return streams.print_json(&project::project_schema()),
    };
    if let Some(minor) = flink_minor.filter(|minor| !minor.is_supported()) {
        return Err(Error::UnknownMinor { minor });
    }
    streams.print_json(&flumen_job_file::schema(*flink_minor))
}
