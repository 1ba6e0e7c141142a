//! A whole cluster: API server, controllers, registry and this kubelet, over real TLS.

use std::{collections::BTreeMap, path::Path, time::Duration};

use flumen_apiserver::ApiServer;
use flumen_image::{
    Attributes, Build, Compression, Configuration, Content, LayerBuilder, Progress,
};
use flumen_kubelet::{Endpoint, NodeNetwork, NodeSettings, Settings};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, ListParams, LogParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::await_condition,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::workshop::helper;

/// Everything that waits gives up after this, so that a failure is seen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
const HOST: &str = "/usr,/bin,/sbin,/lib,/lib64,/etc/alternatives,/etc/java-17-openjdk";

pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) network: NodeNetwork,
    pub(crate) directory: TempDir,
    pub(crate) registry: String,
    server: ApiServer,
    url: String,
    kubelet: Option<(JoinHandle<Result<(), flumen_kubelet::Error>>, CancellationToken)>,
    _stop: DropGuard,
}

async fn client(server: &ApiServer, url: &str, user: &str, groups: &[&str]) -> Client {
    let text = server.kubeconfig(url, user, groups).unwrap();
    let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let stop = CancellationToken::new();
        let directory = tempfile::tempdir().unwrap();
        let network = NodeNetwork::create(flumen_kubelet::NetworkSettings::default()).unwrap();
        let settings = flumen_apiserver::Settings {
            data_directory: directory.path().join("api"),
            dialer: network.dialer(),
            wait_for_disk: false,
            ..flumen_apiserver::Settings::default()
        };
        let server = ApiServer::start(settings, stop.clone()).await.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        server.serve(listener).unwrap();
        server.serve(network.listen_tcp("10.96.0.1:443".parse().unwrap()).unwrap()).unwrap();
        let manager = Client::new(server.in_process("controllers", &["system:masters"]), "default");
        let controllers = flumen_controllers::Settings {
            root_certificate: Some(server.certificate_authority_pem()),
        };
        flumen_controllers::spawn(manager, controllers, stop.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = listener.local_addr().unwrap().to_string();
        tokio::spawn(flumen_registry::serve(
            listener,
            directory.path().join("registry"),
            stop.clone(),
        ));
        let client = client(&server, &url, "admin", &["system:masters"]).await;
        let mut cluster = Self {
            client,
            network,
            directory,
            registry,
            server,
            url,
            kubelet: None,
            _stop: stop.drop_guard(),
        };
        cluster.push("base:1", &[("/tmp/.keep", "")]).await;
        cluster.start_kubelet().await;
        cluster
    }

    pub(crate) async fn start_kubelet(&mut self) {
        self.start_nodes(&["here"]).await;
    }

    pub(crate) async fn start_nodes(&mut self, names: &[&str]) {
        let mut nodes = Vec::new();
        for (number, name) in (0..).zip(names) {
            nodes.push(self.node(name, self.network.of_node(number).unwrap()).await);
        }
        let data = self.directory.path().join("kubelet");
        let first = nodes.remove(0);
        let mut settings = Settings::new(first, data, helper(), self.network.clone());
        settings.nodes.extend(nodes);
        let provisioner = self.server.in_process("provisioner", &["system:masters"]);
        settings.provisioner = Some(Client::new(provisioner, "default"));
        let stop = CancellationToken::new();
        let task = tokio::spawn(flumen_kubelet::run(settings, stop.clone()));
        self.kubelet = Some((task, stop));
    }

    async fn node(&self, name: &str, network: NodeNetwork) -> NodeSettings {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let serving = self.server.issue_server_certificate(&["127.0.0.1"]).unwrap();
        let user = format!("system:node:{name}");
        let client =
            client(&self.server, &self.url, &user, &["system:nodes", "system:masters"]).await;
        let mut node = NodeSettings::new(client, name, network);
        node.endpoint = Some(Endpoint {
            listener,
            address: [127, 0, 0, 1].into(),
            certificate_pem: serving.0,
            key_pem: serving.1,
            client_authority_pem: self.server.certificate_authority_pem(),
        });
        node
    }

    /// A file with which `user` reaches the API.
    pub(crate) fn kubeconfig(&self, user: &str, groups: &[&str]) -> std::path::PathBuf {
        let path = self.directory.path().join("kubeconfig");
        std::fs::write(&path, self.server.kubeconfig(&self.url, user, groups).unwrap()).unwrap();
        path
    }

    /// Where the API server is, its authority, and a token that it takes.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.url.trim_start_matches("https://").parse().unwrap()
    }

    pub(crate) fn authority(&self) -> String {
        self.server.certificate_authority_pem()
    }

    pub(crate) fn administrator_token(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("api/keys/admin-token")).unwrap()
    }

    pub(crate) async fn stop_kubelet(&mut self) {
        let (task, stop) = self.kubelet.take().unwrap();
        stop.cancel();
        task.await.unwrap().unwrap();
    }

    /// Makes an image with these files that leans on the host.
    pub(crate) async fn push(&self, name: &str, files: &[(&str, &str)]) -> String {
        let name = format!("{}/{name}", self.registry);
        let mut layer = LayerBuilder::new();
        for (path, content) in files {
            layer
                .add(path, Content::Bytes(content.as_bytes().to_vec()), Attributes::mode(0o755))
                .unwrap();
        }
        let path = self.directory.path().join("layer.tar.zst");
        let layer = layer.write(Compression::Zstd, path).await.unwrap();
        let configuration = Configuration {
            environment: BTreeMap::from([("FROM_IMAGE".to_owned(), "yes".to_owned())]),
            labels: BTreeMap::from([(
                "dev.flumen.local.host-directories".to_owned(),
                HOST.to_owned(),
            )]),
            ..Configuration::default()
        };
        let target = name.parse().unwrap();
        let build = Build { target: &target, layers: &[layer], configuration: &configuration };
        let client = flumen_image::Client::new(flumen_image::Settings::default()).unwrap();
        client.build(&build, &Progress::silent()).await.unwrap();
        name
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "default")
    }

    /// Creates a pod whose only container `main` runs a shell script; `change` sees the whole object.
    pub(crate) async fn run(&self, name: &str, script: &str, change: impl FnOnce(&mut Value)) {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": [{
                "name": "main", "image": format!("{}/base:1", self.registry), "command": ["/bin/sh", "-c", script]}]},
        });
        change(&mut pod);
        let pod: Pod = serde_json::from_value(pod).unwrap();
        // The service account of the namespace comes with the controllers.
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.pods().create(&PostParams::default(), &pod).await {
                Ok(_) => return,
                Err(kube::Error::Api(status))
                    if status.code == 403 && tokio::time::Instant::now() < deadline =>
                {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("could not create the pod {name}: {error}"),
            }
        }
    }

    /// Waits until the pod is as wanted and returns it.
    pub(crate) async fn wait(&self, name: &str, wanted: impl Fn(&Pod) -> bool) -> Value {
        let condition = |pod: Option<&Pod>| pod.is_some_and(&wanted);
        let waiting = await_condition(self.pods(), name, condition);
        if let Ok(pod) = tokio::time::timeout(PATIENCE, waiting).await {
            return serde_json::to_value(pod.unwrap()).unwrap();
        }
        let pod = serde_json::to_string_pretty(&self.pods().get_opt(name).await.unwrap()).unwrap();
        let events = self.events(name).await;
        panic!("pod {name} did not become what was wanted:\n{pod}\n{events:?}");
    }

    pub(crate) async fn wait_phase(&self, name: &str, phase: &str) -> Value {
        self.wait(name, |pod| pod.status.as_ref().and_then(|s| s.phase.as_deref()) == Some(phase))
            .await
    }

    /// Runs a pod to its end and returns it with its log.
    pub(crate) async fn run_to_end(
        &self,
        name: &str,
        script: &str,
        change: impl FnOnce(&mut Value),
    ) -> (Value, String) {
        self.run(name, script, change).await;
        let pod = self
            .wait(name, |pod| {
                let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
                matches!(phase, Some("Succeeded" | "Failed"))
            })
            .await;
        (pod, self.log(name, &LogParams::default()).await)
    }

    pub(crate) async fn log(&self, name: &str, parameters: &LogParams) -> String {
        self.pods().logs(name, parameters).await.unwrap()
    }

    /// Waits until a running pod has said this.
    pub(crate) async fn wait_log(&self, name: &str, words: &str) {
        self.wait_phase(name, "Running").await;
        let said = async || {
            let log = self.log(name, &LogParams::default()).await;
            log.contains(words).then_some(())
        };
        eventually("it says so", said).await;
    }

    pub(crate) async fn delete(&self, name: &str, grace: u32) {
        let parameters =
            DeleteParams { grace_period_seconds: Some(grace), ..DeleteParams::default() };
        self.pods().delete(name, &parameters).await.unwrap();
    }

    pub(crate) async fn wait_gone(&self, name: &str) {
        let gone = await_condition(self.pods(), name, |pod: Option<&Pod>| pod.is_none());
        tokio::time::timeout(PATIENCE, gone).await.expect("the pod goes").unwrap();
    }

    /// Reasons of the pod's events, each once, in the order of their names.
    pub(crate) async fn events(&self, name: &str) -> BTreeMap<String, String> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), "default");
        let all = events.list(&ListParams::default()).await.unwrap();
        all.into_iter()
            .filter(|event| event.involved_object.name.as_deref() == Some(name))
            .map(|event| (event.reason.unwrap_or_default(), event.message.unwrap_or_default()))
            .collect()
    }

    pub(crate) fn kubelet_directory(&self) -> std::path::PathBuf {
        self.directory.path().join("kubelet")
    }
}

/// All names in a directory.
pub(crate) fn entries(directory: &Path) -> Vec<std::ffi::OsString> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// Looks again and again until there is a result.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}
