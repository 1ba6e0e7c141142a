//! Failures, one after another, and the time until each is shown.

use std::time::{Duration, Instant};

use flumen_model::JobName;
use futures::future::join_all;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{jobs::Jobs, world::status_of};

/// How often each job fails in each way; with twenty jobs a hundred tries.
const ROUNDS: u32 = 5;
const TASK_MANAGER: &str = "taskmanager-1-1";
/// Of a question to a job that runs; see `STEADY` of the tracker.
const TURN: Duration = Duration::from_secs(5);

/// A TaskManager's pod is gone, and Flink restarts the job.
pub(crate) async fn task_manager(jobs: &Jobs) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        for name in &jobs.names {
            let (run, pod) = (jobs.run_of(name).await, create_task_manager(jobs, name).await);
            jobs.until(name, "RUNNING").await;
            let at_once = DeleteParams::default().grace_period(0);
            let begin = Instant::now();
            jobs.world.change(&run, "RESTARTING");
            jobs.world.pods().delete(&pod, &at_once).await.unwrap();
            let shown = jobs.shown(name, |view| view.state.as_str() != "RUNNING").await;
            times.push(shown - begin);
            jobs.world.change(&run, "RUNNING");
            jobs.until(name, "RUNNING").await;
        }
    }
    times
}

/// A JobManager's pod is not ready for a while.
pub(crate) async fn not_ready(jobs: &Jobs) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        for name in &jobs.names {
            let pod = job_manager(jobs, name).await;
            let begin = Instant::now();
            set_status(jobs, &pod, false, 0).await;
            let is_known = |since: Option<_>| since.is_some();
            let shown = jobs.shown(name, |view| is_known(view.job.status.unreachable_since)).await;
            times.push(shown - begin);
            set_status(jobs, &pod, true, 0).await;
            jobs.shown(name, |view| view.job.status.unreachable_since.is_none()).await;
        }
    }
    times
}

/// A JobManager's container ended and is there again, and the job has failed.
pub(crate) async fn ended(jobs: &Jobs) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        for name in &jobs.names {
            let (run, pod) = (jobs.run_of(name).await, job_manager(jobs, name).await);
            let begin = Instant::now();
            jobs.world.change(&run, "FAILED");
            set_status(jobs, &pod, true, 1).await;
            let shown = jobs.shown(name, |view| view.state.as_str() != "RUNNING").await;
            times.push(shown - begin);
        }
        join_all(jobs.names.iter().map(|name| jobs.start_again(name))).await;
    }
    times
}

/// Flink restarts the job, and nothing else happens. The jobs fail side by side, at moments that are spread over
/// the turn of the questions.
pub(crate) async fn inside(jobs: &Jobs) -> Vec<Duration> {
    let count = u32::try_from(jobs.names.len()).unwrap();
    let fail = |(number, name)| async move {
        let mut times = Vec::new();
        let run = jobs.run_of(name).await;
        for round in 0..ROUNDS {
            tokio::time::sleep(TURN * (number * ROUNDS + round) / (count * ROUNDS)).await;
            let begin = Instant::now();
            jobs.world.change(&run, "RESTARTING");
            let shown = jobs.shown(name, |view| view.state.as_str() != "RUNNING").await;
            times.push(shown - begin);
            jobs.world.change(&run, "RUNNING");
            jobs.until(name, "RUNNING").await;
        }
        times
    };
    join_all((0..count).zip(&jobs.names).map(fail)).await.concat()
}

async fn job_manager(jobs: &Jobs, name: &JobName) -> Pod {
    let of = format!("app={name},component=jobmanager");
    let pods = jobs.world.pods().list(&ListParams::default().labels(&of)).await.unwrap();
    pods.items.into_iter().find(|pod| pod.metadata.deletion_timestamp.is_none()).unwrap()
}

async fn set_status(jobs: &Jobs, pod: &Pod, ready: bool, restarts: i32) {
    let status = Patch::Merge(status_of(pod, ready, restarts));
    let (pods, parameters) = (jobs.world.pods(), PatchParams::default());
    pods.patch_status(&pod.name_any(), &parameters, &status).await.unwrap();
}

/// Makes it as the JobManager does, and waits until it runs.
async fn create_task_manager(jobs: &Jobs, name: &JobName) -> String {
    let deployments: Api<Deployment> = Api::namespaced(jobs.world.client.clone(), "default");
    let owner = deployments.get(name.as_str()).await.unwrap().uid().unwrap();
    let pod = format!("{name}-{TASK_MANAGER}");
    let labels =
        json!({ "app": name, "type": "flink-native-kubernetes", "component": "taskmanager" });
    let object = json!({
        "metadata": {
            "name": pod, "labels": labels,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": owner,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": { "containers": [{ "name": "flink-main-container", "image": "flink" }] },
    });
    let object = serde_json::from_value(object).unwrap();
    let pods = jobs.world.pods();
    pods.create(&PostParams::default(), &object).await.unwrap();
    let runs = |pod: &Pod| pod.status.as_ref().is_some_and(|status| status.pod_ip.is_some());
    while !runs(&pods.get(&pod).await.unwrap()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    pod
}
