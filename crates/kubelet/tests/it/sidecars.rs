//! Containers beside the others, and limits of time.

use kube::api::LogParams;
use serde_json::json;

use crate::cluster::Cluster;

#[tokio::test]
async fn a_sidecar_runs_from_before_the_container_until_after_it() {
    let cluster = Cluster::start().await;
    let script = "until test -e /work/ready; do :; done; echo helped > /work/done; echo main";
    let (pod, log) = {
        cluster
            .run("job", script, |pod| {
                let image = pod["spec"]["containers"][0]["image"].clone();
                pod["spec"]["volumes"] = json!([{"name": "work", "emptyDir": {}}]);
                let mounts = json!([{"name": "work", "mountPath": "/work"}]);
                pod["spec"]["containers"][0]["volumeMounts"] = mounts.clone();
                let helper = "trap 'cat /work/done; echo bye; exit 0' TERM; touch /work/ready; \
                              while :; do sleep 0.05; done";
                pod["spec"]["initContainers"] = json!([{
                    "name": "helper", "image": image, "restartPolicy": "Always", "volumeMounts": mounts,
                    "command": ["/bin/sh", "-c", helper],
                    "startupProbe": {"exec": {"command": ["test", "-e", "/work/ready"]}, "periodSeconds": 1}}]);
            })
            .await;
        let pod = cluster.wait_phase("job", "Succeeded").await;
        let helper = LogParams { container: Some("helper".into()), ..LogParams::default() };
        (pod, cluster.log("job", &helper).await)
    };
    assert_eq!(log, "helped\nbye\n");
    let helper = &pod["status"]["initContainerStatuses"][0];
    assert_eq!(helper["state"]["terminated"]["exitCode"], 0, "{helper}");
}

#[tokio::test]
async fn a_pod_may_be_active_only_for_so_long() {
    let cluster = Cluster::start().await;
    cluster
        .run("slow", "echo up; exec sleep 100000", |pod| {
            pod["spec"]["activeDeadlineSeconds"] = 1.into();
        })
        .await;
    let pod = cluster.wait_phase("slow", "Failed").await;
    assert_eq!(pod["status"]["reason"], "DeadlineExceeded");
    assert_eq!(
        pod["status"]["message"],
        "Pod was active on the node longer than the specified deadline"
    );
}
