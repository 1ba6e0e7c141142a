//! One cluster: a process that can be stopped or killed, and started again on the same directory.

use std::fmt::Debug;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, LogParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{Condition, await_condition};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

use crate::image;
use crate::leftovers::{Leftovers, family};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Of every Linux.
pub(crate) const NOBODY: u32 = 65_534;
const PROGRAM: &str = env!("CARGO_BIN_EXE_flumen-localcluster");

/// What outlives one run of a cluster.
#[derive(Clone)]
pub(crate) struct Place {
    directory: Arc<tempfile::TempDir>,
    registry: SocketAddr,
    size: Option<(u64, u64)>,
    door: Option<SocketAddr>,
    /// The program, and as whom it runs, if not as the test does.
    program: PathBuf,
    user: Option<u32>,
    nodes: Option<(u8, u16)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("directory"));
        let registry = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            directory,
            registry,
            size: None,
            door: None,
            program: PROGRAM.into(),
            user: None,
            nodes: None,
        }
    }

    /// Run by a user who owns the directory and nothing else.
    pub(crate) fn of_an_ordinary_user() -> Self {
        let place = Self::new();
        if !rustix::process::geteuid().is_root() {
            return place;
        }
        // That user need not see where the program was built.
        let program = place.directory.path().join("program");
        std::fs::copy(PROGRAM, &program).expect("copied");
        std::os::unix::fs::chown(place.directory.path(), Some(NOBODY), Some(NOBODY))
            .expect("given away");
        Self { program, user: Some(NOBODY), ..place }
    }

    /// With a node of this size: thousandths of a core, bytes of memory.
    pub(crate) fn of_size(cpu_millis: u64, memory_bytes: u64) -> Self {
        Self { size: Some((cpu_millis, memory_bytes)), ..Self::new() }
    }

    /// With so many nodes, and so many that only pretend.
    pub(crate) fn of_nodes(nodes: u8, pretending: u16) -> Self {
        Self { nodes: Some((nodes, pretending)), ..Self::new() }
    }

    /// With a door to this address.
    pub(crate) fn with_door(self, door: SocketAddr) -> Self {
        Self { door: Some(door), ..self }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(user) = self.user {
            command.uid(user).gid(user).env("HOME", self.directory.path());
        }
        if let Some(door) = self.door {
            command.arg("--door").arg(door.to_string());
        }
        if let Some((nodes, pretending)) = self.nodes {
            command.arg("--nodes").arg(nodes.to_string());
            command.arg("--pretend-nodes").arg(pretending.to_string());
        }
        command.arg(self.path()).arg("127.0.0.1:0").arg(self.registry.to_string());
        if let Some((cpu, memory)) = self.size {
            command.arg(cpu.to_string()).arg(memory.to_string());
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn start(mut self) -> Cluster {
        let leftovers = Leftovers::look(self.directory.path());
        let mut child = self.command().spawn().expect("started");
        let errors = child.stderr.take().expect("standard error");
        let said = tokio::spawn(repeat(errors));
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .expect("ready in time")
            .expect("a line");
        let line = line.expect("the cluster ended instead of being ready");
        let words: Vec<&str> = line.split(' ').collect();
        let ["ready", url, registry, kubeconfig] = words.as_slice() else { panic!("{line}") };
        self.registry = registry.parse().expect("address");
        let kubeconfig = PathBuf::from(kubeconfig);
        let client = client(&kubeconfig).await;
        Cluster { place: self, client, url: (*url).to_owned(), kubeconfig, child, said, leftovers }
    }
}

pub(crate) async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("configuration");
    Client::try_from(config).expect("client")
}

pub(crate) struct Cluster {
    pub(crate) place: Place,
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) kubeconfig: PathBuf,
    child: Child,
    /// What it writes to standard error.
    said: JoinHandle<String>,
    leftovers: Leftovers,
}

impl Cluster {
    /// A cluster with the image `shell` in its registry.
    pub(crate) async fn start() -> Self {
        Self::start_at(Place::new()).await
    }

    pub(crate) async fn start_at(place: Place) -> Self {
        let cluster = place.start().await;
        image::push(cluster.place.registry).await;
        cluster
    }

    /// The image with a shell.
    pub(crate) fn shell(&self) -> String {
        format!("{}/shell:1", self.place.registry)
    }

    pub(crate) fn registry(&self) -> SocketAddr {
        self.place.registry
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) async fn create<K>(&self, object: Value) -> K
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Serialize
            + Debug,
    {
        let object: K = serde_json::from_value(object).expect("object");
        self.api::<K>().create(&PostParams::default(), &object).await.expect("created")
    }

    pub(crate) async fn log(&self, pod: &str) -> String {
        self.api::<k8s_openapi::api::core::v1::Pod>()
            .logs(pod, &LogParams::default())
            .await
            .expect("log")
    }

    /// Ends it as a user does; nothing must be left of it.
    pub(crate) async fn stop(mut self) -> Place {
        let pid = self.child.id().expect("running");
        let family = family(pid);
        send(pid, rustix::process::Signal::TERM);
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("ended in time")
            .expect("status");
        assert!(status.success(), "{status}");
        self.leftovers.assert_none(family).await;
        self.place
    }

    /// Kills the process above all pods; answers what the cluster says before it ends.
    pub(crate) async fn lose_pods(mut self) -> String {
        let family = family(self.child.id().expect("running"));
        send(family[1].pid, rustix::process::Signal::KILL);
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("ended in time");
        assert!(!status.expect("status").success());
        self.leftovers.assert_none(family).await;
        self.said.await.expect("standard error")
    }

    /// Kills it without a word; of its processes, mounts and interfaces nothing must be left either.
    pub(crate) async fn crash(mut self) -> Place {
        let family = family(self.child.id().expect("running"));
        self.child.kill().await.expect("killed");
        self.leftovers.assert_none(family).await;
        self.place
    }
}

fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("pid")).expect("pid");
    rustix::process::kill_process(pid, signal).expect("signal");
}

/// Passes on what a cluster says, and keeps it.
async fn repeat(errors: ChildStderr) -> String {
    let mut lines = BufReader::new(errors).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("standard error") {
        writeln!(std::io::stderr(), "{line}").expect("standard error");
        said.push_str(&line);
        said.push('\n');
    }
    said
}

/// Runs a cluster that must refuse to start; answers with what it says.
pub(crate) async fn refusal(mut command: Command) -> String {
    let mut child = command.spawn().expect("started");
    let mut said = String::new();
    let mut errors = child.stderr.take().expect("standard error");
    tokio::time::timeout(PATIENCE, errors.read_to_string(&mut said))
        .await
        .expect("ended in time")
        .expect("read");
    assert!(!child.wait().await.expect("status").success(), "{said}");
    said
}

/// Waits until the object of that name is as wanted; answers with it, or `None` if it is wanted gone.
pub(crate) async fn until<K>(api: &Api<K>, name: &str, wanted: impl Condition<K>) -> Option<K>
where
    K: Clone + Debug + Send + DeserializeOwned + Serialize + Resource + 'static,
{
    let Ok(found) =
        tokio::time::timeout(PATIENCE, await_condition(api.clone(), name, wanted)).await
    else {
        let mut found = api.get_opt(name).await.expect("get");
        if let Some(found) = &mut found {
            found.meta_mut().managed_fields = None;
        }
        panic!("{name} did not get there: {}", serde_json::to_string_pretty(&found).expect("text"));
    };
    found.expect("watch")
}

/// Waits until `look` finds something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let waited = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("not seen: {what}"))
}
