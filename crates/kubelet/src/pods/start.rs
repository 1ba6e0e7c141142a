//! The effect "start a container".

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Container, Pod, Secret},
};
use kube::{Api, Resource};
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    announce::is_init,
    container::{Context, Places},
    node::Node,
    sandbox,
    state::{Running, Signal},
};
use crate::{
    cgroups::{Group, Limits},
    environment::{self, Lookups, service_variables},
    error::chain,
    events::Note,
    images::Image,
    logs::{self, capture},
    protocol::{self, Access, Exit, Mount},
    remove,
    runner::{self, Output},
};

/// Why a container did not start.
pub(super) enum Problem {
    /// It cannot be configured (yet); tried again, not counted as an end.
    Refused { reason: &'static str, message: String },
    /// Its process could not become the command; counts as an end.
    NotExecuted { message: String, container_id: String },
}

/// A started container, and what tells of its end.
pub(super) struct Started {
    pub(super) running: Running,
    pub(super) exit: oneshot::Receiver<Exit>,
    /// Ends when all of its output is in the log.
    pub(super) output: JoinHandle<()>,
    pub(super) termination_message: PathBuf,
    pub(super) configuration: protocol::Container,
    /// The control group of a container that has limits.
    pub(super) group: Option<Group>,
}

/// What is started.
pub(super) struct Start {
    pub(super) pod: Arc<Pod>,
    pub(super) uid: String,
    pub(super) container: Container,
    pub(super) image: Arc<Image>,
    pub(super) address: Ipv4Addr,
    /// Number of the attempt, 0 for the first.
    pub(super) attempt: u32,
}

const CONFIG_ERROR: &str = "CreateContainerConfigError";
const CREATE_ERROR: &str = "CreateContainerError";
/// Where a container leaves its last words unless it says otherwise.
const TERMINATION_LOG: &str = "/dev/termination-log";

fn config_error(error: &dyn std::error::Error) -> Problem {
    Problem::Refused { reason: CONFIG_ERROR, message: chain(error) }
}

fn create_error(error: &dyn std::error::Error) -> Problem {
    Problem::Refused { reason: CREATE_ERROR, message: chain(error) }
}

fn not_started(error: runner::Error, container_id: String) -> Problem {
    let runner::Error::Refused { message } = error else { return create_error(&error) };
    let message =
        format!("failed to create containerd task: failed to start container process: {message}");
    Problem::NotExecuted { message, container_id }
}

/// Directory of a pod's logs.
pub(super) fn log_directory(node: &Node, uid: &str, container: &str) -> PathBuf {
    node.pod_directory(uid).join("logs").join(container)
}

impl Start {
    pub(super) async fn run(self, node: &Node) -> Result<Started, Problem> {
        let variables = self.variables(node).await?;
        let places = self.make_places(node).map_err(|error| create_error(&error))?;
        let termination_message = places.directory.join("termination-log");
        let mut configuration = Context {
            pod: &self.pod,
            container: &self.container,
            image: &self.image,
            variables: &variables,
            ids: node.ids,
        }
        .build(
            &places,
            &node.volumes(&self.uid, Some(self.address)),
            self.fixed_mounts(node, &termination_message),
        )
        .map_err(|error| config_error(&error))?;

        let path = log_directory(node, &self.uid, &self.container.name)
            .join(format!("{}.log", self.attempt));
        let capture = capture(&path).await.map_err(|error| create_error(&error))?;
        node.logs.begin((self.uid.clone(), self.container.name.clone()), capture.log);
        let created =
            Note::normal("Created", format!("Created container: {}", self.container.name));
        node.recorder.note(
            &self.pod,
            created.about(&self.container.name, is_init(&self.pod, &self.container.name)),
        );
        let group = self.group(node);
        if let Some(group) = &group {
            configuration.cgroups = group.joining();
            configuration.mounts.extend(group.mounts());
        }
        let output = Output { stdout: capture.stdout, stderr: capture.stderr };
        let container_id = format!("flumen://{}", uuid::Uuid::new_v4().simple());
        let process = match node.runner.start_container(&self.uid, &configuration, output).await {
            Ok(process) => process,
            Err(error) => {
                if let Some(group) = group {
                    group.remove();
                }
                return Err(not_started(error, container_id));
            }
        };
        let running = Running {
            process: process.id,
            started_at: Timestamp::now(),
            container_id,
            signal: Signal::None,
            started: self.container.startup_probe.is_none(),
            ready: self.container.readiness_probe.is_none(),
            asked: None,
            condemned: None,
        };
        Ok(Started {
            running,
            exit: process.exit,
            output: capture.done,
            termination_message,
            configuration,
            group,
        })
    }

    /// Limits that cannot be enforced are told, and the container runs without them.
    fn group(&self, node: &Node) -> Option<Group> {
        let limits = Limits::of(&self.container)?;
        let name = format!("{}-{}-{}", self.uid, self.container.name, self.attempt);
        match node.cgroups.group(&name, &limits) {
            Ok(group) => Some(group),
            Err(error) => {
                let init = is_init(&self.pod, &self.container.name);
                let warning = Note::warning("LimitsNotEnforced", error.to_string());
                node.recorder.note(&self.pod, warning.about(&self.container.name, init));
                None
            }
        }
    }

