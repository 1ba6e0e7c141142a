use clap::Args;
use flumen_api_types::{Environment, Storage};
use flumen_model::EnvironmentName;

use super::storage;
use crate::{Error, Table, commands::Context, text};

/// Show an environment
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen environment show local")]
pub struct Show {
    /// Name of the environment
    name: EnvironmentName,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let action = format!("show the environment {}", self.name);
        let path = ["environments", self.name.as_str()];
        let environment: Environment = context.client.get(action, &path, &()).await?;
        if context.printer.is_json() {
            return context.printer.json(&environment);
        }
        let spec = &environment.spec;
        let mut table = Table::pairs();
        table.pair("environment", environment.name.as_str());
        table.pair("cluster", spec.cluster.as_str());
        table.pair("namespace", spec.namespace.as_str());
        table.pair("registry", spec.registry.as_str());
        table.pair("storage", storage(&environment));
        for (name, value) in details(&spec.storage) {
            table.pair(name, value);
        }
        table.pair("delivery", spec.delivery.as_str());
        table.pair("fetch from", spec.fetch_from.as_str());
        table.pair("created", text::moment(environment.created_at));
        context.printer.table(&table)?;
        if spec.configuration.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&["FLINK OPTION", "VALUE"]);
        for (key, value) in &spec.configuration {
            let value = serde_json::to_string(value).unwrap_or_default();
            table.row(vec![key.as_str().into(), value.trim_matches('"').into()]);
        }
        context.printer.line("")?;
        context.printer.table(&table)
    }
}

/// How the storage is reached, as far as it says.
fn details(storage: &Storage) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let mut tell = |name, value: Option<String>| all.extend(value.map(|value| (name, value)));
    match storage {
        Storage::HostPath { mount_path, .. } => tell("seen by pods as", Some(mount_path.clone())),
        Storage::File(storage) => tell("claim", storage.claim.as_ref().map(ToString::to_string)),
        Storage::S3(storage) => {
            tell("endpoint", storage.endpoint.as_ref().map(ToString::to_string));
            tell("region", storage.region.as_ref().map(ToString::to_string));
            let secret = storage.credentials.as_ref().and_then(|keys| keys.secret.as_ref());
            tell("keys in Secret", secret.map(ToString::to_string));
        }
        Storage::Oss(storage) => {
            tell("endpoint", Some(storage.endpoint.to_string()));
            tell("keys in Secret", storage.credentials.secret.as_ref().map(ToString::to_string));
        }
        Storage::Hdfs(storage) => {
            let name = storage.hadoop_config_map.as_ref();
            tell("Hadoop's ConfigMap", name.map(ToString::to_string));
        }
    }
    all
}
