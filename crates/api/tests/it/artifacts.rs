use std::time::Duration;

use flumen_testkit::{SmallDisk, eventually_async};
use reqwest::{Body, Method, StatusCode};

use crate::server::{LIMIT, Server, answer};

/// Of `abc`.
const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn path() -> String {
    format!("/api/v1/artifacts/{DIGEST}?name=a.jar")
}

async fn has(server: &Server) -> StatusCode {
    let path = format!("/api/v1/artifacts/{DIGEST}");
    server.request(Method::HEAD, &path).send().await.expect("an answer").status()
}

#[tokio::test]
async fn an_artifact_is_taken_once() {
    let server = Server::start().await;
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(has(&server).await, StatusCode::OK);
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn other_bytes_than_announced_are_refused_and_not_kept() {
    let server = Server::start().await;
    let (status, problem) = answer(server.request(Method::PUT, &path()).body("abd")).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("artifact.digest"))
    );
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_too_large_is_refused_whether_announced_or_not() {
    let server = Server::start().await;
    let large = vec![0; usize::try_from(LIMIT).expect("small") + 1];
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(large.clone())]);
    for body in [Body::from(large), Body::wrap_stream(chunks)] {
        let (status, problem) = answer(server.request(Method::PUT, &path()).body(body)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");
        assert_eq!(problem["code"], "request.too_large");
    }
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
}

/// What lies in the directory of the artifacts.
fn files(server: &Server) -> Vec<String> {
    let entries = std::fs::read_dir(server.directory.join("artifacts")).expect("read");
    entries.map(|entry| entry.expect("read").file_name().into_string().expect("text")).collect()
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_can_be_made_again() {
    let server = Server::start().await;
    let broken = futures::stream::iter([Ok("ab"), Err(std::io::Error::other("broken"))]);
    let request = server.request(Method::PUT, &path()).body(Body::wrap_stream(broken));
    let answered = request.send().await;
    assert!(answered.is_err() || answered.is_ok_and(|answer| answer.status().is_client_error()));
    // The server hears of it when it reads on.
    let nothing = async || match files(&server) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    };
    eventually_async(Duration::from_secs(10), nothing).await;
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!((status, files(&server).len()), (StatusCode::CREATED, 1));
}

#[tokio::test]
async fn a_disk_that_is_full_is_said_and_leaves_nothing_half() {
    let directory = tempfile::tempdir().expect("a directory");
    let artifacts = directory.path().join("artifacts");
    let Some(disk) = SmallDisk::mount(&artifacts, 1) else { return };
    let server = Server::start_in(directory).await;
    disk.fill();
    let (status, problem) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(problem["code"], "server.file");
    assert!(problem.to_string().contains("No space left on device"), "{problem}");
    assert_eq!(files(&server), ["ballast"]);
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
    disk.make_room();
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::CREATED);
}
