use clap::Subcommand;
use flumen_api_types::ProjectBuild;

use crate::{Error, commands::Context};

mod apply;
mod build;
mod delete;
mod list;
mod log;
mod show;

/// Build jars from git repositories, in pods
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen project apply -f project.yaml
  flumen project build orders --wait
  flumen project build orders --ref v1.4.0 --wait
  flumen project log orders --follow

A job file takes the jar of the newest good build with artifact: project://NAME.")]
pub enum Command {
    /// Create or change a project as its file says
    Apply(apply::Apply),
    /// List projects with their newest builds
    List(list::List),
    /// Show a project and its newest builds
    Show(show::Show),
    /// Build a project and take its jar
    Build(build::Build),
    /// Print the log of a build, also after its pod is gone
    Log(log::Log),
    /// Forget a project and its builds; jobs keep the jars that they have
    Delete(delete::Delete),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::Apply(command) => command.run(context).await,
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Build(command) => command.run(context).await,
        Command::Log(command) => command.run(context).await,
        Command::Delete(command) => command.run(context).await,
    }
}

/// The beginning of the commit, which is enough for people.
fn short_commit(build: &ProjectBuild) -> String {
    let commit = build.artifact.as_ref().map(|artifact| artifact.commit.as_str());
    commit.map(|commit| commit.chars().take(12).collect()).unwrap_or_default()
}
