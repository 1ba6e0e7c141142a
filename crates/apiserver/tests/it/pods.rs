//! Pods: what they get when they are made, and how they end.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

async fn bind(cluster: &Cluster, name: &str) {
    let binding = json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": "n"}});
    cluster.must(Method::POST, &format!("{PODS}/{name}/binding"), &binding).await;
}

async fn status_of(cluster: &Cluster, name: &str) -> StatusCode {
    cluster.get(&format!("{PODS}/{name}")).await.0
}

#[tokio::test]
async fn a_pod_gets_its_defaults_its_account_and_a_token() {
    let cluster = Cluster::start().await;
    let made = cluster.must(Method::POST, PODS, &pod("a")).await;
    let spec = &made["spec"];
    assert_eq!(spec["serviceAccountName"], "default");
    assert_eq!(spec["restartPolicy"], "Always");
    assert_eq!(spec["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!(
        spec["containers"][0]["volumeMounts"][0]["mountPath"],
        "/var/run/secrets/kubernetes.io/serviceaccount"
    );
    assert_eq!(
        spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]["path"],
        "token"
    );
    assert_eq!(spec["tolerations"].as_array().unwrap().len(), 2);
    assert_eq!(made["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
}

#[tokio::test]
async fn a_pod_needs_an_account_that_exists() {
    let cluster = Cluster::start().await;
    let mut sent = pod("a");
    sent["spec"]["serviceAccountName"] = "nobody".into();
    let (status, answer) = cluster.call(Method::POST, PODS, &sent).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let message = "pods \"a\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found";
    assert_eq!(answer["message"], message);
}

#[tokio::test]
async fn a_name_is_generated_and_quantities_may_be_numbers() {
    let cluster = Cluster::start().await;
    let mut sent = pod("");
    sent["metadata"] = json!({"generateName": "a-"});
    sent["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": 1, "memory": "1Gi"}});
    let made = cluster.must(Method::POST, PODS, &sent).await;
    let name = made["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("a-") && name.len() == 7, "{name}");
    assert_eq!(made["spec"]["containers"][0]["resources"]["requests"]["cpu"], "1");
    assert_eq!(made["status"]["qosClass"], "Guaranteed");
}

#[tokio::test]
async fn a_pod_that_nobody_runs_vanishes_at_once() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, PODS, &pod("a")).await;
    let gone = cluster
        .must(Method::DELETE, &format!("{PODS}/a"), &json!({"propagationPolicy": "Background"}))
        .await;
    assert_eq!(gone["kind"], "Pod");
    assert_eq!(status_of(&cluster, "a").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_bound_pod_stays_until_its_kubelet_deletes_it_without_grace() {
    let cluster = Cluster::start().await;
    let made = cluster.must(Method::POST, PODS, &pod("a")).await;
    bind(&cluster, "a").await;
    let mut lines = cluster.watch(&format!("{PODS}?watch=true")).await;
    assert_eq!(lines.next_short().await, "ADDED a");
    let marked = cluster.must(Method::DELETE, &format!("{PODS}/a"), &Value::Null).await;
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(lines.next_short().await, "MODIFIED a");
    let again = cluster
        .must(Method::DELETE, &format!("{PODS}/a"), &json!({"gracePeriodSeconds": 60}))
        .await;
    assert_eq!(again, marked, "a second deletion cannot give more time");
    let shorter =
        cluster.must(Method::DELETE, &format!("{PODS}/a"), &json!({"gracePeriodSeconds": 5})).await;
    assert_eq!(shorter["metadata"]["deletionGracePeriodSeconds"], 5);
    let last = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": made["metadata"]["uid"]}});
    cluster.must(Method::DELETE, &format!("{PODS}/a"), &last).await;
    assert_eq!(status_of(&cluster, "a").await, StatusCode::NOT_FOUND);
    assert_eq!(lines.next_short().await, "MODIFIED a");
    assert_eq!(lines.next_short().await, "MODIFIED a", "that it has no time left is seen too");
    assert_eq!(lines.next_short().await, "DELETED a");
}

#[tokio::test]
async fn a_finalizer_holds_what_is_deleted() {
    let cluster = Cluster::start().await;
    let mut sent = pod("a");
    sent["metadata"]["finalizers"] = json!(["example.com/hold"]);
    cluster.must(Method::POST, PODS, &sent).await;
    let marked = cluster
        .must(Method::DELETE, &format!("{PODS}/a"), &json!({"propagationPolicy": "Foreground"}))
        .await;
    assert_eq!(marked["metadata"]["finalizers"], json!(["example.com/hold", "foregroundDeletion"]));
    let (status, answer) = cluster
        .call(
            Method::PATCH,
            &format!("{PODS}/a"),
            &json!({"metadata": {"finalizers": ["example.com/new"]}}),
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    cluster
        .must(Method::PATCH, &format!("{PODS}/a"), &json!({"metadata": {"finalizers": null}}))
        .await;
    assert_eq!(status_of(&cluster, "a").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn status_and_specification_are_written_apart() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, PODS, &pod("a")).await;
    let patch = json!({"spec": {"activeDeadlineSeconds": 5}, "status": {"phase": "Running", "podIP": "127.0.0.1"}});
    let status = cluster.must(Method::PATCH, &format!("{PODS}/a/status"), &patch).await;
    assert_eq!(status["status"]["phase"], "Running");
    assert_eq!(status["spec"].get("activeDeadlineSeconds"), None);
    let patch = json!({"spec": {"activeDeadlineSeconds": 5}, "status": {"phase": "Failed"}});
    let main = cluster.must(Method::PATCH, &format!("{PODS}/a"), &patch).await;
    assert_eq!(main["status"]["phase"], "Running");
    assert_eq!(
        (&main["spec"]["activeDeadlineSeconds"], &main["metadata"]["generation"]),
        (&json!(5), &json!(2))
    );
    let (code, _) = cluster
        .call(Method::PATCH, &format!("{PODS}/a"), &json!({"spec": {"hostname": "x"}}))
        .await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_no_change() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, PODS, &pod("a")).await;
    let patch = json!({"status": {"phase": "Running"}});
    let first = cluster.must(Method::PATCH, &format!("{PODS}/a/status"), &patch).await;
    let second = cluster.must(Method::PATCH, &format!("{PODS}/a/status"), &patch).await;
    assert_eq!(first, second);
    let put = cluster.must(Method::PUT, &format!("{PODS}/a"), &first).await;
    assert_eq!(first, put);
}

#[tokio::test]
async fn a_pod_is_bound_once() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, PODS, &pod("a")).await;
    bind(&cluster, "a").await;
    let (_, bound) = cluster.get(&format!("{PODS}?fieldSelector=spec.nodeName%3Dn")).await;
    assert_eq!(bound["items"].as_array().unwrap().len(), 1);
    let binding = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "m"}});
    let (status, answer) = cluster.call(Method::POST, &format!("{PODS}/a/binding"), &binding).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let message = "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \"n\"";
    assert_eq!(answer["message"], message);
}

