//! `flumen jar`.

mod describe;

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use crate::{Error, Streams};

/// Look into jars
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen jar inspect target/word-count.jar
  flumen jar inspect target/word-count.jar --output json")]
pub struct Jar {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print what a jar says of itself, without running it
    #[command(after_help = "Examples:
  flumen jar inspect target/word-count.jar
  flumen jar inspect target/word-count.jar --output json | jq -r '.mainClasses[]'
  flumen jar inspect lib/flink-sql-connector-kafka-3.4.0-1.20.jar

It prints the main classes, the Flink, Scala and Java that the jar was built for, its connectors and formats,
relocated packages, size and SHA-256; and warns of what every Flink image has already.")]
    Inspect(Inspect),
}

#[derive(Debug, Args)]
struct Inspect {
    /// Jar
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(arguments: &Jar, streams: &mut Streams<'_>) -> Result<(), Error> {
    let Action::Inspect(Inspect { file }) = &arguments.action;
    let jar = inspect_file(file)?;
    if streams.json {
        return streams.print_json(&jar);
    }
    streams.print(&describe::text(&jar))?;
    for warning in &jar.warnings {
        streams.note(&format!("warning: {}: {warning}", file.display()))?;
    }
    Ok(())
}

/// What a jar says of itself.
pub(crate) fn inspect_file(file: &Path) -> Result<flumen_jar::Jar, Error> {
    let name = file.display().to_string();
    let opened =
        File::open(file).map_err(|source| Error::ReadFile { file: name.clone(), source })?;
    flumen_jar::inspect(&mut BufReader::new(opened))
        .map_err(|source| Error::Jar { file: name, source })
}
