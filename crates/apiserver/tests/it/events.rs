//! The end of events: some time after they were last written, whatever times they carry.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const EVENTS: &str = "/api/v1/namespaces/default/events";

fn event(name: &str, time: &str) -> Value {
    json!({"metadata": {"name": name}, "involvedObject": {"namespace": "default"}, "lastTimestamp": time})
}

#[tokio::test]
async fn events_go_when_they_were_not_written_for_long_whatever_times_they_carry() {
    let lifetime = Duration::from_millis(100);
    let cluster = Cluster::start_with(|settings| settings.event_lifetime = lifetime).await;
    let mut lines = cluster.watch(&format!("{EVENTS}?watch=true")).await;
    cluster.must(Method::POST, EVENTS, &event("past", "2020-01-01T00:00:00Z")).await;
    assert_eq!(lines.next_short().await, "ADDED past");
    assert_eq!(lines.next_short().await, "DELETED past");
    cluster.must(Method::POST, EVENTS, &event("future", "2120-01-01T00:00:00Z")).await;
    assert_eq!(lines.next_short().await, "ADDED future");
    assert_eq!(lines.next_short().await, "DELETED future");
}

#[tokio::test]
async fn an_event_that_is_written_stays() {
    let lifetime = Duration::from_secs(2);
    let cluster = Cluster::start_with(|settings| settings.event_lifetime = lifetime).await;
    cluster.must(Method::POST, EVENTS, &event("a", "2020-01-01T00:00:00Z")).await;
    let path = format!("{EVENTS}/a");
    for count in 0..8 {
        tokio::time::sleep(lifetime / 4).await;
        cluster
            .must(Method::PATCH, &path, &json!({"metadata": {"labels": {"n": count.to_string()}}}))
            .await;
    }
    assert_eq!(cluster.get(&path).await.0, StatusCode::OK);
}
