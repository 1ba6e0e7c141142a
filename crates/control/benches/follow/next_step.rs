//! What a server that died had written down, and when the next one does it.

use std::time::{Duration, Instant};

use flumen_control::{OperationState, SavepointOrder, Terms};

use crate::jobs::{self, Jobs, LOOK, environment};

/// Where the pods see the storage.
const STORAGE: &str = "file:/opt/flink/storage";

/// From the opening of the database until Flink has the order, once for each job.
pub(crate) async fn measure(jobs: &Jobs) -> Vec<Duration> {
    let flink = &jobs.world.flink;
    flink.map_directory(STORAGE, &jobs.world.directory.join("storage"));
    flink.auto_savepoints(true);
    let mut times = Vec::new();
    for name in &jobs.names {
        // One whose loops never ran is one that died right after it wrote the order down.
        let (dead, _) = jobs::open(&jobs.world).await;
        let (place, order) = ((&environment(), name), SavepointOrder::default());
        let order =
            dead.savepoint_job(&jobs.principal, place, order, Terms::default()).await.unwrap();
        drop(dead);

        let before = flink.triggers().len();
        let begin = Instant::now();
        let (control, tasks) = jobs::open(&jobs.world).await;
        control.start().await.unwrap();
        while flink.triggers().len() == before {
            tokio::time::sleep(LOOK).await;
        }
        times.push(begin.elapsed());
        let state = async || control.operation(&jobs.principal, order).await.unwrap().state;
        while state().await == OperationState::Running {
            tokio::time::sleep(LOOK).await;
        }
        assert_eq!(state().await, OperationState::Succeeded);
        jobs::stop(&tasks).await;
    }
    times
}
