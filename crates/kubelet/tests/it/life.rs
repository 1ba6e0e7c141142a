//! Pods from their creation to their end.

use kube::api::{LogParams, PostParams};
use serde_json::json;

use crate::cluster::{Cluster, entries, eventually};

#[tokio::test]
async fn a_pod_runs_tells_and_goes() {
    let cluster = Cluster::start().await;
    let (pod, log) = cluster
        .run_to_end("hello", "echo out; echo err >&2; echo $FROM_IMAGE; exit 3", |_| {})
        .await;
    // Two pipes have no order between them.
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["err", "out", "yes"]);
    let status = &pod["status"];
    assert_eq!(status["phase"], "Failed");
    let ended = &status["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((&ended["exitCode"], &ended["reason"]), (&json!(3), &json!("Error")));
    assert!(status["podIP"].as_str().unwrap().starts_with("10.244.0."));
    let image = status["containerStatuses"][0]["imageID"].as_str().unwrap();
    assert!(image.contains("/base@sha256:"), "{image}");
    let events = cluster.events("hello").await;
    for reason in ["Scheduled", "Pulling", "Pulled", "Created", "Started"] {
        assert!(events.contains_key(reason), "{reason} is missing in {events:?}");
    }
    cluster.delete("hello", 30).await;
    cluster.wait_gone("hello").await;
    // The object of a pod that is over goes at once; what the pod left goes soon after.
    let pods = cluster.kubelet_directory().join("pods");
    eventually("the pod's directory goes", async || entries(&pods).is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_deleted_pod_may_end_in_peace_within_its_grace() {
    let cluster = Cluster::start().await;
    cluster
        .run(
            "polite",
            "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            |_| {},
        )
        .await;
    cluster.run("stubborn", "trap '' TERM; echo up; while :; do sleep 0.05; done", |_| {}).await;
    for name in ["polite", "stubborn"] {
        cluster.wait_log(name, "up").await;
    }
    let begun = std::time::Instant::now();
    cluster.delete("polite", 30).await;
    cluster.wait_gone("polite").await;
    assert!(begun.elapsed().as_secs() < 10, "it did not need its grace");
    let begun = std::time::Instant::now();
    cluster.delete("stubborn", 1).await;
    cluster.wait_gone("stubborn").await;
    assert!((1..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn volumes_and_variables_come_from_the_api() {
    let cluster = Cluster::start().await;
    cluster
        .run("early", "cat /etc/settings/level /etc/info/name; echo $COLOR; cat /work/note; ls /var/run/secrets/kubernetes.io/serviceaccount", |pod| {
            pod["spec"]["initContainers"] = json!([{
                "name": "first", "image": pod["spec"]["containers"][0]["image"],
                "command": ["/bin/sh", "-c", "echo from init > /work/note"],
                "volumeMounts": [{"name": "work", "mountPath": "/work"}]}]);
            pod["spec"]["volumes"] = json!([
                {"name": "settings", "configMap": {"name": "settings"}},
                {"name": "info", "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
                {"name": "work", "emptyDir": {}}]);
            let main = &mut pod["spec"]["containers"][0];
            main["volumeMounts"] = json!([
                {"name": "settings", "mountPath": "/etc/settings", "readOnly": true},
                {"name": "info", "mountPath": "/etc/info"}, {"name": "work", "mountPath": "/work"}]);
            main["env"] = json!([{"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}}]);
        })
        .await;
    // As Flink's client does: the ConfigMap comes after the pod.
    let failed = async || cluster.events("early").await.remove("FailedMount");
    assert_eq!(
        eventually("the mount fails", failed).await,
        "MountVolume.SetUp failed for volume \"settings\": configmap \"settings\" not found"
    );
    let map = serde_json::from_value(
        json!({"metadata": {"name": "settings"}, "data": {"level": "info\n", "color": "green"}}),
    )
    .unwrap();
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(cluster.client.clone(), "default");
    maps.create(&PostParams::default(), &map).await.unwrap();
    cluster.wait_phase("early", "Succeeded").await;
    assert_eq!(
        cluster
            .log("early", &LogParams { container: Some("main".into()), ..LogParams::default() })
            .await,
        "info\nearlygreen\nfrom init\nca.crt\nnamespace\ntoken\n"
    );
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_said_so() {
    let cluster = Cluster::start().await;
    cluster
        .run("lost", "", |pod| pod["spec"]["containers"][0]["command"] = json!(["no-such-program"]))
        .await;
    let pod = cluster.wait_phase("lost", "Failed").await;
    let ended = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((&ended["exitCode"], &ended["reason"]), (&json!(128), &json!("StartError")));
    let message = ended["message"].as_str().unwrap();
    assert!(
        message.contains("exec: \"no-such-program\": executable file not found in $PATH"),
        "{message}"
    );
}

#[tokio::test]
async fn an_image_that_does_not_exist_is_said_so() {
    let cluster = Cluster::start().await;
    let image = format!("{}/nothing:1", cluster.registry);
    cluster.run("missing", "", |pod| pod["spec"]["containers"][0]["image"] = json!(image)).await;
    let waiting = |pod: &k8s_openapi::api::core::v1::Pod, reason: &str| {
        serde_json::to_value(pod).unwrap()["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
            == reason
    };
    let pod = cluster.wait("missing", |pod| waiting(pod, "ErrImagePull")).await;
    let message =
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap();
    assert!(message.contains(&image), "{message}");
    cluster.wait("missing", |pod| waiting(pod, "ImagePullBackOff")).await;
}

#[tokio::test]
async fn after_a_restart_of_the_node_pods_come_back_as_their_policy_says() {
    let mut cluster = Cluster::start().await;
    cluster
        .run("back", "echo up; exec sleep 1000", |pod| {
            pod["spec"]["restartPolicy"] = json!("Always");
        })
        .await;
    cluster.run("once", "echo up; exec sleep 1000", |_| {}).await;
    cluster.wait_phase("back", "Running").await;
    cluster.wait_phase("once", "Running").await;
    cluster.stop_kubelet().await;
    cluster.start_kubelet().await;
    let pod = cluster
        .wait("back", |pod| {
            let status = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            status.is_some_and(|status| status[0].restart_count == 1 && status[0].ready)
        })
        .await;
    assert_eq!(pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 255);
    cluster.wait_phase("once", "Failed").await;
    let previous = LogParams { previous: true, ..LogParams::default() };
    assert_eq!(cluster.log("back", &previous).await, "up\n");
}

#[tokio::test]
async fn while_a_container_waits_to_be_started_again_its_log_is_that_of_the_attempt_before() {
    let cluster = Cluster::start().await;
    let script = "cat /proc/sys/kernel/random/uuid; exit 3";
    cluster.run("crashing", script, |pod| pod["spec"]["restartPolicy"] = json!("Always")).await;
    cluster
        .wait("crashing", |pod| {
            let status = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            status.is_some_and(|status| {
                let waiting = status[0].state.as_ref().and_then(|state| state.waiting.as_ref());
                let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
                status[0].restart_count == 1 && reason == Some("CrashLoopBackOff")
            })
        })
        .await;
    let previous = LogParams { previous: true, ..LogParams::default() };
    let log = cluster.log("crashing", &LogParams::default()).await;
    assert_eq!(log.lines().count(), 1, "{log}");
    assert_eq!(cluster.log("crashing", &previous).await, log);
}

#[tokio::test]
async fn when_the_node_is_shut_down_containers_may_end_by_themselves() {
    let mut cluster = Cluster::start().await;
    let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 1000 & wait $!; done";
    cluster.run("polite", script, |pod| pod["spec"]["restartPolicy"] = json!("Always")).await;
    cluster.wait_log("polite", "up").await;
    cluster.stop_kubelet().await;
    cluster.start_kubelet().await;
    cluster
        .wait("polite", |pod| {
            let status = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            status.is_some_and(|status| status[0].restart_count == 1 && status[0].ready)
        })
        .await;
    let previous = LogParams { previous: true, ..LogParams::default() };
    assert_eq!(cluster.log("polite", &previous).await, "up\nbye\n");
}

#[tokio::test]
async fn host_paths_secrets_and_groups_are_as_the_pod_asks() {
    let cluster = Cluster::start().await;
    let secret =
        json!({"metadata": {"name": "password"}, "stringData": {"value": "s3cret", "other": "x"}});
    let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> =
        kube::Api::namespaced(cluster.client.clone(), "default");
    secrets.create(&PostParams::default(), &serde_json::from_value(secret).unwrap()).await.unwrap();
    let host = cluster.directory.path().join("made/by/kubelet");
    let script = "id -u; id -G; cat /secret/value; echo; stat -c '%a %u %g' /secret/..data/value /shared; \
                  touch /shared/note && echo written; touch /host/x 2>/dev/null || echo not mine; cat /only";
    let (pod, log) = cluster
        .run_to_end("owner", script, |pod| {
            pod["spec"]["securityContext"] = json!({"runAsUser": 1000, "runAsGroup": 1001, "fsGroup": 2000});
            pod["spec"]["volumes"] = json!([
                {"name": "secret", "secret": {"secretName": "password", "defaultMode": 0o400}},
                {"name": "shared", "emptyDir": {}},
                {"name": "host", "hostPath": {"path": host, "type": "DirectoryOrCreate"}}]);
            pod["spec"]["containers"][0]["volumeMounts"] = json!([
                {"name": "secret", "mountPath": "/secret", "readOnly": true},
                {"name": "secret", "mountPath": "/only", "subPath": "other"},
                {"name": "shared", "mountPath": "/shared"}, {"name": "host", "mountPath": "/host"}]);
        })
        .await;
    assert_eq!(pod["status"]["phase"], "Succeeded", "{log}");
    assert_eq!(log, "1000\n1001 2000\ns3cret\n440 0 2000\n2777 0 2000\nwritten\nnot mine\nx");
    let made = std::fs::metadata(&host).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&made), 1_000_000, "the root of the pods");
}

#[tokio::test]
async fn when_the_supervisor_dies_the_kubelet_says_so() {
    let runner = flumen_kubelet::Runner::new(&crate::workshop::helper());
    runner.create_sandbox("pod", "host", crate::workshop::MAP).await.unwrap();
    runner.stop().await;
    runner.gone().await;
    let error = runner.create_sandbox("pod", "host", crate::workshop::MAP).await.unwrap_err();
    assert_eq!(error.to_string(), "the pod supervisor has ended");
}
