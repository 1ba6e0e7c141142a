//! `flumen explain`.

mod describe;
mod origin;

use clap::Args;
use flumen_flink_conf::Catalogue;
use serde::Serialize;

use crate::{
    Error, JobArguments, Streams,
    offline::{Planned, plan_all},
};
use origin::{Explained, all, one};

/// Print every effective Flink option of a job with the layer that set it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen explain -f word-count.yaml
  flumen explain -f word-count.yaml taskmanager.numberOfTaskSlots
  flumen explain -f word-count.yaml --layer environment=prod.yaml --layer team=data.yaml
  flumen explain -f word-count.yaml --output json

Layers, lowest first: Flink version, platform, cluster, environment, team, job, run; above them what
Flink's own client always writes.")]
pub struct Explain {
    #[command(flatten)]
    job: JobArguments,

    /// Only this option, with its type, default and other names
    #[arg(value_name = "KEY")]
    key: Option<String>,
}

/// What is known about the options of one job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobOptions {
    job: String,
    environment: String,
    flink_version: String,
    options: Vec<Explained>,
}

pub(crate) fn run(arguments: &Explain, streams: &mut Streams<'_>) -> Result<(), Error> {
    let mut jobs = Vec::new();
    for job in plan_all(&arguments.job, streams)? {
        jobs.push(options(&job, arguments.key.as_deref())?);
    }
    if streams.json {
        return streams.print_json(&jobs);
    }
    let several = jobs.len() > 1;
    for job in &jobs {
        if several {
            streams.print(&format!("# job {} on Flink {}\n", job.job, job.flink_version))?;
        }
        for option in &job.options {
            let text = if arguments.key.is_some() {
                describe::full(option)
            } else {
                describe::line(option)
            };
            streams.print(&text)?;
        }
    }
    Ok(())
}

fn options(job: &Planned, key: Option<&str>) -> Result<JobOptions, Error> {
    let options = match key {
        None => all(job),
        Some(key) => vec![one(job, key).ok_or_else(|| unknown(job, key))?],
    };
    Ok(JobOptions {
        job: job.spec.name.to_string(),
        environment: job.spec.environment.to_string(),
        flink_version: job.spec.flink_version.to_string(),
        options,
    })
}

fn unknown(job: &Planned, key: &str) -> Error {
    let version = job.spec.flink_version;
    let near = Catalogue::of(version.minor()).suggest(key);
    Error::UnknownKey {
        key: key.to_owned(),
        version: version.to_string(),
        hint: near.map(str::to_owned),
    }
}
