//! Clusters of several nodes, of which some only pretend.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, LogParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Place, eventually, until};
use crate::image;
use crate::kubectl::{self, kubectl};
use crate::pods::{deployment, is_ready};

async fn start(nodes: u8, pretending: u16) -> Cluster {
    let cluster = Place::of_nodes(nodes, pretending).start().await;
    image::push(cluster.registry()).await;
    cluster
}

/// The nodes of the pods of a Deployment that run and are not on their way.
async fn nodes_of(cluster: &Cluster, app: &str) -> Vec<String> {
    let selected = ListParams::default().labels(&format!("app={app}"));
    let pods = cluster.api::<Pod>().list(&selected).await.expect("pods").items;
    let alive = pods
        .into_iter()
        .filter(|pod| is_ready(Some(pod)) && pod.metadata.deletion_timestamp.is_none());
    alive.filter_map(|pod| pod.spec?.node_name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_the_pods_and_take_them_over_from_each_other() {
    let cluster = start(3, 0).await;
    let script = "echo here; exec sleep 1000";
    cluster.create::<Deployment>(deployment(&cluster, "d", 3, script)).await;
    let all = ["local", "local-worker", "local-worker2"];
    let spread = async || {
        let nodes: BTreeSet<String> = nodes_of(&cluster, "d").await.into_iter().collect();
        (nodes == all.map(str::to_owned).into()).then_some(())
    };
    eventually("one on each node", spread).await;
    let pods = cluster.api::<Pod>();
    for pod in pods.list(&ListParams::default()).await.expect("pods").items {
        let name = pod.name_any();
        let says = async || {
            let log = pods.logs(&name, &LogParams::default()).await.ok()?;
            (log == "here\n").then_some(())
        };
        eventually("it says so", says).await;
    }
    let nodes: Api<Node> = Api::all(cluster.client.clone());
    let taint = json!({"spec": {"taints": [{"key": "lost", "effect": "NoExecute"}]}});
    let patch = Patch::Merge(taint);
    nodes.patch("local-worker", &PatchParams::default(), &patch).await.expect("tainted");
    let moved = async || {
        let nodes = nodes_of(&cluster, "d").await;
        (nodes.len() == 3 && !nodes.contains(&"local-worker".to_owned())).then_some(())
    };
    eventually("the others have taken over", moved).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_pretends_runs_pods_without_processes_for_those_who_ask_for_it() {
    let cluster = start(1, 2).await;
    let mut asking = deployment(&cluster, "fake", 20, "exit 1");
    let spec = &mut asking["spec"]["template"]["spec"];
    spec["tolerations"] = json!([{"key": "flumen.dev/pretend", "operator": "Exists"}]);
    spec["nodeSelector"] = json!({"flumen.dev/pretend": "true"});
    spec["containers"][0]["image"] = Value::from("nowhere.invalid/nothing:1");
    cluster.create::<Deployment>(asking).await;
    cluster.create::<Deployment>(deployment(&cluster, "real", 1, "exec sleep 1000")).await;
    let all = async || {
        let nodes = nodes_of(&cluster, "fake").await;
        (nodes.len() == 20).then(|| nodes.into_iter().collect::<BTreeSet<_>>())
    };
    let used = eventually("all run", all).await;
    assert_eq!(used, ["pretend-1", "pretend-2"].map(str::to_owned).into());
    let real = async || nodes_of(&cluster, "real").await.pop();
    assert_eq!(eventually("a real one", real).await, "local", "nobody comes there by chance");
    let deployments = cluster.api::<Deployment>();
    deployments.delete("fake", &DeleteParams::foreground()).await.expect("deleted");
    until(&deployments, "fake", |found: Option<&Deployment>| found.is_none()).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_empties_a_node_and_lets_it_in_again() {
    if !kubectl::is_there() {
        return;
    }
    let cluster = start(2, 0).await;
    cluster.create::<Deployment>(deployment(&cluster, "d", 2, "exec sleep 1000")).await;
    let on = async |wanted: [&str; 2]| {
        let look = async || {
            let mut nodes = nodes_of(&cluster, "d").await;
            nodes.sort();
            (nodes == wanted).then_some(())
        };
        eventually(&format!("pods on {wanted:?}"), look).await;
    };
    on(["local", "local-worker"]).await;
    let said = kubectl(&cluster, &["drain", "local-worker", "--timeout=20s"]).await;
    assert!(said.contains("node/local-worker drained"), "{said}");
    on(["local", "local"]).await;
    let table = kubectl(&cluster, &["get", "node", "local-worker"]).await;
    assert!(table.contains("Ready,SchedulingDisabled"), "{table}");
    kubectl(&cluster, &["taint", "node", "local", "full=yes:NoSchedule"]).await;
    kubectl(&cluster, &["scale", "deployment", "d", "--replicas=3"]).await;
    let table = kubectl(&cluster, &["uncordon", "local-worker"]).await;
    assert!(table.contains("uncordoned"), "{table}");
    let three = async || {
        let mut nodes = nodes_of(&cluster, "d").await;
        nodes.sort();
        (nodes == ["local", "local", "local-worker"]).then_some(())
    };
    eventually("the third one on the node that is back", three).await;
    cluster.stop().await;
}
