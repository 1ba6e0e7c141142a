use flumen_k8s::{Error, Guard};
use serde_json::json;

use crate::real::{RUN, Real, config_map, deployment, namespace, service, word_count};

#[tokio::test]
async fn what_stands_of_a_cluster_is_found_by_name() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    assert_eq!(cluster.deployment_uid(&namespace(), "word-count").await.unwrap(), None);
    assert_eq!(cluster.rest_service(&namespace(), "word-count").await.unwrap(), None);
    let created = cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    let uid = cluster.deployment_uid(&namespace(), "word-count").await.unwrap();
    assert_eq!(uid, Some(created.uid));
}

#[tokio::test]
async fn a_rest_service_says_how_it_is_reached() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let ports = json!([{"name": "other", "port": 1}, {"name": "rest", "port": 8081}]);
    real.create(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a-rest"},
        "spec": {"type": "NodePort", "ports": ports, "selector": {"app": "a"}}}))
        .await;
    let found = cluster.rest_service(&namespace(), "a").await.unwrap().unwrap();
    assert_eq!((found.kind.as_str(), found.port, found.ingress), ("NodePort", 8081, None));
    assert!(found.node_port.is_some());
}

#[tokio::test]
async fn a_secret_is_looked_for_by_name() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    assert!(!cluster.has_secret(&namespace(), "pull").await.unwrap());
    real.create(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull"}})).await;
    assert!(cluster.has_secret(&namespace(), "pull").await.unwrap());
}

#[tokio::test]
async fn objects_become_the_property_of_a_deployment_that_stands_already() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let created = cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    let others = [config_map("flink-config-word-count"), service("word-count-rest")];
    let owner = ("word-count", created.uid.as_str());
    cluster.create_owned_objects(&namespace(), owner, &others).await.unwrap();
    let made = real.api("ConfigMap").get("flink-config-word-count").await.unwrap();
    assert_eq!(made.metadata.owner_references.unwrap()[0].uid, created.uid);
    cluster.delete_deployment(&namespace(), &word_count(), &Guard::Uid(created.uid)).await.unwrap();
}

#[tokio::test]
async fn what_an_earlier_deployment_of_the_name_left_is_replaced_and_nothing_else() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let owned_by = |name: &str| {
        let mut object = config_map("flink-config-word-count");
        object["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": "gone"}]);
        object
    };
    let others = [config_map("flink-config-word-count")];
    let created = cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    let owner = ("word-count", created.uid.as_str());

    real.create(owned_by("another")).await;
    let error = cluster.create_owned_objects(&namespace(), owner, &others).await.unwrap_err();
    assert!(matches!(error, Error::ObjectTaken { .. }), "{error:?}");
    let api = real.api("ConfigMap");
    api.delete("flink-config-word-count", &kube::api::DeleteParams::default()).await.unwrap();

    let left = real.create(owned_by("word-count")).await.metadata.uid;
    cluster.create_owned_objects(&namespace(), owner, &others).await.unwrap();
    let made = api.get("flink-config-word-count").await.unwrap().metadata;
    assert_ne!(made.uid, left);
    assert_eq!(made.owner_references.unwrap()[0].uid, created.uid);
}

#[tokio::test]
async fn addresses_of_nodes_that_take_no_pods_are_left_out() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let nodes: kube::Api<k8s_openapi::api::core::v1::Node> = kube::Api::all(real.client());
    for (name, unschedulable) in [("a", false), ("b", true)] {
        let node = serde_json::from_value(json!({"metadata": {"name": name},
            "spec": {"unschedulable": unschedulable}}))
        .unwrap();
        nodes.create(&kube::api::PostParams::default(), &node).await.unwrap();
        let status = json!({"status": {"addresses": [{"type": "InternalIP", "address": name}]}});
        let patch = kube::api::Patch::Merge(status);
        nodes.patch_status(name, &kube::api::PatchParams::default(), &patch).await.unwrap();
    }
    let found = cluster.node_addresses().await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind.as_str(), found[0].address.as_str()), ("InternalIP", "a"));
}
