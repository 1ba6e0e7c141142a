//! A world and a server in which runs come one after the other.

use std::{path::PathBuf, sync::Arc};

use flumen_control::{OperationState, SavepointOrder, StepState, Terms};
use flumen_faults::{Faults, Hit, Plan};
use flumen_model::OperationId;
use flumen_testkit::{eventually_async, program};
use futures::FutureExt as _;
use tokio::sync::Notify;

use super::{
    cases::{Case, Strike},
    scenarios::{Before, Request, Scenario},
};
use crate::{
    launcher::launch,
    sbom::documents,
    server::{PATIENCE, TestServer, environment, job, name},
    world::World,
};

/// More operations and snapshots than one job comes to.
const ALL: u32 = 100;

pub(super) struct Bench {
    server: TestServer,
    runs: u32,
}

/// A run that came to the end that its scenario says.
#[derive(Clone)]
pub(super) struct Ended {
    /// The points, if nothing was to go wrong.
    pub(super) trace: Vec<Hit>,
    /// How often it did go wrong.
    pub(super) struck: usize,
}

impl Bench {
    pub(super) async fn start() -> Self {
        let world = World::start().await;
        world.flink.map_directory("file:/opt/flink/storage", &world.directory.join("storage"));
        world.flink.auto_savepoints(true);
        let server = TestServer::start_with(world, Faults::watched()).await;
        Self { server, runs: 0 }
    }

    pub(super) async fn finish(self) {
        self.server.finish().await;
    }

    /// Carries out a case, and leaves the world as it was.
    pub(super) async fn run(&mut self, case: &Case) -> Ended {
        self.runs += 1;
        let jar = program(&format!("run {}", self.runs));
        let key = format!("run-{}", self.runs);
        let world = &self.server.world;
        let (deployments, savepoints) = (world.deployments_created(), world.flink.savepoints());
        tokio::select! {
            () = launch(world) => unreachable!("watches do not end"),
            () = self.prepare(case.scenario.before, &jar) => {}
        }
        let ended = self.strike(case, &key, &jar).await;
        self.server.faults.follow(Plan::Trace);
        let world = &self.server.world;
        let completed = world.flink.savepoints().split_off(savepoints.len());
        assert_eq!(completed.len(), case.scenario.savepoints, "savepoints: {completed:?}");
        self.recorded(&completed).await;
        self.documented().await;
        self.clear_away().await;
        let created = world.deployments_created() - deployments;
        assert_eq!(created, case.scenario.runs, "Deployments created");
        ended
    }

    async fn strike(&mut self, case: &Case, key: &str, jar: &[u8]) -> Ended {
        let (mut kills, killed) = (0, Arc::new(Notify::new()));
        self.server.faults.follow(plan(case.strike.as_ref(), &killed));
        loop {
            tokio::select! {
                () = launch(&self.server.world) => unreachable!("watches do not end"),
                () = self.drive(case.scenario, key, jar) => break,
                () = killed.notified() => {
                    kills += 1;
                    self.server.kill().await;
                    self.server.faults = Faults::watched();
                    if let (1, Some(Strike::KillTwice(hit))) = (kills, &case.strike) {
                        let again = Strike::Kill(hit.first());
                        self.server.faults.follow(plan(Some(&again), &killed));
                    }
                    self.server.open().await;
                }
            }
        }
        if matches!(case.strike, Some(Strike::Kill(_) | Strike::KillTwice(_))) {
            // The kill may fall when all that is waited for is so already.
            self.server.faults.follow(Plan::Trace);
            if killed.notified().now_or_never().is_some() {
                kills += 1;
                self.server.kill().await;
                self.server.faults = Faults::watched();
                self.server.open().await;
            }
        }
        let faults = &self.server.faults;
        let cut = matches!(case.strike, Some(Strike::Cut(_))) && faults.struck();
        Ended { trace: faults.trace(), struck: kills + usize::from(cut) }
    }

