//! The cluster, its node and the JobManager.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use flumen_apiserver::{ApiServer, Dialer, Settings};
use flumen_testkit::{FakeFlink, TempDirectory};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
    task::JoinSet,
};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::{CancellationToken, DropGuard};

const NODE: &str = "n";

pub(crate) struct World {
    pub(crate) flink: FakeFlink,
    pub(crate) registry: String,
    pub(crate) directory: TempDirectory,
    pub(crate) client: Client,
    front: Arc<Front>,
    _tasks: JoinSet<()>,
    _stop: DropGuard,
}

/// What stands before the API server, and counts the requests that it gets from Flumen.
struct Front {
    all: AtomicUsize,
    passed_on: AtomicUsize,
    /// What the JobManagers log from now on; each log has the lines of all of them.
    log: broadcast::Sender<Bytes>,
}

/// How many requests there were from the beginning on.
pub(crate) struct Counts {
    pub(crate) job_managers: usize,
    pub(crate) api_server: usize,
    /// To the API server, and for itself.
    pub(crate) own: usize,
}

impl World {
    pub(crate) async fn start() -> Self {
        let directory = TempDirectory::new();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let flink = FakeFlink::start("1.20.5").await;
        let job_manager = flink.address();
        let dialer: Dialer = Arc::new(move |_| Box::pin(TcpStream::connect(job_manager)));
        let settings = Settings {
            data_directory: directory.join("apiserver"),
            wait_for_disk: false,
            dialer,
            ..Settings::default()
        };
        let server = ApiServer::start(settings, stop.clone()).await.unwrap();
        let client = Client::new(server.in_process("bench", &["system:masters"]), "default");
        let settings = flumen_controllers::Settings {
            root_certificate: Some(server.certificate_authority_pem()),
        };
        let _controllers = flumen_controllers::spawn(client.clone(), settings, stop.clone());

        // Without TLS, so that requests can be counted on their way.
        let front = Arc::new(Front {
            all: AtomicUsize::new(0),
            passed_on: AtomicUsize::new(0),
            log: broadcast::Sender::new(1024),
        });
        let counted = middleware::from_fn_with_state(Arc::clone(&front), count);
        let service = server.in_process("flumen", &["system:masters"]);
        let router = Router::new().fallback_service(service).layer(counted);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        directory.write("kubeconfig", kubeconfig(&url));
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = listener.local_addr().unwrap().to_string();
        let serving = flumen_registry::serve(listener, directory.join("registry"), stop.clone());
        tasks.spawn(async move { serving.await.unwrap() });

        add_node(&client).await;
        tasks.spawn(run_pods(client.clone()));
        Self { flink, registry, directory, client, front, _tasks: tasks, _stop: stop.drop_guard() }
    }

    pub(crate) fn counts(&self) -> Counts {
        let all = self.front.all.load(Ordering::Relaxed);
        let passed_on = self.front.passed_on.load(Ordering::Relaxed);
        Counts { job_managers: self.flink.received().len(), api_server: all, own: all - passed_on }
    }

    /// The job of a run changes its state, which its JobManager logs.
    pub(crate) fn change(&self, run: &str, state: &str) {
        let before = self.flink.state(run);
        self.flink.set_state(run, state);
        let line = format!("Job words ({run}) switched from state {before} to {state}.\n");
        // Nobody may follow a log.
        drop(self.front.log.send(line.into()));
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "default")
    }
}

async fn count(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    front.all.fetch_add(1, Ordering::Relaxed);
    if request.uri().path().contains("/proxy/") {
        front.passed_on.fetch_add(1, Ordering::Relaxed);
    }
    if request.uri().path().ends_with("/log") {
        // There is no kubelet, and an end waits a minute for logs that cannot be had.
        let query = request.uri().query().unwrap_or_default();
        return Response::new(if query.contains("follow=true") {
            Body::from_stream(BroadcastStream::new(front.log.subscribe()))
        } else {
            "a log".into()
        });
    }
    next.run(request).await
}

fn kubeconfig(url: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "local",
        "clusters": [{ "name": "local", "cluster": { "server": url } }],
        "contexts": [{ "name": "local", "context": { "cluster": "local", "user": "local" } }],
        "users": [{ "name": "local", "user": {} }],
    })
    .to_string()
}

async fn add_node(client: &Client) {
    let nodes: Api<Node> = Api::all(client.clone());
    let node = serde_json::from_value(json!({ "metadata": { "name": NODE } })).unwrap();
    nodes.create(&PostParams::default(), &node).await.unwrap();
    let resources = json!({ "cpu": "200", "memory": "2000Gi", "pods": "500" });
    let status = json!({ "status": {
        "conditions": [{ "type": "Ready", "status": "True" }],
        "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
        "capacity": resources, "allocatable": resources,
    }});
    nodes.patch_status(NODE, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
}

/// Lets each pod run that is bound to the node, and go when it is deleted.
async fn run_pods(client: Client) {
    let all: Api<Pod> = Api::all(client.clone());
    let changes = watcher(all, watcher::Config::default()).default_backoff().applied_objects();
    let mut changes = changes.boxed();
    let mut addresses = 0_u16;
    while let Some(change) = changes.next().await {
        let Ok(pod) = change else { continue };
        let own: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap());
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        let runs = pod.status.as_ref().is_some_and(|status| status.pod_ip.is_some());
        if pod.metadata.deletion_timestamp.is_some() {
            // Gone already is fine.
            let _ = own.delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await;
        } else if bound && !runs {
            addresses += 1;
            let mut status = status_of(&pod, true, 0);
            let address = format!("10.244.{}.{}", addresses / 250, addresses % 250);
            status["status"]["podIP"] = address.into();
            let status = Patch::Merge(status);
            let _ = own.patch_status(&pod.name_any(), &PatchParams::default(), &status).await;
        }
    }
}

/// A pod that runs, whose containers are ready or not and were started again so often.
pub(crate) fn status_of(pod: &Pod, ready: bool, restarts: i32) -> Value {
    const TIME: &str = "2026-01-01T00:00:00Z";
    let last = if restarts > 0 {
        json!({ "terminated": { "exitCode": 1, "reason": "Error", "finishedAt": TIME } })
    } else {
        json!({})
    };
    let containers: Vec<_> = pod
        .spec
        .iter()
        .flat_map(|spec| &spec.containers)
        .map(|container| {
            json!({
                "name": container.name, "image": container.image, "imageID": "", "ready": ready,
                "restartCount": restarts, "state": { "running": { "startedAt": TIME } },
                "lastState": last,
            })
        })
        .collect();
    let condition = |name: &str, holds: bool| {
        let status = if holds { "True" } else { "False" };
        json!({ "type": name, "status": status, "lastTransitionTime": TIME })
    };
    json!({ "status": {
        "phase": "Running",
        "conditions": [condition("PodScheduled", true), condition("Ready", ready)],
        "containerStatuses": containers,
    }})
}
