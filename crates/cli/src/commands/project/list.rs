use clap::Args;
use flumen_api_types::{Page, Project};

use super::short_commit;
use crate::{
    Cell, Error, Table, Tone,
    commands::{Context, operation::state_cell},
    text,
};

/// List projects with their newest builds
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen project list
  flumen project list --output json")]
pub struct List {}

impl List {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let page: Page<Project> =
            context.client.get("list projects", &["projects"], &[("limit", 500)]).await?;
        if context.printer.is_json() {
            return context.printer.json(&page);
        }
        let mut table = Table::new(&[
            "NAME",
            "ENVIRONMENT",
            "REPOSITORY",
            "REF",
            "BUILD",
            "STATE",
            "COMMIT",
            "BEGAN",
        ]);
        for project in &page.items {
            let (spec, build) = (&project.spec, project.builds.first());
            table.row(vec![
                spec.name.as_str().into(),
                spec.environment.as_str().into(),
                spec.repository.as_str().into(),
                spec.reference.as_str().into(),
                build.map(|build| build.number.to_string()).unwrap_or_default().into(),
                build.map_or_else(|| Cell::new("", Tone::Plain), |build| state_cell(build.state)),
                build.map(short_commit).unwrap_or_default().into(),
                build.map(|build| text::moment(build.created_at)).unwrap_or_default().into(),
            ]);
        }
        context.printer.table(&table)
    }
}
