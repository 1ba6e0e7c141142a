//! Projects over HTTP. There is no cluster: builds wait for one.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Server, answer};

const PROJECT: &str = "/api/v1/projects/orders";

fn spec() -> Value {
    json!({
        "name": "orders", "environment": "local", "repository": "https://git.example/orders.git",
        "builder": "maven", "image": "maven:3.9",
    })
}

async fn save(server: &Server, spec: &Value) -> (StatusCode, Value) {
    answer(server.request(Method::PUT, PROJECT).json(&json!({ "spec": spec }))).await
}

#[tokio::test]
async fn a_project_is_saved_shown_listed_and_deleted() {
    let server = Server::start().await;
    let (status, saved) = save(&server, &spec()).await;
    assert_eq!(
        (status, &saved["version"], &saved["builds"]),
        (StatusCode::OK, &json!(1), &json!([]))
    );
    assert_eq!(saved["spec"]["timeout"], "30m");
    let (_, shown) = server.get(PROJECT).await;
    assert_eq!(shown, saved);
    let (_, list) = server.get("/api/v1/projects?limit=1").await;
    assert_eq!(list["items"], json!([saved]));
    let (status, _) = answer(server.request(Method::DELETE, PROJECT)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, problem) = server.get(PROJECT).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")));
}

#[tokio::test]
async fn what_cannot_be_a_project_is_refused() {
    let server = Server::start().await;
    for (key, value, words) in [
        (
            "repository",
            json!("https://me:hunter2@git.example/a.git"),
            "no place for user and password",
        ),
        ("name", json!("other"), "other"),
        ("environment", json!("nowhere"), "environment nowhere"),
        ("resources", json!({ "cpu": -1.0 }), "resources.cpu"),
        ("passwrd", json!("x"), "passwrd"),
    ] {
        let mut spec = spec();
        spec[key] = value;
        let (status, problem) = save(&server, &spec).await;
        assert!(status.is_client_error(), "{key}: {status}");
        let text = problem.to_string();
        assert!(text.contains(words) && !text.contains("hunter2"), "{key}: {text}");
    }
    let stale = server.request(Method::PUT, PROJECT).header("if-match", "\"3\"");
    let (status, _) = answer(stale.json(&json!({ "spec": spec() }))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_build_is_an_operation_on_the_project_and_can_be_cancelled() {
    let server = Server::start().await;
    save(&server, &spec()).await;
    let (status, operation) = answer(
        server.request(Method::POST, &format!("{PROJECT}/builds")).json(&json!({"ref": "v1"})),
    )
    .await;
    assert_eq!((status, &operation["kind"]), (StatusCode::ACCEPTED, &json!("buildProject")));
    assert_eq!((&operation["project"], &operation["job"]), (&json!("orders"), &Value::Null));
    let (_, builds) = server.get(&format!("{PROJECT}/builds")).await;
    assert_eq!(
        (&builds["items"][0]["number"], &builds["items"][0]["ref"]),
        (&json!(1), &json!("v1"))
    );
    let (status, problem) = answer(server.request(Method::DELETE, PROJECT)).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));
    let id = operation["id"].as_str().expect("an id");
    let cancel = server.request(Method::POST, &format!("/api/v1/operations/{id}/cancel"));
    let (status, canceled) = answer(cancel).await;
    assert_eq!((status, &canceled["state"]), (StatusCode::OK, &json!("canceled")));
    let (status, _) = server.get(&format!("{PROJECT}/log?build=7")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_reference_that_is_none_is_refused() {
    let server = Server::start().await;
    save(&server, &spec()).await;
    let build = server.request(Method::POST, &format!("{PROJECT}/builds"));
    let (status, problem) = answer(build.json(&json!({ "ref": "--upload-pack=x" }))).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("request.body")));
}
