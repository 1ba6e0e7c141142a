use clap::Args;
use flumen_api_types::Release;
use flumen_flink_conf::shown_value;
use serde_json::Value;

use crate::{
    Error, Table,
    arguments::JobArguments,
    commands::{Context, job::path},
    text,
};

/// Show a release: its files and the rest of its job file
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen release show word-count 3
  flumen release show word-count 3 --output json")]
pub struct Show {
    #[command(flatten)]
    job: JobArguments,

    /// Number of the release, as flumen release list shows it
    release: u64,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let number = self.release.to_string();
        let action = format!("show release {number} of the job {job}");
        let release: Release =
            context.client.get(action, &path(&job, &["releases", &number]), &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&release);
        }
        context.printer.table(&summary(&release))?;
        if !release.artifacts.is_empty() {
            context.printer.line("")?;
            context.printer.table(&files(&release))?;
        }
        context.printer.line("")?;
        context.printer.table(&fields(&release))
    }
}

fn summary(release: &Release) -> Table {
    let mut table = Table::pairs();
    table.pair("release", release.number.to_string());
    table.pair("id", release.id.to_string());
    table.pair("made", text::moment(release.created_at));
    table.pair("by", release.created_by.as_str());
    table.pair("flink", release.flink_version.to_string());
    for source in &release.sources {
        let text = format!(
            "{} from project {}, build {}: commit {} of {}",
            source.name, source.project, source.build, source.commit, source.repository
        );
        table.pair("source", text);
    }
    table
}

fn files(release: &Release) -> Table {
    let mut table = Table::new(&["FILE", "ROLE", "SIZE", "SHA-256", "MAVEN"]);
    for artifact in &release.artifacts {
        table.row(vec![
            artifact.name.as_str().into(),
            artifact.role.as_str().into(),
            text::bytes(artifact.size).into(),
            artifact.digest.hex()[..12].into(),
            artifact.maven.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

/// The job file, a line for each field; values of secret options are not shown.
fn fields(release: &Release) -> Table {
    let mut table = Table::new(&["FIELD", "VALUE"]);
    for (name, value) in &release.job {
        add(&mut table, name, value);
    }
    table
}

fn add(table: &mut Table, name: &str, value: &Value) {
    if let Value::Object(map) = value {
        for (key, value) in map {
            add(table, &format!("{name}.{key}"), value);
        }
        return;
    }
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let shown = match name.strip_prefix("configuration.") {
        Some(key) => shown_value(key, &text),
        None => text,
    };
    table.row(vec![name.into(), shown.into()]);
}
