use std::{collections::BTreeMap, io::Read as _, path::PathBuf};

use clap::Args;
use flumen_api_types::{Environment, EnvironmentSpec, Storage};
use flumen_model::{ConfigurationValue, Delivery, EnvironmentName, FetchFrom, Namespace};
use reqwest::Method;
use serde::Deserialize;

use crate::{Error, commands::Context};

/// Create or change an environment as its file says
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen environment apply -f prod.yaml
  flumen environment show prod --output json
  envsubst < prod.yaml | flumen environment apply -f -

The file names cluster, namespace, registry, storage, delivery, fetchFrom and configuration; `flumen schema
environment` describes it. Keys of the storage that it has (accessKey, secretKey) go into a Secret of the
environment's namespace; Flumen keeps them nowhere else and shows them to nobody.")]
pub struct Apply {
    /// The file of the environment, or - for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    name: EnvironmentName,
    cluster: String,
    namespace: Namespace,
    registry: String,
    storage: Storage,
    #[serde(default)]
    delivery: Delivery,
    #[serde(default)]
    fetch_from: FetchFrom,
    #[serde(default)]
    configuration: BTreeMap<String, ConfigurationValue>,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let Written {
            name,
            cluster,
            namespace,
            registry,
            storage,
            delivery,
            fetch_from,
            configuration,
        } = self.read()?;
        let spec = EnvironmentSpec {
            cluster,
            namespace,
            registry,
            storage,
            delivery,
            fetch_from,
            configuration,
        };
        let path = ["environments", name.as_str()];
        let action = format!("change the environment {name}");
        let call = context.client.call(Method::PUT, action, &path);
        let saved: Environment = call.json(&spec).fetch().await?;
        if context.printer.is_json() {
            return context.printer.json(&saved);
        }
        context.printer.line(format!(
            "The environment {name} is as its file says. Check it with: flumen environment check {name}"
        ))
    }

    fn read(&self) -> Result<Written, Error> {
        let file =
            if self.file.as_os_str() == "-" { "standard input".into() } else { self.file.clone() };
        let text = if self.file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(&self.file)
        };
        let text =
            text.map_err(|source| Error::ReadEnvironmentFile { file: file.clone(), source })?;
        // A snippet of the file could have a key in it.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        serde_saphyr::from_str_with_options(&text, options)
            .map_err(|source| Error::EnvironmentFile { file, source: Box::new(source) })
    }
}
