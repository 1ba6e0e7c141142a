//! Savepoints, what runs start from, and how one run takes the place of another.

use flumen_control::{
    Change, OperationKind, OperationState, RestartOrder, SavepointOrder, Snapshot, SnapshotCause,
    SnapshotKind, StartOrder, StartSource, Terms,
};
use flumen_model::{Kind, OperationId, RunId, SnapshotId, Uuid};
use flumen_testkit::Fault;
use serde_json::json;

use crate::server::{PATIENCE, TestServer, changed_job, environment, job, name, refusal};

/// Where the pods see the storage.
const STORAGE: &str = "file:/opt/flink/storage";

async fn start() -> TestServer {
    let server = TestServer::start().await;
    server.world.flink.map_directory(STORAGE, &server.world.directory.join("storage"));
    server.world.flink.auto_savepoints(true);
    server
}

async fn stop(server: &TestServer) -> OperationId {
    let place = (&environment(), &name());
    let order = SavepointOrder::default();
    server.control().stop_job(&server.principal, place, order, Terms::default()).await.unwrap()
}

async fn savepoint(server: &TestServer) -> OperationId {
    let place = (&environment(), &name());
    let order = SavepointOrder::default();
    server.control().savepoint_job(&server.principal, place, order, Terms::default()).await.unwrap()
}

/// Waits until Flink has the order of this operation; its trigger.
async fn triggered(server: &TestServer, operation: OperationId) -> String {
    let trigger = operation.as_uuid().simple().to_string();
    let look = || async {
        let known = server.world.flink.triggers();
        if known.contains(&trigger) { Ok(()) } else { Err(known) }
    };
    flumen_testkit::eventually_async(PATIENCE, look).await;
    trigger
}

async fn snapshots(server: &TestServer) -> Vec<Snapshot> {
    let place = Some((&environment(), &name()));
    let found = server.control().snapshots(&server.principal, place, None, 100).await;
    found.unwrap_or_default()
}

/// The newest run gets its job, restored from there.
async fn restored(server: &TestServer, path: &str) -> RunId {
    let run = server.wished_run().await;
    run_from(server, run, path, true);
    run
}

/// It runs only once it is restored: a look in between would see a run that began with empty state.
fn run_from(server: &TestServer, run: RunId, path: &str, is_savepoint: bool) {
    let (flink, id) = (&server.world.flink, run.to_string());
    flink.add_job(&id, "word-count", "INITIALIZING");
    flink.restore(&id, path, is_savepoint);
    flink.set_state(&id, "RUNNING");
}

