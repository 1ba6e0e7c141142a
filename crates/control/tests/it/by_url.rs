//! Files that a job names by URL, from a server on loopback.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use flumen_control::{ApplyJob, Error, Operation, Release, Terms};
use flumen_model::{ArtifactRole, Kind};
use flumen_testkit::{jar, program};
use futures::stream;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::server::{
    ARTIFACT_LIMIT, JAR, TestServer, application, digest, done, environment, job, name, refusal,
};

/// What was asked for, as path and range.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

struct Files {
    address: String,
    asked: Asked,
    task: JoinHandle<()>,
}

impl Drop for Files {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Files {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Asked::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, asked, task }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn asked(&self) -> Vec<(String, Option<String>)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(asked): State<Asked>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE);
    let range = range.map(|range| range.to_str().unwrap().to_owned());
    asked.lock().unwrap().push((path.clone(), range));
    match path.as_str() {
        "/job.jar" => JAR.clone().into_response(),
        "/lib/other.jar" => other().into_response(),
        "/moved/job.jar" => (StatusCode::FOUND, [(header::LOCATION, "/job.jar")]).into_response(),
        "/breaks/job.jar" => broken(request.headers()),
        "/large/job.jar" => {
            let limit = usize::try_from(ARTIFACT_LIMIT).unwrap();
            vec![b'a'; limit + 1].into_response()
        }
        "/closed/job.jar" => StatusCode::FORBIDDEN.into_response(),
        "/page/job.jar" => "<html>sign in</html>".into_response(),
        "/v2/team/job/manifests/1" => manifest(),
        path if path == format!("/v2/team/job/blobs/{}", digest(&JAR)) => {
            JAR.clone().into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What a registry says of a file that it keeps.
fn manifest() -> Response {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let empty = digest(b"{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2 },
        "layers": [{
            "mediaType": "application/java-archive", "digest": digest(&JAR), "size": JAR.len(),
        }],
    });
    ([(header::CONTENT_TYPE, media_type)], manifest.to_string()).into_response()
}

fn other() -> Vec<u8> {
    jar(&[("META-INF/other", b"a library")])
}

/// The first half, and the rest for who asks for it.
fn broken(headers: &HeaderMap) -> Response {
    let etag = [(header::ETAG, "\"one\"")];
    let half = JAR.len() / 2;
    if headers.get(header::RANGE).is_some() {
        return (StatusCode::PARTIAL_CONTENT, etag, JAR[half..].to_vec()).into_response();
    }
    let first = bytes::Bytes::copy_from_slice(&JAR[..half]);
    // It breaks when the first half was taken, and not before.
    let parts = stream::unfold(Some(first), |part| async move {
        tokio::task::yield_now().await;
        match part {
            Some(part) => Some((Ok(part), None)),
            None => Some((Err(std::io::Error::other("broken")), None)),
        }
    });
    let length = [(header::CONTENT_LENGTH, JAR.len().to_string())];
    (etag, length, Body::from_stream(parts)).into_response()
}

fn by_url(url: &str) -> Value {
    let mut file = job();
    file["artifact"] = json!(url);
    file
}

/// A job file without a file that was uploaded.
fn without_files(file: Value) -> ApplyJob {
    ApplyJob { artifacts: Vec::new(), terms: Terms::default(), ..application(file, &JAR) }
}

/// Applies a job file and waits until its release is made.
async fn apply(server: &TestServer, file: Value) -> Operation {
    let id = server.prepare(without_files(file)).await.unwrap();
    server.released(id).await
}

/// Applies a job file of which no release can be made; returns its operation.
async fn refused(server: &TestServer, file: Value) -> Operation {
    let id = server.prepare(without_files(file)).await.unwrap();
    server.operation_ended(id).await
}

async fn newest(server: &TestServer) -> Release {
    let releases = server.control().releases(&server.principal, &environment(), &name()).await;
    releases.unwrap().remove(0)
}

#[tokio::test]
async fn a_job_by_url_is_the_same_release_as_the_job_that_was_uploaded() {
    let server = TestServer::start().await;
    let files = Files::start().await;
    server.apply(job()).await.unwrap();
    let uploaded = newest(&server).await;
    server.operation_ended(server.delete().await).await;
    server.until_gone().await;

    let file = by_url(&files.url("/moved/job.jar"));
    let operation = apply(&server, file.clone()).await;
    let steps: Vec<_> = operation.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(steps[..3], ["fetch-files", "check-jars", "make-release"]);
    assert_eq!(newest(&server).await.id, uploaded.id);
    let again = server.control().apply_job(&server.principal, without_files(file)).await;
    assert_eq!(done(again.unwrap()).operation, None, "nothing changed");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn what_is_here_by_its_digest_is_not_fetched() {
    let server = TestServer::start().await;
    let files = Files::start().await;
    let mut file = by_url(&format!("{}#sha256={}", files.url("/job.jar"), digest(&JAR).hex()));
    let url = files.url("/lib/other.jar");
    file["dependencies"] = json!([{"url": url, "sha256": digest(&other()), "role": "lib"}]);
    apply(&server, file.clone()).await;
    assert_eq!(files.asked(), [("/lib/other.jar".to_owned(), None)], "the job's jar was here");
    let artifacts = newest(&server).await.content.artifacts;
    let shown: Vec<_> = artifacts.iter().map(|one| (one.name.as_str(), one.role)).collect();
    assert_eq!(shown, [("job.jar", ArtifactRole::Usrlib), ("other.jar", ArtifactRole::Lib)]);
    let kept = server.world.directory.join("data/artifacts").join(digest(&other()).hex());
    assert_eq!(std::fs::read(kept).unwrap(), other());

    let diff = server.control();
    let spec: flumen_model::JobSpec = serde_json::from_value(file.clone()).unwrap();
    let same = diff.diff_job(&server.principal, &spec, &[]).await.unwrap();
    assert_eq!(same.differences, []);
    file["dependencies"][0]["url"] = json!(files.url("/lib/another.jar"));
    let spec: flumen_model::JobSpec = serde_json::from_value(file).unwrap();
    let differs = server.control().diff_job(&server.principal, &spec, &[]).await.unwrap();
    assert_eq!(differs.differences.len(), 1, "{differs:?}");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn a_fetch_that_breaks_off_goes_on_where_it_broke() {
    let server = TestServer::start().await;
    let files = Files::start().await;
    apply(&server, by_url(&files.url("/breaks/job.jar"))).await;
    let range = format!("bytes={}-", JAR.len() / 2);
    let path = "/breaks/job.jar".to_owned();
    assert_eq!(files.asked(), [(path.clone(), None), (path, Some(range))]);
    assert_eq!(newest(&server).await.content.artifacts[0].digest, digest(&JAR));
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_had_or_is_something_else_is_refused_and_leaves_nothing() {
    let server = TestServer::start().await;
    let files = Files::start().await;
    let hex = "0f".repeat(32);
    let cases = [
        (files.url("/gone/job.jar?v=1"), Kind::NotFound, "artifact.fetch", "there is no such file"),
        (files.url("/closed/job.jar"), Kind::Denied, "artifact.fetch", "status 403"),
        (files.url("/large/job.jar"), Kind::Invalid, "artifact.fetch", "1048576 bytes"),
        (files.url("/page/job.jar"), Kind::Invalid, "invalid", "job.jar is no jar"),
        (format!("{}#sha256={hex}", files.url("/job.jar")), Kind::Invalid, "artifact.digest", &hex),
    ];
    let kept = || {
        let entries = std::fs::read_dir(server.world.directory.join("data/artifacts")).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    let before = kept();
    for (url, kind, code, words) in cases {
        let operation = refused(&server, by_url(&url)).await;
        let refusal = operation.refusal.expect(&url);
        assert_eq!((refusal.kind, refusal.code.as_str()), (kind, code), "{url}");
        let text = operation.error.expect(&url);
        assert!(text.contains(words) && !text.contains("v=1"), "{words:?} is not in: {text}");
        assert_eq!(kept(), before, "{url}");
    }
    let secret = without_files(by_url("http://me:hunter2@h/job.jar"));
    let (kind, text) = refusal(server.control().apply_job(&server.principal, secret).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("no place for user and password") && !text.contains("hunter2"), "{text}");
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}

#[tokio::test]
async fn a_file_of_a_registry_is_called_after_its_repository_and_fetched_once() {
    let server = TestServer::start().await;
    let files = Files::start().await;
    let jar = server.world.directory.join("data/artifacts").join(digest(&JAR).hex());
    let url = format!("oci://{}/team/job:1", files.address.trim_start_matches("http://"));
    apply(&server, by_url(&url)).await;
    let [only] = &newest(&server).await.content.artifacts[..] else { panic!("one file") };
    assert_eq!((only.name.as_str(), &only.digest), ("job.jar", &digest(&JAR)));
    let paths: Vec<_> = files.asked().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/v2/team/job/manifests/1"], "the jar was here");
    assert!(jar.is_file());
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn credentials_are_those_of_the_repository_that_the_file_lies_in() {
    let server = TestServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(|headers: HeaderMap| async move {
        // me:hunter2
        let right = headers.get(header::AUTHORIZATION);
        if right.is_some_and(|given| given == "Basic bWU6aHVudGVyMg==") {
            return program("behind a password").into_response();
        }
        StatusCode::UNAUTHORIZED.into_response()
    });
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let settings = format!(
        "<settings><mirrors><mirror><id>own</id><mirrorOf>*</mirrorOf><url>{address}/files</url></mirror></mirrors>\
         <servers><server><id>own</id><username>me</username><password>hunter2</password></server></servers></settings>"
    );
    std::fs::create_dir_all(server.world.directory.join("home/.m2")).unwrap();
    std::fs::write(server.world.directory.join("home/.m2/settings.xml"), settings).unwrap();
    let outside = refused(&server, by_url(&format!("{address}/elsewhere/job.jar"))).await;
    let refusal = outside.refusal.expect("nobody asks there");
    assert_eq!(refusal.kind, Kind::Denied);
    assert!(refusal.hint.is_some_and(|hint| hint.contains("servers")));
    apply(&server, by_url(&format!("{address}/files/job.jar"))).await;
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
    task.abort();
}
