//! Claims become directories, and parts of volumes stay inside them.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

use crate::cluster::{Cluster, entries, eventually};

#[tokio::test]
async fn a_claim_is_a_directory_that_stays_while_it_is_used() {
    let cluster = Cluster::start().await;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    let volumes: Api<PersistentVolume> = Api::all(cluster.client.clone());
    let directory = cluster.kubelet_directory().join("volumes");
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let claim = serde_json::from_value(claim).unwrap();
    claims.create(&PostParams::default(), &claim).await.unwrap();
    let bound = async || {
        let claim = claims.get("data").await.unwrap();
        let is_bound = claim.status.and_then(|status| status.phase).as_deref() == Some("Bound");
        is_bound.then_some(claim.spec.unwrap())
    };
    let spec = eventually("the claim is bound", bound).await;
    assert_eq!(spec.storage_class_name.as_deref(), Some("local-path"));
    let with_claim = |pod: &mut serde_json::Value| {
        pod["spec"]["volumes"] =
            json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
        pod["spec"]["securityContext"] = json!({"runAsUser": 1234});
        let main = &mut pod["spec"]["containers"][0];
        main["env"] =
            json!([{"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]);
        main["volumeMounts"] = json!([
            {"name": "v", "mountPath": "/all"}, {"name": "v", "mountPath": "/own", "subPathExpr": "of/$(WHO)"}]);
    };
    cluster.run("user", "echo first > /all/note; echo up; exec sleep 100000", with_claim).await;
    cluster.wait_log("user", "up").await;
    let (_, said) =
        cluster.run_to_end("other", "cat /all/note; ls /all /all/of; ls -a /own", with_claim).await;
    assert_eq!(said, "first\n/all:\nnote\nof\n\n/all/of:\nother\nuser\n.\n..\n");
    claims.delete("data", &DeleteParams::default()).await.unwrap();
    let gone = async || claims.get_opt("data").await.unwrap().is_none().then_some(());
    // It is in use: nothing of it goes before the pod that uses it.
    let going = claims.get("data").await.unwrap();
    assert!(going.metadata.deletion_timestamp.is_some());
    assert_eq!(entries(&directory).len(), 1);
    cluster.delete("user", 0).await;
    eventually("the claim goes", gone).await;
    eventually("the directory goes", async || entries(&directory).is_empty().then_some(())).await;
    let name = spec.volume_name.unwrap();
    eventually("the volume goes", async || {
        volumes.get_opt(&name).await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_claim_with_the_longest_name_gets_a_directory() {
    let cluster = Cluster::start().await;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    let name = "n".repeat(253);
    let claim = json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    claims.create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await.unwrap();
    eventually("the claim is bound", async || {
        let status = claims.get(&name).await.unwrap().status;
        (status.and_then(|status| status.phase).as_deref() == Some("Bound")).then_some(())
    })
    .await;
    assert_eq!(entries(&cluster.kubelet_directory().join("volumes")).len(), 1);
    claims.delete(&name, &DeleteParams::default()).await.unwrap();
    let directory = cluster.kubelet_directory().join("volumes");
    eventually("the directory goes", async || entries(&directory).is_empty().then_some(())).await;
}

#[tokio::test]
async fn links_in_a_volume_do_not_lead_out_of_it() {
    let cluster = Cluster::start().await;
    let volumes = json!([{"name": "v", "emptyDir": {}}]);
    cluster
        .run("escape", "ls /part; cat /part/passwd", |pod| {
            let image = pod["spec"]["containers"][0]["image"].clone();
            pod["spec"]["volumes"] = volumes;
            pod["spec"]["initContainers"] = json!([{
                "name": "first", "image": image, "command": ["ln", "-s", "/etc", "/v/link"],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]);
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "v", "mountPath": "/part", "subPath": "link"}]);
        })
        .await;
    let refused = async || cluster.events("escape").await.remove("Failed");
    let message = eventually("it is refused", refused).await;
    assert!(
        message.contains("failed to prepare subPath") && message.contains("a link in it leads out"),
        "{message}"
    );
}
