//! The server dies at points of a build, or answers are lost there: the same end as without.

use std::sync::Arc;

use flumen_control::OperationState;
use flumen_faults::{Faults, Hit, Plan};
use flumen_testkit::{eventually_async, program};
use tokio::sync::Notify;

use crate::{
    projects::{orders, project},
    server::{PATIENCE, TestServer},
    world::World,
};

/// How many points are struck, if not all.
const STRIKES: usize = 10;

struct Bench {
    server: TestServer,
    builds: usize,
}

impl Bench {
    async fn start() -> Self {
        let server = TestServer::start_with(World::start().await, Faults::watched()).await;
        server.save_project(project()).await.unwrap();
        Self { server, builds: 0 }
    }

    /// Builds once, with this plan, and looks at the end. It gives the points that were passed.
    async fn build(&mut self, strike: Option<(Hit, bool)>) -> Vec<Hit> {
        self.builds += 1;
        self.server.world.hand_over.offer(&program(&format!("build {}", self.builds)));
        let (killed, key) = (Arc::new(Notify::new()), format!("build-{}", self.builds));
        self.server.faults.follow(match strike.clone() {
            None => Plan::Trace,
            Some((at, false)) => Plan::Cut { at },
            Some((at, true)) => {
                let killed = Arc::clone(&killed);
                Plan::Kill { at, kill: Arc::new(move || killed.notify_one()) }
            }
        });
        loop {
            tokio::select! {
                () = self.drive(&key) => break,
                () = killed.notified() => {
                    self.server.kill().await;
                    self.server.faults = Faults::watched();
                    self.server.open().await;
                }
            }
        }
        let builds = self.server.control().project_builds(&self.server.principal, &orders()).await;
        let builds = builds.unwrap();
        assert_eq!(builds.len(), self.builds, "{strike:?}: {builds:?}");
        assert_eq!(builds[0].state, OperationState::Succeeded, "{strike:?}: {builds:?}");
        self.server.faults.trace()
    }

    async fn drive(&self, key: &str) {
        let server = &self.server;
        let id = eventually_async(PATIENCE, || server.build(Some(key))).await;
        server.operation_ended(id).await;
        server.nothing_left().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_server_dies_in_a_build_the_end_is_the_same() {
    let mut bench = Bench::start().await;
    let trace = bench.build(None).await;
    let names: Vec<String> = trace.iter().map(ToString::to_string).collect();
    for point in [
        "store.create-build",
        "k8s.create-pod",
        "file.save-artifact",
        "store.end-build",
        "k8s.delete-pod",
        "store.build-removed",
    ] {
        assert!(names.iter().any(|name| name.starts_with(point)), "{point} is not in {names:?}");
    }
    let mut strikes: Vec<(Hit, bool)> = trace.iter().cloned().map(|hit| (hit, true)).collect();
    strikes.extend(trace.into_iter().filter(Hit::is_after).map(|hit| (hit, false)));
    if std::env::var_os("FLUMEN_ALL_KILLS").is_none() {
        let step = strikes.len().div_ceil(STRIKES);
        strikes = strikes.into_iter().step_by(step).collect();
    }
    for strike in strikes {
        bench.build(Some(strike)).await;
    }
    bench.server.finish().await;
}
