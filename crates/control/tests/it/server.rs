//! A Flumen server on a data directory, in a runtime of its own so that it can die.

use std::{fmt::Debug, sync::LazyLock, time::Duration};

use flumen_control::{
    Applied, ApplyJob, Applying, Control, Error, Faults, JobView, LocalSettings, LogSource,
    LogsQuery, MavenFiles, Operation, OperationState, Principal, Retention, Run, Settings,
    StartOrder, Tasks, Terms, UploadedArtifact, VersionSource,
};
use flumen_model::{ArtifactRole, Digest, EnvironmentName, JobName, OperationId, RunId, Secret};
use flumen_testkit::{eventually_async, program};
use futures::{TryStreamExt as _, stream};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::world::World;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The largest file that is fetched by URL.
pub(crate) const ARTIFACT_LIMIT: u64 = 1 << 20;
pub(crate) static JAR: LazyLock<Vec<u8>> = LazyLock::new(|| program(""));

/// Whoever drops it must have called [`TestServer::finish`], which looks for what is left.
pub(crate) struct TestServer {
    pub(crate) world: World,
    pub(crate) principal: Principal,
    /// For the server that is opened next.
    pub(crate) faults: Faults,
    alive: Option<Alive>,
    pub(crate) finished: bool,
}

struct Alive {
    control: Control,
    tasks: Tasks,
    runtime: Runtime,
}

impl TestServer {
    /// A server whose environment `local` has Flink 1.20.5.
    pub(crate) async fn start() -> Self {
        Self::start_in(World::start().await).await
    }

    pub(crate) async fn start_in(world: World) -> Self {
        Self::start_with(world, Faults::default()).await
    }

    pub(crate) async fn start_with(world: World, faults: Faults) -> Self {
        let alive = open(&world, faults.clone()).await;
        let token = std::fs::read_to_string(world.directory.join("data/token")).unwrap();
        let principal = alive.control.authenticate(&Secret::new(token)).await.unwrap();
        let principal = principal.expect("the first token is known");
        let server = Self { world, principal, faults, alive: Some(alive), finished: false };
        server.add_version().await;
        server.upload(&JAR).await;
        server
    }

    pub(crate) fn control(&self) -> &Control {
        &self.alive.as_ref().expect("the server runs").control
    }

    async fn add_version(&self) {
        self.add_version_to("local").await;
    }

    pub(crate) async fn add_version_to(&self, environment: &str) {
        for file in ["bin/flink", "bin/config.sh", "conf/config.yaml", "lib/flink-dist-1.20.5.jar"]
        {
            self.world.directory.write(&format!("flink/{file}"), "");
        }
        let source = VersionSource::Directory(self.world.directory.join("flink"));
        let version = "1.20.5".parse().unwrap();
        let environment = environment.parse().unwrap();
        let added =
            self.control().add_version(&self.principal, version, &environment, source, None);
        let id = added.await.unwrap();
        let ended = self.operation_ended(id).await;
        assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    }

    pub(crate) async fn upload(&self, content: &[u8]) -> Digest {
        self.try_upload(content).await.unwrap()
    }

    pub(crate) async fn try_upload(&self, content: &[u8]) -> Result<Digest, Error> {
        let digest = digest(content);
        let content = bytes::Bytes::copy_from_slice(content);
        let body = stream::iter([Ok::<_, std::io::Error>(content)]);
        self.control().put_artifact(&digest, body).await?;
        Ok(digest)
    }

    /// Ends the server as SIGTERM does.
    pub(crate) async fn stop(&mut self) {
        Second(self.alive.take().expect("the server runs")).stop().await;
    }

    /// Ends the server wherever it is, as SIGKILL does: nothing runs past its next await.
    pub(crate) async fn kill(&mut self) {
        let Alive { control, tasks, runtime } = self.alive.take().expect("the server runs");
        let end = move || runtime.shutdown_timeout(PATIENCE);
        tokio::task::spawn_blocking(end).await.unwrap();
        drop((control, tasks));
    }

    pub(crate) async fn open(&mut self) {
        assert!(self.alive.is_none(), "two servers on one directory");
        self.alive = Some(open(&self.world, self.faults.clone()).await);
    }

    /// Another server on the same directory, which must be stopped before the test ends.
    pub(crate) async fn second(&self) -> Second {
        Second(open(&self.world, self.faults.clone()).await)
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.open().await;
    }

    pub(crate) async fn apply(&self, file: Value) -> Result<Applied, Error> {
        self.apply_with(file, &JAR, None).await
    }

