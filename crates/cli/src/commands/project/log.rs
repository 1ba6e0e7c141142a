use std::borrow::Cow;

use clap::Args;
use flumen_api_types::ProjectLogQuery;
use flumen_model::ProjectName;
use futures::StreamExt as _;
use reqwest::Method;
use serde::Serialize;

use crate::{Error, commands::Context};

/// Print the log of a build, also after its pod is gone
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen project log orders
  flumen project log orders --follow
  flumen project log orders --build 3
  flumen project log orders --output json

With --output json the log is one value, {\"text\": \"...\"}, and cannot be followed.")]
pub struct Log {
    /// Name of the project
    name: ProjectName,

    /// Number of the build [default: the newest]
    #[arg(long, short, value_name = "NUMBER")]
    build: Option<u64>,

    /// Print new lines as they come, until the build has ended
    #[arg(long)]
    follow: bool,
}

/// A log as one value.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    text: Cow<'a, str>,
}

impl Log {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let as_json = context.printer.is_json();
        if as_json && self.follow {
            return Err(Error::FollowAsJson);
        }
        let action = format!("print the log of the project {}", self.name);
        let query = ProjectLogQuery { build: self.build, follow: self.follow };
        let path = ["projects", self.name.as_str(), "log"];
        let call = context.client.call(Method::GET, &action, &path);
        let mut chunks = call.query(&query).send().await?.bytes_stream();
        let mut kept = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|source| Error::Stream { action: action.clone(), source })?;
            if as_json {
                kept.extend_from_slice(&chunk);
            } else {
                context.printer.bytes(&chunk)?;
            }
        }
        if as_json {
            return context.printer.json(&Whole { text: String::from_utf8_lossy(&kept) });
        }
        Ok(())
    }
}
