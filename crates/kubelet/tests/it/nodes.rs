//! Several nodes on one machine.

use std::path::Path;

use k8s_openapi::api::core::v1::Node;
use kube::{
    Api,
    api::{LogParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    cluster::{Cluster, PATIENCE, entries, eventually},
    forward::SERVER,
    separate::processes,
};

async fn start() -> Cluster {
    let mut cluster = Cluster::start().await;
    cluster.stop_kubelet().await;
    cluster.start_nodes(&["here", "there"]).await;
    cluster
}

fn on(node: &str) -> impl FnOnce(&mut Value) {
    let node = node.to_owned();
    move |pod| {
        pod["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": node});
        pod["spec"]["restartPolicy"] = "Always".into();
    }
}

async fn power(cluster: &Cluster, node: &str, power: Value) {
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"flumen.dev/power": power}}}));
    nodes.patch(node, &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test]
async fn pods_of_all_nodes_run_here_and_reach_each_other() {
    let cluster = start().await;
    let server = "exec python3 -c 'import socket; s = socket.create_server((\"\", 80)); s.accept()[0].send(b\"hi\\n\")'";
    cluster.run("server", server, on("there")).await;
    let server = cluster.wait_phase("server", "Running").await;
    let address = server["status"]["podIP"].as_str().unwrap().to_owned();
    assert!(address.starts_with("10.244.1."), "{address}");
    assert_eq!(server["status"]["hostIP"], "10.244.1.1");
    let ask = format!(
        "import socket, time\nfor again in range(400):\n try: print(socket.create_connection((\"{address}\", 80)).recv(9)); break\n except OSError: time.sleep(0.05)"
    );
    cluster.run("client", &format!("python3 -c '{ask}'; sleep 600"), on("here")).await;
    cluster.wait_log("client", "hi").await;
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let all = nodes.list(&kube::api::ListParams::default()).await.unwrap();
    let ranges: Vec<_> = all.into_iter().map(|node| node.spec.unwrap().pod_cidr.unwrap()).collect();
    assert_eq!(ranges, ["10.244.0.0/24", "10.244.1.0/24"]);
}

#[tokio::test]
async fn a_power_failure_ends_what_comes_from_outside() {
    let cluster = start().await;
    cluster
        .run("lost", "", |pod| {
            on("there")(pod);
            pod["spec"]["containers"][0]["command"] = json!(["python3", "-c", SERVER]);
        })
        .await;
    cluster.wait_log("lost", "up").await;
    let mut forwarder = cluster.pods().portforward("lost", &[7000]).await.unwrap();
    let mut stream = forwarder.take_stream(7000).unwrap();
    stream.write_all(b"hello\n").await.unwrap();
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await.unwrap();
    power(&cluster, "there", "off".into()).await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_power_failure_ends_what_runs_on_a_node_and_nothing_else() {
    let cluster = start().await;
    let mark = |number: u32| (number * 10_000_000 + std::process::id()).to_string();
    let (lost_mark, kept_mark) = (mark(1), mark(2));
    for (pod, node, mark) in [("lost", "there", &lost_mark), ("kept", "here", &kept_mark)] {
        cluster.run(pod, &format!("echo up; sleep {mark}; true"), on(node)).await;
        cluster.wait_log(pod, "up").await;
        eventually("it runs", async || (!processes(mark).is_empty()).then_some(())).await;
    }
    let lost = cluster.wait_phase("lost", "Running").await;
    power(&cluster, "there", "off".into()).await;
    eventually("its processes are gone", async || processes(&lost_mark).is_empty().then_some(()))
        .await;
    assert!(!processes(&kept_mark).is_empty(), "the other node goes on");
    // Nobody is there who could say anything of the pod.
    let still = cluster.wait_phase("lost", "Running").await;
    assert_eq!(still["status"], lost["status"]);
    power(&cluster, "there", Value::Null).await;
    let back = cluster
        .wait("lost", |pod| {
            let status = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            status.is_some_and(|all| all[0].restart_count == 1 && all[0].ready)
        })
        .await;
    assert_eq!(back["metadata"]["uid"], lost["metadata"]["uid"]);
    assert!(cluster.log("lost", &LogParams::default()).await.contains("up"));
    assert!(!processes(&lost_mark).is_empty());
}

/// Control groups of a pod's containers.
fn groups(uid: &str) -> Vec<std::path::PathBuf> {
    let top = Path::new("/sys/fs/cgroup");
    let memory = top.join("memory");
    let top = if memory.is_dir() { memory } else { top.to_owned() };
    let kubelets = entries(&top).into_iter().map(|name| top.join(name));
    let kubelets = kubelets.filter(|path| path.to_string_lossy().contains("/flumen-"));
    // Those of other tests come and go.
    let all = kubelets.filter_map(|path| path.read_dir().ok()).flatten().flatten();
    all.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains(uid)).collect()
}

