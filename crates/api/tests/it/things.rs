use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::server::{Server, answer};

#[tokio::test]
async fn the_local_environment_is_there_from_the_start() {
    let server = Server::start().await;
    let (status, list) = server.get("/api/v1/environments").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(list["items"][0]["name"], "local");
    assert_eq!(list.get("nextCursor"), None);
    let (_, one) = server.get("/api/v1/environments/local").await;
    assert_eq!(one, list["items"][0]);
}

#[tokio::test]
async fn an_environment_is_changed_by_who_saw_its_version() {
    let server = Server::start().await;
    let path = "/api/v1/environments/local";
    let response = server.request(Method::GET, path).send().await.expect("an answer");
    let tag = response.headers()[header::ETAG].clone();
    let mut spec: Value = response.json().await.expect("JSON");
    for key in ["name", "version", "createdAt"] {
        spec.as_object_mut().expect("an object").remove(key);
    }
    spec["configuration"] = json!({"parallelism.default": 2});
    let change =
        || server.request(Method::PUT, path).header(header::IF_MATCH, tag.clone()).json(&spec);
    let (status, changed) = answer(change()).await;
    assert_eq!((status, &changed["configuration"]), (StatusCode::OK, &spec["configuration"]));
    let (status, problem) = answer(change()).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::PRECONDITION_FAILED, Some("request.precondition"))
    );
}

#[tokio::test]
async fn environments_come_in_pages() {
    let server = Server::start().await;
    let (_, local) = server.get("/api/v1/environments/local").await;
    let mut spec = local.clone();
    for key in ["name", "version", "createdAt"] {
        spec.as_object_mut().expect("an object").remove(key);
    }
    for name in ["a", "b", "c"] {
        let path = format!("/api/v1/environments/{name}");
        assert_eq!(answer(server.request(Method::PUT, &path).json(&spec)).await.0, StatusCode::OK);
    }
    let mut names = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let (_, page) = server.get(&format!("/api/v1/environments{query}")).await;
        let items = page["items"].as_array().expect("a list").clone();
        names.extend(
            items.into_iter().map(|item| item["name"].as_str().expect("a name").to_owned()),
        );
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["a", "b", "c", "local"]);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_says_so() {
    let server = Server::start().await;
    let (status, list) = server.get("/api/v1/clusters").await;
    assert_eq!((status, &list["items"][0]["reachable"]), (StatusCode::OK, &json!(false)));
    let (status, check) = server.get("/api/v1/clusters/local/check").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(check["checks"][0]["outcome"], "fail");
    assert!(check["checks"][0]["remedy"].is_string(), "{check}");
}

#[tokio::test]
async fn a_job_of_a_version_that_was_not_added_is_refused_with_how_to_add_it() {
    let server = Server::start().await;
    let spec = json!({"name": "a", "environment": "local", "flinkVersion": "1.20.5", "artifact": "local:///a.jar"});
    let path = "/api/v1/environments/local/jobs/a";
    let (status, problem) =
        answer(server.request(Method::PUT, path).json(&json!({"spec": spec}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(
        problem["detail"].as_str().is_some_and(|text| text.contains("flumen version add 1.20.5")),
        "{problem}"
    );
    assert_eq!(server.get("/api/v1/jobs").await.1, json!({"items": []}));
}

#[tokio::test]
async fn adding_a_version_is_an_operation_that_can_be_followed_to_its_end() {
    let server = Server::start().await;
    let nowhere = json!({"version": "1.20.5", "source": {"directory": "/nowhere/flink"}});
    let (status, operation) =
        answer(server.request(Method::POST, "/api/v1/versions").json(&nowhere)).await;
    assert_eq!((status, operation["kind"].as_str()), (StatusCode::ACCEPTED, Some("addVersion")));
    let id = operation["id"].as_str().expect("an id");
    let events = server.request(Method::GET, &format!("/api/v1/operations/{id}/events"));
    let response = events.send().await.expect("an answer");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let text = response.text().await.expect("it ends");
    let last =
        text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().expect("an event");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(
        (last["state"].as_str(), last["version"].as_str()),
        (Some("failed"), Some("1.20.5"))
    );
    assert!(
        last["error"]["message"].as_str().is_some_and(|text| text.contains("/nowhere/flink")),
        "{last}"
    );
    let (_, known) = server.get("/api/v1/operations").await;
    assert_eq!(known["items"][0]["id"], id);
}

#[tokio::test]
async fn a_version_from_a_relative_directory_is_refused() {
    let server = Server::start().await;
    let relative = json!({"version": "1.20.5", "source": {"directory": "flink"}});
    let (status, problem) =
        answer(server.request(Method::POST, "/api/v1/versions").json(&relative)).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("request.value"))
    );
}