    async fn prepare(&self, before: Before, jar: &[u8]) {
        let server = &self.server;
        server.upload(jar).await;
        if before == Before::Unknown {
            return;
        }
        let applied = server.apply_with(job(), jar, None).await.unwrap();
        self.succeeded(applied.operation.expect("it is started")).await;
        server.until_state("RUNNING").await;
        let run = server.wished_run().await.to_string();
        match before {
            Before::Unknown | Before::Running => {
                server.world.create_task_manager().await;
                server.world.create_high_availability_data(&run).await;
            }
            Before::Finished => {
                server.world.flink.set_state(&run, "FINISHED");
                server.until_state("FINISHED").await;
            }
            Before::Stopped => {
                let place = (&environment(), &name());
                let order = SavepointOrder::default();
                let stop = server
                    .control()
                    .stop_job(&server.principal, place, order, Terms::default())
                    .await;
                self.succeeded(stop.unwrap()).await;
                server.until_state("STOPPED").await;
            }
        }
    }

    /// Asks for what the scenario is about and waits for its end, which must be the right one. It can be
    /// broken off anywhere and begun anew.
    async fn drive(&self, scenario: &Scenario, key: &str, jar: &[u8]) {
        let server = &self.server;
        let request = Request { server, environment: environment(), name: name(), key, jar };
        let operation = eventually_async(PATIENCE, || (scenario.ask)(&request)).await;
        if let Some(operation) = operation {
            self.succeeded(operation).await;
        }
        let Some(state) = scenario.ends else { return server.until_gone().await };
        server.until_state(state).await;
        assert_eq!(server.runs().await.len(), scenario.runs, "runs");
    }

    async fn succeeded(&self, operation: OperationId) {
        let operation = self.server.operation_ended(operation).await;
        assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
        let unfinished: Vec<_> =
            operation.steps.iter().filter(|step| step.state == StepState::Running).collect();
        assert!(unfinished.is_empty(), "{unfinished:?}");
    }

    /// Waits until each of these savepoints is known, once.
    async fn recorded(&self, savepoints: &[String]) {
        let server = &self.server;
        let known = || async {
            let known = server.control().snapshots(&server.principal, None, None, ALL).await;
            let known: Vec<_> = known.unwrap().into_iter().map(|one| one.path).collect();
            let count = |path: &String| known.iter().filter(|known| *known == path).count();
            if savepoints.iter().all(|path| count(path) == 1) { Ok(()) } else { Err(known) }
        };
        eventually_async(PATIENCE, known).await;
    }

    /// Each image that a run has must have its document.
    async fn documented(&self) {
        if self.server.view().await.is_ok() {
            for image in self.server.runs().await.into_iter().filter_map(|run| run.image) {
                assert_eq!(documents(&image).await.len(), 1, "about {image}");
            }
        }
    }

    /// Files that belong to a job or to something underway.
    fn files(&self) -> Vec<String> {
        let data = self.server.world.directory.join("data");
        let paths = |directory: &str| {
            let entries = std::fs::read_dir(data.join(directory)).into_iter().flatten();
            entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        let mut files = paths("layers");
        files.extend(paths("logs/runs"));
        let is_part = |path: &PathBuf| path.extension().is_some_and(|end| end == "part");
        files.extend(paths("artifacts").into_iter().filter(is_part));
        files.iter().map(|path| path.display().to_string()).collect()
    }

    /// Takes the job away, after which nothing of it may be left.
    async fn clear_away(&self) {
        let server = &self.server;
        if let Ok(view) = server.view().await {
            if !view.state.is_at_rest() {
                server.cancel().await;
                server.until(|view| view.state.is_at_rest()).await;
            }
            assert_eq!(server.world.objects().await, [""; 0], "left in the cluster");
            server.delete().await;
            server.until_gone().await;
        }
        assert_eq!(server.world.objects().await, [""; 0], "left in the cluster");
        assert_eq!(self.files(), [""; 0], "left in the data directory");
        let over = || async {
            let all = server.control().operations(&server.principal, None, ALL).await.unwrap();
            let open: Vec<_> =
                all.into_iter().filter(|one| one.state == OperationState::Running).collect();
            if open.is_empty() { Ok(()) } else { Err(open) }
        };
        eventually_async(PATIENCE, over).await;
    }
}

fn plan(strike: Option<&Strike>, killed: &Arc<Notify>) -> Plan {
    match strike.cloned() {
        None => Plan::Trace,
        Some(Strike::Cut(at)) => Plan::Cut { at },
        Some(Strike::Kill(at) | Strike::KillTwice(at)) => {
            let killed = Arc::clone(killed);
            Plan::Kill { at, kill: Arc::new(move || killed.notify_one()) }
        }
    }
}
