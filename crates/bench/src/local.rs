//! How long `flumen local` takes to be ready.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::{List, api::core::v1::Node};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    cluster::Cluster,
    figures::{Series, Table, Unit},
    process,
};

const LOOK_EVERY: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);
/// The node says in whole seconds when it was last ready; the next start must not be in the same one.
const NEXT_SECOND: Duration = Duration::from_millis(1100);

/// Each run is a first start in an empty directory and a second one in the same.
pub(crate) fn measure(binary: &Path, at: &Path, runs: usize, table: &mut Table) -> Result<()> {
    let mut warm_up = Starts::new(binary, &at.join("warm-up"));
    warm_up.start()?;
    let (mut cold, mut warm) = (Figures::default(), Figures::default());
    for run in 0..runs {
        let mut starts = Starts::new(binary, &at.join(run.to_string()));
        cold.push(starts.start()?);
        warm.push(starts.start()?);
    }
    table.alone("empty directory", Unit::Milliseconds, &cold.wall, "300 ms");
    table.alone("CPU of that", Unit::Milliseconds, &cold.cpu, "");
    table.alone("existing directory", Unit::Milliseconds, &warm.wall, "300 ms");
    table.alone("CPU of that", Unit::Milliseconds, &warm.cpu, "");
    Ok(())
}

#[derive(Default)]
struct Figures {
    wall: Series,
    cpu: Series,
}

impl Figures {
    fn push(&mut self, (wall, cpu): (Duration, Duration)) {
        self.wall.push(wall);
        self.cpu.push(cpu);
    }
}

/// Starts of a local cluster in one directory.
pub(crate) struct Starts {
    binary: PathBuf,
    directory: PathBuf,
    /// What it is started with besides.
    arguments: Vec<OsString>,
    /// When the node was ready at the last start, in its own words.
    heartbeat: Option<String>,
}

/// A local cluster that runs. It is told to stop and waited for when this is dropped.
pub(crate) struct Running {
    child: Child,
    said: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    /// From the start of the process until it was ready.
    pub(crate) wall: Duration,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it says of itself, which it does once it is ready.
    pub(crate) fn said(&self) -> Result<Value> {
        let began = Instant::now();
        loop {
            let said = fs::read_to_string(&self.said)
                .with_context(|| format!("could not read {}", self.said.display()))?;
            if let Ok(said) = serde_json::from_str(&said) {
                return Ok(said);
            }
            ensure!(began.elapsed() < PATIENCE, "flumen local says nothing of itself");
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGINT);
        }
        let _ = self.child.wait();
    }
}

impl Starts {
    pub(crate) fn new(binary: &Path, directory: &Path) -> Self {
        let (binary, directory) = (binary.to_owned(), directory.to_owned());
        Self { binary, directory, arguments: Vec::new(), heartbeat: None }
    }

    pub(crate) fn with(self, arguments: Vec<OsString>) -> Self {
        Self { arguments, ..self }
    }

    /// The time and the CPU time until the cluster is ready; it is stopped then.
    fn start(&mut self) -> Result<(Duration, Duration)> {
        let running = self.launch()?;
        Ok((running.wall, process::cpu(running.id())?))
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn launch(&mut self) -> Result<Running> {
        fs::create_dir_all(&self.directory).context("no directory for the local cluster")?;
        let said = self.directory.join("said");
        let output = File::create(&said).with_context(|| said.display().to_string())?;
        let kubeconfig = self.directory.join("local/kubeconfig");
        let old = modified(&kubeconfig);
        thread::sleep(NEXT_SECOND);
        let began = Instant::now();
        let child = flumen_e2e::command(&self.binary)
            .args(["local", "--output", "json", "--data-directory"])
            .arg(&self.directory)
            .args(["--kubernetes-listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", self.binary.display()))?;
        let mut running = Running { child, said, kubeconfig, wall: Duration::ZERO };
        running.wall = self.ready(&mut running, (old, began))?;
        Ok(running)
    }

    fn ready(
        &mut self,
        running: &mut Running,
        (old, began): (Option<SystemTime>, Instant),
    ) -> Result<Duration> {
        let mut cluster = None;
        loop {
            if cluster.is_none() && modified(&running.kubeconfig) != old {
                cluster = Some(Cluster::connect(&running.kubeconfig)?);
            }
            if let Some(beat) =
                cluster.as_ref().and_then(|one| heartbeat(one, self.heartbeat.as_deref()))
            {
                self.heartbeat = Some(beat);
                return Ok(began.elapsed());
            }
            if let Some(status) = running.child.try_wait()? {
                bail!("flumen local ended with {status} before it was ready");
            }
            ensure!(began.elapsed() < PATIENCE, "flumen local is not ready after {PATIENCE:?}");
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// When the node was ready, unless that was at the start before this one.
fn heartbeat(cluster: &Cluster, old: Option<&str>) -> Option<String> {
    cluster.text("/readyz").ok()?;
    let nodes: List<Node> = cluster.typed("/api/v1/nodes").ok()?;
    let conditions = nodes.items.into_iter().find_map(|node| node.status?.conditions)?;
    let ready = conditions.into_iter().find(|one| one.type_ == "Ready" && one.status == "True")?;
    let beat = ready.last_heartbeat_time?.0.to_string();
    (Some(beat.as_str()) != old).then_some(beat)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}
