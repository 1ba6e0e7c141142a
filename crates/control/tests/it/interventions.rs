//! What someone else does to a job behind Flumen's back: noticed, named, and never fought.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;

use crate::server::{PATIENCE, TestServer, environment, job, name};

/// Waits for a warning in the timeline with these words.
async fn warned(server: &TestServer, words: &str) {
    let look = || async {
        let name = (&environment(), &name());
        let events = server.control().events(&server.principal, name, None, 100).await.unwrap();
        let warnings: Vec<_> = events
            .into_iter()
            .filter(|event| event.kind == "warning")
            .map(|event| event.message)
            .collect();
        if warnings.iter().any(|message| message.contains(words)) { Ok(()) } else { Err(warnings) }
    };
    flumen_testkit::eventually_async(PATIENCE, look).await;
}

async fn delete_config_map(server: &TestServer, name: &str) {
    let config_maps: Api<ConfigMap> = server.world.api();
    config_maps.delete(name, &DeleteParams::default()).await.unwrap();
}

async fn end(server: TestServer) {
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_config_map_that_someone_deletes_is_named_and_not_made_again() {
    let server = TestServer::start().await;
    let run = server.running().await;
    server.world.create_high_availability_data(&run.to_string()).await;

    delete_config_map(&server, "flink-config-word-count").await;
    warned(&server, "someone deleted the ConfigMap flink-config-word-count").await;
    delete_config_map(&server, &format!("word-count-{run}-config-map")).await;
    warned(&server, "the pointers to the job's state").await;

    let left = server.world.objects().await;
    assert!(left.contains(&"ConfigMap/word-count-cluster-config-map".to_owned()), "{left:?}");
    assert!(!left.iter().any(|name| name.contains("flink-config")), "{left:?}");
    assert_eq!(server.view().await.unwrap().state.as_str(), "RUNNING");
    assert_eq!(server.world.deployments_created(), 1);
    end(server).await;
}

#[tokio::test]
async fn a_deployment_that_someone_scaled_to_nothing_is_said_and_left_so() {
    let server = TestServer::start().await;
    let run = server.running().await;
    let deployments: Api<Deployment> = server.world.api();
    let scale = async |replicas: u32| {
        let patch = Patch::Merge(json!({ "spec": { "replicas": replicas } }));
        deployments.patch("word-count", &PatchParams::default(), &patch).await.unwrap();
    };
    scale(0).await;
    let said = "the JobManager does not answer: someone scaled the Deployment to 0 replicas";
    let view = server.until(|view| view.job.status.reason.as_deref() == Some(said)).await;
    assert!(view.job.status.unreachable_since.is_some());
    assert_eq!((view.state.as_str(), view.job.status.run), ("RUNNING", Some(run)));

    scale(1).await;
    let view = server.until(|view| view.job.status.unreachable_since.is_none()).await;
    assert_eq!((view.state.as_str(), view.job.status.reason), ("RUNNING", None));
    assert_eq!(server.world.deployments_created(), 1);
    end(server).await;
}

#[tokio::test]
async fn what_someone_cancelled_at_flink_stays_so_or_is_started_again_as_the_job_file_says() {
    for (policy, runs) in [("accept", 1), ("restart", 2)] {
        let server = TestServer::start().await;
        let mut file = job();
        file["interventions"] = json!(policy);
        file["restartPolicy"] = json!({ "backOff": "10 ms" });
        server.apply(file).await.unwrap();
        let first = server.wished_run().await;
        server.world.flink.add_job(&first.to_string(), "word-count", "RUNNING");
        server.until_state("RUNNING").await;
        server.world.flink.set_state(&first.to_string(), "CANCELED");
        if runs == 1 {
            let view = server.until_state("CANCELED").await;
            let reason = view.job.status.reason.as_deref();
            assert_eq!(reason, Some("the job was cancelled, and not by Flumen"));
        } else {
            let next = |view: &flumen_control::JobView| view.job.status.run;
            let again = server.until(|view| next(view).is_some_and(|run| run != first)).await;
            let second = next(&again).unwrap();
            server.world.flink.add_job(&second.to_string(), "word-count", "RUNNING");
            server.until_state("RUNNING").await;
            server.cancel().await;
            server.until_state("CANCELED").await;
        }
        assert_eq!(server.runs().await.len(), runs);
        server.finish().await;
    }
}
