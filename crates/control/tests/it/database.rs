//! A database that refuses writes, as SQLite does: jobs stay what they are, and once it takes writes again
//! everything goes on by itself.

use std::path::PathBuf;

use flumen_control::{Error, OperationState, SavepointOrder, Terms};
use flumen_model::{Kind, OperationId};
use flumen_testkit::{SmallDisk, TempDirectory, eventually_async};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::{
    node::Conduct,
    server::{PATIENCE, TestServer, digest, environment, job, name},
    world::World,
};

/// Room for the database and the layers of an image, and soon full.
const MEGABYTES: u32 = 16;

fn file(server: &TestServer) -> PathBuf {
    server.world.directory.join("data/flumen.db")
}

/// A server whose data directory is a disk of its own.
async fn on_small_disk() -> Option<(TestServer, SmallDisk)> {
    let directory = TempDirectory::new();
    let disk = SmallDisk::mount(&directory.join("data"), MEGABYTES)?;
    let world = World::start_in(directory).await;
    Some((TestServer::start_in(world).await, disk))
}

/// Fills the disk until the database refuses to write: it may have room of its own.
async fn fill(server: &TestServer, disk: &SmallDisk) {
    disk.fill();
    let mut document = server.control().environment(&environment()).await.unwrap().document;
    for number in 0_u32.. {
        let value = serde_json::from_value(number.into()).unwrap();
        document.configuration.insert("of.no.meaning".to_owned(), value);
        let saved = server
            .control()
            .save_environment(
                &server.principal,
                &environment(),
                (&document, None),
                &Terms::default(),
            )
            .await;
        if let Err(error) = saved {
            assert_eq!(error.code(), "server.database_full", "{}", error.paragraph());
            return;
        }
    }
}

/// A stop that waits for its savepoint, and Flink's trigger of that.
async fn stopping(server: &TestServer) -> (OperationId, String) {
    let place = (&environment(), &name());
    let order = SavepointOrder::default();
    let stop =
        server.control().stop_job(&server.principal, place, order, Terms::default()).await.unwrap();
    let triggered = || async { server.world.flink.triggers().pop().ok_or("no trigger") };
    let trigger = eventually_async(PATIENCE, triggered).await;
    server.until_state("STOPPING").await;
    (stop, trigger)
}

/// Waits until the JobManager was asked a few times more.
async fn asked_again(server: &TestServer) {
    let before = server.world.flink.received().len();
    let look = || async {
        let more = server.world.flink.received().len() - before;
        if more >= 5 { Ok(()) } else { Err(more) }
    };
    eventually_async(PATIENCE, look).await;
}

async fn refused(server: &TestServer, code: &str) {
    let place = (&environment(), &name());
    let error = server.control().cancel_job(&server.principal, place, Terms::default()).await;
    let error: Error = error.expect_err("it cannot be written down");
    assert_eq!((error.code(), error.kind()), (code, Kind::Unavailable), "{}", error.paragraph());
    let text = error.to_string();
    assert!(text.contains(&*file(server).to_string_lossy()), "{text}");
    assert!(error.hint().is_some_and(|hint| hint.contains("Jobs that run go on")));
}

/// The savepoint completes while the database refuses: all stays as it is.
async fn completes_unheard(
    server: &TestServer,
    (stop, trigger): &(OperationId, String),
    code: &str,
) {
    server.world.flink.complete(trigger);
    asked_again(server).await;
    refused(server, code).await;
    assert_eq!(server.view().await.unwrap().state.as_str(), "STOPPING");
    assert_eq!(server.operation(*stop).await.state, OperationState::Running);
    let deployment = server.world.deployment().await.expect("the Deployment stands");
    assert!(deployment.metadata.deletion_timestamp.is_none());
    assert_eq!(server.world.deployments_created(), 1);
}

