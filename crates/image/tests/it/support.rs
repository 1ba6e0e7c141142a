use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use flumen_image::{
    Attributes, Build, Client, Compression, Configuration, Content, Layer, LayerBuilder, Progress,
    Pushed, Reference, Retry, Settings,
};
use http::{HeaderMap, StatusCode, header};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A registry, and the server in front of it that tests speak to.
pub(crate) struct Registry {
    pub(crate) host: String,
    /// The registry itself, past the server in front of it.
    pub(crate) backend: String,
    _directory: TempDir,
    front: Arc<Front>,
    _stop: DropGuard,
}

struct Front {
    backend: String,
    host: String,
    http: reqwest::Client,
    seen: Mutex<Vec<Seen>>,
    rules: Mutex<Rules>,
    used_tokens: Mutex<BTreeSet<String>>,
    tokens: AtomicUsize,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body_bytes: usize,
}

/// How the front differs from the registry behind it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// Asks for a bearer token with the right scopes.
    pub(crate) wants_token: bool,
    /// Asks for this user name and password: for tokens if it wants those, else at each request.
    pub(crate) user: Option<(String, String)>,
    /// Answers a request with each of these; a 404 says that it does not know the upload.
    pub(crate) failures: Vec<u16>,
    /// Fails only requests of this method.
    pub(crate) failing_method: Option<&'static str>,
    /// Fails only requests of a path that has this in it.
    pub(crate) failing_path: Option<&'static str>,
    /// What failures say of when to come back.
    pub(crate) retry_after: Option<&'static str>,
    /// Answers requests of this method with 405.
    pub(crate) refused_method: Option<&'static str>,
    /// Takes each token for one request only.
    pub(crate) forgets_tokens: bool,
    /// Refuses longer bodies.
    pub(crate) largest_body: Option<usize>,
    pub(crate) lie: Option<Lie>,
}

/// What is not true of what the front gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// A byte of every blob.
    Content,
    /// What it says of the digest of everything.
    Digest,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let backend_host = backend.local_addr().unwrap().to_string();
        tokio::spawn(flumen_registry::serve(backend, directory.path().to_owned(), stop.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let front = Arc::new(Front {
            backend: format!("http://{backend_host}"),
            host: host.clone(),
            http: reqwest::Client::new(),
            seen: Mutex::default(),
            rules: Mutex::default(),
            used_tokens: Mutex::default(),
            tokens: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(front.clone());
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(
            async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await },
        );
        Self { host, backend: backend_host, _directory: directory, front, _stop: stop.drop_guard() }
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.front.rules.lock().unwrap()
    }

    /// The requests since the last call.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.front.seen.lock().unwrap())
    }

    pub(crate) fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.host).parse().unwrap()
    }

    /// Stores something past the client under test.
    pub(crate) async fn put_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = digest_of(content);
        let url = format!("{}/v2/{repository}/blobs/uploads/?digest={digest}", self.front.backend);
        let answer = self.front.http.post(url).body(content.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    /// Stores a manifest past the client under test, and gives its digest.
    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        name: &str,
        manifest: &serde_json::Value,
    ) -> String {
        let url = format!("{}/v2/{repository}/manifests/{name}", self.front.backend);
        let media_type = manifest["mediaType"].as_str().unwrap();
        let put = self
            .front
            .http
            .put(url)
            .header(header::CONTENT_TYPE, media_type)
            .body(manifest.to_string());
        assert_eq!(put.send().await.unwrap().status(), StatusCode::CREATED);
        digest_of(manifest.to_string().as_bytes())
    }
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let target = parts.uri.path_and_query().unwrap().to_string();
    let authorization =
        parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let seen =
        Seen { method: parts.method.to_string(), target, authorization, body_bytes: body.len() };
    front.seen.lock().unwrap().push(seen.clone());
    let rules = {
        let mut rules = front.rules.lock().unwrap();
        let fails = rules.failing_method.is_none_or(|method| seen.method == method)
            && rules.failing_path.is_none_or(|part| seen.target.contains(part));
        if fails && let Some(status) = rules.failures.pop() {
            let status = StatusCode::from_u16(status).unwrap();
            let problem = match status {
                StatusCode::NOT_FOUND => r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#,
                _ => "",
            };
            return match rules.retry_after {
                Some(wait) => (status, [(header::RETRY_AFTER, wait)]).into_response(),
                None => (status, problem).into_response(),
            };
        }
        rules.clone()
    };
    if rules.refused_method.is_some_and(|method| seen.method == method) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if let Some(refusal) = front.check(&rules, &seen) {
        return refusal;
    }
    if rules.largest_body.is_some_and(|largest| body.len() > largest) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    front.forward(&rules, &seen, parts.headers, body).await
}

