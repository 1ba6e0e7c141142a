use k8s_openapi::api::core::v1::{ConfigMap, Pod, ResourceQuota};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, from, until};

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"schedulerName": "nobody", "containers": [
        {"name": "c", "image": "a", "resources": {"requests": {"cpu": "100m"}}}]}})
}

/// What the status says of a resource: `used/hard`.
fn says(found: Option<&ResourceQuota>, resource: &str) -> Option<String> {
    let status = found?.status.as_ref()?;
    let (used, hard) = (status.used.as_ref()?.get(resource)?, status.hard.as_ref()?.get(resource)?);
    Some(format!("{}/{}", used.0, hard.0))
}

async fn until_it_says(cluster: &Cluster, resource: &'static str, wanted: &'static str) {
    let is_so =
        move |found: Option<&ResourceQuota>| says(found, resource).as_deref() == Some(wanted);
    until(&cluster.api::<ResourceQuota>(), "q", is_so).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_or_ends_is_given_back() {
    let cluster = Cluster::start().await;
    cluster.create::<Pod>(pod("before")).await;
    let hard = json!({"pods": "3", "requests.cpu": "1", "count/configmaps": "9"});
    cluster
        .create::<ResourceQuota>(json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}))
        .await;
    until_it_says(&cluster, "pods", "1/3").await;
    until_it_says(&cluster, "count/configmaps", "1/9").await;
    for name in ["b", "c"] {
        cluster.create::<Pod>(pod(name)).await;
    }
    cluster.create::<ConfigMap>(json!({"metadata": {"name": "m"}})).await;
    until_it_says(&cluster, "count/configmaps", "2/9").await;
    let quota = cluster.api::<ResourceQuota>().get("q").await.expect("quota");
    assert_eq!(says(Some(&quota), "requests.cpu").as_deref(), Some("300m/1"));
    let ended = json!({"status": {"phase": "Succeeded"}});
    let pods = cluster.api::<Pod>();
    pods.patch_status("b", &PatchParams::default(), &Patch::Merge(ended)).await.expect("status");
    until_it_says(&cluster, "pods", "2/3").await;
    pods.delete("c", &DeleteParams::default()).await.expect("deleted");
    until_it_says(&cluster, "requests.cpu", "100m/1").await;
    cluster.api::<ConfigMap>().delete("m", &DeleteParams::default()).await.expect("deleted");
    until_it_says(&cluster, "count/configmaps", "1/9").await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_just_what_there_is_while_others_go() {
    let cluster = Cluster::start().await;
    let hard = json!({"pods": "10"});
    cluster
        .create::<ResourceQuota>(json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}))
        .await;
    until_it_says(&cluster, "pods", "0/10").await;
    let pods = cluster.api::<Pod>();
    for round in 0..3 {
        let create = |number: usize| {
            let (pods, object) = (pods.clone(), from::<Pod>(pod(&format!("p-{round}-{number}"))));
            async move { pods.create(&PostParams::default(), &object).await }
        };
        let made = futures::future::join_all((0..40).map(create)).await;
        let refused = made.iter().filter_map(|made| made.as_ref().err()).collect::<Vec<_>>();
        assert_eq!(refused.len(), 30);
        assert!(refused.iter().all(|refused| refused.to_string().contains("exceeded quota: q")));
        // All go at once, and each makes the controller count again.
        let gone = made.iter().flatten().map(|pod| {
            let name = pod.metadata.name.clone().unwrap_or_default();
            let pods = pods.clone();
            async move { pods.delete(&name, &DeleteParams::default()).await }
        });
        let gone = futures::future::join_all(gone).await;
        assert!(gone.iter().all(Result::is_ok), "{gone:?}");
        until_it_says(&cluster, "pods", "0/10").await;
    }
    cluster.stop().await;
}
