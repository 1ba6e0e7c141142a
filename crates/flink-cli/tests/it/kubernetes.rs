//! A Kubernetes API that takes and gives objects, passes requests to one JobManager on, and remembers.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{Method, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

const KINDS: [(&str, &str); 5] = [
    ("deployments", "Deployment"),
    ("services", "Service"),
    ("configmaps", "ConfigMap"),
    ("secrets", "Secret"),
    ("nodes", "Node"),
];

/// Resource, namespace and name.
type Key = (String, String, String);

/// The API, until it is dropped. It lives on threads of its own: a drop-in has its own runtime.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    pub(crate) runtime: Runtime,
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    objects: BTreeMap<Key, Value>,
    requests: Vec<(String, String)>,
    /// Objects of this resource are refused.
    refused: Option<String>,
    /// Where the service proxy leads.
    job_manager: Option<String>,
}

impl Kubernetes {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("threads");
        let shared = Arc::<Mutex<Shared>>::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { runtime, address, shared }
    }

    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{}", self.address)}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        })
        .to_string()
    }

    /// What stands, without what the server adds.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let mut objects: Vec<Value> = self.lock().objects.values().cloned().collect();
        for object in &mut objects {
            let metadata = object["metadata"].as_object_mut().expect("metadata");
            metadata.remove("uid");
            metadata.remove("resourceVersion");
            if object["kind"] == "Service" {
                object.as_object_mut().expect("an object").remove("status");
            }
        }
        objects
    }

    /// `Kind name` of what stands.
    pub(crate) fn names(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = |it: &Value| format!("{} {}", text(&it["kind"]), text(&it["metadata"]["name"]));
        self.lock().objects.values().map(name).collect()
    }

    /// Method and path of every request that changes something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = &self.lock().requests;
        let writes = requests.iter().filter(|(method, _)| method != "GET");
        writes.map(|(method, path)| format!("{method} {path}")).collect()
    }

    pub(crate) fn put(&self, resource: &str, name: &str, mut object: Value) {
        object["metadata"]["name"] = name.into();
        object["metadata"]["uid"] = format!("uid-{resource}-{name}").into();
        let key = (resource.to_owned(), "default".to_owned(), name.to_owned());
        self.lock().objects.insert(key, object);
    }

    /// Refuses to create objects of this resource.
    pub(crate) fn refuse(&self, resource: &str) {
        self.lock().refused = Some(resource.to_owned());
    }

    /// Puts a JobManager behind the Service of a cluster.
    pub(crate) fn serve(&self, cluster_id: &str, job_manager: String) {
        let deployment = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {}});
        self.put("deployments", cluster_id, deployment);
        let service = json!({"kind": "Service", "apiVersion": "v1", "metadata": {},
            "spec": {"type": "ClusterIP", "ports": [{"name": "rest", "port": 8081}]}});
        self.put("services", &format!("{cluster_id}-rest"), service);
        self.lock().job_manager = Some(job_manager);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no test panicked while it held the lock")
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let lock = || shared.lock().expect("no test panicked while it held the lock");
    let request = (method.to_string(), uri.path().to_owned());
    lock().requests.push(request);
    if let Some((_, rest)) = uri.path().split_once("/proxy") {
        let job_manager = lock().job_manager.clone();
        let Some(job_manager) = job_manager else { return failure(503, "no endpoints available") };
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        return pass_on(method, format!("{job_manager}{rest}{query}"), body).await;
    }
    lock().answer(&method, uri.path(), &body)
}

async fn pass_on(method: Method, url: String, body: Bytes) -> Response {
    let sent = reqwest::Client::new().request(method, url).body(body).send().await;
    let answer = sent.expect("the fake JobManager answers");
    let status = answer.status();
    let body = answer.bytes().await.expect("a whole answer");
    Response::builder().status(status).body(Body::from(body)).expect("an answer")
}

impl Shared {
    fn answer(&mut self, method: &Method, path: &str, body: &[u8]) -> Response {
        let Some((resource, namespace, name)) = read(path) else { return failure(404, path) };
        let kind = KINDS.iter().find(|(known, _)| *known == resource).map(|(_, kind)| *kind);
        let Some(kind) = kind else { return failure(404, path) };
        match (method.as_str(), name) {
            ("GET", None) => {
                let of_kind = self.objects.iter().filter(|(key, _)| key.0 == resource);
                let items: Vec<_> = of_kind.map(|(_, object)| object).collect();
                Json(json!({"kind": format!("{kind}List"), "apiVersion": "v1", "metadata": {}, "items": items}))
                    .into_response()
            }
            ("GET", Some(name)) => match self.objects.get(&(resource, namespace, name)) {
                Some(object) => Json(object.clone()).into_response(),
                None => failure(404, "not found"),
            },
            ("POST", None) => self.create(resource, namespace, kind, body),
            ("DELETE", Some(name)) => match self.objects.remove(&(resource, namespace, name)) {
                Some(object) => Json(object).into_response(),
                None => failure(404, "not found"),
            },
            _ => failure(405, path),
        }
    }

    fn create(&mut self, resource: String, namespace: String, kind: &str, body: &[u8]) -> Response {
        if self.refused.as_deref() == Some(&resource) {
            return failure(422, "refused by the test");
        }
        let mut object: Value = serde_json::from_slice(body).expect("an object");
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        object["kind"] = kind.into();
        object["metadata"]["namespace"] = namespace.clone().into();
        object["metadata"]["uid"] = format!("uid-{resource}-{name}").into();
        object["metadata"]["resourceVersion"] = "1".into();
        if kind == "Service" && object["spec"]["type"] == "LoadBalancer" {
            object["status"] = json!({"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}});
        }
        let key = (resource, namespace, name);
        if self.objects.contains_key(&key) {
            return failure(409, "already exists");
        }
        self.objects.insert(key, object.clone());
        (axum::http::StatusCode::CREATED, Json(object)).into_response()
    }
}

/// Resource, namespace and name of a path of the API.
fn read(path: &str) -> Option<(String, String, Option<String>)> {
    let rest = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/apis/apps/v1/"))?;
    let parts: Vec<&str> = rest.split('/').collect();
    let owned = |text: &&str| (*text).to_owned();
    match parts.as_slice() {
        ["namespaces", namespace, resource, name @ ..] => {
            Some((owned(resource), owned(namespace), name.first().map(owned)))
        }
        [resource, name @ ..] => Some((owned(resource), String::new(), name.first().map(owned))),
        [] => None,
    }
}

fn failure(code: u16, message: &str) -> Response {
    let reason = match code {
        404 => "NotFound",
        409 => "AlreadyExists",
        503 => "ServiceUnavailable",
        _ => "Invalid",
    };
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code});
    let code = axum::http::StatusCode::from_u16(code).expect("a status");
    (code, Json(status)).into_response()
}
