use clap::Args;
use flumen_api_types::{Version, VersionQuery};
use flumen_model::FlinkVersion;

use crate::{Cell, Error, Table, Tone, arguments::EnvironmentArguments, commands::Context, text};

/// Show a Flink version
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen version show 1.20.5")]
pub struct Show {
    /// The Flink version, such as 1.20.5
    version: FlinkVersion,

    #[command(flatten)]
    environment: EnvironmentArguments,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("show Flink {}", self.version);
        let environment = context.environment(self.environment);
        let query = VersionQuery { environment: Some(environment) };
        let path = ["versions", &self.version.to_string()];
        let version: Version = context.client.get(action, &path, &query).await?;
        if context.printer.is_json() {
            return context.printer.json(&version);
        }
        let mut table = Table::pairs();
        table.pair("version", version.version.to_string());
        table.pair("environment", version.environment.as_str());
        table.pair("source", version.source.as_str());
        table.pair("base image", version.base_image.as_str());
        if let Some(python) = &version.python {
            table.pair("python", format!("{python}, with PyFlink"));
        }
        table.pair("added", text::moment(version.added_at));
        context.printer.table(&table)?;
        if version.jobs.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&["JOB", "BASE IMAGE", ""]);
        for job in &version.jobs {
            let base = job.base_image.as_deref().unwrap_or_default();
            let (mark, tone) = match &job.base_image {
                Some(base) if *base == version.base_image => ("this one", Tone::Good),
                Some(_) => ("another one", Tone::Notice),
                None => ("", Tone::Plain),
            };
            table.row(vec![job.name.as_str().into(), base.into(), Cell::new(mark, tone)]);
        }
        context.printer.table(&table)
    }
}
