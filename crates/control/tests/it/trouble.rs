use flumen_control::OperationState;
use kube::ResourceExt as _;

use crate::{
    node::Conduct,
    server::{PATIENCE, TestServer, job},
};

#[tokio::test]
async fn a_job_manager_that_dies_again_and_again_fails_the_job_with_the_cause_in_its_log() {
    let server = TestServer::start().await;
    server.world.node.conduct(Conduct::CrashLoops { restarts: 2, exit_code: 1 });
    let log = "INFO  Starting\norg.apache.flink.util.FlinkException: Could not load the program\n\
               \tat a.B.c(B.java:1)\nCaused by: java.lang.ClassNotFoundException: com.example.WordCount\n\
               \tat d.E.f(E.java:2)\n\t... 4 more\n";
    // The container was started again already: what it said last is in the log before.
    server.world.node.write_log("flink-main-container", true, log);
    server.world.node.write_log("flink-main-container", false, "INFO  Starting\n");
    let operation = server.apply(job()).await.unwrap().operation.unwrap();
    let view = server.until_state("FAILED").await;
    let cause = "java.lang.ClassNotFoundException: com.example.WordCount";
    assert_eq!(view.job.status.reason.as_deref(), Some(cause));
    assert_eq!(view.run.unwrap().reason.as_deref(), Some(cause));
    let operation = server.operation_ended(operation).await;
    assert_eq!(operation.state, OperationState::Failed);
    server.finish().await;
}

#[tokio::test]
async fn a_job_manager_that_dies_without_a_word_fails_the_job_with_how_often_it_did() {
    let server = TestServer::start().await;
    server.world.node.conduct(Conduct::CrashLoops { restarts: 2, exit_code: 137 });
    server.apply(job()).await.unwrap();
    let view = server.until_state("FAILED").await;
    assert_eq!(
        view.job.status.reason.as_deref(),
        Some(
            "the JobManager ended 3 times before it had the job, the last time with exit code 137"
        )
    );
    server.finish().await;
}

