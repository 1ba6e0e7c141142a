use std::{net::SocketAddr, path::PathBuf, time::Duration};

use flumen_api::Settings;
use flumen_control::{Control, LocalSettings, Principal, Tasks};
use flumen_model::{ByteSize, Secret};
use flumen_store::{FlinkVersionRow, Store};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The largest artifact that the server under test takes, in bytes.
pub(crate) const LIMIT: u64 = 1024;

/// The address of the job of [`Server::with_job`].
pub(crate) const JOB: &str = "/api/v1/environments/local/jobs/a";

/// The job file of that job, with changes.
pub(crate) fn spec(changes: &Value) -> Value {
    let mut spec = json!({"name": "a", "environment": "local", "flinkVersion": "1.20.5", "artifact": "local:///a.jar"});
    for (key, value) in changes.as_object().expect("an object") {
        spec[key] = value.clone();
    }
    spec
}

/// A server with both listeners and a data directory of its own, and who asks it.
pub(crate) struct Server {
    pub(crate) api: SocketAddr,
    pub(crate) ui: SocketAddr,
    pub(crate) directory: PathBuf,
    control: Control,
    http: reqwest::Client,
    token: String,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
    _directory: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory")).await
    }

    /// A server with this data directory.
    pub(crate) async fn start_in(directory: tempfile::TempDir) -> Self {
        let path = directory.path().to_owned();
        let kubeconfig = path.join("kubeconfig");
        // Nobody answers there: what needs the cluster says so.
        std::fs::write(&kubeconfig, KUBECONFIG).expect("written");
        let settings = flumen_control::Settings {
            data_directory: path.clone(),
            cache_directory: path.join("cache"),
            local: Some(LocalSettings {
                kubeconfig,
                registry: "127.0.0.1:1".to_owned(),
                pod_url: "http://10.96.0.1:7600".parse().expect("a URL"),
                storage: path.join("storage"),
            }),
            maven: None,
            pod_url: None,
            artifact_limit: LIMIT,
            retention: flumen_control::Retention::default(),
            python_index: None,
            release_policy: None,
            registries: flumen_control::RegistryAccess::default(),
            cluster_commands: Vec::new(),
            secret_key_file: None,
            secret_key: None,
            faults: flumen_control::Faults::default(),
        };
        let stop = CancellationToken::new();
        let control = Control::open(settings, Tasks::new(stop.clone())).await.expect("opened");
        let (api, ui) = (listener().await, listener().await);
        let (api_address, ui_address) = (address(&api), address(&ui));
        let mut settings = Settings::new(format!("http://{ui_address}"), path.clone());
        settings.artifact_limit = ByteSize::from_bytes(LIMIT);
        let routes = flumen_api::router(control.clone(), settings, stop.clone());
        let ui_routes = flumen_api::ui_router(control.clone(), ui_address.port());
        let tasks = vec![
            tokio::spawn(flumen_api::listen(api, routes, stop.clone())),
            tokio::spawn(flumen_api::listen(ui, ui_routes, stop.clone())),
        ];
        let token = std::fs::read_to_string(path.join("token")).expect("a token");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            api: api_address,
            ui: ui_address,
            directory: path,
            control,
            http,
            token,
            stop,
            tasks,
            _directory: directory,
        }
    }

    /// A server with a Flink version and the job `a`, which was never started.
    pub(crate) async fn with_job() -> Self {
        Self::start().await.give_job().await
    }

    pub(crate) async fn give_job(self) -> Self {
        let server = self;
        let team = server.principal().await.team;
        let row = FlinkVersionRow {
            version: "1.20.5".parse().expect("valid"),
            environment: "local".parse().expect("valid"),
            image: format!("flink@sha256:{}", "0".repeat(64)),
            source: "a test".to_owned(),
            built_in_plugins: Vec::new(),
            python: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
        };
        server.store().await.save_version(team, &row).await.expect("saved");
        let body = json!({"spec": spec(&json!({})), "start": false});
        let (status, applied) = answer(server.request(Method::PUT, JOB).json(&body)).await;
        assert_eq!((status, applied["change"].as_str()), (StatusCode::CREATED, Some("created")));
        server
    }

    /// The same, at work: what takes its time is done.
    pub(crate) async fn at_work(self) -> Self {
        self.control.start().await.expect("started");
        self
    }

    /// Who the token stands for.
    pub(crate) async fn principal(&self) -> Principal {
        let token = Secret::new(self.token.trim().to_owned());
        self.control.authenticate(&token).await.expect("asked").expect("a principal")
    }

    /// Path and query of a link to an artifact.
    pub(crate) fn link(&self, digest: &str, expires: jiff::Timestamp) -> String {
        let link = self.control.artifact_link(&digest.parse().expect("a digest"), expires);
        link.expose().to_owned()
    }

    /// The database of the server, opened once more.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.directory.join("flumen.db")).await.expect("opened")
    }

    /// What the server answers to a `POST` below the job without a body.
    pub(crate) async fn post(&self, verb: &str) -> (StatusCode, Value) {
        answer(self.request(Method::POST, &format!("{JOB}/{verb}"))).await
    }

    /// A request of nobody.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.api))
    }

    /// A request of someone with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.token.trim())
    }

    /// What the server answers to a `GET`.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    /// Tells the server to stop, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            let ended = tokio::time::timeout(Duration::from_secs(5), task).await;
            ended.expect("in time").expect("no panic").expect("no failure");
        }
    }
}

/// Status and JSON of an answer; what is no JSON is null.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let body = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("an address")
}

const KUBECONFIG: &str = r#"{"apiVersion":"v1","kind":"Config","current-context":"local",
"clusters":[{"name":"local","cluster":{"server":"https://127.0.0.1:1"}}],
"contexts":[{"name":"local","context":{"cluster":"local","user":"local"}}],
"users":[{"name":"local","user":{"token":"t"}}]}"#;
