use clap::Args;
use flumen_api_types::ProjectLogQuery;
use flumen_model::ProjectName;
use reqwest::Method;

use crate::{
    Error,
    commands::{Context, log},
};

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

impl Log {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        log::check_follow(context, self.follow)?;
        let action = format!("print the log of the project {}", self.name);
        let query = ProjectLogQuery { build: self.build, follow: self.follow };
        let path = ["projects", self.name.as_str(), "log"];
        let call = context.client.call(Method::GET, &action, &path);
        log::print(context, call.query(&query), &action).await
    }
}
