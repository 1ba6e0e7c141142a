//! An index on loopback.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_model::{Digest, ImagePython};
use flumen_python::{Client, Error, Resolution, parse_requirements};
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the index does otherwise than a good one.
#[derive(Default)]
pub(crate) struct Quirks {
    /// Speaks HTML only, and has no metadata beside wheels.
    pub(crate) is_old: bool,
    /// Answers so many requests with this status first.
    pub(crate) failures: Option<(usize, u16)>,
    /// Says that every file has this SHA-256.
    pub(crate) sha256: Option<String>,
    /// Answers listings with this text.
    pub(crate) listing: Option<&'static str>,
}

struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    quirks: Quirks,
    requests: AtomicUsize,
}

pub(crate) struct Index {
    pub(crate) address: String,
    shelf: Arc<Shelf>,
    task: JoinHandle<()>,
    pub(crate) directory: tempfile::TempDir,
}

impl Drop for Index {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Index {
    pub(crate) async fn start(files: Vec<(&str, Vec<u8>)>, quirks: Quirks) -> Self {
        let files = files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let shelf = Arc::new(Shelf { files, quirks, requests: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/simple", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shelf));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("served");
        });
        let directory = tempfile::tempdir().expect("a directory");
        Self { address, shelf, task, directory }
    }

    pub(crate) fn requests(&self) -> usize {
        self.shelf.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.address, self.directory.path())
    }

    pub(crate) async fn resolve(&self, text: &str) -> Result<Resolution, Error> {
        resolve(&self.client(), text).await
    }

    /// Files that were begun and are still there.
    pub(crate) fn left(&self) -> usize {
        std::fs::read_dir(&self.directory).expect("a directory").count()
    }
}

pub(crate) fn client(address: &str, directory: &std::path::Path) -> Client {
    let address = address.parse().expect("an address");
    Client::new(address, directory.to_owned(), 1 << 20).expect("a client")
}

pub(crate) async fn resolve(client: &Client, text: &str) -> Result<Resolution, Error> {
    client.resolve(&parse_requirements("requirements.txt", text)?, &python()).await
}

pub(crate) fn python() -> ImagePython {
    ImagePython {
        version: "3.11.2".to_owned(),
        machine: "x86_64".to_owned(),
        glibc: "2.36".to_owned(),
        packages: BTreeMap::from([("numpy".to_owned(), "1.24.4".to_owned())]),
    }
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_sha256(&Sha256::digest(bytes).into())
}

async fn answer(State(shelf): State<Arc<Shelf>>, request: Request) -> Response {
    let count = shelf.requests.fetch_add(1, Ordering::Relaxed);
    if let Some((failures, status)) = shelf.quirks.failures
        && count < failures
    {
        return StatusCode::from_u16(status).expect("a status").into_response();
    }
    let path = request.uri().path();
    if let Some(name) = path.strip_prefix("/files/") {
        return file(&shelf, name);
    }
    let Some(project) = path.strip_prefix("/simple/").and_then(|rest| rest.strip_suffix('/'))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Some(text) = shelf.quirks.listing {
        return ([(header::CONTENT_TYPE, "application/vnd.pypi.simple.v1+json")], text)
            .into_response();
    }
    let is_of =
        |name: &str| name.split('-').next().is_some_and(|it| it.replace('_', "-") == project);
    let files: Vec<_> = shelf.files.iter().filter(|(name, _)| is_of(name)).collect();
    if files.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let hash = |bytes: &[u8]| {
        shelf.quirks.sha256.clone().unwrap_or_else(|| digest(bytes).hex().to_owned())
    };
    if shelf.quirks.is_old {
        let links = files.iter().map(|(name, bytes)| {
            format!("<a href=\"../../files/{name}#sha256={}\">{name}</a><br>\n", hash(bytes))
        });
        let page = links.collect::<String>();
        return ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    }
    let entries = files.iter().map(|(name, bytes)| {
        format!(
            r#"{{"filename":"{name}","url":"/files/{name}","hashes":{{"sha256":"{}"}},"core-metadata":true}}"#,
            hash(bytes)
        )
    });
    let entries: Vec<_> = entries.collect();
    let text = format!(r#"{{"meta":{{"api-version":"1.1"}},"files":[{}]}}"#, entries.join(","));
    ([(header::CONTENT_TYPE, "application/vnd.pypi.simple.v1+json")], text).into_response()
}

fn file(shelf: &Shelf, name: &str) -> Response {
    let (wheel, is_metadata) =
        name.strip_suffix(".metadata").map_or((name, false), |wheel| (wheel, true));
    let Some(bytes) = shelf.files.get(wheel) else { return StatusCode::NOT_FOUND.into_response() };
    if !is_metadata {
        return bytes.clone().into_response();
    }
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a wheel");
    let entry = archive.file_names().flatten().find(|name| name.ends_with("METADATA"));
    let entry = entry.expect("metadata").into_owned();
    let text = std::io::read_to_string(archive.by_name(&entry).expect("an entry"));
    text.expect("text").into_response()
}
