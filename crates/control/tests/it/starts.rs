use flumen_control::{LogSource, OperationKind, OperationState, StepState};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::ResourceExt as _;

use crate::server::{TestServer, job};

#[tokio::test]
async fn an_applied_job_runs_to_its_end_and_leaves_its_outcome_and_logs_but_no_object() {
    let server = TestServer::start().await;
    server.world.node.write_log("flink-main-container", false, "Starting the JobManager\n");
    let (operation, run) = server.apply_in("CREATED").await;
    server.until_state("CREATED").await;
    server.world.create_task_manager().await;
    server.world.create_high_availability_data(&run.to_string()).await;
    server.world.flink.set_state(&run.to_string(), "RUNNING");
    let view = server.until_state("RUNNING").await;
    assert_eq!(view.run.as_ref().map(|run| run.number), Some(1));
    assert_eq!(server.operation_ended(operation).await.state, OperationState::Succeeded);
    assert!(server.world.objects().await.len() >= 7, "{:?}", server.world.objects().await);

    server.world.flink.set_state(&run.to_string(), "FINISHED");
    let view = server.until_state("FINISHED").await;
    let run = view.run.expect("the run");
    assert_eq!(run.outcome.map(|outcome| format!("{outcome:?}")).as_deref(), Some("Finished"));
    assert!(run.running_at.is_some() && run.ended_at.is_some());
    assert_eq!(server.log(LogSource::JobManager).await.unwrap(), "Starting the JobManager\n");
    assert_eq!(server.log(LogSource::TaskManagers).await.unwrap(), "Starting the JobManager\n");
    server.told(&["STARTING", "CREATED", "RUNNING", "ENDING", "FINISHED"]).await;
    server.finish().await;
}

#[tokio::test]
async fn the_deployment_carries_the_run_and_owns_all_other_objects_and_its_image_is_named_by_digest()
 {
    let server = TestServer::start().await;
    let run = server.running().await;
    let deployment = server.world.deployment().await.expect("it stands");
    assert_eq!(deployment.annotations()["flumen.dev/run-id"], run.to_string());
    let uid = deployment.uid().unwrap();
    let owned = |owners: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference]| {
        owners.iter().any(|owner| owner.uid == uid)
    };
    for service in server.world.list::<Service>().await {
        assert!(
            service.name_any() == "kubernetes" || owned(service.owner_references()),
            "{service:?}"
        );
    }
    let config_maps = server.world.list::<ConfigMap>().await;
    let ours: Vec<_> =
        config_maps.iter().filter(|one| one.name_any() != "kube-root-ca.crt").collect();
    assert!(!ours.is_empty() && ours.iter().all(|one| owned(one.owner_references())), "{ours:?}");
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    let image = pod.containers[0].image.clone().unwrap();
    let registry = &server.world.registry;
    assert!(image.starts_with(&format!("{registry}/flumen/word-count@sha256:")), "{image}");
    assert_eq!(server.runs().await[0].image.as_deref(), Some(image.as_str()));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn the_steps_of_a_start_are_told_in_their_order_each_with_what_came_of_it() {
    let server = TestServer::start().await;
    let (operation, run) = server.apply_in("CREATED").await;
    server.until_state("CREATED").await;
    server.world.flink.set_state(&run.to_string(), "RUNNING");
    let operation = server.operation_ended(operation).await;
    assert_eq!(operation.kind, OperationKind::Apply);
    let names: Vec<_> = operation.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "locate-snapshot",
            "build-image",
            "render-objects",
            "remove-leftovers",
            "create-objects",
            "await-job-manager",
            "await-running",
        ]
    );
    for step in &operation.steps {
        assert_eq!((step.state, &step.error), (StepState::Succeeded, &None), "{step:?}");
        assert!(step.finished_at.is_some_and(|end| end >= step.started_at), "{step:?}");
    }
    let detail = |place: usize| operation.steps[place].detail.as_deref().unwrap_or_default();
    assert!(detail(0).ends_with("starts with empty state"), "{}", detail(0));
    assert!(detail(1).contains("@sha256:"), "{}", detail(1));
    assert_eq!(detail(3), "nothing was left");
    assert!(detail(4).starts_with("created "), "{}", detail(4));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_image_that_stands_is_used_again_for_the_next_run() {
    let server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    let operation = server.start_again().await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    let steps = server.operation_ended(operation).await.steps;
    let detail = steps[1].detail.clone().unwrap_or_default();
    assert!(detail.ends_with(", unchanged"), "{detail}");
    let runs = server.runs().await;
    assert_eq!((runs[0].number, &runs[0].image), (2, &runs[1].image));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_finished_run_says_nothing_about_the_next() {
    let server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    server.start_again().await.unwrap();
    let second = server.wished_run().await;
    // Its JobManager does not have the job yet.
    let steady = |view: &flumen_control::JobView| {
        view.state.as_str() == "STARTING" && view.job.status.run == Some(second)
    };
    server.until(steady).await;
    server.world.flink.add_job(&second.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!(server.world.deployments_created(), 2);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_artifact_that_is_no_archive_is_refused_before_anything_is_made() {
    let server = TestServer::start().await;
    server.upload(b"<html>not found</html>").await;
    let refused = server.apply_with(job(), b"<html>not found</html>", None).await;
    let (kind, text) = crate::server::refusal(refused);
    assert_eq!(kind, flumen_model::Kind::Invalid);
    assert!(text.contains("job.jar is no jar"), "{text}");
    server.finish().await;
}
