//! Everything outside of Flumen: a cluster, a registry and a JobManager. It outlives the server.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use flumen_apiserver::{ApiServer, Dialer, Settings};
use flumen_control::RegistryAccess;
use flumen_project::HAND_OVER_PORT;
use flumen_testkit::{FakeFlink, TempDirectory};
use futures::StreamExt as _;
use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::{ConfigMap, Pod, Service},
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DynamicObject, ListParams, ObjectList, PostParams},
    core::{ApiResource, GroupVersionKind},
    runtime::watcher,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{build_node::HandOver, node::FakeNode};

pub(crate) struct World {
    pub(crate) flink: FakeFlink,
    pub(crate) node: FakeNode,
    /// What pods of builds hand over.
    pub(crate) hand_over: HandOver,
    pub(crate) registry: String,
    pub(crate) directory: TempDirectory,
    /// The index of Python packages, for a server that is opened next.
    pub(crate) python_index: Option<url::Url>,
    pub(crate) release_policy: Option<flumen_release_policy::Policy>,
    pub(crate) registries: RegistryAccess,
    /// Commands that kubeconfigs may have run by a server that is opened next.
    pub(crate) cluster_commands: Vec<String>,
    client: Client,
    /// Whether connections to the API server go through.
    gate: watch::Sender<bool>,
    created: Arc<Mutex<BTreeSet<String>>>,
    _tasks: JoinSet<()>,
    _stop: DropGuard,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_in(TempDirectory::new()).await
    }

    pub(crate) async fn start_in(directory: TempDirectory) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let flink = FakeFlink::start("1.20.5").await;
        let job_manager = flink.address();
        let hand_over = HandOver::start().await;
        let jars = hand_over.address;
        // Every pod, whatever its address, is the one JobManager, or the one build.
        let dialer: Dialer = Arc::new(move |to: SocketAddr| {
            let is_build = to.port() == HAND_OVER_PORT;
            Box::pin(TcpStream::connect(if is_build { jars } else { job_manager }))
        });
        let settings = Settings {
            data_directory: directory.join("apiserver"),
            wait_for_disk: false,
            dialer,
            ..Settings::default()
        };
        let server = ApiServer::start(settings, stop.clone()).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let behind = listener.local_addr().unwrap();
        let _serving = server.serve(listener).unwrap();
        let client = Client::new(server.in_process("test", &["system:masters"]), "default");
        let settings = flumen_controllers::Settings {
            root_certificate: Some(server.certificate_authority_pem()),
        };
        let _controllers = flumen_controllers::spawn(client.clone(), settings, stop.clone());

        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", front.local_addr().unwrap());
        let kubeconfig = server.kubeconfig(&url, "admin", &["system:masters"]).unwrap();
        directory.write("kubeconfig", kubeconfig);
        let (gate, open) = watch::channel(true);
        tasks.spawn(pass(front, behind, open));

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = listener.local_addr().unwrap().to_string();
        let serving = flumen_registry::serve(listener, directory.join("registry"), stop.clone());
        tasks.spawn(async move { serving.await.unwrap() });

        let created = Arc::default();
        tasks.spawn(note_creations(client.clone(), Arc::clone(&created)));
        let node = FakeNode::start(&server, client.clone()).await;
        Self {
            flink,
            node,
            hand_over,
            registry,
            directory,
            python_index: None,
            release_policy: None,
            registries: RegistryAccess::default(),
            cluster_commands: Vec::new(),
            client,
            gate,
            created,
            _tasks: tasks,
            _stop: stop.drop_guard(),
        }
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    /// Cuts all connections to the API server, and lets no new one through.
    pub(crate) fn cut(&self) {
        self.gate.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.gate.send_replace(true);
    }

    /// How many Deployments were ever created.
    pub(crate) fn deployments_created(&self) -> usize {
        self.created.lock().unwrap().len()
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), "default")
    }

    pub(crate) async fn list<K>(&self) -> Vec<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let ObjectList { items, .. } = self.api::<K>().list(&ListParams::default()).await.unwrap();
        items
    }

    pub(crate) async fn deployment(&self) -> Option<Deployment> {
        self.api::<Deployment>().get_opt("word-count").await.unwrap()
    }

    /// Everything in the namespace that is not there from the start, as `kind/name`.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut add = |kind: &str, name: String| names.push(format!("{kind}/{name}"));
        self.list::<Deployment>().await.iter().for_each(|one| add("Deployment", one.name_any()));
        self.list::<ReplicaSet>().await.iter().for_each(|one| add("ReplicaSet", one.name_any()));
        self.list::<Pod>().await.iter().for_each(|one| add("Pod", one.name_any()));
        self.list::<Service>().await.iter().for_each(|one| add("Service", one.name_any()));
        self.list::<ConfigMap>().await.iter().for_each(|one| add("ConfigMap", one.name_any()));
        names.retain(|name| {
            !matches!(name.as_str(), "Service/kubernetes" | "ConfigMap/kube-root-ca.crt")
        });
        names
    }

    pub(crate) async fn create(&self, object: Value) {
        let kind = object["kind"].as_str().unwrap();
        let version = object["apiVersion"].as_str().unwrap();
        let (group, _) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), "default", &resource);
        api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
    }

    /// What JobManagers with high availability leave behind: ConfigMaps without an owner.
    pub(crate) async fn create_high_availability_data(&self, run: &str) {
        for name in
            ["word-count-cluster-config-map".to_owned(), format!("word-count-{run}-config-map")]
        {
            self.create(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": name, "labels": labels("jobmanager") },
            }))
            .await;
        }
    }

    /// A TaskManager, as the JobManager makes it: owned by the Deployment.
    pub(crate) async fn create_task_manager(&self) {
        let deployment = self.deployment().await.expect("the Deployment stands");
        self.create(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "word-count-taskmanager-1-1",
                "labels": labels("taskmanager"),
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": "word-count",
                    "uid": deployment.uid().unwrap(), "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "spec": { "containers": [{ "name": "flink-main-container", "image": "flink" }] },
        }))
        .await;
    }

    /// A Flink cluster under the job's cluster id, which carries this run or none.
    pub(crate) async fn create_other_deployment(&self, run: Option<&str>) {
        self.create_deployment(run, labels("jobmanager")).await;
    }

    /// Something else under the job's cluster id, which no watch for Flink clusters sees.
    pub(crate) async fn create_stranger(&self) {
        self.create_deployment(None, json!({ "app": "stranger" })).await;
    }

    async fn create_deployment(&self, run: Option<&str>, labels: Value) {
        let annotations = run.map(|run| json!({ "flumen.dev/run-id": run }));
        self.create(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "word-count", "labels": labels, "annotations": annotations },
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": labels },
                "template": {
                    "metadata": { "labels": labels },
                    "spec": { "containers": [{ "name": "flink-main-container", "image": "flink" }] },
                },
            },
        }))
        .await;
    }
}

fn labels(component: &str) -> Value {
    json!({ "app": "word-count", "type": "flink-native-kubernetes", "component": component })
}

/// Passes connections on while the gate is open; cuts them, and each new one, while it is not.
async fn pass(front: TcpListener, behind: SocketAddr, open: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = front.accept().await {
        if !*open.borrow() {
            continue;
        }
        let mut open = open.clone();
        connections.spawn(async move {
            let Ok(mut far) = TcpStream::connect(behind).await else { return };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = open.wait_for(|open| !open) => {}
            }
        });
    }
}

async fn note_creations(client: Client, created: Arc<Mutex<BTreeSet<String>>>) {
    let all: Api<Deployment> = Api::all(client);
    let mut events = watcher(all, watcher::Config::default()).boxed();
    while let Some(event) = events.next().await {
        if let Ok(watcher::Event::InitApply(one) | watcher::Event::Apply(one)) = event {
            created.lock().unwrap().insert(one.uid().unwrap());
        }
    }
}
