//! Who may do what.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::Cluster;

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const ANN_BINDING: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";

/// One request of a user who is in no group.
async fn ask(cluster: &Cluster, user: &str, method: Method, path: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = cluster.server.in_process(user, &[]).oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn binding(role: &str) -> Value {
    json!({
        "metadata": {"name": "ann"}, "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": "ann"}],
    })
}

#[tokio::test]
async fn a_right_counts_from_the_answer_to_its_binding_to_the_answer_to_its_end() {
    let cluster = Cluster::start().await;
    let pods = "/api/v1/namespaces/default/pods";
    let of_ann = async |path| ask(&cluster, "ann", Method::GET, path).await.0;
    assert_eq!(of_ann(pods).await, StatusCode::FORBIDDEN);
    for _ in 0..20 {
        cluster.must(Method::POST, ANN_BINDING, &binding("view")).await;
        assert_eq!(of_ann(pods).await, StatusCode::OK);
        assert_eq!(of_ann("/api/v1/pods").await, StatusCode::FORBIDDEN);
        cluster.must(Method::DELETE, &format!("{ANN_BINDING}/ann"), &Value::Null).await;
        assert_eq!(of_ann(pods).await, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn rights_are_followed_over_more_changes_than_are_remembered() {
    let cluster = Cluster::start_with(|settings| settings.watch_window = 4).await;
    for number in 0..20 {
        let role = json!({
            "metadata": {"name": format!("r{number}")},
            "rules": [{"nonResourceURLs": [format!("/{number}")], "verbs": ["get"]}],
        });
        cluster.must(Method::POST, ROLES, &role).await;
    }
    cluster.must(Method::POST, BINDINGS, &binding("r3")).await;
    assert_eq!(ask(&cluster, "ann", Method::GET, "/3").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(&cluster, "ann", Method::GET, "/4").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_refusal_names_who_what_and_where() {
    let cluster = Cluster::start().await;
    let path = "/apis/apps/v1/namespaces/default/deployments/d/scale";
    let (status, answer) = ask(&cluster, "ann", Method::PATCH, path).await;
    assert_eq!((status, &answer["reason"]), (StatusCode::FORBIDDEN, &json!("Forbidden")));
    assert_eq!(
        answer["message"],
        r#"deployments.apps "d" is forbidden: User "ann" cannot patch resource "deployments/scale" in API group "apps" in the namespace "default""#
    );
}

#[tokio::test]
async fn rights_outlast_the_server_and_changes_of_its_own_roles_do_too() {
    let cluster = Cluster::start().await;
    cluster.must(Method::POST, BINDINGS, &binding("view")).await;
    let more = json!({"metadata": {"labels": {"mine": "x"}}});
    cluster.must(Method::PATCH, &format!("{ROLES}/system:discovery"), &more).await;
    cluster.must(Method::DELETE, &format!("{ROLES}/system:monitoring"), &Value::Null).await;
    let none = json!({"subjects": null, "metadata": {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "false"}}});
    cluster.must(Method::PATCH, &format!("{BINDINGS}/system:basic-user"), &none).await;
    let cluster = cluster.restart().await;
    assert_eq!(ask(&cluster, "ann", Method::GET, "/api/v1/pods").await.0, StatusCode::OK);
    let (_, kept) = cluster.get(&format!("{ROLES}/system:discovery")).await;
    assert_eq!(kept["metadata"]["labels"]["mine"], "x");
    assert_eq!(cluster.get(&format!("{ROLES}/system:monitoring")).await.0, StatusCode::OK);
    let (_, left) = cluster.get(&format!("{BINDINGS}/system:basic-user")).await;
    assert_eq!(left["subjects"], Value::Null, "it is to be left alone");
}
