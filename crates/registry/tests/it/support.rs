use std::{net::TcpListener, path::Path};

use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry on a directory of its own.
pub(crate) struct Registry {
    pub(crate) directory: TempDir,
    pub(crate) http: Client,
    pub(crate) url: String,
    stop: DropGuard,
    server: JoinHandle<Result<(), flumen_registry::Error>>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    pub(crate) fn start_in(directory: TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let server = tokio::spawn(flumen_registry::serve(
            listener,
            directory.path().to_owned(),
            stop.clone(),
        ));
        Self { directory, http: Client::new(), url, stop: stop.drop_guard(), server }
    }

    /// Stops it in order and gives its directory back.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.disarm().cancel();
        self.server.await.unwrap().unwrap();
        self.directory
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        self.http.request(method, url)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path).await.bytes().await.unwrap()).unwrap()
    }

    /// Starts an upload and gives its location.
    pub(crate) async fn start_upload(&self, repository: &str) -> String {
        let started =
            self.request("POST", &format!("/v2/{repository}/blobs/uploads/")).send().await.unwrap();
        assert_eq!(started.status(), StatusCode::ACCEPTED);
        header_of(&started, "location")
    }

    pub(crate) async fn push_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = digest_of(content);
        let location = self.start_upload(repository).await;
        let put =
            self.request("PUT", &format!("{location}?digest={digest}")).body(content.to_vec());
        let put = put.send().await.unwrap();
        assert_eq!(put.status(), StatusCode::CREATED);
        digest
    }

    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        name: &str,
        manifest: &Value,
    ) -> Response {
        let media_type = manifest["mediaType"].as_str().unwrap_or(MANIFEST).to_owned();
        self.request("PUT", &format!("/v2/{repository}/manifests/{name}"))
            .header(header::CONTENT_TYPE, media_type)
            .body(manifest.to_string())
            .send()
            .await
            .unwrap()
    }

    /// Pushes an image of one layer and gives its manifest.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str) -> Value {
        let manifest = self.image(repository, tag).await;
        assert_eq!(
            self.put_manifest(repository, tag, &manifest).await.status(),
            StatusCode::CREATED
        );
        manifest
    }

    /// The manifest of an image whose blobs are there.
    pub(crate) async fn image(&self, repository: &str, content: &str) -> Value {
        let config = self.push_blob(repository, b"{}").await;
        let layer = self.push_blob(repository, content.as_bytes()).await;
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
            "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": content.len() }],
        })
    }
}

pub(crate) fn digest_of(content: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

pub(crate) fn header_of(response: &Response, name: &str) -> String {
    response
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {response:?}"))
        .to_str()
        .unwrap()
        .to_owned()
}

/// Checks that an answer is a refusal with this status and code.
pub(crate) async fn assert_refused(response: Response, status: StatusCode, code: &str) {
    assert_eq!(response.status(), status);
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(body["errors"][0]["code"], code, "{body}");
}

pub(crate) fn files_in(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}
