//! Jobs that run, and a server that follows them.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use flumen_control::{
    ApplyJob, Control, Faults, JobView, LocalSettings, OperationState, Principal, Settings,
    StartOrder, Tasks, Terms, UploadedArtifact, VersionSource,
};
use flumen_model::{ArtifactRole, Digest, EnvironmentName, JobName, Secret};
use flumen_testkit::program;
use futures::{future::join_all, stream};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::world::World;

static JAR: LazyLock<Vec<u8>> = LazyLock::new(|| program(""));
/// Between two looks at what is shown; as exact are the times.
pub(crate) const LOOK: Duration = Duration::from_millis(2);
/// For what must come about at last.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Jobs {
    pub(crate) world: World,
    pub(crate) names: Vec<JobName>,
    pub(crate) principal: Principal,
    control: Control,
    tasks: Tasks,
}

impl Jobs {
    /// A server with so many jobs, all of which run.
    pub(crate) async fn run(world: World, count: u32) -> Self {
        let (control, tasks) = open(&world).await;
        control.start().await.unwrap();
        let token = std::fs::read_to_string(world.directory.join("data/token")).unwrap();
        let principal = control.authenticate(&Secret::new(token)).await.unwrap().unwrap();
        let names = (0..count).map(|number| format!("job-{number}").parse().unwrap()).collect();
        let jobs = Self { world, names, principal, control, tasks };
        jobs.prepare().await;
        join_all(jobs.names.iter().map(|name| jobs.apply(name))).await;
        join_all(jobs.names.iter().map(|name| jobs.launch(name))).await;
        jobs
    }

    async fn prepare(&self) {
        for file in ["bin/flink", "bin/config.sh", "conf/config.yaml", "lib/flink-dist-1.20.5.jar"]
        {
            self.world.directory.write(&format!("flink/{file}"), "");
        }
        let source = VersionSource::Directory(self.world.directory.join("flink"));
        let (version, environment) = ("1.20.5".parse().unwrap(), environment());
        let added = self.control.add_version(&self.principal, version, &environment, source, None);
        let id = added.await.unwrap();
        while self.control.operation(&self.principal, id).await.unwrap().state
            != OperationState::Succeeded
        {
            tokio::time::sleep(LOOK).await;
        }
        let body = stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(&JAR))]);
        self.control.put_artifact(&digest(), body).await.unwrap();
    }

    async fn apply(&self, name: &JobName) {
        let file = json!({
            "name": name, "environment": "local", "flinkVersion": "1.20.5",
            "artifact": "job.jar", "mainClass": "com.example.Job", "parallelism": 1,
        });
        let artifact = UploadedArtifact {
            name: "job.jar".to_owned(),
            digest: digest(),
            role: ArtifactRole::Usrlib,
        };
        let apply = ApplyJob {
            spec: serde_json::from_value(file).unwrap(),
            artifacts: vec![artifact],
            start: true,
            terms: Terms::default(),
            force: false,
        };
        self.control.apply_job(&self.principal, apply).await.unwrap();
    }

    /// Lets the JobManager have the newest run, and waits until it is seen running.
    async fn launch(&self, name: &JobName) {
        let run = self.run_of(name).await;
        self.world.flink.add_job(&run, name.as_str(), "RUNNING");
        self.until(name, "RUNNING").await;
    }

    /// Starts a job that has ended.
    pub(crate) async fn start_again(&self, name: &JobName) {
        self.until(name, "FAILED").await;
        self.world.flink.forget_job(&self.run_of(name).await);
        let place = (&environment(), name);
        let order = StartOrder::default();
        self.control.start_job(&self.principal, place, order, Terms::default()).await.unwrap();
        self.launch(name).await;
    }

    /// The id of the newest run, which is that of its Flink job.
    pub(crate) async fn run_of(&self, name: &JobName) -> String {
        let runs = self.control.runs(&self.principal, &environment(), name).await.unwrap();
        runs[0].id.to_string()
    }

    /// Waits until the job is shown in this state.
    pub(crate) async fn until(&self, name: &JobName, state: &str) {
        self.shown(name, |view| view.state.as_str() == state).await;
    }

    /// Waits until the job is shown so, and says when it was.
    pub(crate) async fn shown(&self, name: &JobName, wanted: impl Fn(&JobView) -> bool) -> Instant {
        let begin = Instant::now();
        loop {
            let view = self.control.job(&self.principal, &environment(), name).await.unwrap();
            let now = Instant::now();
            if wanted(&view) {
                return now;
            }
            assert!(now - begin < PATIENCE, "{name} is {} {:?}", view.state, view.job.status);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends the server; what it has read can still be looked at.
    pub(crate) async fn stop(&self) {
        stop(&self.tasks).await;
    }
}

/// A server on the data directory whose loops do not run yet.
pub(crate) async fn open(world: &World) -> (Control, Tasks) {
    let tasks = Tasks::new(CancellationToken::new());
    let local = LocalSettings {
        kubeconfig: world.directory.join("kubeconfig"),
        registry: world.registry.clone(),
        pod_url: "http://10.96.0.1:7600".parse().unwrap(),
        storage: world.directory.join("storage"),
    };
    let settings = Settings {
        data_directory: world.directory.join("data"),
        cache_directory: world.directory.join("cache"),
        local: Some(local),
        maven: None,
        pod_url: None,
        artifact_limit: u64::MAX,
        retention: flumen_control::Retention::default(),
        python_index: None,
        release_policy: None,
        registries: flumen_control::RegistryAccess::default(),
        cluster_commands: Vec::new(),
        secret_key_file: None,
        secret_key: None,
        faults: Faults::default(),
    };
    let control = Control::open(settings, tasks.clone()).await.unwrap();
    (control, tasks)
}

pub(crate) async fn stop(tasks: &Tasks) {
    assert!(tasks.stop_within(PATIENCE).await, "the tasks did not end in time");
}

pub(crate) fn environment() -> EnvironmentName {
    "local".parse().unwrap()
}

fn digest() -> Digest {
    Digest::from_sha256(&Sha256::digest(&*JAR).into())
}