impl Front {
    /// The answer to who may not do what was asked, and to who asks for a token.
    fn check(&self, rules: &Rules, seen: &Seen) -> Option<Response> {
        let basic = rules.user.as_ref().map(|(user, password)| {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        let is_known = basic.is_none() || basic == seen.authorization;
        let challenge = |text: String| {
            Some((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, text)]).into_response())
        };
        if let Some(query) = seen.target.strip_prefix("/token?") {
            let scopes: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
                .filter(|(key, _)| key == "scope")
                .map(|(_, scope)| scope.into_owned())
                .collect();
            let number = self.tokens.fetch_add(1, Ordering::Relaxed);
            let token = format!("t;{};{number}", scopes.join(";"));
            let token = serde_json::json!({ "token": token }).to_string();
            let status = if is_known { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            return Some((status, token).into_response());
        }
        if !rules.wants_token {
            return if is_known { None } else { challenge("Basic realm=\"registry\"".into()) };
        }
        let granted = seen
            .authorization
            .as_deref()
            .and_then(|text| text.strip_prefix("Bearer "))
            .unwrap_or("none");
        let is_spent =
            rules.forgets_tokens && !self.used_tokens.lock().unwrap().insert(granted.to_owned());
        let granted: Vec<&str> = if is_spent { vec!["none"] } else { granted.split(';').collect() };
        if needed_scopes(seen).iter().all(|needed| granted.contains(&needed.as_str()))
            && granted != ["none"]
        {
            return None;
        }
        challenge(format!("Bearer realm=\"http://{}/token\",service=\"test\"", self.host))
    }

    async fn forward(
        &self,
        rules: &Rules,
        seen: &Seen,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        for name in
            [header::HOST, header::AUTHORIZATION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
        {
            headers.remove(name);
        }
        let method = reqwest::Method::from_bytes(seen.method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{}", self.backend, seen.target));
        let answer = request.headers(headers).body(body).send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut content = answer.bytes().await.unwrap().to_vec();
        if rules.lie == Some(Lie::Content)
            && seen.method == "GET"
            && seen.target.contains("/blobs/")
        {
            content[0] ^= 1;
        }
        let mut response = Response::new(Body::from(content));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        if rules.lie == Some(Lie::Digest) {
            let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
            response.headers_mut().insert("docker-content-digest", digest);
        }
        response
    }
}

/// What a registry wants a token to say for this request. A HEAD is let through with any token.
fn needed_scopes(seen: &Seen) -> Vec<String> {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let path = path.trim_start_matches("/v2/");
    let end = ["/blobs/", "/manifests/", "/tags/"].iter().find_map(|part| path.find(part));
    let (Some(end), false) = (end, seen.method == "HEAD") else { return Vec::new() };
    let actions = if seen.method == "GET" { "pull" } else { "pull,push" };
    let from = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "from");
    let source = from.map(|(_, from)| format!("repository:{from}:pull"));
    std::iter::once(format!("repository:{}:{actions}", &path[..end])).chain(source).collect()
}

pub(crate) fn settings() -> Settings {
    let retry = Retry {
        attempts: 3,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(2),
    };
    Settings { retry, ..Settings::default() }
}

pub(crate) fn client() -> Client {
    Client::new(settings()).unwrap()
}

/// A directory with layers in it.
pub(crate) struct Workshop {
    pub(crate) directory: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A layer with one file.
    pub(crate) async fn layer(&self, path: &str, content: &[u8]) -> Layer {
        let mut builder = LayerBuilder::new();
        builder.add(path, Content::Bytes(content.to_vec()), Attributes::mode(0o644)).unwrap();
        let file = self.path(&digest_of(path.as_bytes()));
        builder.write(Compression::Zstd, file).await.unwrap()
    }

    /// Builds and pushes an image of one layer.
    pub(crate) async fn push_base(&self, target: &Reference) -> Pushed {
        let layers = [self.layer("base.txt", b"base").await];
        let configuration = Configuration {
            environment: BTreeMap::from([
                ("HOME".into(), "/root".into()),
                ("PATH".into(), "/bin".into()),
            ]),
            entrypoint: vec!["/entry".into()],
            labels: BTreeMap::from([("who".into(), "base".into())]),
            ..Configuration::default()
        };
        let build = Build { target, layers: &layers, configuration: &configuration };
        client().build(&build, &Progress::silent()).await.unwrap()
    }
}

pub(crate) fn digest_of(content: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    flumen_image::Digest::from_sha256(&Sha256::digest(content).into()).to_string()
}