async fn succeeds(server: &TestServer, operation: OperationId) {
    let ended = server.operation_ended(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
}

async fn end(server: TestServer) {
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_stopped_job_starts_from_its_savepoint_and_flink_is_asked_whether_it_did() {
    let server = start().await;
    server.running().await;
    let operation = stop(&server).await;
    server.until_state("STOPPED").await;
    succeeds(&server, operation).await;
    let [taken] = snapshots(&server).await.try_into().unwrap();
    assert_eq!((taken.kind, taken.cause), (SnapshotKind::Savepoint, SnapshotCause::Stop));
    assert_eq!(taken.operation, Some(operation));
    assert!(taken.path.contains(&operation.as_uuid().simple().to_string()), "{}", taken.path);

    let operation = server.start_again().await.unwrap();
    restored(&server, &taken.path).await;
    succeeds(&server, operation).await;
    let run = &server.runs().await[0];
    assert_eq!(run.restored.as_ref(), Some(&taken.path));
    end(server).await;
}

#[tokio::test]
async fn a_run_that_restored_something_else_is_ended_and_its_start_has_failed() {
    let server = start().await;
    server.running().await;
    stop(&server).await;
    server.until_state("STOPPED").await;
    let operation = server.start_again().await.unwrap();
    restored(&server, "file:/opt/flink/storage/savepoints/of-another").await;
    let ended = server.operation_ended(operation).await;
    assert_eq!(ended.state, OperationState::Failed);
    let error = ended.error.unwrap();
    assert!(error.contains("was to start from") && error.contains("of-another"), "{error}");
    let view = server.until_state("FAILED").await;
    assert_eq!(view.job.status.reason, Some(error));
    server.finish().await;
}

#[tokio::test]
async fn a_savepoint_that_fails_leaves_the_job_running_and_the_next_one_is_taken() {
    let server = start().await;
    server.running().await;
    server.world.flink.auto_savepoints(false);
    let operation = stop(&server).await;
    server.until_state("STOPPING").await;
    let trigger = triggered(&server, operation).await;
    server.world.flink.fail_savepoint(&trigger, "disk full");
    let ended = server.operation_ended(operation).await;
    assert_eq!(ended.state, OperationState::Failed);
    assert!(ended.error.as_ref().is_some_and(|why| why.contains("disk full")), "{ended:?}");
    server.until_state("RUNNING").await;
    assert_eq!(snapshots(&server).await, []);
    server.world.flink.auto_savepoints(true);
    let operation = savepoint(&server).await;
    succeeds(&server, operation).await;
    assert_eq!(snapshots(&server).await.len(), 1);
    assert_eq!(server.view().await.unwrap().state.as_str(), "RUNNING");
    end(server).await;
}

#[tokio::test]
async fn a_changed_file_of_a_running_job_replaces_its_run_with_its_state() {
    let server = start().await;
    let first = server.running().await;
    let applied = server.apply(changed_job()).await.unwrap();
    assert_eq!(applied.change, Change::Restart);
    let second = server.wished_run().await;
    let path = server.until(|view| view.job.status.run == Some(second)).await;
    let path = path.job.status.savepoint.unwrap().path().unwrap().to_owned();
    restored(&server, &path).await;
    succeeds(&server, applied.operation.unwrap()).await;
    let runs = server.runs().await;
    assert_eq!((runs[1].id, runs[1].outcome), (first, Some(flumen_lifecycle::Outcome::Stopped)));
    assert_ne!(runs[0].release, runs[1].release);
    assert_eq!(server.world.deployments_created(), 2);
    end(server).await;
}

#[tokio::test]
async fn a_change_of_what_flumen_does_with_a_job_replaces_nothing() {
    let server = start().await;
    let run = server.running().await;
    let mut file = job();
    file["restartPolicy"] = json!({ "attempts": 7 });
    let applied = server.apply(file).await.unwrap();
    assert_eq!((applied.change, applied.operation), (Change::Configured, None));
    let view = server.view().await.unwrap();
    assert_eq!((view.job.status.run, view.job.desired.restart.attempts), (Some(run), Some(7)));
    end(server).await;
}

#[tokio::test]
async fn a_savepoint_whose_job_manager_died_before_it_answered_is_found_in_storage() {
    let server = start().await;
    let run = server.running().await;
    server.world.flink.auto_savepoints(false);
    let operation = savepoint(&server).await;
    let trigger = triggered(&server, operation).await;
    // Complete, and forgotten before anybody heard.
    server.world.flink.set_ready(false);
    let path = server.world.flink.complete(&trigger);
    server.world.flink.restart();
    server.world.flink.set_ready(true);
    server.world.flink.set_state(&run.to_string(), "RUNNING");
    succeeds(&server, operation).await;
    assert_eq!(snapshots(&server).await[0].path, path);
    end(server).await;
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_one_savepoint() {
    let server = start().await;
    let run = server.running().await;
    let path = format!("/jobs/{run}/savepoints");
    server.world.flink.fail_next("POST", &path, Fault::CutAnswer);
    let operation = savepoint(&server).await;
    succeeds(&server, operation).await;
    assert_eq!(server.world.flink.count("POST", &path), 2);
    assert_eq!(server.world.flink.triggers(), [operation.as_uuid().simple().to_string()]);
    assert_eq!(snapshots(&server).await.len(), 1);
    end(server).await;
}

#[tokio::test]
async fn a_failed_run_with_a_checkpoint_is_followed_by_one_from_there() {
    let server = start().await;
    let mut file = job();
    file["restartPolicy"] = json!({ "backOff": "10 ms" });
    server.apply(file).await.unwrap();
    let first = server.wished_run().await;
    let flink = &server.world.flink;
    flink.add_job(&first.to_string(), "word-count", "RUNNING");
    flink.checkpoint_in(&format!("{STORAGE}/checkpoints/local/default/word-count/{first}/{first}"));
    let checkpoint = flink.complete_checkpoint(&first.to_string());
    server.until(|view| view.job.status.checkpointed).await;
    flink.set_state(&first.to_string(), "FAILED");
    let again = server.until(|view| view.job.status.run.is_some_and(|run| run != first)).await;
    let second = again.job.status.run.unwrap();
    run_from(&server, second, &checkpoint, false);
    server.until_state("RUNNING").await;
    let runs = server.runs().await;
    assert_eq!((runs.len(), runs[0].restored.as_ref()), (2, Some(&checkpoint)));
    let operations = server.control().operations(&server.principal, None, 10).await.unwrap();
    assert_eq!(
        (operations[0].kind, operations[0].principal.as_str()),
        (OperationKind::Restart, "restart policy")
    );
    end(server).await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_started_from_changes_nothing() {
    let server = start().await;
    server.running().await;
    stop(&server).await;
    server.until_state("STOPPED").await;
    server.world.directory.write("storage/savepoints/half/data", "x");
    for (path, why) in [("half", "has no _metadata"), ("none", "is not there")] {
        let path = format!("{STORAGE}/savepoints/{path}");
        let order = StartOrder { from: Some(StartSource::Path(path)), ..StartOrder::default() };
        let place = (&environment(), &name());
        let refused =
            server.control().start_job(&server.principal, place, order, Terms::default()).await;
        let (kind, text) = refusal(refused);
        assert_eq!(kind, Kind::Invalid);
        assert!(text.contains(why), "{text}");
    }
    assert_eq!(server.view().await.unwrap().state.as_str(), "STOPPED");
    assert_eq!(server.runs().await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_restart_by_the_last_state_cancels_and_starts_from_the_newest_checkpoint() {
    let server = start().await;
    let first = server.running().await;
    let flink = &server.world.flink;
    flink.checkpoint_in(&format!("{STORAGE}/checkpoints/local/default/word-count/{first}/{first}"));
    let checkpoint = flink.complete_checkpoint(&first.to_string());
    let mode = Some(flumen_model::UpgradeMode::LastState);
    let order = RestartOrder { mode, ..RestartOrder::default() };
    let place = (&environment(), &name());
    let restart = server.control().restart_job(&server.principal, place, order, Terms::default());
    let operation = restart.await.unwrap();
    let second = server.wished_run().await;
    server.until(|view| view.job.status.run == Some(second)).await;
    run_from(&server, second, &checkpoint, false);
    succeeds(&server, operation).await;
    assert_eq!(server.runs().await[0].restored.as_ref(), Some(&checkpoint));
    assert_eq!(flink.triggers(), [""; 0]);
    end(server).await;
}

#[tokio::test]
async fn a_stop_of_a_job_that_does_not_run_is_a_conflict() {
    let server = start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    let place = (&environment(), &name());
    let order = SavepointOrder::default();
    let refused =
        server.control().stop_job(&server.principal, place, order, Terms::default()).await;
    let (kind, text) = refusal(refused);
    assert_eq!(kind, Kind::Conflict);
    assert!(text.contains("word-count is FINISHED"), "{text}");
    server.finish().await;
}

#[tokio::test]
async fn the_data_of_another_flink_cluster_refuse_the_first_start_and_are_left_alone() {
    let server = start().await;
    server.world.create_high_availability_data("00000000000000000000000000000001").await;
    let applied = server.apply(job()).await.unwrap();
    let ended = server.operation_ended(applied.operation.unwrap()).await;
    let error = ended.error.unwrap();
    assert!(error.contains("high-availability data of another Flink cluster"), "{error}");
    server.until_state("FAILED").await;
    assert_eq!(server.world.objects().await.len(), 2);
    let mut file = job();
    file["leftovers"] = json!("remove");
    let operation = server.apply(file).await.unwrap().operation.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    succeeds(&server, operation).await;
    end(server).await;
}

#[tokio::test]
async fn a_run_that_was_never_begun_says_so_in_the_history() {
    let server = start().await;
    let first = server.running().await;
    server.world.flink.auto_savepoints(false);
    let operation = server.apply(changed_job()).await.unwrap().operation.unwrap();
    let trigger = triggered(&server, operation).await;
    server.world.flink.fail_savepoint(&trigger, "disk full");
    assert_eq!(server.operation_ended(operation).await.state, OperationState::Failed);
    // The operation has ended before the job is wanted as it was.
    let given_up = || async {
        let runs = server.runs().await;
        if runs[0].reason.is_some() { Ok(runs) } else { Err(runs) }
    };
    let runs = flumen_testkit::eventually_async(PATIENCE, given_up).await;
    assert_eq!((runs[0].outcome, runs[0].reason.as_deref()), (None, Some("it was never begun")));
    assert_eq!((runs[1].id, runs[1].outcome, runs[1].reason.as_deref()), (first, None, None));
    end(server).await;
}

#[tokio::test]
async fn a_page_goes_on_after_a_snapshot_that_was_forgotten_since() {
    let server = start().await;
    server.running().await;
    let operation = savepoint(&server).await;
    succeeds(&server, operation).await;
    let [taken] = snapshots(&server).await.try_into().unwrap();
    // Flink may say of the one that was taken that it was complete a moment from now.
    let second = u64::try_from(taken.completed_at.as_second()).unwrap() + 1;
    let later = uuid::Timestamp::from_unix(uuid::NoContext, second, 0);
    let forgotten = SnapshotId::from_uuid(Uuid::new_v7(later));
    let page = server.control().snapshots(&server.principal, None, Some(forgotten), 10);
    assert_eq!(page.await.unwrap(), [taken]);
    end(server).await;
}

#[tokio::test]
async fn a_stop_that_flink_refuses_has_failed_at_once() {
    let server = TestServer::start().await;
    let run = server.running().await;
    let path = format!("/jobs/{run}/stop");
    let refusal = json!({ "errors": ["the job is in the wrong mood"] });
    server.world.flink.script("POST", &path, 400, refusal);
    let stop = stop(&server).await;
    // What is hopeless would be tried again after half a minute.
    let ended = server.operation_ended(stop);
    let ended = tokio::time::timeout(PATIENCE / 2, ended).await.expect("it is given up");
    assert_eq!(ended.state, OperationState::Failed);
    assert!(ended.error.is_some_and(|error| error.contains("wrong mood")));
    server.until_state("RUNNING").await;
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}
