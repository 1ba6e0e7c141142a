//! One side: a local cluster with its own control plane, or with that of Kubernetes.

use std::{ffi::OsString, fs::File, path::Path, thread, time::Duration};

use anyhow::{Context, Result, anyhow};
use flumen_e2e::processes::family;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use crate::{
    local::{Running, Starts},
    process,
};

const PROGRAMS: [&str; 3] = ["etcd", "kube-apiserver", "kube-controller-manager"];
/// Where kube-apiserver listens, in the node's network.
const INSIDE: &str = "https://127.0.0.1:6443";
/// After this nothing moves any more that belongs to the start.
const SETTLED: Duration = Duration::from_secs(20);

/// A local cluster that runs.
pub(crate) struct Side {
    running: Running,
    has_programs: bool,
}

impl Side {
    pub(crate) fn start(
        binary: &Path,
        directory: &Path,
        programs: Option<&Path>,
        arguments: &[&str],
    ) -> Result<Self> {
        let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        if let Some(programs) = programs {
            all.extend(["--control-plane".into(), programs.into()]);
        }
        let running = Starts::new(binary, directory).with(all).launch()?;
        Ok(Self { running, has_programs: programs.is_some() })
    }

    /// From the start of the process to a ready node.
    pub(crate) fn ready(&self) -> Duration {
        self.running.wall
    }

    /// Resident memory of the control plane when nothing happens, in MiB.
    pub(crate) fn idle(&self) -> Result<f64> {
        thread::sleep(SETTLED);
        self.resident()
    }

    /// Resident memory of all processes, in MiB: of `flumen local` with its node, of the peer its three programs alone.
    pub(crate) fn resident(&self) -> Result<f64> {
        let mut bytes = 0;
        for process in self.processes() {
            bytes += process::memory(process)?.resident;
        }
        Ok(process::mebibytes(bytes))
    }

    /// The processes of its pods that run this program.
    pub(crate) fn pods_of(&self, program: &str) -> usize {
        let all = family(self.running.id()).into_iter();
        all.filter(|(_, command)| command.split(' ').next() == Some(program)).count()
    }

    /// Resident memory of `flumen local` itself when nothing happens yet, in MiB.
    pub(crate) fn idle_alone(&self) -> Result<f64> {
        thread::sleep(SETTLED);
        self.resident_alone()
    }

    /// Resident memory of `flumen local` itself, without the pods, in MiB.
    pub(crate) fn resident_alone(&self) -> Result<f64> {
        Ok(process::mebibytes(process::memory(self.running.id())?.resident))
    }

    fn processes(&self) -> Vec<u32> {
        let all = family(self.running.id()).into_iter();
        all.filter(|(_, command)| !self.has_programs || program(command).is_some())
            .map(|(process, _)| process)
            .collect()
    }

    /// Where it keeps images.
    pub(crate) fn registry(&self) -> Result<String> {
        let said = self.running.said()?;
        let registry = said.get("registry").and_then(Value::as_str);
        Ok(registry.context("flumen local names no registry")?.to_owned())
    }

    /// Does something as a client on the API server's own network, so that nothing lies between them on either side.
    pub(crate) fn run<T: Send>(
        &self,
        work: impl AsyncFnOnce(Client) -> Result<T> + Send,
    ) -> Result<T> {
        let namespace = self.namespace()?;
        let work = || {
            if let Some(namespace) = namespace {
                setns(namespace, CloneFlags::CLONE_NEWNET).context("the node's network")?;
            }
            // Its threads are in the network of the one that makes it.
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .context("no runtime")?;
            runtime.block_on(async { work(self.client().await?).await })
        };
        thread::scope(|scope| scope.spawn(work).join())
            .map_err(|_| anyhow!("the client ended in a panic"))?
    }

    fn namespace(&self) -> Result<Option<File>> {
        if !self.has_programs {
            return Ok(None);
        }
        let all = family(self.running.id()).into_iter();
        let mut servers = all.filter(|(_, command)| program(command) == Some("kube-apiserver"));
        let (server, _) = servers.next().context("there is no kube-apiserver")?;
        Ok(Some(File::open(format!("/proc/{server}/ns/net")).context("its network")?))
    }

    async fn client(&self) -> Result<Client> {
        let file = Kubeconfig::read_from(&self.running.kubeconfig)?;
        let mut config =
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        if self.has_programs {
            config.cluster_url = INSIDE.parse().context("an address")?;
        }
        // Whoever takes the time of an answer must not be made to wait before asking again.
        config.default_retry = false;
        Ok(Client::try_from(config)?)
    }
}

/// The program of the peer that a command line is of.
fn program(command: &str) -> Option<&'static str> {
    let path = Path::new(command.split(' ').next()?);
    PROGRAMS.into_iter().find(|program| path.ends_with(program))
}
