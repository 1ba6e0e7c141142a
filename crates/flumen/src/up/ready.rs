use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use flumen_cli::{GlobalArguments, Printer, ServerFile, Table};
use serde::Serialize;

use crate::{config, settings::Settings};

/// Where everything is, for who wants to use it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Addresses {
    url: String,
    ui_url: String,
    token: PathBuf,
    pub(super) kubeconfig: PathBuf,
    logs: PathBuf,
    data_directory: PathBuf,
}

impl Addresses {
    pub(super) fn new(
        settings: &Settings,
        url: String,
        ui_url: String,
        kubeconfig: PathBuf,
    ) -> Self {
        Self {
            url,
            ui_url,
            token: ServerFile::token_path(&settings.data_directory),
            kubeconfig,
            logs: settings.logs_directory(),
            data_directory: settings.data_directory.clone(),
        }
    }

    pub(super) fn print(&self, printer: &Printer, took: Duration) -> Result<()> {
        if printer.is_json() {
            return Ok(printer.json(self)?);
        }
        printer.line(format!("Flumen is up, after {:.1} s.\n", took.as_secs_f64()))?;
        let mut table = Table::pairs();
        table.pair("API", self.url.as_str());
        table.pair("Flink's web UI", format!("{}, by `flumen job ui NAME`", self.ui_url));
        table.pair("token", self.token.display().to_string());
        table.pair("kubeconfig", self.kubeconfig.display().to_string());
        table.pair("logs", self.logs.display().to_string());
        printer.table(&table)?;
        printer.line("\nWhat to try next, in another terminal:")?;
        let mut usual = GlobalArguments::default();
        let known = config::locate(&mut usual).is_ok();
        if !known || usual.data_directory.as_ref() != Some(&self.data_directory) {
            printer.line(format!(
                "  export FLUMEN_DATA_DIRECTORY={}",
                self.data_directory.display()
            ))?;
        }
        for line in [
            "  flumen version add 1.20.5 --wait",
            "  flumen apply -f job.yaml --wait",
            "  flumen job list",
            "\nCtrl-C stops it all.",
        ] {
            printer.line(line)?;
        }
        Ok(())
    }
}
