//! Who gets in.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const ACCOUNT_TOKEN: &str = "/api/v1/namespaces/default/serviceaccounts/default/token";

fn client(cluster: &Cluster) -> reqwest::Client {
    let root =
        reqwest::Certificate::from_pem(cluster.server.certificate_authority_pem().as_bytes())
            .unwrap();
    reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
}

async fn get(cluster: &Cluster, path: &str, token: Option<&str>) -> StatusCode {
    let request = client(cluster).get(format!("{}{path}", cluster.url()));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn nobody_gets_in_without_proof_except_to_ask_for_health_and_version() {
    let cluster = Cluster::start().await;
    for path in
        ["/api/v1/pods", "/apis", "/nothing", "/api/v1/namespaces/default/services/a/proxy/"]
    {
        assert_eq!(get(&cluster, path, None).await, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(get(&cluster, path, Some("wrong")).await, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/healthz", "/readyz", "/livez", "/version"] {
        assert_eq!(get(&cluster, path, None).await, StatusCode::OK, "{path}");
        assert_eq!(get(&cluster, path, Some("wrong")).await, StatusCode::UNAUTHORIZED, "{path}");
    }
    let token = cluster.admin_token();
    assert_eq!(get(&cluster, "/api/v1/pods", Some(&token)).await, StatusCode::OK);
    let cluster = cluster.restart().await;
    assert_eq!(get(&cluster, "/api/v1/pods", Some(&token)).await, StatusCode::OK);
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_on_one_port() {
    let cluster = Cluster::start().await;
    for (offered, expected) in
        [(&[&b"h2"[..], b"http/1.1"][..], &b"h2"[..]), (&[&b"http/1.1"[..]], &b"http/1.1"[..])]
    {
        let connection = cluster.connect(offered).await;
        assert_eq!(connection.get_ref().1.alpn_protocol(), Some(expected));
    }
    let answer = client(&cluster).get(format!("{}/healthz", cluster.url())).send().await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
}

#[tokio::test]
async fn the_token_of_a_pod_is_good_as_long_as_the_pod_exists() {
    let cluster = Cluster::start().await;
    let pods = "/api/v1/namespaces/default/pods";
    let pod =
        json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let made = cluster.must(Method::POST, pods, &pod).await;
    let reference =
        json!({"kind": "Pod", "apiVersion": "v1", "name": "a", "uid": made["metadata"]["uid"]});
    let asked = json!({"spec": {"expirationSeconds": 3600, "boundObjectRef": reference}});
    let issued = cluster.must(Method::POST, ACCOUNT_TOKEN, &asked).await;
    let token = issued["status"]["token"].as_str().unwrap().to_owned();
    let who = client(&cluster)
        .post(format!("{}/apis/authentication.k8s.io/v1/selfsubjectreviews", cluster.url()))
        .bearer_auth(&token)
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    let who: Value = who.json().await.unwrap();
    assert_eq!(who["status"]["userInfo"]["username"], "system:serviceaccount:default:default");
    assert_eq!(
        who["status"]["userInfo"]["extra"]["authentication.kubernetes.io/pod-name"],
        json!(["a"])
    );
    let cluster = cluster.restart().await;
    assert_eq!(get(&cluster, "/apis", Some(&token)).await, StatusCode::OK);
    cluster.must(Method::DELETE, &format!("{pods}/a"), &Value::Null).await;
    assert_eq!(get(&cluster, "/apis", Some(&token)).await, StatusCode::UNAUTHORIZED);
    cluster.must(Method::POST, pods, &pod).await;
    assert_eq!(
        get(&cluster, "/apis", Some(&token)).await,
        StatusCode::UNAUTHORIZED,
        "another pod of that name"
    );
}

#[tokio::test]
async fn a_token_for_another_audience_or_a_short_time_is_not_for_this_server() {
    let cluster = Cluster::start().await;
    let asked = json!({"spec": {"audiences": ["vault"]}});
    let issued = cluster.must(Method::POST, ACCOUNT_TOKEN, &asked).await;
    let token = issued["status"]["token"].as_str().unwrap();
    assert_eq!(get(&cluster, "/apis", Some(token)).await, StatusCode::UNAUTHORIZED);
    let review = json!({"spec": {"token": token, "audiences": ["vault"]}});
    let answer =
        cluster.must(Method::POST, "/apis/authentication.k8s.io/v1/tokenreviews", &review).await;
    assert_eq!(answer["status"]["authenticated"], true);
    let (status, _) = cluster
        .call(Method::POST, ACCOUNT_TOKEN, &json!({"spec": {"expirationSeconds": 10}}))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused() {
    let cluster = Cluster::start().await;
    let settings = flumen_apiserver::Settings {
        data_directory: cluster.directory.path().to_owned(),
        ..flumen_apiserver::Settings::default()
    };
    let second =
        flumen_apiserver::ApiServer::start(settings, tokio_util::sync::CancellationToken::new())
            .await;
    assert!(matches!(second, Err(flumen_apiserver::Error::InUse { .. })));
}