#[tokio::test]
async fn a_namespace_ends_through_its_finalizer_and_takes_nothing_new_meanwhile() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, "/api/v1/namespaces", &json!({"metadata": {"name": "n"}})).await;
    let (_, account) = cluster.get("/api/v1/namespaces/n/serviceaccounts/default").await;
    assert_eq!(account["kind"], "ServiceAccount");
    let mut ending = cluster.must(Method::DELETE, "/api/v1/namespaces/n", &Value::Null).await;
    assert_eq!(ending["status"]["phase"], "Terminating");
    let (status, answer) = cluster.call(Method::POST, "/api/v1/namespaces/n/pods", &pod("a")).await;
    assert_eq!(
        (status, &answer["details"]["causes"][0]["reason"]),
        (StatusCode::FORBIDDEN, &json!("NamespaceTerminating"))
    );
    ending["spec"] = json!({"finalizers": []});
    cluster.must(Method::PUT, "/api/v1/namespaces/n/finalize", &ending).await;
    assert_eq!(cluster.get("/api/v1/namespaces/n").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_deployment_is_scaled_by_its_subresource() {
    let cluster = Cluster::start().await;
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let deployment = json!({"metadata": {"name": "d"}, "spec": {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": pod("")["spec"]}
    }});
    let made = cluster.must(Method::POST, deployments, &deployment).await;
    assert_eq!(
        (&made["spec"]["replicas"], &made["metadata"]["generation"]),
        (&json!(1), &json!(1))
    );
    let scale = cluster
        .must(Method::PATCH, &format!("{deployments}/d/scale"), &json!({"spec": {"replicas": 3}}))
        .await;
    assert_eq!((&scale["kind"], &scale["status"]["selector"]), (&json!("Scale"), &json!("app=x")));
    let (_, scaled) = cluster.get(&format!("{deployments}/d")).await;
    assert_eq!(
        (&scaled["spec"]["replicas"], &scaled["metadata"]["generation"]),
        (&json!(3), &json!(2))
    );
}