    pub(crate) async fn apply_with(
        &self,
        file: Value,
        jar: &[u8],
        key: Option<(&str, &str)>,
    ) -> Result<Applied, Error> {
        let key = key.map(|(key, hash)| (key.to_owned(), hash.to_owned()));
        let terms = Terms { key, if_match: None };
        let apply = ApplyJob { terms, ..application(file, jar) };
        self.control().apply_job(&self.principal, apply).await.map(done)
    }

    /// Applies the job, whose JobManager has it in this state from the start.
    pub(crate) async fn apply_in(&self, state: &str) -> (OperationId, RunId) {
        let applied = self.apply(job()).await.unwrap();
        let run = self.wished_run().await;
        self.world.flink.add_job(&run.to_string(), "word-count", state);
        (applied.operation.expect("it is started"), run)
    }

    pub(crate) async fn running(&self) -> RunId {
        let (operation, run) = self.apply_in("RUNNING").await;
        self.until_state("RUNNING").await;
        assert_eq!(self.operation_ended(operation).await.state, OperationState::Succeeded);
        run
    }

    pub(crate) async fn start_again(&self) -> Result<OperationId, Error> {
        let name = (&environment(), &name());
        self.control()
            .start_job(&self.principal, name, StartOrder::default(), Terms::default())
            .await
    }

    pub(crate) async fn cancel(&self) -> OperationId {
        let name = (&environment(), &name());
        self.control().cancel_job(&self.principal, name, Terms::default()).await.unwrap()
    }

    pub(crate) async fn delete(&self) -> OperationId {
        let name = (&environment(), &name());
        self.control().delete_job(&self.principal, name, Terms::default()).await.unwrap()
    }

    pub(crate) async fn view(&self) -> Result<JobView, Error> {
        self.control().job(&self.principal, &environment(), &name()).await
    }

    /// The run that was asked for last.
    pub(crate) async fn wished_run(&self) -> RunId {
        self.runs().await[0].id
    }

    /// All runs, newest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.control().runs(&self.principal, &environment(), &name()).await.unwrap()
    }

    pub(crate) async fn until_state(&self, wanted: &str) -> JobView {
        self.until(|view| view.state.as_str() == wanted).await
    }

    pub(crate) async fn until(&self, wanted: impl Fn(&JobView) -> bool) -> JobView {
        let look = || async {
            match self.view().await {
                Ok(view) if wanted(&view) => Ok(view),
                Ok(view) => Err(format!("{} {:?}", view.state, view.job.status)),
                Err(error) => Err(error.paragraph()),
            }
        };
        eventually_async(PATIENCE, look).await
    }

    pub(crate) async fn until_gone(&self) {
        let look = || async {
            match self.view().await {
                Err(Error::NotFound { .. }) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        };
        eventually_async(PATIENCE, look).await;
    }

    pub(crate) async fn operation(&self, id: OperationId) -> Operation {
        self.control().operation(&self.principal, id).await.unwrap()
    }

    pub(crate) async fn operation_ended(&self, id: OperationId) -> Operation {
        let look = || async {
            let operation = self.operation(id).await;
            match operation.state {
                OperationState::Running => Err(operation),
                OperationState::Succeeded
                | OperationState::Failed
                | OperationState::Superseded
                | OperationState::Canceled => Ok(operation),
            }
        };
        eventually_async(PATIENCE, look).await
    }

    pub(crate) async fn log(&self, source: LogSource) -> Result<String, Error> {
        let query = LogsQuery { source, ..LogsQuery::default() };
        let stream = self.control().logs(&self.principal, (&environment(), &name()), query).await?;
        let bytes: Vec<bytes::Bytes> = stream.try_collect().await?;
        Ok(String::from_utf8(bytes.concat()).unwrap())
    }

    /// Waits until the timeline tells of these states, oldest first, and no others.
    pub(crate) async fn told(&self, wanted: &[&str]) {
        let look = || async {
            let states = self.states().await;
            if states == wanted { Ok(()) } else { Err(states) }
        };
        eventually_async(PATIENCE, look).await;
    }

    async fn states(&self) -> Vec<String> {
        let name = (&environment(), &name());
        let events = self.control().events(&self.principal, name, None, 100).await.unwrap();
        let mut states: Vec<_> = events
            .iter()
            .rev()
            .filter(|event| event.kind == "state")
            .map(|event| event.message.split([':', ',']).next().unwrap_or_default().to_owned())
            .collect();
        states.dedup();
        states
    }

    /// Looks for what is left: in the cluster, and of operations.
    pub(crate) async fn finish(mut self) {
        assert_eq!(self.world.objects().await, [""; 0], "left in the cluster");
        let jobs = self.control().jobs(&self.principal, None, None, None).await.unwrap();
        for view in jobs {
            assert!(view.state.is_at_rest(), "{} is {}", view.job.name, view.state);
        }
        let open = || async {
            let all = self.control().operations(&self.principal, None, 100).await.unwrap();
            let open: Vec<_> =
                all.into_iter().filter(|one| one.state == OperationState::Running).collect();
            if open.is_empty() { Ok(()) } else { Err(open) }
        };
        eventually_async(PATIENCE, open).await;
        self.stop().await;
        self.finished = true;
    }
}

