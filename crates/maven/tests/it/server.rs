//! A repository on loopback.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_maven::{Client, Remote, Settings};
use futures::stream;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinHandle};

/// What the server does otherwise than a good repository.
#[derive(Default)]
pub(crate) struct Quirks {
    /// The `Authorization` that it wants.
    pub(crate) authorization: Option<String>,
    /// Answers everything with this status.
    pub(crate) status: Option<u16>,
    /// Answers the first request for a jar with 503 and these values of `Retry-After` and `Date`.
    pub(crate) puts_off: Option<(&'static str, &'static str)>,
    /// Breaks the connection in the middle of jars, unless asked for the rest.
    pub(crate) breaks: bool,
    /// Says that every checksum is this.
    pub(crate) checksum: Option<String>,
    /// Has no SHA-1, but SHA-256.
    pub(crate) sha256: bool,
}

struct Shelf {
    files: BTreeMap<String, String>,
    quirks: Quirks,
    requests: AtomicUsize,
    was_put_off: AtomicBool,
    ranges: Mutex<Vec<String>>,
}

pub(crate) struct Server {
    pub(crate) address: String,
    state: Arc<Shelf>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(files: BTreeMap<String, String>, quirks: Quirks) -> Self {
        let state = Arc::new(Shelf {
            files,
            quirks,
            requests: AtomicUsize::new(0),
            was_put_off: AtomicBool::new(false),
            ranges: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/repo", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(state.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("served");
        });
        Self { address, state, task }
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// The ranges that were asked for.
    pub(crate) fn ranges(&self) -> Vec<String> {
        self.state.ranges.lock().expect("held by nobody").clone()
    }

    pub(crate) fn remote(&self, id: &str) -> Remote {
        Remote::new(id, &self.address).expect("an address")
    }
}

async fn answer(State(files): State<Arc<Shelf>>, request: Request) -> Response {
    files.requests.fetch_add(1, Ordering::Relaxed);
    if let Some(status) = files.quirks.status {
        return StatusCode::from_u16(status).expect("a status").into_response();
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if files.quirks.authorization.is_some() && given != files.quirks.authorization.as_deref() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let path = request.uri().path().trim_start_matches("/repo/");
    let ending = if files.quirks.sha256 { ".sha256" } else { ".sha1" };
    let (file, is_checksum) = path.strip_suffix(ending).map_or((path, false), |file| (file, true));
    let Some(text) = files.files.get(file) else { return StatusCode::NOT_FOUND.into_response() };
    if is_checksum {
        let digest = if files.quirks.sha256 {
            Sha256::digest(text.as_bytes()).to_vec()
        } else {
            Sha1::digest(text.as_bytes()).to_vec()
        };
        let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        return files.quirks.checksum.clone().unwrap_or_else(|| hex.concat()).into_response();
    }
    let is_jar = Path::new(file).extension().is_some_and(|extension| extension == "jar");
    if let (true, Some((again, date))) = (is_jar, files.quirks.puts_off)
        && !files.was_put_off.swap(true, Ordering::Relaxed)
    {
        let headers = [(header::RETRY_AFTER, again), (header::DATE, date)];
        return (StatusCode::SERVICE_UNAVAILABLE, headers).into_response();
    }
    if files.quirks.breaks && is_jar {
        return broken(&files, text, request.headers());
    }
    text.clone().into_response()
}

/// The first half and then nothing more, or the rest that is asked for.
fn broken(files: &Shelf, text: &str, headers: &HeaderMap) -> Response {
    let etag = [(header::ETAG, "\"tag\"")];
    if let Some(range) = headers.get(header::RANGE).and_then(|range| range.to_str().ok()) {
        assert_eq!(headers.get(header::IF_RANGE).expect("a condition"), "\"tag\"");
        files.ranges.lock().expect("held by nobody").push(range.to_owned());
        let start = range.trim_start_matches("bytes=").trim_end_matches('-');
        let rest = text[start.parse::<usize>().expect("a number")..].to_owned();
        return (StatusCode::PARTIAL_CONTENT, etag, rest).into_response();
    }
    let half = Bytes::from(text[..text.len() / 2].to_owned());
    let parts = [Ok(half), Err(std::io::Error::other("broken"))];
    let slow = stream::unfold(parts.into_iter(), |mut parts| async move {
        let part = parts.next()?;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        Some((part, parts))
    });
    (etag, Body::from_stream(slow)).into_response()
}

pub(crate) fn client(local: &Path, repositories: Vec<Remote>) -> Client {
    Client::new(settings(local, repositories))
}

pub(crate) fn settings(local: &Path, repositories: Vec<Remote>) -> Settings {
    Settings {
        local_repository: local.to_owned(),
        repositories,
        offline: false,
        proxies: Vec::new(),
        parallel: 8,
    }
}
