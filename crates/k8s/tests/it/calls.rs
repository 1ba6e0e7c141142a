use std::time::Duration;

use flumen_k8s::{Cause, Error, Timeouts};
use flumen_model::Kind;
use serde_json::json;

use crate::{
    fake::{Fake, connect, reply, silence, status},
    real::{RUN, Real, deployment, namespace, word_count},
};

#[tokio::test]
async fn a_cluster_that_is_there_says_its_version() {
    let real = Real::start().await;
    let version = real.cluster().await.check().await.unwrap();
    assert!(version.git_version.starts_with('v'), "{version:?}");
}

#[tokio::test]
async fn a_read_is_repeated_while_the_server_is_busy_and_no_longer_than_needed() {
    let fake = Fake::start(|_, before| match before {
        0 | 1 => status(503, "ServiceUnavailable", "starting"),
        _ => reply(200, json!({ "kind": "PodList", "items": [] }).to_string()),
    })
    .await;
    let pods = fake.cluster().await.pods_of(&namespace(), &word_count()).await.unwrap();
    assert!(pods.is_empty());
    assert_eq!(fake.seen().len(), 3);
    assert_eq!(fake.seen()[0].headers["authorization"], "Bearer the-token");
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_the_server_says() {
    let fake = Fake::start(|_, _| status(503, "ServiceUnavailable", "starting")).await;
    let error =
        fake.cluster().await.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_that_will_not_pass_is_not_repeated_and_keeps_the_servers_words() {
    let words = "pods is forbidden: User \"jo\" cannot list resource \"pods\"";
    let fake = Fake::start(move |_, _| status(403, "Forbidden", words)).await;
    let error = fake.cluster().await.pods_of(&namespace(), &word_count()).await.unwrap_err();
    assert_eq!(error.to_string(), "could not list pods of word-count in namespace default");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, format!("the API server answered 403: {words}"));
    assert_eq!(error.kind(), Kind::Denied);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    let fake = Fake::start(|_, _| silence()).await;
    let cluster = fake.cluster_with(Duration::from_millis(50)).await;
    let error = cluster.check().await.unwrap_err();
    assert!(matches!(error, Error::Check { source: Cause::TimedOut(_), .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Timeout);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    // The port was free a moment ago, and nobody listens on it.
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = connect(address, Timeouts::default()).await.check().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        format!(
            "no connection to the API server at http://{address}/: Connection refused (os error 111)"
        )
    );
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_namespace_is_made_once_and_events_are_found_by_object() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let streams = "streams".parse().unwrap();
    cluster.ensure_namespace(&streams).await.unwrap();
    cluster.ensure_namespace(&streams).await.unwrap();
    let event = |name: &str, object: &str| {
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": { "name": name },
            "involvedObject": { "kind": "Pod", "name": object, "namespace": "default" },
            "reason": "FailedScheduling", "message": "too little memory", "type": "Warning",
            "count": 3, "lastTimestamp": "2026-11-21T10:00:00Z",
        })
    };
    real.create(event("a.1", "a")).await;
    real.create(event("b.1", "b")).await;
    let events = cluster.events_of(&namespace(), "Pod", "a").await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].reason.as_str(), events[0].count), ("FailedScheduling", 3));
    assert!(events[0].warning);
}

#[tokio::test]
async fn apply_changes_what_it_made() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let account = |label: &str| {
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": "flink", "namespace": "default", "labels": { "tier": label } },
        })
    };
    cluster.apply(&account("one")).await.unwrap();
    cluster.apply(&account("two")).await.unwrap();
    let found = real.api("ServiceAccount").get("flink").await.unwrap();
    assert_eq!(found.metadata.labels.unwrap()["tier"], "two");
}

#[tokio::test]
async fn what_flumen_may_not_do_is_named_as_a_role_names_it() {
    let fake = Fake::start(|one, _| {
        let mut review: serde_json::Value = serde_json::from_slice(&one.body).unwrap();
        let asked = &review["spec"]["resourceAttributes"];
        let denied = (&asked["resource"], &asked["verb"], &asked["subresource"]);
        let denied = denied == (&json!("services"), &json!("patch"), &json!("proxy"))
            || denied.0 == "deployments" && denied.1 == "delete";
        review["status"] = json!({ "allowed": !denied });
        reply(201, review.to_string())
    })
    .await;
    let missing = fake.cluster().await.missing_permissions(&namespace()).await.unwrap();
    let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["delete deployments.apps", "patch services/proxy"]);
    assert_eq!(fake.seen()[0].path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?");
}
