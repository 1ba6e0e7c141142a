//! The API server of the local cluster, without controllers: what the tests do not do themselves, nobody does.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use flumen_apiserver::{ApiServer, Dialer, Settings};
use flumen_k8s::{Access, Cluster, Timeouts};
use flumen_model::{ClusterId, Namespace, RunId, Secret};
use flumen_testkit::TempDirectory;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client,
    api::{DynamicObject, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub(crate) const RUN: RunId = RunId::from_bits(0x2a);
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
pub(crate) const OTHER_RUN: RunId = RunId::from_bits(0x2b);

/// A running server; it stops when this is dropped.
pub(crate) struct Real {
    server: ApiServer,
    address: SocketAddr,
    serving: JoinHandle<()>,
    stop: CancellationToken,
    directory: TempDirectory,
}

impl Real {
    pub(crate) async fn start() -> Self {
        Self::start_at(ANY_PORT, TempDirectory::new(), Settings::default()).await
    }

    /// Starts a server for which every pod, whatever its address, is what listens here.
    pub(crate) async fn start_with_pods_at(pods: SocketAddr) -> Self {
        let dialer: Dialer = Arc::new(move |_| Box::pin(TcpStream::connect(pods)));
        let settings = Settings { dialer, ..Settings::default() };
        Self::start_at(ANY_PORT, TempDirectory::new(), settings).await
    }

    async fn start_at(address: SocketAddr, directory: TempDirectory, settings: Settings) -> Self {
        let stop = CancellationToken::new();
        let settings = Settings {
            data_directory: directory.join("apiserver"),
            wait_for_disk: false,
            ..settings
        };
        let server = ApiServer::start(settings, stop.clone()).await.unwrap();
        let listener = std::net::TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let serving = server.serve(listener).unwrap();
        Self { server, address, serving, stop, directory }
    }

    /// Stops the server, which can be started again with the same state on the same port.
    pub(crate) async fn halt(self) -> Halted {
        self.stop.cancel();
        self.serving.await.unwrap();
        drop(self.server);
        Halted { address: self.address, directory: self.directory }
    }

    pub(crate) async fn cluster(&self) -> Cluster {
        let url = format!("https://{}", self.address);
        let text = self.server.kubeconfig(&url, "admin", &["system:masters"]).unwrap();
        let access = Access::Text { kubeconfig: Secret::new(text), context: None };
        Cluster::connect("test", &access, Timeouts::default()).await.unwrap()
    }

    /// The same API without the adapter, to arrange and to look.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.server.in_process("admin", &["system:masters"]), "default")
    }

    pub(crate) fn api(&self, kind: &str) -> Api<DynamicObject> {
        let group = if kind == "Deployment" { "apps" } else { "" };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        Api::namespaced_with(self.client(), "default", &resource)
    }

    pub(crate) async fn create(&self, object: Value) -> DynamicObject {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let object = serde_json::from_value(object).unwrap();
        self.api(&kind).create(&PostParams::default(), &object).await.unwrap()
    }
}

/// A server that was stopped.
pub(crate) struct Halted {
    address: SocketAddr,
    directory: TempDirectory,
}

impl Halted {
    pub(crate) async fn start(self) -> Real {
        Real::start_at(self.address, self.directory, Settings::default()).await
    }
}

pub(crate) fn namespace() -> Namespace {
    "default".parse().unwrap()
}

pub(crate) fn word_count() -> ClusterId {
    "word-count".parse().unwrap()
}

pub(crate) fn labels(component: &str) -> Value {
    json!({ "app": "word-count", "type": "flink-native-kubernetes", "component": component })
}

pub(crate) fn deployment(run: RunId) -> Deployment {
    serde_json::from_value(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "word-count",
            "labels": labels("jobmanager"),
            "annotations": { RunId::ANNOTATION: run.to_string() },
        },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels("jobmanager") },
            "template": {
                "metadata": { "labels": labels("jobmanager") },
                "spec": { "containers": [{ "name": "flink-main-container", "image": "flink" }] },
            },
        },
    }))
    .unwrap()
}

pub(crate) fn config_map(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": name, "labels": labels("jobmanager") },
        "data": { "config.yaml": "a: b\n" },
    })
}

pub(crate) fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name, "labels": labels("jobmanager") },
        "spec": {
            "selector": labels("jobmanager"),
            "ports": [{ "name": "rest", "port": 8081, "targetPort": 8081 }],
        },
    })
}

pub(crate) fn pod(name: &str, component: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": labels(component) },
        "spec": { "containers": [{ "name": "flink-main-container", "image": "flink" }] },
    })
}
