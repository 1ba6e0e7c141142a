//! An API server with controllers, in a temporary directory, and a node that pretends.

use std::fmt::Debug;
use std::time::Duration;

use flumen_apiserver::ApiServer;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, wait::Condition, watcher, watcher::watch_object};
use kube::{Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

const PATIENCE: Duration = Duration::from_secs(20);

/// Holds up the watch of a kind, and counts how often its objects are listed in a namespace.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    plural: &'static str,
    reached: CancellationToken,
    open: CancellationToken,
    lists: watch::Sender<usize>,
}

impl Gate {
    pub(crate) fn before(plural: &'static str) -> Self {
        let (reached, open) = (CancellationToken::new(), CancellationToken::new());
        Self { plural, reached, open, lists: watch::Sender::new(0) }
    }

    /// Waits until the controllers have listed what there is, and ask what changes.
    pub(crate) async fn reached(&self) {
        self.reached.cancelled().await;
    }

    pub(crate) fn open(&self) {
        self.open.cancel();
    }

    /// Waits until the objects were listed so many times more.
    pub(crate) async fn listed(&self, times: usize) {
        let mut lists = self.lists.subscribe();
        let enough = *lists.borrow() + times;
        lists.wait_for(|count| *count >= enough).await.expect("a gate");
    }

    fn is_watch(&self, uri: &http::Uri) -> bool {
        let watches = uri.query().is_some_and(|query| query.contains("watch="));
        watches && uri.path() == format!("/api/v1/{}", self.plural)
    }

    fn note(&self, uri: &http::Uri) {
        if uri.path().ends_with(&format!("/namespaces/default/{}", self.plural)) {
            self.lists.send_modify(|count| *count += 1);
        }
    }
}

/// A client of the controllers whose watches go through a gate.
fn held(server: &ApiServer, gate: Gate) -> Client {
    let server = server.in_process("controllers", &["system:masters"]);
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let (gate, server) = (gate.clone(), server.clone());
        async move {
            gate.note(request.uri());
            if gate.is_watch(request.uri()) {
                gate.reached.cancel();
                gate.open.cancelled().await;
            }
            server.oneshot(request).await
        }
    });
    Client::new(service, "default")
}

pub(crate) struct Cluster {
    pub(crate) client: Client,
    controllers: JoinHandle<()>,
    stop: DropGuard,
    _directory: tempfile::TempDir,
}

impl Cluster {
    /// An API server and its controllers, without any node.
    pub(crate) async fn start() -> Self {
        Self::remembering(flumen_apiserver::Settings::default().watch_window).await
    }

    /// The same, of which watches can look back on so many changes only.
    pub(crate) async fn remembering(watch_window: usize) -> Self {
        Self::begin(watch_window, None).await
    }

    /// The same, whose controllers see nothing of one kind until the gate is opened.
    pub(crate) async fn behind(gate: &Gate) -> Self {
        let settings = flumen_apiserver::Settings::default();
        Self::begin(settings.watch_window, Some(gate.clone())).await
    }

    async fn begin(watch_window: usize, gate: Option<Gate>) -> Self {
        let directory = tempfile::tempdir().expect("directory");
        let stop = CancellationToken::new();
        let settings = flumen_apiserver::Settings {
            data_directory: directory.path().to_owned(),
            wait_for_disk: false,
            watch_window,
            ..flumen_apiserver::Settings::default()
        };
        let server = ApiServer::start(settings, stop.clone()).await.expect("API server");
        let client = Client::new(server.in_process("test", &["system:masters"]), "default");
        let controllers = flumen_controllers::spawn(
            gate.map_or_else(|| client.clone(), |gate| held(&server, gate)),
            flumen_controllers::Settings {
                root_certificate: Some(server.certificate_authority_pem()),
            },
            stop.clone(),
        );
        Self { client, controllers, stop: stop.drop_guard(), _directory: directory }
    }

    /// The same with a node of this size whose pods are ready at once and end when they are told to.
    pub(crate) async fn with_node(cpu: &str, memory: &str) -> Self {
        Self::start().await.and_node(cpu, memory).await
    }

    pub(crate) async fn and_node(self, cpu: &str, memory: &str) -> Self {
        self.add_node("n", cpu, memory).await;
        tokio::spawn(pretend(self.client.clone()));
        self
    }

