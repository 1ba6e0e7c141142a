use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{JOB, Server, answer, spec};

/// A server whose job has two releases.
async fn server() -> Server {
    let server = Server::with_job().await;
    let changes = json!({
        "parallelism": 2, "upgradeMode": "last-state",
        "configuration": {"a.b": "c", "s3.secret-key": "hidden"},
    });
    let body = json!({"spec": spec(&changes), "start": false});
    let (status, applied) = answer(server.request(Method::PUT, JOB).json(&body)).await;
    assert_eq!((status, &applied["change"]), (StatusCode::OK, &json!("configured")));
    server
}

#[tokio::test]
async fn releases_are_listed_shown_and_compared() {
    let server = server().await;
    let (_, list) = server.get(&format!("{JOB}/releases")).await;
    let numbers: Vec<_> =
        list["items"].as_array().expect("a list").iter().map(|one| &one["number"]).collect();
    assert_eq!(numbers, [2, 1]);
    let (_, second) = server.get(&format!("{JOB}/releases/2")).await;
    assert_eq!(
        (&second["id"], &second["job"]["parallelism"]),
        (&list["items"][0]["id"], &json!(2))
    );
    let (status, diff) = server.get(&format!("{JOB}/releases/2/diff?from=1")).await;
    assert_eq!((status, &diff["effect"]), (StatusCode::OK, &json!("restart")));
    let fields: Vec<_> =
        diff["changes"].as_array().expect("a list").iter().map(|one| &one["field"]).collect();
    assert_eq!(
        fields,
        ["configuration.a.b", "configuration.s3.secret-key", "parallelism"],
        "policies are part of no release"
    );
    assert!(!diff.to_string().contains("hidden"), "{diff}");
    let (_, same) = server.get(&format!("{JOB}/releases/1/diff?from=1")).await;
    assert_eq!((&same["effect"], &same["changes"]), (&json!("noOp"), &json!([])));
}

#[tokio::test]
async fn what_a_release_is_made_of_is_an_spdx_document() {
    let server = server().await;
    let path = format!("{JOB}/releases/2/sbom");
    let response = server.request(Method::GET, &path).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/spdx+json");
    let document: Value = response.json().await.expect("JSON");
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    let (_, release) = server.get(&format!("{JOB}/releases/2")).await;
    let id = release["id"].as_str().expect("an id");
    assert_eq!(document["packages"][0]["versionInfo"], id);
    assert_eq!(document["packages"][0]["name"], "a");
    // Its jar is one of the base image.
    assert_eq!((&document["files"], &release["artifacts"]), (&json!([]), &json!([])));
    assert!(!document.to_string().contains("hidden"), "{document}");
}

#[tokio::test]
async fn an_earlier_release_is_the_job_again_and_its_policies_stay() {
    let server = server().await;
    let (_, first) = server.get(&format!("{JOB}/releases/1")).await;
    let back = |body: Value| {
        let request = server.request(Method::POST, &format!("{JOB}/rollback"));
        answer(request.header("idempotency-key", "one").json(&body))
    };
    let (status, applied) = back(json!({"release": 1, "start": false})).await;
    assert_eq!((status, &applied["change"]), (StatusCode::OK, &json!("configured")), "{applied}");
    let job = &applied["job"];
    assert_eq!((&job["release"], &job["spec"]["parallelism"]), (&first["id"], &Value::Null));
    assert_eq!(job["spec"]["upgradeMode"], "last-state");
    let (_, list) = server.get(&format!("{JOB}/releases")).await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "no third one is made");
    let (_, again) = back(json!({"release": 1, "start": false})).await;
    assert_eq!(again["change"], "unchanged");
}

#[tokio::test]
async fn what_is_no_release_is_said() {
    let server = server().await;
    for path in [
        "releases/3",
        "releases/0",
        "releases/3/diff?from=1",
        "releases/3/sbom",
        "releases/1/diff?from=18446744073709551615",
    ] {
        let (status, problem) = server.get(&format!("{JOB}/{path}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {problem}");
        assert!(
            problem["detail"].as_str().is_some_and(|text| text.contains("release list a")),
            "{problem}"
        );
    }
    for path in ["releases/x", "releases/1/diff", "releases/1/diff?from=x"] {
        let (status, problem) = server.get(&format!("{JOB}/{path}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
    }
    let request = server.request(Method::POST, &format!("{JOB}/rollback"));
    let (status, _) = answer(request.json(&json!({"release": 7}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_nothing_needs_is_named_and_what_was_removed_is_listed() {
    let server = server().await;
    let prune = |body: Value| answer(server.request(Method::POST, "/api/v1/removals").json(&body));
    let (status, planned) = prune(json!({"dryRun": true})).await;
    assert_eq!((status, &planned["dryRun"]), (StatusCode::OK, &json!(true)), "{planned}");
    assert!(planned["items"].as_array().expect("a list").iter().all(|one| one["fate"] == "kept"));
    let (status, pruned) = prune(json!({})).await;
    assert_eq!((status, &pruned["dryRun"]), (StatusCode::OK, &json!(false)), "{pruned}");
    let (status, list) = server.get("/api/v1/removals?limit=1").await;
    assert_eq!(
        (status, &list["items"]),
        (StatusCode::OK, &json!([])),
        "nothing was unused for long enough"
    );
    assert_eq!(prune(json!({"dryrun": true})).await.0, StatusCode::BAD_REQUEST);
}
