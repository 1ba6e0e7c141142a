use clap::Args;
use flumen_api_types::Project;
use flumen_model::{BuildCache, BuildSettings, ProjectName};
use jiff::Timestamp;

use super::short_commit;
use crate::{
    Error, Table,
    commands::{Context, operation::state_cell},
    text,
};

/// Show a project and its newest builds
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen project show orders
  flumen project show orders --output json")]
pub struct Show {
    /// Name of the project
    name: ProjectName,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("show the project {}", self.name);
        let path = ["projects", self.name.as_str()];
        let project: Project = context.client.get(action, &path, &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&project);
        }
        context.printer.table(&summary(&project))?;
        if project.builds.is_empty() {
            return Ok(());
        }
        context.printer.line("")?;
        context.printer.table(&builds(&project, (context.now)()))
    }
}

fn summary(project: &Project) -> Table {
    let spec = &project.spec;
    let mut table = Table::pairs();
    table.pair("project", spec.name.as_str());
    table.pair("environment", spec.environment.as_str());
    table.pair("repository", spec.repository.as_str());
    table.pair("ref", spec.reference.as_str());
    table.pair_if("directory", spec.directory.as_ref().map(ToString::to_string));
    table.pair("builder", format!("{} {}", spec.builder.as_str(), spec.goals().join(" ")));
    table.pair_if("image", spec.image.clone());
    table.pair("artifact", spec.artifact());
    let resources = &spec.resources;
    table.pair("resources", format!("{} cpu, {}", resources.cpu, resources.memory));
    table.pair("timeout", format!("{:#}", spec.timeout));
    table.pair_if("credentials", spec.credentials.as_ref().map(|name| format!("Secret {name}")));
    table.pair_if(
        "settings",
        spec.settings.as_ref().map(|settings| match settings {
            BuildSettings::Secret(name) => format!("Secret {name}"),
            BuildSettings::ConfigMap(name) => format!("ConfigMap {name}"),
        }),
    );
    table.pair_if(
        "cache",
        spec.cache.as_ref().map(|cache| match cache {
            BuildCache::Claim(name) => format!("PersistentVolumeClaim {name}"),
            BuildCache::HostPath(path) => path.to_string(),
        }),
    );
    table.pair("changed", text::moment(project.updated_at));
    table
}

fn builds(project: &Project, now: Timestamp) -> Table {
    let mut table =
        Table::new(&["BUILD", "REF", "STATE", "COMMIT", "SIZE", "BEGAN", "TOOK", "OPERATION"]);
    for build in &project.builds {
        let took = text::between(build.created_at, build.finished_at.unwrap_or(now));
        let size = build.artifact.as_ref().map(|artifact| text::bytes(artifact.size));
        table.row(vec![
            build.number.to_string().into(),
            build.reference.as_str().into(),
            state_cell(build.state),
            short_commit(build).into(),
            size.unwrap_or_default().into(),
            text::moment(build.created_at).into(),
            text::duration(took).into(),
            build.operation.to_string().into(),
        ]);
    }
    table
}
