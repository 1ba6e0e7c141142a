//! Many different jobs rendered in this process.

use std::time::Instant;

use anyhow::{Context, Result};
use flumen_flink_conf::Configuration;
use flumen_flink_manifest::{Application, ClientFiles, DeploySpec, Marks, Mode, render};
use flumen_model::{FlinkMinor, FlinkVersion};

use crate::figures::{Series, Table, Unit};

const JOBS: usize = 1000;

/// Renders jobs of all versions, each with a name, parallelism and options of its own.
pub(crate) fn measure(runs: usize) -> Result<Table> {
    let specs: Vec<_> = (0..JOBS).map(spec).collect();
    let mut series = Series::default();
    for _ in 0..runs {
        let began = Instant::now();
        for spec in &specs {
            render(spec).context("a job could not be rendered")?;
        }
        series.push(began.elapsed());
    }
    let mut table = Table::new("8. Rendering");
    let what = format!("{JOBS} different jobs in one process, one thread");
    table.alone(&what, Unit::Milliseconds, &series, "1000 ms");
    Ok(table)
}

fn spec(number: usize) -> DeploySpec {
    let minor = FlinkMinor::SUPPORTED[number % FlinkMinor::SUPPORTED.len()];
    let mut configuration = Configuration::new(minor);
    for (key, text) in [
        ("kubernetes.cluster-id", format!("job-{number}")),
        ("kubernetes.container.image", format!("registry.example.com/jobs:{number}")),
        ("jobmanager.memory.process.size", format!("{}m", 1600 + number % 100)),
        ("taskmanager.memory.process.size", format!("{}m", 1728 + number % 100)),
        ("taskmanager.numberOfTaskSlots", (1 + number % 8).to_string()),
        ("execution.checkpointing.interval", format!("{} s", 1 + number)),
        ("state.checkpoints.dir", format!("s3://bucket/checkpoints/{number}")),
        ("kubernetes.jobmanager.labels", format!("team:t{number},stage:prod")),
        ("containerized.master.env.NUMBER", number.to_string()),
    ] {
        configuration.set_text(key, text);
    }
    let application = Application {
        jar: Some("local:///opt/flink/usrlib/job.jar".to_owned()),
        arguments: (0..number % 10).map(|at| format!("--argument-{at}={number}")).collect(),
        ..Application::default()
    };
    DeploySpec {
        version: FlinkVersion::new(minor, 0),
        mode: Mode::Application(Box::new(application)),
        configuration,
        files: ClientFiles::default(),
        marks: Marks::default(),
    }
}