#[tokio::test]
async fn a_power_failure_leaves_no_control_groups() {
    let cluster = start().await;
    let mut uids = Vec::new();
    for node in ["there", "here"] {
        let limited = |pod: &mut Value| {
            on(node)(pod);
            let resources = json!({"limits": {"memory": "256Mi"}});
            pod["spec"]["containers"][0]["resources"] = resources;
        };
        cluster.run(node, "echo up; exec sleep 100000", limited).await;
        cluster.wait_log(node, "up").await;
        let pod = cluster.wait_phase(node, "Running").await;
        uids.push(pod["metadata"]["uid"].as_str().unwrap().to_owned());
    }
    assert_eq!((groups(&uids[0]).len(), groups(&uids[1]).len()), (1, 1));
    power(&cluster, "there", "off".into()).await;
    eventually("its group is gone", async || groups(&uids[0]).is_empty().then_some(())).await;
    assert_eq!(groups(&uids[1]).len(), 1, "that of the other node stays");
}

#[tokio::test]
async fn what_a_node_left_that_is_no_longer_there_goes_with_its_pods() {
    let mut cluster = start().await;
    let mut directories = Vec::new();
    let nodes = cluster.kubelet_directory().join("nodes");
    for pod in ["gone", "kept"] {
        cluster.run(pod, "echo up; exec sleep 100000", on("there")).await;
        cluster.wait_log(pod, "up").await;
        let pod = cluster.wait_phase(pod, "Running").await;
        let directory = nodes.join("there/pods").join(pod["metadata"]["uid"].as_str().unwrap());
        assert!(directory.is_dir());
        directories.push(directory);
    }
    cluster.stop_kubelet().await;
    cluster.delete("gone", 0).await;
    cluster.wait_gone("gone").await;
    cluster.start_nodes(&["here"]).await;
    let first_gone = async || (!directories[0].exists()).then_some(());
    eventually("what the pod left is gone", first_gone).await;
    assert!(directories[1].is_dir(), "its pod may come back");
    cluster.stop_kubelet().await;
    cluster.delete("kept", 0).await;
    cluster.wait_gone("kept").await;
    cluster.start_nodes(&["here"]).await;
    eventually("nothing is left", async || (!nodes.join("there").exists()).then_some(())).await;
}

#[tokio::test]
async fn a_node_says_that_it_lives_when_others_said_that_it_does_not() {
    let mut cluster = start().await;
    cluster.run("pod", "echo up; sleep 600", on("there")).await;
    cluster.wait_log("pod", "up").await;
    cluster.stop_kubelet().await;
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let unknown =
        Patch::Merge(json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}));
    nodes.patch_status("there", &PatchParams::default(), &unknown).await.unwrap();
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    let patch = Patch::Strategic(unready.clone());
    cluster.pods().patch_status("pod", &PatchParams::default(), &patch).await.unwrap();
    cluster.start_nodes(&["here", "there"]).await;
    let is_ready = |pod: &k8s_openapi::api::core::v1::Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions
            .is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"))
    };
    cluster.wait("pod", is_ready).await;
    // The same while it runs.
    let patch = Patch::Strategic(unready);
    let told = cluster.pods().patch_status("pod", &PatchParams::default(), &patch).await.unwrap();
    assert!(!is_ready(&told));
    cluster.wait("pod", is_ready).await;
}
