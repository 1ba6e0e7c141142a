use std::time::Duration;

use axum::body::Body;
use flumen_k8s::{Error, ServicePort};
use flumen_model::Kind;
use flumen_testkit::FakeFlink;
use futures::{StreamExt, TryStreamExt};
use http::{Request, StatusCode};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    fake::{Fake, reply, silence, status},
    real::{Real, namespace, pod, service, word_count},
};

const LIMIT: Duration = Duration::from_secs(20);

fn job_manager() -> ServicePort {
    ServicePort::job_manager(&namespace(), &word_count())
}

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

#[tokio::test]
async fn a_request_goes_to_the_rest_port_with_its_method_query_and_body_and_not_with_its_credentials()
 {
    let fake = Fake::start(|_, _| reply(202, "{}")).await;
    let request = Request::patch("/jobs/2a?mode=cancel")
        .header("content-type", "application/json")
        .header("authorization", "Bearer of-the-user")
        .header("cookie", "session=1")
        .header("connection", "keep-alive")
        .body(b"{\"a\":1}".to_vec())
        .unwrap();
    let answer = fake.cluster().await.proxy(&job_manager(), request, LIMIT).await.unwrap();
    assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::ACCEPTED, b"{}".as_slice()));

    let seen = fake.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        (
            "PATCH",
            "/api/v1/namespaces/default/services/word-count-rest:rest/proxy/jobs/2a?mode=cancel"
        )
    );
    assert_eq!(seen.headers["authorization"], "Bearer the-token");
    assert!(!seen.headers.contains_key("cookie"));
    assert_eq!(seen.body.as_ref(), b"{\"a\":1}");
}

#[tokio::test]
async fn what_flink_answers_is_an_answer_whatever_its_status() {
    for code in [404, 409, 500, 503] {
        let fake = Fake::start(move |_, _| reply(code, r#"{"errors":["of Flink"]}"#)).await;
        let cluster = fake.cluster().await;
        let answer = cluster.proxy(&job_manager(), get("/overview"), LIMIT).await.unwrap();
        assert_eq!(answer.status.as_u16(), code);
        assert_eq!(answer.body, r#"{"errors":["of Flink"]}"#);
        assert_eq!(fake.seen().len(), 1, "nothing is repeated");
    }
}

#[tokio::test]
async fn no_pod_a_dead_pod_and_no_service_are_told_apart() {
    let no_endpoints = "no endpoints available for service \"word-count-rest:rest\"";
    let refused =
        "error trying to reach service: dial tcp 10.244.0.7:8081: connect: connection refused";
    for (code, message, kind) in [
        (503, no_endpoints, Kind::Unavailable),
        (503, refused, Kind::Unavailable),
        (500, refused, Kind::Unavailable),
        (404, "endpoints \"word-count-rest\" not found", Kind::Unavailable),
        (404, "services \"word-count-rest\" not found", Kind::NotFound),
        (403, "services \"word-count-rest\" is forbidden", Kind::Denied),
        (504, "context deadline exceeded", Kind::Timeout),
    ] {
        let fake = Fake::start(move |_, _| status(code, "", message)).await;
        let cluster = fake.cluster().await;
        let error = cluster.proxy(&job_manager(), get("/overview"), LIMIT).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code} {message}");
        assert_eq!(matches!(error, Error::NoEndpoints { .. }), kind == Kind::Unavailable);
        let streamed = cluster.proxy_streaming(&job_manager(), get("/overview"), LIMIT).await;
        assert_eq!(streamed.err().unwrap().kind(), kind, "{code} {message}");
    }
    let fake = Fake::start(move |_, _| reply(502, refused)).await;
    let error = fake.cluster().await.proxy(&job_manager(), get("/overview"), LIMIT).await;
    assert!(matches!(error, Err(Error::NoEndpoints { .. })), "{error:?}");
}

#[tokio::test]
async fn the_real_server_says_so_where_there_is_no_service_or_no_pod_behind_it() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let error = cluster.proxy(&job_manager(), get("/overview"), LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
    real.create(service("word-count-rest")).await;
    let error = cluster.proxy(&job_manager(), get("/overview"), LIMIT).await.unwrap_err();
    assert!(matches!(error, Error::NoEndpoints { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_given_up_in_time() {
    let fake = Fake::start(|_, _| silence()).await;
    let cluster = fake.cluster().await;
    let limit = Duration::from_millis(50);
    let error = cluster.proxy(&job_manager(), get("/overview"), limit).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
}

#[tokio::test]
async fn a_stream_is_handed_on_as_it_comes() {
    let fake = Fake::start(|_, _| {
        let first = futures::stream::once(async { Ok::<_, std::io::Error>("first".into()) });
        let never = futures::stream::pending::<Result<bytes::Bytes, _>>();
        reply(200, Body::from_stream(first.chain(never)))
    })
    .await;
    let cluster = fake.cluster().await;
    let answer = cluster.proxy_streaming(&job_manager(), get("/"), LIMIT).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let first = answer.into_body().try_next().await.unwrap().unwrap();
    assert_eq!(first, "first");
}

#[tokio::test]
async fn a_job_manager_in_a_pod_is_reached_through_the_real_server() {
    let flink = FakeFlink::start("1.20.5").await;
    flink.add_job("0000000000000000000000000000002a", "word-count", "RUNNING");
    let real = Real::start_with_pods_at(flink.address()).await;
    real.create(service("word-count-rest")).await;
    let pod = real.create(pod("word-count-1", "jobmanager")).await;
    let (status, params) =
        (json!({ "podIP": "10.244.0.7", "phase": "Running" }), PatchParams::default());
    let status = Patch::Merge(json!({ "status": status }));
    real.api("Pod").patch_status("word-count-1", &params, &status).await.unwrap();
    let target = json!({
        "kind": "Pod", "name": "word-count-1", "namespace": "default", "uid": pod.metadata.uid,
    });
    real.create(json!({
        "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": "word-count-rest" },
        "subsets": [{
            "addresses": [{ "ip": "10.244.0.7", "targetRef": target }],
            "ports": [{ "name": "rest", "port": 8081 }],
        }],
    }))
    .await;
    let cluster = real.cluster().await;

    let answer = cluster.proxy(&job_manager(), get("/jobs/overview"), LIMIT).await.unwrap();
    let jobs: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(jobs["jobs"][0]["name"], "word-count");

    // Flink's own 503 is an answer, and a write reaches it once.
    flink.set_ready(false);
    let cancel = Request::patch("/jobs/2a?mode=cancel").body(Vec::new()).unwrap();
    let answer = cluster.proxy(&job_manager(), cancel, LIMIT).await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(flink.count("PATCH", "/jobs/2a?mode=cancel"), 1);

    drop(flink);
    let error = cluster.proxy(&job_manager(), get("/jobs/overview"), LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
}
