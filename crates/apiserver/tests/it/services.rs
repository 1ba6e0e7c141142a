//! Services and their addresses.

use std::collections::HashSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const SERVICES: &str = "/api/v1/namespaces/default/services";

fn service(name: &str, more: &Value) -> Value {
    let mut service = json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
    for (field, value) in more.as_object().unwrap() {
        service["spec"][field] = value.clone();
    }
    service
}

fn address(service: &Value) -> String {
    service["spec"]["clusterIP"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_api_has_a_service_of_its_own() {
    let cluster = Cluster::start().await;
    let (_, own) = cluster.get(&format!("{SERVICES}/kubernetes")).await;
    assert_eq!(address(&own), "10.96.0.1");
    let (_, endpoints) = cluster.get("/api/v1/namespaces/default/endpoints/kubernetes").await;
    assert_eq!(endpoints["subsets"][0]["addresses"][0]["ip"], "10.96.0.1");
    assert_eq!(endpoints["subsets"][0]["ports"][0]["port"], 443);
}

#[tokio::test]
async fn no_two_services_share_an_address_or_a_node_port_also_after_a_restart() {
    let cluster = Cluster::start().await;
    let mut seen = HashSet::new();
    for name in ["a", "b", "c"] {
        let made = cluster
            .must(Method::POST, SERVICES, &service(name, &json!({"type": "NodePort"})))
            .await;
        assert!(seen.insert(address(&made)));
        assert!(seen.insert(made["spec"]["ports"][0]["nodePort"].to_string()));
    }
    let cluster = cluster.restart().await;
    for name in ["d", "e", "f"] {
        let made = cluster
            .must(Method::POST, SERVICES, &service(name, &json!({"type": "LoadBalancer"})))
            .await;
        assert!(seen.insert(address(&made)), "{made}");
        assert!(seen.insert(made["spec"]["ports"][0]["nodePort"].to_string()), "{made}");
    }
}

#[tokio::test]
async fn an_address_can_be_chosen_once_and_is_free_again_after_the_deletion() {
    let cluster = Cluster::start().await;
    let chosen = json!({"clusterIP": "10.96.3.4"});
    cluster.must(Method::POST, SERVICES, &service("a", &chosen)).await;
    let (status, answer) = cluster.call(Method::POST, SERVICES, &service("b", &chosen)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer["message"].as_str().unwrap().contains("provided IP is already allocated"),
        "{answer}"
    );
    let outside = service("b", &json!({"clusterIP": "10.1.1.1"}));
    assert_eq!(
        cluster.call(Method::POST, SERVICES, &outside).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    cluster.must(Method::DELETE, &format!("{SERVICES}/a"), &Value::Null).await;
    cluster.must(Method::POST, SERVICES, &service("b", &chosen)).await;
}

#[tokio::test]
async fn a_headless_service_has_no_address_and_updates_keep_what_they_do_not_name() {
    let cluster = Cluster::start().await;
    let headless =
        cluster.must(Method::POST, SERVICES, &service("h", &json!({"clusterIP": "None"}))).await;
    assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
    let made = cluster.must(Method::POST, SERVICES, &service("a", &json!({}))).await;
    assert_eq!(made["spec"]["ports"][0], json!({"port": 80, "protocol": "TCP", "targetPort": 80}));
    let put = cluster
        .must(Method::PUT, &format!("{SERVICES}/a"), &service("a", &json!({"type": "NodePort"})))
        .await;
    assert_eq!(address(&put), address(&made));
    assert!(put["spec"]["ports"][0]["nodePort"].is_number());
    let (status, _) = cluster
        .call(Method::PATCH, &format!("{SERVICES}/a"), &json!({"spec": {"clusterIP": "10.96.9.9"}}))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Sends a request and goes away before it is answered; whether that was so, and not too late.
async fn send_and_go(cluster: &Cluster, method: Method, path: &str, body: &Value) -> bool {
    // Nothing but the disk makes it wait, and that only once the change was made.
    futures::poll!(std::pin::pin!(cluster.call(method, path, body))).is_pending()
}

#[tokio::test]
async fn addresses_follow_what_is_stored_though_the_client_did_not_wait_for_the_answer() {
    let cluster = Cluster::start().await;
    let mut left_early = [0; 3];
    for number in 1..100 {
        let (name, other) = (format!("a-{number}"), format!("b-{number}"));
        let path = format!("{SERVICES}/{name}");
        let chosen = json!({"clusterIP": format!("10.96.3.{number}")});
        let made = service(&name, &chosen);
        left_early[0] += u32::from(send_and_go(&cluster, Method::POST, SERVICES, &made).await);
        let (status, answer) =
            cluster.call(Method::POST, SERVICES, &service(&other, &chosen)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");

        let ports = json!([{"port": 80, "nodePort": 30_000 + number}]);
        let ported = json!({"spec": {"type": "NodePort", "ports": ports}});
        left_early[1] += u32::from(send_and_go(&cluster, Method::PATCH, &path, &ported).await);
        let same = service(&other, &ported["spec"]);
        let (status, answer) = cluster.call(Method::POST, SERVICES, &same).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");

        left_early[2] +=
            u32::from(send_and_go(&cluster, Method::DELETE, &path, &Value::Null).await);
        assert_eq!(cluster.get(&path).await.0, StatusCode::NOT_FOUND);
        cluster.must(Method::POST, SERVICES, &service(&other, &chosen)).await;
        if left_early.iter().all(|times| *times > 0) {
            return;
        }
    }
    panic!("the disk was always faster: {left_early:?}");
}
