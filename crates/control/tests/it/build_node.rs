//! A node's part in builds of projects: how far they come, and the jar that they hand over.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, response::Response};
use flumen_project::{LABEL_OPERATION, PATH_HEADER, SHA256_HEADER};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::server::digest;

/// The commit that all builds fetch.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// How far builds come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// The image cannot be pulled.
    Waits,
    Fetches,
    FetchFails(i32, &'static str),
    Builds,
    BuildFails(i32, &'static str),
    HandsOver,
    HandOverFails(i32, &'static str),
    Evicted,
}

pub(crate) fn is_build(pod: &Pod) -> bool {
    pod.labels().contains_key(LABEL_OPERATION)
}

pub(crate) fn status_of(pod: &Pod, stage: &Stage) -> Value {
    const TIME: &str = "2026-01-01T00:00:00Z";
    let running = json!({ "running": { "startedAt": TIME } });
    let later = json!({ "waiting": { "reason": "PodInitializing" } });
    let ended = |code: i32, message: &str| json!({ "terminated": { "exitCode": code, "message": message } });
    let (fetched, done) = (ended(0, &format!("{COMMIT}\n")), ended(0, ""));
    let pull = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "no such image" } });
    let (phase, fetch, build, hand_over) = match stage {
        Stage::Waits => ("Pending", pull, later.clone(), later),
        Stage::Fetches => ("Pending", running, later.clone(), later),
        Stage::FetchFails(code, said) => ("Failed", ended(*code, said), later.clone(), later),
        Stage::Builds => ("Pending", fetched, running, later),
        Stage::BuildFails(code, said) => ("Failed", fetched, ended(*code, said), later),
        Stage::HandsOver => ("Running", fetched, done, running),
        Stage::HandOverFails(code, said) => ("Failed", fetched, done, ended(*code, said)),
        Stage::Evicted => {
            let status = json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on memory" });
            return json!({ "status": status });
        }
    };
    let container = |name: &str, state: Value| json!({ "name": name, "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state });
    json!({ "status": {
        "phase": phase,
        "podIP": format!("10.244.1.{}", 1 + pod.name_any().len() % 200),
        "conditions": [{ "type": "PodScheduled", "status": "True", "lastTransitionTime": TIME }],
        "initContainerStatuses": [container("fetch", fetch), container("build", build)],
        "containerStatuses": [container("hand-over", hand_over)],
    }})
}

/// What is handed over.
#[derive(Clone)]
struct Offer {
    jar: Vec<u8>,
    /// What is said to be its SHA-256.
    digest: String,
}

/// A stand-in for the program that hands a jar over.
pub(crate) struct HandOver {
    pub(crate) address: SocketAddr,
    offer: Arc<Mutex<Offer>>,
    task: JoinHandle<()>,
}

impl Drop for HandOver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HandOver {
    pub(crate) async fn start() -> Self {
        let offer = Offer { jar: Vec::new(), digest: String::new() };
        let offer = Arc::new(Mutex::new(offer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&offer));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, offer, task }
    }

    /// Hands this over from now on.
    pub(crate) fn offer(&self, jar: &[u8]) {
        self.offer_as(jar, digest(jar).hex());
    }

    /// Hands this over and says that it has another SHA-256.
    pub(crate) fn offer_as(&self, jar: &[u8], digest: &str) {
        *self.offer.lock().unwrap() = Offer { jar: jar.to_vec(), digest: digest.to_owned() };
    }
}

async fn answer(State(offer): State<Arc<Mutex<Offer>>>) -> Response {
    let offer = offer.lock().unwrap();
    Response::builder()
        .header(SHA256_HEADER, &offer.digest)
        .header(PATH_HEADER, "target/orders-1.jar")
        .body(Body::from(offer.jar.clone()))
        .unwrap()
}
