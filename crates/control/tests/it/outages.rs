use crate::server::{PATIENCE, TestServer, job};

#[tokio::test]
async fn a_silent_job_manager_is_unreachable_since_then_and_nothing_is_done_about_it() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.world.flink.set_ready(false);
    // The steady look is seconds away: what happens to a pod of the job brings it forward.
    server.world.create_task_manager().await;
    let view = server.until(|view| view.job.status.unreachable_since.is_some()).await;
    assert_eq!(view.state.as_str(), "RUNNING");
    assert_eq!(view.job.status.reason.as_deref(), Some("the JobManager does not answer"));
    let asked = server.world.flink.received().len();
    let look = || async {
        let more = server.world.flink.received().len() - asked;
        if more >= 3 { Ok(()) } else { Err(more) }
    };
    flumen_testkit::eventually_async(PATIENCE, look).await;
    let again = server.view().await.unwrap();
    assert_eq!(again.job.status, view.job.status, "since is when it began");
    assert_eq!(server.world.deployments_created(), 1);
    assert!(server.world.deployment().await.unwrap().metadata.deletion_timestamp.is_none());

    server.world.flink.set_ready(true);
    let view = server.until(|view| view.job.status.unreachable_since.is_none()).await;
    assert_eq!((view.state.as_str(), view.job.status.reason), ("RUNNING", None));
    server.world.flink.set_state(&run.to_string(), "FINISHED");
    server.until_state("FINISHED").await;
    server.finish().await;
}

#[tokio::test]
async fn what_the_job_manager_logs_is_asked_after_at_once() {
    let server = TestServer::start().await;
    let run = server.running().await.to_string();
    let rounds = async {
        for _ in 0..10 {
            server.world.flink.set_state(&run, "RESTARTING");
            let line = format!("Job a ({run}) switched from state RUNNING to RESTARTING.");
            server.world.node.say(&line).await;
            server.until_state("RESTARTING").await;
            server.world.flink.set_state(&run, "RUNNING");
            server.until_state("RUNNING").await;
        }
    };
    // By questions alone, of which there is one in five seconds, it would take nearly a minute.
    tokio::time::timeout(PATIENCE, rounds).await.expect("the log is listened to");
    server.world.flink.set_state(&run, "FINISHED");
    server.until_state("FINISHED").await;
    server.finish().await;
}

#[tokio::test]
async fn while_the_cluster_is_away_nothing_is_started_or_failed_and_then_the_truth_is_back() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.world.cut();
    // The first to be missed may be the JobManager, which is reached through the API.
    let reason = "the Kubernetes API of the cluster does not answer, or does not let Flumen look";
    let view = server.until(|view| view.job.status.reason.as_deref() == Some(reason)).await;
    assert_eq!(view.state.as_str(), "RUNNING");
    assert!(view.job.status.unreachable_since.is_some());
    server.world.flink.set_state(&run.to_string(), "FINISHED");
    server.world.mend();
    server.until_state("FINISHED").await;
    server.told(&["STARTING", "RUNNING", "ENDING", "FINISHED"]).await;
    assert_eq!(server.world.deployments_created(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_start_waits_for_a_cluster_that_is_away_and_says_so() {
    let server = TestServer::start().await;
    server.world.cut();
    server.apply_in("RUNNING").await;
    let view = server.until(|view| view.job.status.reason.is_some()).await;
    assert_eq!(view.state.as_str(), "STARTING");
    server.world.mend();
    server.until_state("RUNNING").await;
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (1, 1));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_end_waits_for_a_cluster_that_is_away_and_is_whole_afterwards() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.world.create_high_availability_data(&run.to_string()).await;
    server.cancel().await;
    server.world.cut();
    let view = server.until(|view| view.job.status.unreachable_since.is_some()).await;
    assert!(!view.state.is_at_rest(), "{}", view.state);
    server.world.mend();
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_registry_that_is_away_holds_up_the_start_with_the_reason() {
    let mut server = TestServer::start().await;
    let registry = std::mem::replace(&mut server.world.registry, "127.0.0.1:1".to_owned());
    server.restart().await;
    server.apply_in("RUNNING").await;
    let view = server.until(|view| view.job.status.reason.is_some()).await;
    assert_eq!(view.state.as_str(), "STARTING");
    assert!(view.job.status.reason.unwrap().contains("127.0.0.1:1"), "it names the registry");
    server.world.registry = registry;
    server.restart().await;
    server.until_state("RUNNING").await;
    assert_eq!(server.apply(job()).await.unwrap().change, flumen_control::Change::Unchanged);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}
