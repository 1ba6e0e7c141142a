use reqwest::{Method, StatusCode};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::server::{JOB, Server, answer};

#[tokio::test]
async fn a_locked_database_is_said_as_such_and_what_was_asked_can_be_asked_again() {
    let server = Server::with_job().await;
    let options = SqliteConnectOptions::new().filename(server.directory.join("flumen.db"));
    let mut other = options.connect().await.expect("opened");
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let start = || {
        let request = server.request(Method::POST, &format!("{JOB}/start"));
        answer(request.header("idempotency-key", "one"))
    };
    let (status, problem) = start().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(problem["code"], "server.database");
    assert!(problem["causes"].to_string().contains("locked"), "{problem}");
    assert!(problem["hint"].as_str().is_some_and(|text| text.contains("go on")), "{problem}");
    // What can be read is still told.
    let (status, job) = server.get(JOB).await;
    assert_eq!((status, job["state"].as_str()), (StatusCode::OK, Some("NEW")));
    lock.rollback().await.expect("unlocked");
    let (status, operation) = start().await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
}
