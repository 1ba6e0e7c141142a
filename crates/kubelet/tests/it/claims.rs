//! Claims become directories, and parts of volumes stay inside them.

use k8s_openapi::api::{
    core::v1::{PersistentVolume, PersistentVolumeClaim},
    storage::v1::StorageClass,
};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::{Value, json};

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
    // It is in use: nothing of it goes before the pod that uses it, however long that runs, and no other pod gets it.
    cluster
        .run("late", "true", |pod| {
            with_claim(pod);
            pod["spec"]["nodeName"] = "here".into();
        })
        .await;
    let refused = async || cluster.events("late").await.remove("FailedMount");
    let refused = eventually("a late pod is refused", refused).await;
    assert!(refused.contains(r#"persistentvolumeclaim "data" is being deleted"#), "{refused}");
    cluster.delete("late", 0).await;
    cluster.wait_gone("late").await;
    cluster.run_to_end("bystander", "true", |_| {}).await;
    let going = claims.get("data").await.unwrap();
    assert!(going.metadata.deletion_timestamp.is_some());
    let [volume] = &entries(&directory)[..] else { panic!("one volume") };
    let note = std::fs::read_to_string(directory.join(volume).join("note")).unwrap();
    assert_eq!(note, "first\n");
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

/// Claims a volume, and waits until it is there.
async fn claim(cluster: &Cluster, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    let mut claim = json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    change(&mut claim);
    claims.create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await.unwrap();
    bound(cluster, name).await
}

async fn bound(cluster: &Cluster, name: &str) -> String {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    eventually("the claim is bound", async || {
        let claim = claims.get(name).await.unwrap();
        let is_bound = claim.status.and_then(|status| status.phase).as_deref() == Some("Bound");
        claim.spec.and_then(|spec| spec.volume_name).filter(|_| is_bound)
    })
    .await
}

async fn give_up(cluster: &Cluster, name: &str) {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    claims.delete(name, &DeleteParams::default()).await.unwrap();
}

async fn wait_volume(cluster: &Cluster, name: &str, phase: Option<&str>) {
    let volumes: Api<PersistentVolume> = Api::all(cluster.client.clone());
    eventually("the volume is as wanted", async || {
        let found = volumes.get_opt(name).await.unwrap();
        let found = found.map(|volume| volume.status.and_then(|status| status.phase));
        (found == phase.map(|phase| Some(phase.to_owned()))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn anyone_of_a_pod_may_write_into_a_part_of_a_volume() {
    let cluster = Cluster::start().await;
    claim(&cluster, "data", |_| {}).await;
    for (name, group) in [("plain", Value::Null), ("group", 7.into())] {
        let (_, said) = cluster
            .run_to_end(
                name,
                "for d in /claim /empty; do echo $d > $d/f && cat $d/f; done",
                |pod| {
                    pod["spec"]["securityContext"] = json!({"runAsUser": 9999, "fsGroup": group});
                    pod["spec"]["volumes"] = json!([
                    {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
                    {"name": "e", "emptyDir": {}}]);
                    pod["spec"]["containers"][0]["volumeMounts"] = json!([
                    {"name": "c", "mountPath": "/claim", "subPath": format!("{name}/checkpoints")},
                    {"name": "e", "mountPath": "/empty", "subPath": "checkpoints"}]);
                },
            )
            .await;
        assert_eq!(said, "/claim\n/empty\n", "{name}");
    }
}

#[tokio::test]
async fn a_part_named_by_a_variable_that_is_not_there_is_refused() {
    let cluster = Cluster::start().await;
    cluster
        .run("unnamed", "true", |pod| {
            pod["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "v", "mountPath": "/v", "subPathExpr": "of/$(NO)"}]);
        })
        .await;
    let pod = cluster
        .wait("unnamed", |pod| {
            let statuses = pod.status.as_ref().and_then(|s| s.container_statuses.as_ref());
            statuses.into_iter().flatten().any(|status| {
                let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
                waiting.and_then(|waiting| waiting.reason.as_deref())
                    == Some("CreateContainerConfigError")
            })
        })
        .await;
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    assert_eq!(waiting["message"], "missing value for NO");
}

#[tokio::test]
async fn a_claim_or_volume_that_cannot_be_served_holds_up_no_other() {
    let cluster = Cluster::start().await;
    let volumes: Api<PersistentVolume> = Api::all(cluster.client.clone());
    let directory = cluster.kubelet_directory().join("volumes");
    std::fs::create_dir_all(&directory).unwrap();
    // What is no directory cannot be removed as one.
    std::fs::write(directory.join("stuck_x"), "").unwrap();
    let stuck = json!({
        "metadata": {"name": "stuck", "annotations": {"pv.kubernetes.io/provisioned-by": "flumen.dev/local-path"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": {"path": directory.join("stuck_x")},
            "claimRef": {"namespace": "default", "name": "gone", "uid": "gone"}},
    });
    volumes.create(&PostParams::default(), &serde_json::from_value(stuck).unwrap()).await.unwrap();
    wait_volume(&cluster, "stuck", Some("Released")).await;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    let without_class = json!({
        "metadata": {"name": "bad", "annotations": {"volume.kubernetes.io/storage-provisioner": "flumen.dev/local-path"}},
        "spec": {"storageClassName": "no", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let without_class = serde_json::from_value(without_class).unwrap();
    claims.create(&PostParams::default(), &without_class).await.unwrap();
    let odd = |claim: &mut Value| claim["spec"]["resources"]["requests"]["x"] = "1".into();
    let name = claim(&cluster, "odd", odd).await;
    give_up(&cluster, "odd").await;
    wait_volume(&cluster, &name, None).await;
    wait_volume(&cluster, "stuck", Some("Released")).await;
    let bad = claims.get("bad").await.unwrap().status.and_then(|status| status.phase);
    assert_eq!(bad.as_deref(), Some("Pending"));
}

#[tokio::test]
async fn a_class_may_wait_for_a_pod_and_keep_what_is_in_its_volumes() {
    let cluster = Cluster::start().await;
    let class = json!({
        "metadata": {"name": "careful"}, "provisioner": "flumen.dev/local-path",
        "reclaimPolicy": "Retain", "volumeBindingMode": "WaitForFirstConsumer"});
    let classes: Api<StorageClass> = Api::all(cluster.client.clone());
    classes.create(&PostParams::default(), &serde_json::from_value(class).unwrap()).await.unwrap();
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(cluster.client.clone(), "default");
    let kept = json!({"metadata": {"name": "kept"}, "spec": {
        "storageClassName": "careful", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    claims.create(&PostParams::default(), &serde_json::from_value(kept).unwrap()).await.unwrap();
    // Another claim is served first, so that this one would be by now.
    let other = claim(&cluster, "other", |_| {}).await;
    let directory = cluster.kubelet_directory().join("volumes");
    assert_eq!(entries(&directory).len(), 1);
    cluster
        .run_to_end("writer", "echo kept > /v/note", |pod| {
            pod["spec"]["volumes"] =
                json!([{"name": "v", "persistentVolumeClaim": {"claimName": "kept"}}]);
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "v", "mountPath": "/v"}]);
        })
        .await;
    let name = bound(&cluster, "kept").await;
    give_up(&cluster, "kept").await;
    wait_volume(&cluster, &name, Some("Released")).await;
    give_up(&cluster, "other").await;
    wait_volume(&cluster, &other, None).await;
    let [left] = &entries(&directory)[..] else { panic!("one volume stays") };
    assert_eq!(std::fs::read_to_string(directory.join(left).join("note")).unwrap(), "kept\n");
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
