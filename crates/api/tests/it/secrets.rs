//! Values that Flink hides are in no answer, and stay what they are.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    document::operations,
    server::{JOB, Server, answer, spec},
};

const SECRET: &str = "hunter2-of-nobody";
const OTHER: &str = "hunter3-of-nobody";
const ENVIRONMENT: &str = "/api/v1/environments/local";

fn changes(secret: &str) -> Value {
    json!({"configuration": {"rest.port": 1, "s3.secret-key": secret, "my": {"password": secret}}})
}

/// An answer, of which nothing is secret.
async fn asked(server: &Server, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let (status, answered) = answer(server.request(method.clone(), path).json(body)).await;
    for secret in [SECRET, OTHER] {
        assert!(!answered.to_string().contains(secret), "{method} {path}: {answered}");
    }
    (status, answered)
}

#[tokio::test]
async fn no_answer_has_the_value_of_a_sensitive_key() {
    let server = Server::with_job().await;
    let (_, mut environment) = server.get(ENVIRONMENT).await;
    for key in ["name", "version", "createdAt"] {
        environment.as_object_mut().expect("an object").remove(key);
    }
    environment["configuration"] = json!({"my.api-key": SECRET, "rest.port": 2});
    let (status, saved) = asked(&server, Method::PUT, ENVIRONMENT, &environment).await;
    assert_eq!(status, StatusCode::OK, "{saved}");
    assert_eq!(saved["configuration"], json!({"my.api-key": "******", "rest.port": 2}));

    let body = |secret: &str| json!({"spec": spec(&changes(secret)), "start": false});
    let (status, applied) = asked(&server, Method::PUT, JOB, &body(SECRET)).await;
    assert_eq!(status, StatusCode::OK, "{applied}");
    let shown = json!({"rest.port": 1, "s3.secret-key": "******", "my": {"password": "******"}});
    assert_eq!(applied["job"]["spec"]["configuration"], shown);
    let (_, again) = asked(&server, Method::PUT, JOB, &body(SECRET)).await;
    assert_eq!(again["change"], "unchanged", "what is stored is the true value");

    let file = json!({"spec": spec(&changes(OTHER))});
    let (_, diff) = asked(&server, Method::POST, &format!("{JOB}/diff"), &file).await;
    let changed = diff["changes"].as_array().expect("a list").iter();
    let changed: Vec<_> = changed.map(|one| (&one["field"], &one["from"], &one["to"])).collect();
    let hidden = json!("******");
    let fields = ["configuration.my.password", "configuration.s3.secret-key"].map(|it| json!(it));
    assert_eq!(changed, [(&fields[0], &hidden, &hidden), (&fields[1], &hidden, &hidden)]);
    asked(&server, Method::PUT, JOB, &body(OTHER)).await;

    // An operation whose request has it.
    let mut prepared = spec(&changes(SECRET));
    prepared["dependencies"] = json!([{"maven": "g:a:1"}]);
    let body = json!({"spec": prepared, "start": false});
    let (status, operation) = asked(&server, Method::PUT, JOB, &body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
    let operation = operation["id"].as_str().expect("an id").to_owned();
    let cancel = format!("/api/v1/operations/{operation}/cancel");
    asked(&server, Method::POST, &cancel, &json!({})).await;

    for (method, path, _) in operations() {
        if method != Method::GET {
            continue;
        }
        let path = [
            ("{environment}", "local"),
            ("{job}", "a"),
            ("{release}", "2"),
            ("{id}", &operation),
            ("{name}", "local"),
            ("{version}", "1.20.5"),
        ]
        .into_iter()
        .fold(path, |path, (name, value)| path.replace(name, value));
        let query = if path.ends_with("/diff") { "?from=3" } else { "" };
        let request = server.request(Method::GET, &format!("{path}{query}"));
        let text = request.send().await.expect("an answer").text().await.expect("a body");
        for secret in [SECRET, OTHER] {
            assert!(!text.contains(secret), "GET {path}: {text}");
        }
    }
    let (_, back) = asked(
        &server,
        Method::POST,
        &format!("{JOB}/rollback"),
        &json!({"release": 2, "start": false}),
    )
    .await;
    assert_eq!(back["job"]["spec"]["configuration"], shown);
}

#[tokio::test]
async fn what_is_shown_in_the_place_of_a_secret_is_refused_as_one() {
    let server = Server::with_job().await;
    let body = json!({"spec": spec(&changes("******")), "start": false});
    let (status, problem) = answer(server.request(Method::PUT, JOB).json(&body)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains("s3.secret-key") && detail.contains("******"), "{detail}");
}
