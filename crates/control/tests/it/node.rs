//! A node that pretends: pods are as the test says, and their logs are what it says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use flumen_apiserver::ApiServer;
use flumen_testkit::eventually_async;
use futures::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::{
    api::{
        coordination::v1::Lease,
        core::v1::{Node, Pod},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{Notify, broadcast},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    build_node::{self, Stage},
    server::PATIENCE,
};

const NAME: &str = "n";
/// A node that is not heard for longer loses its pods' readiness; kubelets renew their leases as often.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// What becomes of JobManager pods.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Conduct {
    Runs,
    /// The container was started again so often and ended with this code each time.
    CrashLoops {
        restarts: i32,
        exit_code: i32,
    },
    CannotPull,
    /// The container did its work and is not started again.
    Ends {
        exit_code: i32,
        reason: &'static str,
    },
}

/// A node with one kubelet, which answers for all pods.
pub(crate) struct FakeNode {
    client: Client,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    conduct: Mutex<Conduct>,
    /// That of pods in which scripts are explained.
    explaining: Mutex<Conduct>,
    /// How far builds come.
    stage: Mutex<Stage>,
    /// By container and whether it is the log before the newest restart.
    logs: Mutex<HashMap<(String, bool), String>>,
    /// What is written from now on.
    said: broadcast::Sender<String>,
    changed: Notify,
}

impl FakeNode {
    pub(crate) async fn start(server: &ApiServer, client: Client) -> Self {
        let shared = Arc::new(Shared {
            conduct: Mutex::new(Conduct::Runs),
            explaining: Mutex::new(Conduct::Ends { exit_code: 0, reason: "Completed" }),
            stage: Mutex::new(Stage::HandsOver),
            logs: Mutex::default(),
            said: broadcast::Sender::new(16),
            changed: Notify::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_logs(listener, acceptor(server), Arc::clone(&shared)));
        let node = json!({ "metadata": { "name": NAME } });
        let nodes: Api<Node> = Api::all(client.clone());
        let node = serde_json::from_value(node).unwrap();
        nodes.create(&PostParams::default(), &node).await.unwrap();
        let status = json!({ "status": {
            "conditions": [{ "type": "Ready", "status": "True" }],
            "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
        }});
        let change = Patch::Merge(status);
        nodes.patch_status(NAME, &PatchParams::default(), &change).await.unwrap();
        tasks.spawn(pretend(client.clone(), Arc::clone(&shared)));
        tasks.spawn(live(client.clone()));
        let node = Self { client, shared, _tasks: tasks };
        node.resize("4", "16Gi").await;
        node
    }

    pub(crate) async fn resize(&self, cpu: &str, memory: &str) {
        let resources = json!({ "cpu": cpu, "memory": memory, "pods": "110" });
        let status = json!({ "status": { "capacity": resources, "allocatable": resources } });
        let nodes: Api<Node> = Api::all(self.client.clone());
        nodes.patch_status(NAME, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }

    pub(crate) fn conduct(&self, conduct: Conduct) {
        *self.shared.conduct.lock().unwrap() = conduct;
        self.shared.changed.notify_one();
    }

    pub(crate) fn explains(&self, conduct: Conduct) {
        *self.shared.explaining.lock().unwrap() = conduct;
        self.shared.changed.notify_one();
    }

    pub(crate) fn build_stage(&self, stage: Stage) {
        *self.shared.stage.lock().unwrap() = stage;
        self.shared.changed.notify_one();
    }

    /// Writes a line into every log that is followed, once one is.
    pub(crate) async fn say(&self, line: &str) {
        let look = || {
            let heard = self.shared.said.send(format!("{line}\n"));
            std::future::ready(heard.map(drop))
        };
        eventually_async(PATIENCE, look).await;
    }

    /// What this container of any pod wrote, or wrote before its newest restart.
    pub(crate) fn write_log(&self, container: &str, previous: bool, text: &str) {
        let mut logs = self.shared.logs.lock().unwrap();
        logs.insert((container.to_owned(), previous), text.to_owned());
    }
}

/// Renews the lease of the node.
async fn live(client: Client) {
    let leases: Api<Lease> = Api::namespaced(client, "kube-node-lease");
    let mut renewal = tokio::time::interval(RENEWED_EVERY);
    loop {
        renewal.tick().await;
        let renewed = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": NAME },
            "spec": { "holderIdentity": NAME, "renewTime": MicroTime(Timestamp::now()) },
        });
        // The API server may be about to end, and then nobody looks any more.
        let _ = leases.patch(NAME, &PatchParams::apply(NAME), &Patch::Apply(renewed)).await;
    }
}

