use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::server::{Server, answer};

#[tokio::test]
async fn every_refusal_is_a_problem_with_a_code_and_a_request_id() {
    let server = Server::start().await;
    let bodies = json!({"name": "x"});
    for (request, status, code) in [
        (server.request(Method::GET, "/api/v1/nowhere"), 404, "request.no_such_address"),
        (server.request(Method::GET, "/"), 404, "request.no_such_address"),
        (server.request(Method::PATCH, "/api/v1/jobs"), 405, "request.method"),
        (server.request(Method::GET, "/api/v1/jobs?limit=0"), 400, "request.value"),
        (server.request(Method::GET, "/api/v1/jobs?lmit=1"), 400, "request.query"),
        (server.request(Method::GET, "/api/v1/jobs?cursor=x"), 400, "request.value"),
        (server.request(Method::GET, "/api/v1/jobs?state=RUNING"), 400, "request.query"),
        (server.request(Method::GET, "/api/v1/environments/Bad/jobs/a"), 400, "request.path"),
        (server.request(Method::GET, "/api/v1/operations/x"), 400, "request.path"),
        (server.request(Method::GET, "/api/v1/clusters/none"), 404, "cluster.not_found"),
        (server.request(Method::GET, "/api/v1/versions/1.20.5"), 404, "version.not_found"),
        (
            server.request(Method::PUT, "/api/v1/environments/local/jobs/a").json(&bodies),
            400,
            "request.body",
        ),
        (
            server.request(Method::PUT, "/api/v1/environments/local/jobs/a").body("{"),
            400,
            "request.body",
        ),
        (server.anonymous(Method::GET, "/api/v1/jobs"), 401, "request.unauthenticated"),
    ] {
        let response = request.send().await.expect("an answer");
        let id = response.headers().get("x-request-id").expect("an id").clone();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{code}");
        assert_eq!(response.status().as_u16(), status, "{code}");
        let problem: serde_json::Value = response.json().await.expect("JSON");
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["requestId"], id.to_str().expect("text"), "{code}");
        assert!(problem["detail"].is_string(), "{problem}");
    }
}

#[tokio::test]
async fn a_missing_job_is_named_with_its_environment() {
    let server = Server::start().await;
    let (status, problem) = server.get("/api/v1/environments/local/jobs/orders").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains("orders") && detail.contains("local"), "{problem}");
}

#[tokio::test]
async fn address_and_body_must_name_the_same_job() {
    let server = Server::start().await;
    let spec = json!({"name": "a", "environment": "local", "flinkVersion": "1.20.5", "artifact": "local:///a.jar"});
    let request = server
        .request(Method::PUT, "/api/v1/environments/local/jobs/b")
        .json(&json!({"spec": spec}));
    let (status, problem) = answer(request).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("request.value"))
    );
}

#[tokio::test]
async fn the_token_is_in_no_answer() {
    let server = Server::start().await;
    let request = server.anonymous(Method::GET, "/api/v1/jobs").bearer_auth("very-secret");
    let text = request.send().await.expect("an answer").text().await.expect("text");
    assert!(!text.contains("very-secret"), "{text}");
}

#[tokio::test]
async fn a_stopping_server_ends() {
    let server = Server::start().await;
    server.get("/api/v1/jobs").await;
    server.stop().await;
}