#[tokio::test]
async fn a_pod_that_does_not_fit_waits_with_the_schedulers_reason_until_there_is_room() {
    let server = TestServer::start().await;
    server.world.node.resize("4", "512Mi").await;
    let (_, run) = server.apply_in("RUNNING").await;
    let view = server.until(|view| view.job.status.reason.is_some()).await;
    assert_eq!(view.state.as_str(), "STARTING");
    let reason = view.job.status.reason.unwrap();
    assert!(
        reason.contains("does not fit into the cluster: 0/1 nodes are available")
            && reason.contains("Insufficient memory"),
        "{reason}"
    );
    server.world.node.resize("4", "16Gi").await;
    let view = server.until_state("RUNNING").await;
    assert_eq!((view.job.status.reason, view.job.status.run), (None, Some(run)));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_told_while_it_is_so() {
    let server = TestServer::start().await;
    server.world.node.conduct(Conduct::CannotPull);
    server.apply_in("RUNNING").await;
    let view = server.until(|view| view.job.status.reason.is_some()).await;
    let reason = view.job.status.reason.unwrap();
    assert!(reason.ends_with("waits: ImagePullBackOff: Back-off pulling image"), "{reason}");
    assert_eq!(view.state.as_str(), "STARTING");
    server.world.node.conduct(Conduct::Runs);
    let view = server.until_state("RUNNING").await;
    assert_eq!(view.job.status.reason, None);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_deployment_of_someone_else_under_the_cluster_id_stops_the_start_and_is_left_alone() {
    let server = TestServer::start().await;
    server.world.create_other_deployment(None).await;
    let uid = server.world.deployment().await.unwrap().uid();
    let operation = server.apply(job()).await.unwrap().operation.unwrap();
    let view = server.until_state("FAILED").await;
    let reason = view.job.status.reason.unwrap();
    assert!(
        reason.contains("a Deployment word-count that Flumen did not make for this job")
            && reason.contains("delete it or rename the job"),
        "{reason}"
    );
    assert_eq!(view.run.unwrap().outcome, Some(flumen_lifecycle::Outcome::Failed));
    assert_eq!(server.operation_ended(operation).await.error.as_deref(), Some(reason.as_str()));
    let stands = server.world.deployment().await.unwrap();
    assert_eq!((stands.uid(), stands.metadata.deletion_timestamp), (uid, None));
    remove_deployment(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn a_job_whose_place_in_the_cluster_is_taken_can_be_deleted_all_the_same() {
    let mut server = TestServer::start().await;
    // The start gets no further than its image.
    server.world.registry = "127.0.0.1:1".to_owned();
    server.restart().await;
    server.apply(job()).await.unwrap();
    server.until(|view| view.job.status.reason.is_some()).await;
    server.world.create_other_deployment(None).await;
    let settled = || async {
        let status = server.world.deployment().await.unwrap().status.unwrap_or_default();
        if status.available_replicas == Some(1) { Ok(()) } else { Err(status) }
    };
    flumen_testkit::eventually_async(PATIENCE, settled).await;
    // Nothing happens in the cluster from here on that could bring the job on.
    server.delete().await;
    server.until_gone().await;
    assert!(server.world.deployment().await.unwrap().metadata.deletion_timestamp.is_none());
    remove_deployment(&server).await;
    server.finish().await;
}

#[tokio::test]
async fn what_an_earlier_run_of_the_job_left_is_removed_before_the_next_one_starts() {
    let server = TestServer::start().await;
    let (_, first) = server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    // As if the cluster had come back from a backup.
    server.world.create_other_deployment(Some(&first.to_string())).await;
    server.world.create_high_availability_data(&first.to_string()).await;
    let old = server.world.deployment().await.unwrap().uid();
    // Seen before the start, it is cleared away by itself, and the start waits for that.
    let start = || async { server.start_again().await.map_err(|error| error.paragraph()) };
    flumen_testkit::eventually_async(crate::server::PATIENCE, start).await;
    let second = server.wished_run().await;
    server.world.flink.add_job(&second.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let stands = server.world.deployment().await.unwrap();
    assert_ne!(stands.uid(), old);
    assert_eq!(stands.annotations()["flumen.dev/run-id"], second.to_string());
    let left = server.world.objects().await;
    assert!(!left.iter().any(|name| name.contains(&first.to_string())), "{left:?}");
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_deployment_that_took_the_place_of_the_runs_own_is_neither_deleted_nor_robbed_of_its_data()
 {
    let server = TestServer::start().await;
    server.running().await;
    server.world.cut();
    remove_deployment(&server).await;
    server.world.create_stranger().await;
    server.world.create_high_availability_data("0000000000000000000000000000ffff").await;
    server.world.mend();
    server.until_state("ENDED_UNKNOWN").await;
    assert!(server.world.deployment().await.is_some());
    let kept = server.world.objects().await;
    assert_eq!(kept.iter().filter(|name| name.ends_with("config-map")).count(), 2, "{kept:?}");
    remove_deployment(&server).await;
    let config_maps = server.world.api::<k8s_openapi::api::core::v1::ConfigMap>();
    for name in kept.iter().filter_map(|name| name.strip_prefix("ConfigMap/word")) {
        config_maps
            .delete(&format!("word{name}"), &kube::api::DeleteParams::default())
            .await
            .unwrap();
    }
    server.finish().await;
}

async fn remove_deployment(server: &TestServer) {
    let deployments = server.world.api::<k8s_openapi::api::apps::v1::Deployment>();
    deployments.delete("word-count", &kube::api::DeleteParams::foreground()).await.unwrap();
    let gone = || async {
        let stands = server.world.deployment().await.is_some();
        if stands { Err("it still stands") } else { Ok(()) }
    };
    flumen_testkit::eventually_async(PATIENCE, gone).await;
}
