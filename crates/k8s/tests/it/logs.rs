use flumen_k8s::{Error, LogRequest};
use flumen_model::Kind;
use futures::{StreamExt, TryStreamExt};

use crate::{
    fake::{Fake, reply, silence, status},
    real::namespace,
};

#[tokio::test]
async fn a_log_is_asked_for_by_container_and_part() {
    let fake = Fake::start(|_, _| reply(200, "one\ntwo\n")).await;
    let request = LogRequest {
        follow: true,
        tail_lines: Some(100),
        since: Some("2026-11-21T10:00:00Z".parse().unwrap()),
        previous: true,
        limit_bytes: Some(10 << 20),
        timestamps: false,
    };
    let cluster = fake.cluster().await;
    let log = cluster.pod_logs(&namespace(), "a-1", "main", &request).await.unwrap();
    let bytes: Vec<_> = log.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), b"one\ntwo\n");
    assert_eq!(
        fake.seen()[0].path,
        "/api/v1/namespaces/default/pods/a-1/log?&container=main&follow=true&limitBytes=10485760&previous=true&sinceTime=2026-11-21T10%3A00%3A00Z&tailLines=100"
    );
}

#[tokio::test]
async fn a_log_that_is_not_there_is_told_from_one_that_is_not_there_yet() {
    for (code, reason, kind) in
        [(404, "NotFound", Kind::NotFound), (400, "BadRequest", Kind::Invalid)]
    {
        let fake = Fake::start(move |_, _| status(code, reason, "no such log")).await;
        let cluster = fake.cluster().await;
        let log = cluster.pod_logs(&namespace(), "a-1", "main", &LogRequest::default()).await;
        let error = log.err().unwrap();
        assert!(matches!(error, Error::ReadLog { .. }), "{error:?}");
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test]
async fn a_log_that_stops_half_way_does_not_hold_its_reader_for_ever() {
    let fake = Fake::start(|_, _| silence()).await;
    let cluster = fake.cluster_with(std::time::Duration::from_millis(50)).await;
    let whole = LogRequest::default();
    let log = cluster.pod_logs(&namespace(), "a-1", "main", &whole).await.unwrap();
    let pieces: Vec<_> = log.collect().await;
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].as_ref().unwrap_err().kind(), Kind::Timeout);
}