/// Brings the pods of the node to what is asked for, again and again.
async fn pretend(client: Client, shared: Arc<Shared>) {
    let all: Api<Pod> = Api::all(client.clone());
    let mut changes = watcher(all.clone(), watcher::Config::default()).default_backoff().boxed();
    let mut done: HashMap<String, Conduct> = HashMap::new();
    let mut builds: HashMap<String, Stage> = HashMap::new();
    let mut addresses = 0_u8;
    loop {
        tokio::select! {
            _ = changes.next() => {}
            () = shared.changed.notified() => {}
        }
        let Ok(pods) = all.list(&ListParams::default()).await else { continue };
        for pod in pods {
            let own: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap());
            let (name, uid) = (pod.name_any(), pod.uid().unwrap());
            let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
            if pod.metadata.deletion_timestamp.is_some() {
                // Gone already is fine.
                let _ = own.delete(&name, &DeleteParams::default().grace_period(0)).await;
                continue;
            }
            if build_node::is_build(&pod) {
                let stage = shared.stage.lock().unwrap().clone();
                if bound && builds.get(&uid) != Some(&stage) {
                    let change = Patch::Merge(build_node::status_of(&pod, &stage));
                    if own.patch_status(&name, &PatchParams::default(), &change).await.is_ok() {
                        builds.insert(uid, stage);
                    }
                }
                continue;
            }
            let job_manager =
                pod.labels().get("component").is_some_and(|part| part == "jobmanager");
            let conduct = if job_manager {
                shared.conduct.lock().unwrap().clone()
            } else if pod.labels().contains_key("flumen.dev/sql-check") {
                shared.explaining.lock().unwrap().clone()
            } else {
                Conduct::Runs
            };
            if bound && done.get(&uid) != Some(&conduct) {
                addresses = addresses.wrapping_add(1);
                let change = Patch::Merge(status_of(&pod, &conduct, addresses));
                if own.patch_status(&name, &PatchParams::default(), &change).await.is_ok() {
                    done.insert(uid, conduct);
                }
            }
        }
    }
}

fn status_of(pod: &Pod, conduct: &Conduct, address: u8) -> Value {
    const TIME: &str = "2026-01-01T00:00:00Z";
    let (restarts, state, last) = match conduct {
        Conduct::Runs => (0, json!({ "running": { "startedAt": TIME } }), json!({})),
        Conduct::CrashLoops { restarts, exit_code } => {
            let end = json!({ "terminated": { "exitCode": exit_code, "reason": "Error", "finishedAt": TIME } });
            (*restarts, json!({ "running": { "startedAt": TIME } }), end)
        }
        Conduct::CannotPull => {
            let wait = json!({ "reason": "ImagePullBackOff", "message": "Back-off pulling image" });
            (0, json!({ "waiting": wait }), json!({}))
        }
        Conduct::Ends { exit_code, reason } => {
            let end = json!({ "terminated": { "exitCode": exit_code, "reason": reason, "finishedAt": TIME } });
            (0, end, json!({}))
        }
    };
    let ready = *conduct == Conduct::Runs;
    let containers: Vec<_> = pod.spec.iter().flat_map(|spec| &spec.containers).collect();
    let statuses: Vec<_> = containers
        .iter()
        .map(|container| {
            json!({
                "name": container.name, "image": container.image, "imageID": "", "ready": ready,
                "restartCount": restarts, "state": state, "lastState": last,
            })
        })
        .collect();
    let condition = |name: &str, holds: bool| {
        let status = if holds { "True" } else { "False" };
        json!({ "type": name, "status": status, "lastTransitionTime": TIME })
    };
    json!({ "status": {
        "phase": match conduct {
            Conduct::CannotPull => "Pending",
            Conduct::Ends { exit_code: 0, .. } => "Succeeded",
            Conduct::Ends { .. } => "Failed",
            Conduct::Runs | Conduct::CrashLoops { .. } => "Running",
        },
        "podIP": format!("10.244.0.{address}"),
        "conditions": [condition("PodScheduled", true), condition("Ready", ready)],
        "containerStatuses": statuses,
    }})
}

fn acceptor(server: &ApiServer) -> TlsAcceptor {
    let (certificate, key) = server.issue_server_certificate(&["127.0.0.1"]).unwrap();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve_logs(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut followers = JoinSet::new();
    loop {
        let Ok((socket, _)) = listener.accept().await else { return };
        let Ok(mut socket) = acceptor.accept(socket).await else { continue };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let said = head.contains("follow=true").then(|| shared.said.subscribe());
        let answer = answer(&head, said.is_some(), &shared);
        followers.spawn(async move {
            // Who asked may be gone.
            let _ = socket.write_all(answer.as_bytes()).await;
            if let Some(mut said) = said {
                while let Ok(line) = said.recv().await {
                    if socket.write_all(line.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
            let _ = socket.shutdown().await;
        });
    }
}

/// `GET /containerLogs/{namespace}/{pod}/{container}?…`
fn answer(head: &str, goes_on: bool, shared: &Shared) -> String {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut segments = path.split('/').skip(3);
    let (pod, container) =
        (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let previous = query.contains("previous=true");
    let known = shared.logs.lock().unwrap().get(&(container.to_owned(), previous)).cloned();
    let text = known.or_else(|| (!previous).then(|| format!("{container} of {pod} was here\n")));
    let (status, text) = text
        .map_or(("400 Bad Request", "no previous container".to_owned()), |text| ("200 OK", text));
    let length =
        if goes_on { String::new() } else { format!("content-length: {}\r\n", text.len()) };
    format!("HTTP/1.1 {status}\r\n{length}connection: close\r\n\r\n{text}")
}
