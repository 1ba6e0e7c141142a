//! What a check says of a cluster that gives too little, by an API server that answers as a real one does.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use flumen_control::{ApplyJob, CheckOutcome, EnvironmentDocument, Error};
use flumen_model::ConfigurationValue;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    clusters::{kubeconfig, name, save, source},
    server::{JAR, TestServer, application, environment, job},
};

/// What the API server has and allows.
#[derive(Debug, Clone, Default)]
struct Gives {
    /// What Flumen may not do, as `verb resource/subresource`.
    denied: &'static [&'static str],
    /// What the service account `flink` may not do; none where Flumen may not even ask.
    denied_to_flink: Option<&'static [&'static str]>,
    namespace: bool,
    quota: Value,
    /// The entries of the Secret `regcred`.
    secret: Option<Value>,
    dns: bool,
}

struct FakeApi {
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl FakeApi {
    async fn start(gives: Gives) -> Self {
        let gives = Arc::new(gives);
        let handler = move |request: Request| {
            let gives = Arc::clone(&gives);
            async move { answer(&gives, request).await }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        let routes = Router::new().fallback(handler);
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, _serving: serving }
    }
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": status.as_u16(), "reason": reason, "message": format!("it is {reason}"),
    });
    (status, Json(body)).into_response()
}

fn list(items: &Value) -> Response {
    Json(json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}))
        .into_response()
}

async fn answer(gives: &Gives, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let forbidden = || refuse(StatusCode::FORBIDDEN, "Forbidden");
    let missing = || refuse(StatusCode::NOT_FOUND, "NotFound");
    let reviewed = |denied: &[&str]| {
        let mut review: Value = serde_json::from_slice(&body).unwrap();
        let asked = review["spec"]["resourceAttributes"].clone();
        let text = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
        let mut right = format!("{} {}", text("verb"), text("resource"));
        if !text("subresource").is_empty() {
            right = format!("{right}/{}", text("subresource"));
        }
        assert_eq!(asked["namespace"], "flink");
        review["status"] = json!({"allowed": !denied.contains(&right.as_str())});
        (StatusCode::CREATED, Json(review)).into_response()
    };
    match (head.method, head.uri.path()) {
        (Method::GET, "/version") => {
            Json(json!({"major": "1", "minor": "34", "gitVersion": "v1.34.4"})).into_response()
        }
        (Method::POST, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
            reviewed(gives.denied)
        }
        (
            Method::POST,
            "/apis/authorization.k8s.io/v1/namespaces/flink/localsubjectaccessreviews",
        ) => gives.denied_to_flink.map_or_else(forbidden, reviewed),
        (Method::GET, "/api/v1/namespaces/flink") if gives.namespace => {
            Json(json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "flink"}})).into_response()
        }
        (Method::GET, "/api/v1/namespaces/flink/resourcequotas") => list(&gives.quota),
        (Method::GET, "/api/v1/namespaces/flink/secrets/regcred") => match &gives.secret {
            Some(data) => Json(json!({
                "kind": "Secret", "apiVersion": "v1", "metadata": {"name": "regcred"}, "data": data,
            }))
            .into_response(),
            None => missing(),
        },
        (Method::GET, "/api/v1/namespaces/kube-system/services") if gives.dns => {
            list(&json!([{"metadata": {"name": "kube-dns"}}]))
        }
        (Method::GET, "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices") => {
            list(&json!([{"addressType": "IPv4", "metadata": {"name": "kube-dns-1"}, "endpoints": [
                {"addresses": ["10.0.0.1"], "conditions": {"ready": true}},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
            ]}]))
        }
        (Method::GET, path) if path.starts_with("/api/v1/namespaces/kube-system/") => forbidden(),
        _ => missing(),
    }
}

/// What the check of a cluster says that gives this: name, outcome, what was seen, what to do.
async fn said(gives: Gives) -> Vec<(String, CheckOutcome, String, Option<String>)> {
    let server = TestServer::start().await;
    let fake = FakeApi::start(gives).await;
    let text = kubeconfig(&format!("http://{}", fake.address), &json!({"token": "t"}));
    let control = server.control();
    control.add_cluster(&server.principal, &name("eu-1"), &source(&text)).await.unwrap();
    let nowhere = control.check_cluster("eu-1", None).await.unwrap().findings;
    assert!(
        nowhere.last().unwrap().detail.contains("it is not known where to look"),
        "{nowhere:?}"
    );
    let mut document = control.environment(&environment()).await.unwrap().document;
    document.configuration = [
        ("kubernetes.service-account", "flink"),
        ("kubernetes.taskmanager.service-account", "a'; b"),
        ("kubernetes.container.image.pull-secrets", "regcred"),
        ("kubernetes.hostnetwork.enabled", "true"),
    ]
    .map(|(key, value)| (key.to_owned(), ConfigurationValue::Text(value.to_owned())))
    .into();
    let namespace = "flink".parse().unwrap();
    save(&server, "eu", EnvironmentDocument { cluster: "eu-1".to_owned(), namespace, ..document })
        .await;
    let check = control.check_cluster("eu-1", None).await.unwrap();
    assert!(check.cluster.answer.is_ok(), "{check:?}");
    server.finish().await;
    let findings = check.findings.into_iter();
    findings.map(|one| (one.name, one.outcome, one.detail, one.remedy)).collect()
}

