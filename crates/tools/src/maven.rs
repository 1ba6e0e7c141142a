//! `flumen maven`. The documentation of the fields is what `--help` prints.
#![allow(clippy::doc_markdown, reason = "backticks would be printed by --help")]

mod fetch;
pub(crate) mod plan;
mod rules;
mod scala;
mod tree;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use flumen_maven::{Artifact, Exclusion};
use serde::Serialize;

use crate::{Error, Streams};
pub use fetch::Fetch;
use scala::{Named, Scala};
pub use tree::Tree;

/// What can be done with artifacts.
#[derive(Debug, Subcommand)]
pub enum Maven {
    /// Print what coordinates depend on, as Maven resolves it
    Tree(Tree),
    /// Fetch artifacts and all that they depend on into a directory
    Fetch(Fetch),
    /// Print what --platform-rules excludes
    #[command(after_help = "Examples:
  flumen maven rules
  flumen maven rules --output json")]
    Rules,
}

/// What is wanted, and where it comes from.
#[derive(Debug, Args)]
struct Wanted {
    /// What is wanted: GROUP:ARTIFACT:VERSION or GROUP:ARTIFACT:TYPE[:CLASSIFIER]:VERSION; of two versions
    /// that are equally near, the first one wins; GROUP::ARTIFACT is for the Scala of --scala
    #[arg(required = true, value_name = "COORDINATES")]
    coordinates: Vec<Named>,

    /// Scala that artifacts after two colons are for: GROUP::ARTIFACT is GROUP:ARTIFACT_2.12 with 2.12
    #[arg(long, value_name = "VERSION")]
    scala: Option<Scala>,

    /// Leave out artifacts below what is wanted; either part may be *; may be repeated
    #[arg(long, value_name = "GROUP:ARTIFACT")]
    exclude: Vec<Exclusion>,

    /// Leave out what Flink brings itself; `flumen maven rules` lists it
    #[arg(long)]
    platform_rules: bool,

    /// Do not leave out what a platform rule names; may be repeated
    #[arg(long, value_name = "GROUP:ARTIFACT", requires = "platform_rules")]
    keep: Vec<Exclusion>,

    #[command(flatten)]
    sources: Sources,
}

/// Where artifacts come from.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// Repository to ask instead of those of Maven's settings; ID names the credentials under `servers`
    /// in the settings; may be repeated, asked in this order
    #[arg(long, value_name = "[ID=]URL")]
    repository: Vec<String>,

    /// Settings of Maven [default: ~/.m2/settings.xml, then those of an installed Maven]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Where files are kept, in Maven's layout [default: that of the settings, or ~/.m2/repository]
    #[arg(long, value_name = "DIRECTORY")]
    local_repository: Option<PathBuf>,

    /// Ask no repository; use what is in the local one
    #[arg(long)]
    offline: bool,

    /// Java that profiles of POMs are asked about
    #[arg(long, value_name = "VERSION", default_value = "17")]
    pub(crate) java: String,
}

/// One artifact in JSON.
#[derive(Serialize)]
struct Listed<'a> {
    group: &'a str,
    artifact: &'a str,
    version: &'a str,
    /// Empty for the main file.
    classifier: &'a str,
    r#type: &'a str,
    scope: flumen_maven::Scope,
    /// 1 for what was asked for, 2 for what that depends on.
    depth: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl<'a> Listed<'a> {
    fn new(artifact: &'a Artifact, path: Option<String>) -> Self {
        let Artifact { coordinates, scope, depth, .. } = artifact;
        Self {
            group: &coordinates.gav.group,
            artifact: &coordinates.gav.artifact,
            version: &coordinates.gav.version,
            classifier: &coordinates.classifier,
            r#type: &coordinates.kind,
            scope: *scope,
            depth: *depth,
            path,
        }
    }
}

pub(crate) fn run(command: &Maven, streams: &mut Streams<'_>) -> Result<(), Error> {
    match command {
        Maven::Tree(arguments) => tree::run(arguments, streams),
        Maven::Fetch(arguments) => fetch::run(arguments, streams),
        Maven::Rules => rules::run(streams),
    }
}
