//! The server ends and comes back, in good order or not: the same end, and one run.

use flumen_control::OperationState;

use crate::{
    node::Conduct,
    server::{PATIENCE, TestServer, job},
    world::World,
};

#[tokio::test]
async fn a_start_goes_on_after_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    server.world.node.conduct(Conduct::CannotPull);
    let (operation, run) = server.apply_in("RUNNING").await;
    server.until(|view| view.job.status.reason.is_some()).await;
    server.restart().await;
    server.world.node.conduct(Conduct::Runs);
    let view = server.until_state("RUNNING").await;
    assert_eq!(view.job.status.run, Some(run));
    assert_eq!(server.operation_ended(operation).await.state, OperationState::Succeeded);
    assert_eq!(server.world.deployments_created(), 1);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_running_job_is_found_again_after_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    let run = server.running().await;
    server.restart().await;
    let asked = server.world.flink.count("GET", "/jobs/overview");
    let look = || async {
        let now = server.world.flink.count("GET", "/jobs/overview");
        if now > asked { Ok(()) } else { Err("not asked yet") }
    };
    flumen_testkit::eventually_async(PATIENCE, look).await;
    assert_eq!(server.view().await.unwrap().state.as_str(), "RUNNING");
    server.world.flink.set_state(&run.to_string(), "FINISHED");
    server.until_state("FINISHED").await;
    assert_eq!(server.world.deployments_created(), 1);
    server.finish().await;
}

#[tokio::test]
async fn what_happened_while_the_server_was_away_is_seen_when_it_is_back() {
    let mut server = TestServer::start().await;
    let run = server.running().await;
    server.stop().await;
    server.world.flink.set_state(&run.to_string(), "FAILED");
    server.open().await;
    let view = server.until_state("FAILED").await;
    assert!(view.job.status.reason.is_some());
    server.finish().await;
}

#[tokio::test]
async fn a_cancel_goes_on_after_a_restart_of_the_server_and_still_asks_flink() {
    let mut server = TestServer::start().await;
    let run = server.running().await;
    let path = format!("/jobs/{run}");
    server.world.flink.script("PATCH", &path, 202, serde_json::json!({}));
    let operation = server.cancel().await;
    server.until_state("CANCELING").await;
    server.restart().await;
    let asked = server.world.flink.count("PATCH", &path);
    let look = || async {
        let now = server.world.flink.count("PATCH", &path);
        if now > asked { Ok(()) } else { Err("Flink was not asked again") }
    };
    flumen_testkit::eventually_async(PATIENCE, look).await;
    assert_eq!(server.view().await.unwrap().state.as_str(), "CANCELING");
    server.world.flink.set_state(&run.to_string(), "CANCELED");
    server.until_state("CANCELED").await;
    assert_eq!(server.operation_ended(operation).await.state, OperationState::Succeeded);
    server.finish().await;
}

#[tokio::test]
async fn an_end_goes_on_after_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    let run = server.running().await;
    server.world.create_high_availability_data(&run.to_string()).await;
    server.world.flink.set_state(&run.to_string(), "FINISHED");
    server.world.create_task_manager().await;
    server.until_state("ENDING").await;
    server.restart().await;
    let view = server.until_state("FINISHED").await;
    assert_eq!(view.run.unwrap().outcome, Some(flumen_lifecycle::Outcome::Finished));
    server.finish().await;
}

#[tokio::test]
async fn a_deletion_goes_on_after_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    server.running().await;
    let operation = server.delete().await;
    server.restart().await;
    server.until_gone().await;
    assert_eq!(server.operation_ended(operation).await.state, OperationState::Succeeded);
    server.finish().await;
}

#[tokio::test]
async fn a_job_at_rest_stays_so_after_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    let before = server.until_state("FINISHED").await;
    server.restart().await;
    let again = server.apply(job()).await.unwrap();
    assert_eq!((again.operation, again.job.job.status), (None, before.job.status));
    assert_eq!(server.world.deployments_created(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_server_that_died_when_only_the_file_of_its_first_token_was_written_is_usable() {
    let world = World::start().await;
    world.directory.write("data/token", "flumen_0123456789abcdef");
    let server = TestServer::start_in(world).await;
    server.running().await;
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}