/// A second server on a data directory.
pub(crate) struct Second(Alive);

impl Second {
    pub(crate) fn control(&self) -> &Control {
        &self.0.control
    }

    pub(crate) async fn stop(self) {
        let Alive { control, tasks, runtime } = self.0;
        assert!(tasks.stop_within(PATIENCE).await, "the tasks did not end in time");
        drop(control);
        tokio::task::spawn_blocking(move || drop(runtime)).await.unwrap();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(Alive { runtime, .. }) = self.alive.take() {
            runtime.shutdown_background();
        }
        assert!(
            self.finished || std::thread::panicking(),
            "the test did not look for what is left"
        );
    }
}

async fn open(world: &World, faults: Faults) -> Alive {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("flumen")
        .enable_all()
        .build()
        .unwrap();
    let local = LocalSettings {
        kubeconfig: world.kubeconfig(),
        registry: world.registry.clone(),
        pod_url: "http://10.96.0.1:7600".parse().unwrap(),
        storage: world.directory.join("storage"),
    };
    let settings = Settings {
        data_directory: world.directory.join("data"),
        cache_directory: world.directory.join("cache"),
        local: Some(local),
        maven: Some(MavenFiles {
            home: world.directory.join("home"),
            user: None,
            installed: Vec::new(),
            variable: |_| None,
        }),
        pod_url: None,
        artifact_limit: ARTIFACT_LIMIT,
        // Nothing is removed but when a test says so, and then at once.
        retention: Retention {
            releases: 2,
            unused: Duration::ZERO,
            every: Duration::from_hours(24),
        },
        python_index: world.python_index.clone(),
        release_policy: world.release_policy.clone(),
        registries: world.registries.clone(),
        cluster_commands: world.cluster_commands.clone(),
        secret_key_file: None,
        secret_key: None,
        faults,
    };
    let tasks = Tasks::new(CancellationToken::new());
    let group = tasks.clone();
    let opened = runtime.spawn(async move {
        let control = Control::open(settings, group).await?;
        control.start().await?;
        Ok::<_, Error>(control)
    });
    let control = opened.await.unwrap().unwrap();
    Alive { control, tasks, runtime }
}

/// A job file with its jar, as it is applied.
pub(crate) fn application(file: Value, jar: &[u8]) -> ApplyJob {
    let artifact = UploadedArtifact {
        name: "job.jar".to_owned(),
        digest: digest(jar),
        role: ArtifactRole::Usrlib,
    };
    ApplyJob {
        spec: serde_json::from_value(file).unwrap(),
        artifacts: vec![artifact],
        start: true,
        terms: Terms::default(),
        force: false,
    }
}

/// What was applied at once.
pub(crate) fn done(applying: Applying) -> Applied {
    match applying {
        Applying::Done(applied) => *applied,
        Applying::Preparing(operation) => unreachable!("operation {operation} prepares it"),
    }
}

/// A job file, as it is after parsing.
pub(crate) fn job() -> Value {
    json!({
        "name": "word-count", "environment": "local", "flinkVersion": "1.20.5",
        "artifact": "job.jar", "mainClass": "com.example.WordCount", "parallelism": 1,
    })
}

/// The same job with other arguments, which needs another release.
pub(crate) fn changed_job() -> Value {
    let mut file = job();
    file["arguments"] = json!(["--changed"]);
    file
}

pub(crate) fn environment() -> EnvironmentName {
    "local".parse().unwrap()
}

pub(crate) fn name() -> JobName {
    "word-count".parse().unwrap()
}

pub(crate) fn digest(content: &[u8]) -> Digest {
    Digest::from_sha256(&Sha256::digest(content).into())
}

/// A refusal's text, for its kind and words.
pub(crate) fn refusal<T: Debug>(result: Result<T, Error>) -> (flumen_model::Kind, String) {
    let error = result.expect_err("it is refused");
    (error.kind(), error.paragraph())
}
