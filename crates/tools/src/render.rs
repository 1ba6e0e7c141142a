//! `flumen render`.

use clap::Args;
use flumen_flink_conf::{HIDDEN, is_sensitive};
use flumen_flink_manifest::Manifests;
use serde_json::Value;

use crate::{
    Error, JobArguments, Streams,
    offline::{Planned, plan_all},
};

/// Print the Kubernetes objects of a job
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen render -f word-count.yaml
  flumen render -f word-count.yaml --namespace flink --image registry.example.com/flink/word-count:1
  flumen render -f word-count.yaml --output json | jq '.[0].spec'

Flumen creates the Deployment first and makes it the owner of the rest; that part cannot be printed
before the Deployment exists. Values of options that hold passwords and keys are printed as asterisks.")]
pub struct Render {
    #[command(flatten)]
    job: JobArguments,

    /// Print passwords and keys as they are
    #[arg(long)]
    show_secrets: bool,
}

pub(crate) fn run(arguments: &Render, streams: &mut Streams<'_>) -> Result<(), Error> {
    let mut objects = Vec::new();
    for job in plan_all(&arguments.job, streams)? {
        objects.extend(printable(&job, arguments.show_secrets)?);
    }
    if streams.json {
        return streams.print_json(&objects);
    }
    for object in &objects {
        let text = serde_saphyr::to_string(object)
            .map_err(|source| Error::WriteYaml { source: Box::new(source) })?;
        streams.print(&format!("---\n{text}"))?;
    }
    Ok(())
}

/// The objects without owners, whose uid nobody knows yet, and without secrets.
fn printable(job: &Planned, show_secrets: bool) -> Result<Vec<Value>, Error> {
    let hidden = if show_secrets { None } else { without_secrets(job)? };
    let mut objects = hidden.as_ref().unwrap_or(&job.manifests).objects();
    for object in &mut objects {
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        if let Some(metadata) = metadata {
            metadata.shift_remove("ownerReferences");
        }
    }
    Ok(objects)
}

fn without_secrets(job: &Planned) -> Result<Option<Manifests>, Error> {
    let mut spec = job.plan.spec.clone();
    let secret = |key: &str| is_sensitive(key).then(|| key.to_owned());
    let keys: Vec<_> = spec.configuration.iter().filter_map(|(key, _)| secret(key)).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    for key in keys {
        spec.configuration.set_text(&key, HIDDEN);
    }
    let failed = |source| Error::Render { job: job.spec.name.to_string(), source };
    flumen_flink_manifest::render(&spec).map(Some).map_err(failed)
}
