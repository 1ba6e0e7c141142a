//! A pod that ends: made with what it reads, watched, deleted.

use flumen_k8s::{Deletion, Observation, PodPhase};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::real::{Real, namespace};

const NAME: &str = "sql-check-0123456789ab";

fn objects() -> (Pod, ConfigMap) {
    let metadata = json!({ "name": NAME, "labels": { "app": NAME } });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "flink-main-container", "image": "flink" }],
        },
    });
    let config_map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": "b" },
    });
    (serde_json::from_value(pod).unwrap(), serde_json::from_value(config_map).unwrap())
}

#[tokio::test]
async fn a_pod_is_made_with_its_config_map_once() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let (pod, config_map) = objects();
    let made = cluster.create_pod(&namespace(), &pod, &config_map).await.unwrap();
    assert!(!made.existed);
    let owners = real.api("ConfigMap").get(NAME).await.unwrap().metadata.owner_references.unwrap();
    assert_eq!((owners[0].kind.as_str(), owners[0].uid.as_str()), ("Pod", made.uid.as_str()));
    let again = cluster.create_pod(&namespace(), &pod, &config_map).await.unwrap();
    assert_eq!((again.existed, again.uid), (true, made.uid));
}

#[tokio::test]
async fn what_becomes_of_a_pod_is_reported_until_it_is_gone() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let (pod, config_map) = objects();
    let made = cluster.create_pod(&namespace(), &pod, &config_map).await.unwrap();
    let mut seen = cluster.watch_pods_of(&namespace(), &NAME.parse().unwrap());
    let status = json!({ "status": {
        "phase": "Failed",
        "containerStatuses": [{
            "name": "flink-main-container", "image": "flink", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "terminated": { "exitCode": 1, "reason": "Error" } },
        }],
    }});
    let pods = real.api("Pod");
    pods.patch_status(NAME, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    loop {
        if let Observation::Pod(pod) = seen.next().await.unwrap()
            && let Some(end) = pod.terminated
        {
            assert_eq!((pod.phase, end.exit_code), (PodPhase::Failed, 1));
            break;
        }
    }
    let deleted = cluster.delete_pod(&namespace(), NAME).await.unwrap();
    assert_eq!(deleted, Deletion::Underway);
    loop {
        if let Observation::PodGone { uid, .. } = seen.next().await.unwrap() {
            assert_eq!(uid, made.uid);
            break;
        }
    }
    assert_eq!(cluster.delete_pod(&namespace(), NAME).await.unwrap(), Deletion::Gone);
}