    pub(crate) async fn add_node(&self, name: &str, cpu: &str, memory: &str) {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let node = from(json!({"metadata": {"name": name}}));
        nodes.create(&PostParams::default(), &node).await.expect("node");
        self.resize(name, cpu, memory).await;
    }

    pub(crate) async fn resize(&self, node: &str, cpu: &str, memory: &str) {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let resources = json!({"cpu": cpu, "memory": memory, "pods": "110"});
        let status = json!({"status": {"capacity": resources, "allocatable": resources, "conditions": [{"type": "Ready", "status": "True"}]}});
        nodes
            .patch_status(node, &PatchParams::default(), &Patch::Merge(status))
            .await
            .expect("node status");
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) async fn create<K>(&self, object: Value) -> K
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + serde::Serialize
            + Debug,
    {
        self.api::<K>().create(&PostParams::default(), &from(object)).await.expect("created")
    }

    /// Ends everything; the controllers must stop when told to.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        tokio::time::timeout(PATIENCE, self.controllers)
            .await
            .expect("the controllers did not stop")
            .expect("a controller panicked");
    }
}

pub(crate) fn from<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).expect("object")
}

/// Waits until the object of that name is as wanted; answers with it, or `None` if it is wanted gone.
pub(crate) async fn until<K>(api: &Api<K>, name: &str, wanted: impl Condition<K>) -> Option<K>
where
    K: Clone + Debug + Send + DeserializeOwned + Serialize + Resource + 'static,
{
    let waiting = async {
        let mut events = watch_object(api.clone(), name).boxed();
        loop {
            // A watch that was interrupted begins anew.
            if let Some(Ok(found)) = events.next().await
                && wanted.matches_object(found.as_ref())
            {
                return found;
            }
        }
    };
    let Ok(found) = tokio::time::timeout(PATIENCE, waiting).await else {
        panic!("{name} did not get there: {}", text(&api.get_opt(name).await.expect("get")))
    };
    found
}

fn text(object: &impl Serialize) -> String {
    serde_json::to_string_pretty(object).expect("text")
}

/// Waits until the list of objects is as wanted.
pub(crate) async fn until_all<K>(api: &Api<K>, mut wanted: impl FnMut(&[K]) -> bool) -> Vec<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let mut events = watcher(api.clone(), watcher::Config::default()).boxed();
    let waiting = async {
        let mut known: Vec<K> = Vec::new();
        let mut complete = false;
        while let Some(event) = events.next().await {
            // A watch that was interrupted begins anew.
            let Ok(event) = event else { continue };
            match event {
                watcher::Event::Init => {
                    complete = false;
                    known.clear();
                }
                watcher::Event::InitApply(object) => known.push(object),
                watcher::Event::InitDone => complete = true,
                watcher::Event::Apply(object) => {
                    known.retain(|old| old.meta().uid != object.meta().uid);
                    known.push(object);
                }
                watcher::Event::Delete(object) => {
                    known.retain(|old| old.meta().uid != object.meta().uid);
                }
            }
            if complete && wanted(&known) {
                return known;
            }
        }
        panic!("the watch ended");
    };
    let Ok(found) = tokio::time::timeout(PATIENCE, waiting).await else {
        let list = api.list(&kube::api::ListParams::default()).await.expect("list");
        panic!("not as wanted: {}", text(&list.items))
    };
    found
}

/// What a kubelet would report, without running anything.
async fn pretend(client: Client) {
    let pods: Api<Pod> = Api::all(client.clone());
    let mut changes =
        watcher(pods, watcher::Config::default()).default_backoff().applied_objects().boxed();
    let mut addresses = 0_u8;
    while let Some(change) = changes.next().await {
        let Ok(pod) = change else { continue };
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        let pending =
            pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Pending");
        let own: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().expect("namespace"));
        let name = pod.name_any();
        if pod.metadata.deletion_timestamp.is_some() {
            // Gone already is fine.
            let _ = own.delete(&name, &DeleteParams::default().grace_period(0)).await;
        } else if bound && pending {
            addresses += 1;
            let status = json!({"status": {
                "phase": "Running", "podIP": format!("10.244.0.{addresses}"),
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
            }});
            let _ = own.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await;
        }
    }
}
