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
