use flumen_control::{Snapshot, SnapshotCause, SnapshotKind};
use flumen_model::{SnapshotId, Uuid};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::json;

use crate::server::{JOB, Server};

/// A server whose job `a` has this many savepoints, one a second.
async fn with_savepoints(count: u128) -> Server {
    let server = Server::with_job().await;
    assert_eq!(server.post("start").await.0, StatusCode::ACCEPTED);
    let store = server.store().await;
    let (environment, name) = ("local".parse().expect("valid"), "a".parse().expect("valid"));
    let job = store.job_named(&environment, &name).await.expect("asked").expect("the job");
    let run = store.runs(job.id).await.expect("asked")[0].id;
    for number in 1..=count {
        let second = i64::try_from(number).expect("small");
        let snapshot = Snapshot {
            id: SnapshotId::from_uuid(Uuid::from_u128(number)),
            team: job.team,
            environment: environment.clone(),
            job: Some(job.id),
            job_name: name.clone(),
            run,
            kind: SnapshotKind::Savepoint,
            cause: SnapshotCause::Savepoint,
            operation: None,
            number: u64::try_from(number).ok(),
            format: Some("canonical".to_owned()),
            path: format!("s3://bucket/savepoint-{number}"),
            size: None,
            duration: None,
            triggered_at: None,
            completed_at: Timestamp::from_second(1_800_000_000 + second).expect("in range"),
        };
        store.save_snapshots(&job, run, &[snapshot], 1).await.expect("saved");
    }
    server
}

#[tokio::test]
async fn snapshots_come_in_pages_newest_first() {
    let server = with_savepoints(5).await;
    let mut numbers = Vec::new();
    let mut query = "?environment=local&job=a&limit=2".to_owned();
    loop {
        let (status, page) = server.get(&format!("/api/v1/snapshots{query}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["items"].as_array().expect("a list");
        numbers.extend(items.iter().map(|item| item["number"].as_u64().expect("a number")));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        query = format!("?environment=local&job=a&limit=2&cursor={cursor}");
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn snapshots_are_found_by_environment_by_job_and_by_id() {
    let server = with_savepoints(2).await;
    for (query, count) in
        [("", 2), ("?environment=local", 2), ("?environment=prod", 0), ("?limit=1", 1)]
    {
        let (_, page) = server.get(&format!("/api/v1/snapshots{query}")).await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(count), "{query}");
    }
    let (status, problem) = server.get("/api/v1/snapshots?job=a").await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("request.value")));
    let (status, _) = server.get("/api/v1/snapshots?environment=local&job=none").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let id = SnapshotId::from_uuid(Uuid::from_u128(2));
    let (_, one) = server.get(&format!("/api/v1/snapshots/{id}")).await;
    assert_eq!(
        (&one["path"], &one["job"]["name"]),
        (&json!("s3://bucket/savepoint-2"), &json!("a"))
    );
    let unknown = SnapshotId::from_uuid(Uuid::from_u128(3));
    let (status, problem) = server.get(&format!("/api/v1/snapshots/{unknown}")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
}

#[tokio::test]
async fn a_job_is_shown_with_its_newest_snapshot() {
    let server = with_savepoints(3).await;
    let (_, job) = server.get(JOB).await;
    assert_eq!(job["latestSnapshot"]["number"], 3);
}