    async fn variables(&self, node: &Node) -> Result<BTreeMap<String, String>, Problem> {
        let namespace = self.pod.metadata.namespace.as_deref().unwrap_or("default");
        let lookups = lookups(node, namespace, &self.container)
            .await
            .map_err(|error| config_error(&error))?;
        let links =
            self.pod.spec.as_ref().and_then(|spec| spec.enable_service_links).unwrap_or(true);
        let services = service_variables(&node.directory.read(), namespace, links, node.api);
        let facts = node.facts(Some(self.address));
        environment::resolve(&self.pod, &self.container, &lookups, &facts, services)
            .map_err(|error| config_error(&error))
    }

    /// New directories for this attempt; those of the one before are removed.
    fn make_places(&self, node: &Node) -> io::Result<Places> {
        let all = node.pod_directory(&self.uid).join("containers").join(&self.container.name);
        if let Some(before) = self.attempt.checked_sub(1) {
            let old = all.join(before.to_string());
            // What cannot be removed now goes with the pod.
            tokio::task::spawn_blocking(move || remove::directory(&old));
        }
        let directory = all.join(self.attempt.to_string());
        // The kernel refuses the working directory of an attempt that was cut short.
        remove::directory(&directory)?;
        for name in ["root", "upper", "work"] {
            fs::create_dir_all(directory.join(name))?;
        }
        fs::write(directory.join("termination-log"), "")?;
        if !node.ids.is_one() {
            let root = node.ids.to_host(0);
            for name in ["upper", "termination-log"] {
                chown(directory.join(name), Some(root), Some(root))?;
            }
        }
        // Of whatever umask the kubelet has: the first becomes the container's `/`.
        for (name, mode) in [("upper", 0o755), ("termination-log", 0o666)] {
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(mode))?;
        }
        Ok(Places { directory, layers: node.images.layers_directory() })
    }

    fn fixed_mounts(&self, node: &Node, termination_message: &Path) -> Vec<Mount> {
        let directory = sandbox::files_directory(node, &self.uid);
        let mut mounts: Vec<Mount> = sandbox::FILES
            .iter()
            .map(|(name, target)| Mount {
                source: directory.join(name),
                sub_path: None,
                target: target.into(),
                access: Access::Full,
            })
            .collect();
        let target = self.container.termination_message_path.as_deref().unwrap_or(TERMINATION_LOG);
        mounts.push(Mount {
            source: termination_message.to_owned(),
            sub_path: None,
            target: target.into(),
            access: Access::Full,
        });
        mounts
    }
}

async fn lookups(
    node: &Node,
    namespace: &str,
    container: &Container,
) -> Result<Lookups, kube::Error> {
    let (config_maps, secrets) = environment::references(container);
    let maps: Api<ConfigMap> = Api::namespaced(node.client.clone(), namespace);
    let hidden: Api<Secret> = Api::namespaced(node.client.clone(), namespace);
    let (config_maps, secrets) =
        futures::try_join!(fetch(&maps, config_maps), fetch(&hidden, secrets))?;
    let decode = |data: BTreeMap<String, ByteString>| {
        data.into_iter()
            .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
            .collect()
    };
    Ok(Lookups {
        config_maps: config_maps
            .into_iter()
            .map(|(name, map)| (name, map.data.unwrap_or_default()))
            .collect(),
        secrets: secrets
            .into_iter()
            .map(|(name, secret)| (name, decode(secret.data.unwrap_or_default())))
            .collect(),
    })
}

async fn fetch<K>(api: &Api<K>, names: Vec<String>) -> Result<Vec<(String, K)>, kube::Error>
where
    K: Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let names: BTreeSet<String> = names.into_iter().collect();
    let found = names.into_iter().map(async |name| {
        let object = api.get_opt(&name).await?;
        Ok::<_, kube::Error>(object.map(|object| (name, object)))
    });
    Ok(futures::future::try_join_all(found).await?.into_iter().flatten().collect())
}

/// The tail of what the log driver kept, for containers that ask for it when they fail.
pub(super) async fn last_words(log: Option<logs::Log>) -> Option<String> {
    use futures::TryStreamExt;
    const LINES: usize = 80;
    const BYTES: usize = 2048;
    let query = logs::Query { tail: Some(LINES), ..logs::Query::default() };
    let mut pieces = std::pin::pin!(logs::stream(log?, query).await.ok()?);
    let mut text = Vec::new();
    while let Some(piece) = pieces.try_next().await.ok()? {
        text.extend_from_slice(&piece);
        // A line may be as long as the whole log.
        text.drain(..text.len().saturating_sub(BYTES));
    }
    Some(String::from_utf8_lossy(&text).into_owned()).filter(|text| !text.is_empty())
}