/// What was underway ends as it would have, with its savepoint recorded.
async fn ends_well(server: TestServer, stop: OperationId) {
    server.until_state("STOPPED").await;
    let ended = server.operation_ended(stop).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    let place = Some((&environment(), &name()));
    let found = server.control().snapshots(&server.principal, place, None, 10).await.unwrap();
    let operations: Vec<_> = found.iter().map(|one| one.operation).collect();
    assert_eq!(operations, [Some(stop)]);
    server.told(&["STARTING", "RUNNING", "ENDING", "STOPPED"]).await;
    server.finish().await;
}

#[tokio::test]
async fn a_savepoint_that_completes_while_the_disk_is_full_is_recorded_and_the_stop_succeeds() {
    let Some((server, disk)) = on_small_disk().await else { return };
    server.running().await;
    let stop = stopping(&server).await;
    fill(&server, &disk).await;
    completes_unheard(&server, &stop, "server.database_full").await;
    disk.make_room();
    ends_well(server, stop.0).await;
}

#[tokio::test]
async fn a_savepoint_that_completes_while_the_database_is_locked_is_recorded_and_the_stop_succeeds()
{
    let server = TestServer::start().await;
    server.running().await;
    let stop = stopping(&server).await;
    let options = SqliteConnectOptions::new().filename(file(&server));
    let mut other = options.connect().await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    completes_unheard(&server, &stop, "server.database_locked").await;
    lock.rollback().await.unwrap();
    ends_well(server, stop.0).await;
}

#[tokio::test]
async fn a_job_that_fails_over_while_the_disk_is_full_is_not_called_failed() {
    let Some((server, disk)) = on_small_disk().await else { return };
    let run = server.running().await.to_string();
    fill(&server, &disk).await;
    server.world.flink.set_state(&run, "RESTARTING");
    server.world.create_task_manager().await;
    asked_again(&server).await;
    refused(&server, "server.database_full").await;
    assert_eq!(server.view().await.unwrap().state.as_str(), "RUNNING");
    disk.make_room();
    server.until_state("RESTARTING").await;
    server.world.flink.set_state(&run, "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (1, 1));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn while_the_disk_is_full_nothing_is_started_and_a_start_that_was_underway_ends_well() {
    let Some((server, disk)) = on_small_disk().await else { return };
    server.world.node.conduct(Conduct::CannotPull);
    let (start, _) = server.apply_in("RUNNING").await;
    server.until(|view| view.job.status.reason.is_some()).await;
    fill(&server, &disk).await;
    server.world.node.conduct(Conduct::Runs);
    asked_again(&server).await;
    let mut other = job();
    other["name"] = "other".into();
    let error = server.apply(other).await.expect_err("it cannot be written down");
    assert_eq!(error.code(), "server.database_full", "{}", error.paragraph());
    assert_eq!(server.view().await.unwrap().state.as_str(), "STARTING");
    assert_eq!(server.operation(start).await.state, OperationState::Running);
    disk.make_room();
    server.until_state("RUNNING").await;
    assert_eq!(server.operation_ended(start).await.state, OperationState::Succeeded);
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (1, 1));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_upload_that_the_disk_has_no_room_for_is_refused_and_can_be_made_again() {
    let Some((server, disk)) = on_small_disk().await else { return };
    // One piece, since what does not fit of the last one is noticed last.
    let jar = [b"PK\x03\x04".as_slice(), &vec![b'a'; 1 << 20]].concat();
    let piece = bytes::Bytes::from(jar.clone());
    let body = || futures::stream::iter([Ok::<_, std::io::Error>(piece.clone())]);
    let digest = digest(&jar);
    disk.fill();
    let error = server.control().put_artifact(&digest, body()).await.expect_err("no room");
    assert_eq!(error.code(), "server.file", "{}", error.paragraph());
    disk.make_room();
    assert_eq!(server.control().artifact(&digest).await.unwrap(), None);
    server.control().put_artifact(&digest, body()).await.unwrap();
    let file = server.world.directory.join("data/artifacts").join(digest.hex());
    assert_eq!(std::fs::read(file).unwrap(), jar);
    server.finish().await;
}
