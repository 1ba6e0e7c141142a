use std::{net::SocketAddr, time::Duration};

use flumen_api::Settings;
use flumen_control::{Control, LocalSettings, Tasks};
use flumen_model::ByteSize;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The largest artifact that the server under test takes, in bytes.
pub(crate) const LIMIT: u64 = 1024;

/// A server with both listeners and a data directory of its own, and who asks it.
pub(crate) struct Server {
    pub(crate) api: SocketAddr,
    pub(crate) ui: SocketAddr,
    http: reqwest::Client,
    token: String,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
    _directory: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
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
                storage: path.join("storage"),
            }),
            faults: flumen_control::Faults::default(),
        };
        let stop = CancellationToken::new();
        let control = Control::open(settings, Tasks::new(stop.clone())).await.expect("opened");
        let (api, ui) = (listener().await, listener().await);
        let (api_address, ui_address) = (address(&api), address(&ui));
        let mut settings = Settings::new(format!("http://{ui_address}"), path.clone());
        settings.artifact_limit = ByteSize::from_bytes(LIMIT);
        let routes = flumen_api::router(control.clone(), settings, stop.clone());
        let ui_routes = flumen_api::ui_router(control, ui_address.port());
        let tasks = vec![
            tokio::spawn(flumen_api::listen(api, routes, stop.clone())),
            tokio::spawn(flumen_api::listen(ui, ui_routes, stop.clone())),
        ];
        let token = std::fs::read_to_string(path.join("token")).expect("a token");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { api: api_address, ui: ui_address, http, token, stop, tasks, _directory: directory }
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