#[tokio::test]
async fn an_account_with_too_few_rights_is_told_each_that_is_missing() {
    let gives = Gives {
        denied: &["watch pods", "create services/proxy", "patch services/proxy"],
        denied_to_flink: Some(&["patch configmaps"]),
        namespace: true,
        quota: json!([{"metadata": {"name": "compute"}, "spec": {"hard": {"pods": "2"}},
            "status": {"hard": {"pods": "2"}, "used": {"pods": "1"}}}]),
        secret: None,
        dns: true,
    };
    let said = said(gives).await;
    let failed: Vec<_> = said
        .iter()
        .filter(|one| one.1 == CheckOutcome::Failed)
        .map(|one| (one.0.as_str(), one.2.as_str()))
        .collect();
    assert_eq!(
        failed,
        [
            (
                "rights in flink",
                "Flumen's account may not watch pods; create, patch services/proxy"
            ),
            ("rights of flink/a'; b", "Flink's service account may not patch configmaps"),
            ("rights of flink/flink", "Flink's service account may not patch configmaps"),
            (
                "quota of flink",
                "the smallest job does not fit: there is left 1 of pods (quota compute)"
            ),
            ("pull secret flink/regcred", "the Secret is not there"),
        ]
    );
    let remedy = said.iter().find(|one| one.0 == "rights in flink").unwrap().3.as_ref().unwrap();
    // A manifest without one of the accounts would take its rights away.
    let command = r"flumen cluster rbac eu-1 --namespace flink --service-account 'a'\''; b' --service-account flink --host-network |";
    assert!(remedy.contains(command), "{remedy}");
    let other = said.iter().find(|one| one.0 == "rights of flink/flink").unwrap().3.as_ref();
    assert_eq!(other, Some(remedy));
    let passed: Vec<_> =
        said.iter().filter(|one| one.1 == CheckOutcome::Passed).map(|one| &one.0).collect();
    assert_eq!(passed, ["reachable", "credentials", "DNS", "namespace flink"]);
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_a_warning_that_says_which_right_it_takes() {
    let gives = Gives {
        denied: &["create localsubjectaccessreviews", "list resourcequotas"],
        secret: Some(json!({"password": "eA=="})),
        quota: json!([]),
        ..Gives::default()
    };
    let said = said(gives).await;
    let of =
        |name: &str| said.iter().find(|one| one.0 == name).unwrap_or_else(|| panic!("{said:?}"));
    for (name, expected) in [
        ("DNS", "Flumen's account may not look at Services and EndpointSlices in kube-system"),
        ("namespace flink", "it is not there; Flumen creates it with the first job if it may"),
        (
            "rights in flink",
            "Flumen's account may not list resourcequotas; create localsubjectaccessreviews.authorization.k8s.io; jobs run",
        ),
        ("rights of flink/flink", "create localsubjectaccessreviews.authorization.k8s.io"),
    ] {
        let found = of(name);
        assert_eq!(found.1, CheckOutcome::NotLooked, "{found:?}");
        assert!(found.2.contains(expected), "{found:?}");
    }
    let secret = of("pull secret flink/regcred");
    assert_eq!(secret.1, CheckOutcome::Failed);
    assert!(secret.2.contains("has no entry .dockerconfigjson"), "{secret:?}");
}

#[tokio::test]
async fn what_is_needed_is_that_of_the_environments_and_of_jobs_with_accounts_of_their_own() {
    let server = TestServer::start().await;
    let control = server.control();
    let text = kubeconfig("http://127.0.0.1:1", &json!({"token": "t"}));
    control.add_cluster(&server.principal, &name("eu-1"), &source(&text)).await.unwrap();
    let unknown = control.cluster_needs("us-1").await;
    assert!(matches!(unknown, Err(Error::NoCluster { .. })), "{unknown:?}");
    assert_eq!(control.cluster_needs("eu-1").await.unwrap(), []);

    let local = control.environment(&environment()).await.unwrap().document;
    let namespace = "flink".parse().unwrap();
    save(&server, "eu", EnvironmentDocument { cluster: "eu-1".to_owned(), namespace, ..local })
        .await;
    server.add_version_to("eu").await;
    let mut file = job();
    file["environment"] = json!("eu");
    file["configuration"] = json!({
        "kubernetes.service-account": "of-the-job", "kubernetes.hostnetwork.enabled": true,
    });
    let apply = ApplyJob { start: false, ..application(file, &JAR) };
    control.apply_job(&server.principal, apply).await.unwrap();
    let needs = control.cluster_needs("eu-1").await.unwrap();
    let [place] = &needs[..] else { panic!("{needs:?}") };
    assert_eq!(place.namespace.as_str(), "flink");
    assert_eq!(place.accounts, ["default", "of-the-job"]);
    assert!(place.host_network);
    server.finish().await;
}
