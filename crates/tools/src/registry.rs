//! `flumen registry`. The documentation of the fields is what `--help` prints.
#![allow(clippy::doc_markdown, reason = "backticks would be printed by --help")]

use std::str::FromStr;

use clap::{Args, Subcommand};
use flumen_image::{Platform, Reference};
use flumen_model::InvalidValue;
use serde_json::json;

use crate::{
    Error, Streams,
    image::{Connection, session::Session},
};

/// What can be done with registries.
#[derive(Debug, Subcommand)]
pub enum Registry {
    /// Push a small image into a repository, read it back and delete it
    Check(Check),
}

/// Push a small image into a repository, read it back and delete it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen registry check registry.example.com/team/jobs
  flumen registry check localhost:5000/jobs --output json
  flumen registry check registry.intern:5000/jobs --insecure-registry registry.intern:5000

It is the same image of a few hundred bytes each time, under the tag flumen-check. A registry that allows
no deleting keeps it; that is no failure.")]
pub struct Check {
    /// Repository that images are to be pushed to; registries often make it when something is pushed
    #[arg(value_name = "REGISTRY/REPOSITORY")]
    repository: Repository,

    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone)]
struct Repository(Reference);

impl FromStr for Repository {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let reference: Reference = text.parse()?;
        if reference.tag().is_some() || reference.digest().is_some() {
            let allowed = "expected REGISTRY/REPOSITORY without tag and digest";
            return Err(InvalidValue::new("repository", text, allowed));
        }
        Ok(Self(reference))
    }
}

pub(crate) fn run(command: &Registry, streams: &mut Streams<'_>) -> Result<(), Error> {
    let Registry::Check(Check { repository: Repository(repository), connection }) = command;
    let session = Session::start(connection, Platform::default(), &[repository], streams)?;
    let line = || format!("checking {repository}");
    let checked = session.run(line, session.client.check(repository), streams)?;
    if streams.json {
        return streams.print_json(&json!({
            "registry": repository.registry(),
            "repository": repository.repository(),
            "probe": checked.reference.to_string(),
            "tag": checked.tag,
            "isDeleted": checked.kept_because.is_none(),
            "keptBecause": checked.kept_because,
        }));
    }
    match &checked.kept_because {
        None => streams.print(&format!(
            "{repository} takes images: a probe was pushed, read back and deleted.\n"
        )),
        Some(reason) => {
            streams.print(&format!(
                "{repository} takes images: a probe was pushed and read back.\n"
            ))?;
            let tag = &checked.tag;
            streams.note(&format!("warning: the probe stays under the tag {tag}: {reason}"))
        }
    }
}
