//! The peer: `bin/flink run-application` of a real Flink distribution.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

/// The Flink version of both sides.
pub(crate) const FLINK: &str = "1.20.5";
/// A job of Flink's examples that runs until it is cancelled.
pub(crate) const MAIN_CLASS: &str =
    "org.apache.flink.streaming.examples.statemachine.StateMachineExample";
/// Little load and nothing to print, so that only its start is seen.
pub(crate) const ARGUMENTS: [&str; 4] = ["--error-rate", "0.0", "--rps", "10"];
/// Its cluster id.
pub(crate) const CLUSTER_ID: &str = "bench-peer";

/// Flink's own client, set up as its documentation says.
#[derive(Debug)]
pub(crate) struct Peer {
    home: PathBuf,
    configuration: PathBuf,
    arguments: Vec<String>,
}

impl Peer {
    /// `image` is the one that Flumen runs the same job from, `jar` the name of the job's jar in it.
    pub(crate) fn new(
        home: &Path,
        directory: &Path,
        kubeconfig: &Path,
        (image, jar): (&str, &str),
    ) -> Result<Self> {
        let configuration = directory.join("flink-conf");
        fs::create_dir_all(&configuration).context("no directory for Flink's configuration")?;
        let shipped = home.join("conf");
        let entries = fs::read_dir(&shipped)
            .with_context(|| format!("could not read {}", shipped.display()))?;
        for entry in entries {
            let entry = entry?;
            fs::copy(entry.path(), configuration.join(entry.file_name()))?;
        }
        let arguments = [
            format!("-Dkubernetes.cluster-id={CLUSTER_ID}"),
            format!("-Dkubernetes.config.file={}", kubeconfig.display()),
            format!("-Dkubernetes.container.image.ref={image}"),
            "-Dkubernetes.rest-service.exposed.type=ClusterIP".to_owned(),
            "-Dkubernetes.jobmanager.cpu.amount=0.5".to_owned(),
            "-Dkubernetes.taskmanager.cpu.amount=0.5".to_owned(),
            "-Djobmanager.memory.process.size=1g".to_owned(),
            "-Dtaskmanager.memory.process.size=1g".to_owned(),
            "-Dtaskmanager.numberOfTaskSlots=1".to_owned(),
            "-Dparallelism.default=2".to_owned(),
            format!("--class={MAIN_CLASS}"),
            format!("local:///opt/flink/usrlib/{jar}"),
        ];
        let arguments = arguments.into_iter().chain(ARGUMENTS.map(str::to_owned)).collect();
        Ok(Self { home: home.to_owned(), configuration, arguments })
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.home.join("bin/flink"));
        command
            .args(["run-application", "--target", "kubernetes-application"])
            .args(&self.arguments)
            .env("FLINK_CONF_DIR", &self.configuration)
            .env("FLINK_LOG_DIR", &self.configuration)
            .stdin(Stdio::null());
        command
    }
}

/// The same job for Flumen. `number` tells two releases of it apart, which differ in nothing that counts.
pub(crate) fn job_file(name: &str, jar: &Path, number: usize) -> String {
    format!(
        "name: {name}
environment: local
flinkVersion: {FLINK}
artifact: {jar}
mainClass: {MAIN_CLASS}
arguments: [{arguments}]
parallelism: 2
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 1}}
configuration:
  pipeline.name: release {number}
  # As the peer's job, which has none either.
  high-availability.type: NONE
",
        jar = jar.display(),
        arguments = ARGUMENTS.map(|argument| format!("'{argument}'")).join(", "),
    )
}
