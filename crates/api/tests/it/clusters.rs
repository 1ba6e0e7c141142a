//! Clusters over HTTP. None of them answers here.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    document::operations,
    server::{Server, answer},
};

const SECRET: &str = "hunter2-of-nobody";
const CLUSTERS: &str = "/api/v1/clusters";
const ONE: &str = "/api/v1/clusters/eu-1";

fn kubeconfig(user: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "eu",
        "contexts": [{"name": "eu", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {
            "server": "https://127.0.0.1:1", "proxy-url": format!("http://ann:{SECRET}@127.0.0.1:1")}}],
        "users": [{"name": "u", "user": user}],
    })
    .to_string()
}

fn body(user: &Value) -> Value {
    json!({"name": "eu-1", "kubeconfig": kubeconfig(user)})
}

async fn add(server: &Server, body: &Value) -> (StatusCode, Value) {
    answer(server.request(Method::POST, CLUSTERS).json(body)).await
}

#[tokio::test]
async fn a_cluster_is_added_changed_and_removed_by_who_saw_its_version() {
    let server = Server::start().await;
    let given = body(&json!({"username": "ann", "password": SECRET}));
    let response = server.request(Method::POST, CLUSTERS).json(&given).send().await.expect("sent");
    assert_eq!(response.status(), StatusCode::CREATED);
    let tag = response.headers()[header::ETAG].clone();
    let added: Value = response.json().await.expect("JSON");
    for (field, expected) in [
        ("access", json!("kubeconfig")),
        ("credentials", json!("password")),
        ("account", json!("ann")),
        ("context", json!("eu")),
        ("proxy", json!("http://127.0.0.1:1")),
        ("reachable", json!(false)),
        ("version", json!(1)),
    ] {
        assert_eq!(added[field], expected, "{added}");
    }
    let (status, problem) = add(&server, &given).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));

    let change = || {
        let source = json!({"kubeconfig": kubeconfig(&json!({"token": SECRET}))});
        server.request(Method::PUT, ONE).header(header::IF_MATCH, tag.clone()).json(&source)
    };
    let (status, changed) = answer(change()).await;
    assert_eq!((status, &changed["credentials"]), (StatusCode::OK, &json!("token")), "{changed}");
    let (status, problem) = answer(change()).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::PRECONDITION_FAILED, Some("request.precondition"))
    );

    let (_, mut environment) = server.get("/api/v1/environments/local").await;
    for key in ["name", "version", "createdAt"] {
        environment.as_object_mut().expect("an object").remove(key);
    }
    environment["cluster"] = json!("eu-1");
    let place = "/api/v1/environments/eu";
    assert_eq!(
        answer(server.request(Method::PUT, place).json(&environment)).await.0,
        StatusCode::OK
    );
    assert_eq!(server.get(ONE).await.1["environments"], json!(["eu"]));
    let (status, problem) = answer(server.request(Method::DELETE, ONE)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].to_string().contains("the environments eu are in it"), "{problem}");

    let free = json!({"name": "us-1", "kubeconfig": kubeconfig(&json!({"token": SECRET}))});
    assert_eq!(add(&server, &free).await.0, StatusCode::CREATED);
    let other = "/api/v1/clusters/us-1";
    assert_eq!(answer(server.request(Method::DELETE, other)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(server.get(other).await.1["code"], "cluster.not_found");
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_refused_with_a_code_and_without_what_is_secret() {
    let server = Server::start().await;
    let exec = json!({"exec": {"command": "sh", "args": ["-c", SECRET]}});
    let kept = kubeconfig(&json!({"token": SECRET}));
    for (given, status, code) in [
        (body(&exec), 403, "cluster.command"),
        (body(&json!({"token": SECRET, "client-key": SECRET})), 400, "cluster.kubeconfig"),
        (body(&json!({"token": [SECRET]})), 400, "cluster.kubeconfig"),
        (json!({"name": "eu-1", "kubeconfig": kept, "context": "us"}), 400, "cluster.kubeconfig"),
        (json!({"name": "eu-1", "kubeconfig": format!("a: {SECRET}")}), 400, "cluster.kubeconfig"),
        (json!({"name": "eu-1", "kubeconfig": kept, "inCluster": true}), 400, "request.value"),
        (json!({"name": "eu-1"}), 400, "request.value"),
        (json!({"name": "eu-1", "kubeconfig": kept, "Context": "eu"}), 400, "request.body"),
        (json!({"name": "Eu_1", "kubeconfig": kept}), 400, "request.body"),
        (json!({"name": "local", "kubeconfig": kept}), 409, "conflict"),
    ] {
        let (found, problem) = add(&server, &given).await;
        let seen = (found.as_u16(), problem["code"].as_str());
        assert_eq!(seen, (status, Some(code)), "{problem}");
        assert!(!problem.to_string().contains(SECRET), "{problem}");
    }
    let alone = server.get("/api/v1/clusters/local/check?serviceAccount=flink").await;
    assert_eq!((alone.0.as_u16(), &alone.1["code"]), (400, &json!("request.value")), "{}", alone.1);
    let (status, problem) = answer(server.request(Method::DELETE, "/api/v1/clusters/local")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
}

#[tokio::test]
async fn no_answer_and_no_file_has_what_was_given_for_a_cluster() {
    let server = Server::start().await;
    assert_eq!(add(&server, &body(&json!({"token": SECRET}))).await.0, StatusCode::CREATED);
    for (method, path, _) in operations() {
        if method != Method::GET {
            continue;
        }
        let path = path.replace("{name}", "eu-1");
        let asked = server.request(Method::GET, &path).send().await.expect("an answer");
        let text = asked.text().await.expect("a body");
        assert!(!text.contains(SECRET), "GET {path}: {text}");
    }
    for file in std::fs::read_dir(&server.directory).expect("a directory") {
        let path = file.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("read");
            let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
