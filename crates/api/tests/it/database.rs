use flumen_testkit::SmallDisk;
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
    assert_eq!(problem["code"], "server.database_locked");
    let file = server.directory.join("flumen.db");
    let told = format!(
        "could not save jobs in the database {}: another program holds its write lock",
        file.display()
    );
    assert_eq!(problem["detail"], told);
    assert!(problem["causes"].to_string().contains("locked"), "{problem}");
    assert!(problem["hint"].as_str().is_some_and(|text| text.contains("go on")), "{problem}");
    // What can be read is still told.
    let (status, job) = server.get(JOB).await;
    assert_eq!((status, job["state"].as_str()), (StatusCode::OK, Some("NEW")));
    lock.rollback().await.expect("unlocked");
    let (status, operation) = start().await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
}

#[tokio::test]
async fn a_full_disk_is_said_as_such_and_what_was_asked_can_be_asked_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(disk) = SmallDisk::mount(directory.path(), 8) else { return };
    let server = Server::start_in(directory).await.give_job().await;
    disk.fill();
    // What is in the database already may be written over for a while.
    let problem = loop {
        let (status, answer) = server.post("start").await;
        if !status.is_success() && status != StatusCode::CONFLICT {
            assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{answer}");
            break answer;
        }
        let (status, answer) = server.post("cancel").await;
        if status == StatusCode::INSUFFICIENT_STORAGE {
            break answer;
        }
    };
    assert_eq!(problem["code"], "server.database_full");
    assert_eq!(problem["kind"], "unavailable");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.ends_with("flumen.db: the disk is full"), "{detail}");
    assert!(problem["hint"].as_str().is_some_and(|text| text.contains("df -h")), "{problem}");
    let (status, job) = server.get(JOB).await;
    assert_eq!(status, StatusCode::OK, "{job}");
    disk.make_room();
    let (status, operation) = server.post("cancel").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
    server.stop().await;
}
