use flumen_control::{LogSource, LogsQuery, OperationKind, OperationState};
use flumen_model::{Kind, RunId};
use flumen_testkit::Fault;
use serde_json::json;

use crate::{
    node::Conduct,
    server::{TestServer, environment, name, refusal},
};

#[tokio::test]
async fn cancel_asks_flink_and_ends_the_run() {
    let server = TestServer::start().await;
    let run = server.running().await;
    let operation = server.cancel().await;
    server.until_state("CANCELED").await;
    assert!(server.world.flink.count("PATCH", &format!("/jobs/{run}")) >= 1);
    let operation = server.operation_ended(operation).await;
    assert_eq!(
        (operation.kind, operation.state),
        (OperationKind::Cancel, OperationState::Succeeded)
    );
    let outcome = server.runs().await[0].outcome;
    assert_eq!(outcome, Some(flumen_lifecycle::Outcome::Canceled));
    server.finish().await;
}

#[tokio::test]
async fn a_cancel_whose_answer_was_lost_is_done_once_more_and_ends_the_same() {
    let server = TestServer::start().await;
    server.running().await;
    server.world.flink.fail_next("PATCH", "/jobs/", Fault::CutAnswer);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_job_that_is_deleted_while_it_starts_leaves_nothing_behind() {
    let server = TestServer::start().await;
    server.world.node.conduct(Conduct::CannotPull);
    let started = server.apply(crate::server::job()).await.unwrap().operation.unwrap();
    server.until(|view| view.job.status.reason.is_some()).await;
    let deletion = server.delete().await;
    server.until_gone().await;
    assert_eq!(server.operation_ended(deletion).await.state, OperationState::Succeeded);
    assert_eq!(server.operation(started).await.state, OperationState::Superseded);
    server.finish().await;
}

#[tokio::test]
async fn deleting_a_running_job_cancels_it_and_removes_its_saved_logs() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.delete().await;
    server.until_gone().await;
    assert!(server.world.flink.count("PATCH", &format!("/jobs/{run}")) >= 1);
    let logs = server.world.directory.join(format!("data/logs/runs/{run}"));
    assert!(!logs.exists(), "{} is still there", logs.display());
    server.finish().await;
}

#[tokio::test]
async fn a_job_that_fails_tells_the_root_cause_and_keeps_the_exceptions() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.world.flink.set_state(&run.to_string(), "FAILED");
    let view = server.until_state("FAILED").await;
    let saved = view.run.expect("the run");
    let exceptions = saved.exceptions.expect("they are kept");
    let reason = saved.reason.expect("there is one");
    assert!(exceptions.contains(&reason), "{reason}\nis not of\n{exceptions}");
    assert!(exceptions.contains("\tat "), "{exceptions}");
    assert_eq!(view.job.status.reason.as_deref(), Some(reason.as_str()));
    server.finish().await;
}

#[tokio::test]
async fn the_log_of_every_container_is_saved_under_its_name() {
    let server = TestServer::start().await;
    let mut file = crate::server::job();
    file["podTemplates"] = serde_json::json!({ "common": {
        "spec": { "containers": [{ "name": "sidecar", "image": "sidecar:1" }] },
    }});
    server.apply(file).await.unwrap();
    server.world.node.write_log("sidecar", false, "from the sidecar\n");
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "FINISHED");
    server.until_state("FINISHED").await;
    let main = server.log(LogSource::JobManager).await.unwrap();
    let pod = main.split(' ').nth(2).expect("it names its pod").to_owned();
    assert_eq!(main, format!("flink-main-container of {pod} was here\n"));
    let sidecar = server.log(LogSource::Pod(format!("{pod}.sidecar"))).await.unwrap();
    assert_eq!(sidecar, "from the sidecar\n");
    refusal(server.log(LogSource::TaskManagers).await);
    server.finish().await;
}

#[tokio::test]
async fn a_deployment_that_vanished_is_an_end_that_nobody_saw() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.world.create_high_availability_data(&run.to_string()).await;
    let deployments = server.world.api::<k8s_openapi::api::apps::v1::Deployment>();
    deployments.delete("word-count", &kube::api::DeleteParams::foreground()).await.unwrap();
    let view = server.until_state("ENDED_UNKNOWN").await;
    assert_eq!(
        view.job.status.reason.as_deref(),
        Some("the Deployment of the job is gone, and nobody saw how the job ended")
    );
    assert_eq!(view.run.unwrap().outcome, Some(flumen_lifecycle::Outcome::Unknown));
    assert_eq!(server.world.deployments_created(), 1);
    server.finish().await;
}

#[tokio::test]
async fn an_end_that_nobody_heard_is_told_by_the_result_that_flink_left() {
    let server = TestServer::start().await;
    let run = server.running().await;
    let result = json!({ "result": { "id": run.to_string(), "application-status": "FAILED",
        "accumulator-results": {}, "net-runtime": 1 }, "version": 1 });
    let place = format!("ha/local/default/word-count/{run}/job-result-store/word-count/{run}.json");
    server.world.directory.write(&format!("storage/{place}"), result.to_string());
    server.world.flink.forget_job(&run.to_string());
    // The steady look is seconds away: what happens to a pod of the job brings it forward.
    server.world.create_task_manager().await;
    let view = server.until_state("FAILED").await;
    assert_eq!(view.run.unwrap().outcome, Some(flumen_lifecycle::Outcome::Failed));
    assert!(view.job.status.unreachable_since.is_none());
    server.finish().await;
}

#[tokio::test]
async fn the_log_of_another_job_s_run_is_not_shown() {
    let server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    let other = RunId::from_bits(7);
    let place = format!("data/logs/runs/{other}/word-count-a.log");
    server.world.directory.write(&place, "a secret");
    let query = LogsQuery { run: Some(other), ..LogsQuery::default() };
    let names = (&environment(), &name());
    let logs = server.control().logs(&server.principal, names, query).await;
    let error = logs.err().expect("it is of another job");
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::NotFound, format!("run {other} of job word-count does not exist"))
    );
    server.finish().await;
}
