//! Two servers on one database do what one does.

use flumen_control::{OperationState, StartOrder, Terms};
use flumen_model::Kind;

use crate::server::{JAR, TestServer, application, environment, job, name, refusal};

#[tokio::test]
async fn two_starts_at_once_by_two_servers_are_one_run() {
    let server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    let second = server.second().await;
    let start = |control: flumen_control::Control| {
        let principal = server.principal.clone();
        async move {
            let place = (&environment(), &name());
            control.start_job(&principal, place, StartOrder::default(), Terms::default()).await
        }
    };
    let (one, other) =
        tokio::join!(start(server.control().clone()), start(second.control().clone()));
    let (started, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    assert_eq!(refusal(refused).0, Kind::Conflict);
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let ended = server.operation_ended(started.unwrap()).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (2, 2));
    server.cancel().await;
    server.until_state("CANCELED").await;
    second.stop().await;
    server.finish().await;
}

#[tokio::test]
async fn what_one_server_began_another_brings_to_its_end() {
    let mut server = TestServer::start().await;
    server.running().await;
    let second = server.second().await;
    let operation = server.delete().await;
    server.kill().await;
    let gone = || async {
        let place = (&environment(), &name());
        match second.control().job(&server.principal, place.0, place.1).await {
            Err(flumen_control::Error::NotFound { .. }) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    flumen_testkit::eventually_async(crate::server::PATIENCE, gone).await;
    second.stop().await;
    server.open().await;
    assert_eq!(server.operation_ended(operation).await.state, OperationState::Succeeded);
    server.finish().await;
}

#[tokio::test]
async fn a_job_applied_to_two_servers_at_once_is_one_job() {
    let server = TestServer::start().await;
    let second = server.second().await;
    let apply = |control: flumen_control::Control| {
        let principal = server.principal.clone();
        let apply = application(job(), &JAR);
        async move { control.apply_job(&principal, apply).await }
    };
    let (one, other) =
        tokio::join!(apply(server.control().clone()), apply(second.control().clone()));
    assert!(one.is_ok() || other.is_ok(), "{one:?}, {other:?}");
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (1, 1));
    server.cancel().await;
    server.until_state("CANCELED").await;
    second.stop().await;
    server.finish().await;
}
