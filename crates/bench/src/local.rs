//! How long `flumen local` takes to be ready.

use std::{
    fs,
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
struct Starts {
    binary: PathBuf,
    directory: PathBuf,
    /// When the node was ready at the last start, in its own words.
    heartbeat: Option<String>,
}

impl Starts {
    fn new(binary: &Path, directory: &Path) -> Self {
        Self { binary: binary.to_owned(), directory: directory.to_owned(), heartbeat: None }
    }

    /// The time and the CPU time until the cluster is ready; it is stopped then.
    fn start(&mut self) -> Result<(Duration, Duration)> {
        fs::create_dir_all(&self.directory).context("no directory for the local cluster")?;
        let kubeconfig = self.directory.join("local/kubeconfig");
        let old = modified(&kubeconfig);
        thread::sleep(NEXT_SECOND);
        let began = Instant::now();
        let mut child = flumen_e2e::command(&self.binary)
            .args(["local", "--data-directory"])
            .arg(&self.directory)
            .args(["--kubernetes-listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", self.binary.display()))?;
        let ready = self.ready(&mut child, &kubeconfig, (old, began));
        let spent = ready.and_then(|wall| Ok((wall, process::cpu(child.id())?)));
        let id = i32::try_from(child.id()).context("a process id is an i32")?;
        kill(Pid::from_raw(id), Signal::SIGINT).context("could not stop flumen local")?;
        child.wait().context("could not wait for flumen local")?;
        spent
    }

    fn ready(
        &mut self,
        child: &mut Child,
        kubeconfig: &Path,
        (old, began): (Option<SystemTime>, Instant),
    ) -> Result<Duration> {
        let mut cluster = None;
        loop {
            if cluster.is_none() && modified(kubeconfig) != old {
                cluster = Some(Cluster::connect(kubeconfig)?);
            }
            if let Some(beat) =
                cluster.as_ref().and_then(|one| heartbeat(one, self.heartbeat.as_deref()))
            {
                self.heartbeat = Some(beat);
                return Ok(began.elapsed());
            }
            if let Some(status) = child.try_wait()? {
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
