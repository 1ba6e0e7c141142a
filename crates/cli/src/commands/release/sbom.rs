use clap::Args;
use serde_json::Value;

use crate::{
    Error,
    arguments::JobArguments,
    commands::{Context, job::path},
};

/// Print what a release is made of, as SPDX in JSON
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen release sbom word-count 3
  flumen release sbom word-count 3 > word-count.spdx.json
  flumen release sbom word-count 3 | jq -r '.packages[].licenseDeclared'

Each file has its digests, and each package its licence where that is known. The
image of a job has the same about itself attached to it.")]
pub struct Sbom {
    #[command(flatten)]
    job: JobArguments,

    /// Number of the release, as flumen release list shows it
    release: u64,
}

impl Sbom {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let job = context.job(self.job);
        let number = self.release.to_string();
        let action = format!("list what release {number} of the job {job} is made of");
        let path = path(&job, &["releases", &number, "sbom"]);
        let document: Value = context.client.get(action, &path, &()).await?;
        context.printer.json(&document)
    }
}
