use clap::Args;
use flumen_api_types::{BuildProject, Operation, Project};
use flumen_model::{GitReference, ProjectName};
use reqwest::Method;

use super::short_commit;
use crate::{
    Error,
    arguments::WaitArguments,
    commands::Context,
    follow::{self, Deadline},
};

/// Build a project and take its jar
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen project build orders --wait
  flumen project build orders --ref v1.4.0 --wait --timeout 10m
  flumen project log orders --follow")]
pub struct Build {
    /// Name of the project
    name: ProjectName,

    /// Branch, tag, or whole id of a commit [default: what the project says]
    #[arg(long, value_name = "REF")]
    r#ref: Option<GitReference>,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Build {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let name = self.name.as_str();
        let action = format!("build the project {name}");
        let call = context.client.call(Method::POST, action, &["projects", name, "builds"]);
        let order = BuildProject { reference: self.r#ref };
        let operation: Operation = call.json(&order).idempotent().fetch().await?;
        if !self.wait.wait {
            return context.started(&operation);
        }
        let deadline = Deadline::after(self.wait.timeout);
        let operation = follow::operation(context, operation, deadline).await?;
        if context.printer.is_json() {
            return context.printer.json(&operation);
        }
        let action = format!("show the project {name}");
        let project: Project = context.client.get(action, &["projects", name], &()).await?;
        let build = project.builds.iter().find(|build| build.operation == operation.id);
        let commit = build.map(short_commit).unwrap_or_default();
        context.printer.line(format!(
            "The project {name} is built from commit {commit}; a job file names its jar as project://{name}."
        ))
    }
}
