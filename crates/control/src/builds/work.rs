//! One build, from its pod to its jar among the artifacts.

use std::time::Duration;

use flumen_k8s::{Cluster, LogRequest};
use flumen_model::{BuildSettings, OperationId};
use flumen_project::{Build, Failure, Part, Standing};
use flumen_store::{BuiltArtifact, Operation, StepState};
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};

use super::{Request, take};
use crate::{Control, Error, clock};

/// How often the pod is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How long an image may be refused: a registry that is being started is no reason to give up.
const IMAGE_PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// How much of a builder's log is looked through for the reason.
const REASON_LINES: u32 = 400;

/// How often the jar is tried to be taken in all.
const TRIES: u32 = 5;

const FETCH: &str = "fetch-commit";
const BUILD: &str = "build-artifact";
const TAKE: &str = "take-artifact";

/// Builds what the operation asks for.
pub(super) async fn build(
    control: &Control,
    operation: &Operation,
    request: &Request,
) -> Result<BuiltArtifact, Error> {
    let done = |name: &str| {
        let ended = |step: &&flumen_store::Step| step.state == StepState::Succeeded;
        operation.steps.iter().filter(ended).any(|step| step.name == name)
    };
    let work = Work { control, id: operation.id, begun: operation.created_at, request };
    let mut state =
        State { fetched: done(FETCH), built: done(BUILD), step: FETCH, ..State::default() };
    work.carry_out(&mut state).await
}

struct Work<'a> {
    control: &'a Control,
    id: OperationId,
    begun: Timestamp,
    request: &'a Request,
}

/// What is known of the build so far.
#[derive(Default)]
struct State {
    /// The pod was there.
    seen: bool,
    fetched: bool,
    built: bool,
    /// The step that is underway.
    step: &'static str,
    /// What it waits for, as it was last written down.
    waits: Option<String>,
    /// Since when its image is refused.
    image_since: Option<Timestamp>,
    /// How often taking the jar failed.
    failures: u32,
}

impl Work<'_> {
    async fn carry_out(&self, state: &mut State) -> Result<BuiltArtifact, Error> {
        let limit = self.request.spec.timeout;
        let deadline = self.begun.saturating_add(limit).unwrap_or(Timestamp::MAX);
        loop {
            match self.look(state).await {
                Ok(Some(artifact)) => return Ok(artifact),
                Ok(None) => {}
                // The pod goes on meanwhile.
                Err(Error::Cluster(error)) if error.kind().is_transient() => {
                    self.wait_for(state, Some(Error::from(error).paragraph())).await?;
                }
                Err(error) => return Err(error),
            }
            // A jar that is there is taken, however late.
            if !state.built && clock::now() > deadline {
                let waits = state.waits.take();
                return Err(self.request.failed(Failure::TimedOut { limit, waits }));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Does what is to be done now; gives the jar once it is taken.
    async fn look(&self, state: &mut State) -> Result<Option<BuiltArtifact>, Error> {
        let Request { namespace, spec, .. } = self.request;
        if !state.fetched {
            self.begin(state, FETCH).await?;
        }
        let cluster = self.control.clusters_handle().get(&self.request.cluster).await?;
        let name = flumen_project::name(self.id);
        let pod = cluster.pod(namespace, &name).await?;
        let Some(pod) = pod.filter(|pod| pod.metadata.deletion_timestamp.is_none()) else {
            if state.seen {
                return Err(self.request.failed(Failure::Gone));
            }
            self.create(&cluster).await?;
            state.seen = true;
            return Ok(None);
        };
        state.seen = true;
        match flumen_project::standing(&pod) {
            Standing::Waiting { reason, image } => {
                let since = *state.image_since.get_or_insert_with(clock::now);
                if !image {
                    state.image_since = None;
                } else if clock::now().duration_since(since) > IMAGE_PATIENCE {
                    let reason = reason.unwrap_or_default();
                    return Err(self.request.failed(Failure::Image { reason }));
                }
                self.wait_for(state, reason).await?;
            }
            Standing::Fetching => self.wait_for(state, None).await?,
            Standing::Building { commit } => self.fetched(state, &commit).await?,
            Standing::HandingOver { commit } => {
                self.fetched(state, &commit).await?;
                self.built(state).await?;
                return self.take(&cluster, state, commit).await;
            }
            Standing::Failed(failure) => {
                let reason = self.reason(&cluster, &failure).await;
                let failure = failure.with(spec.artifact(), reason);
                return Err(self.failed(state, failure).await);
            }
        }
        Ok(None)
    }

    /// Creates the pod, if what it mounts is there.
    async fn create(&self, cluster: &Cluster) -> Result<(), Error> {
        self.check_mounts(cluster).await?;
        let Request { namespace, spec, image, .. } = self.request;
        let build = Build { operation: self.id, spec, image, namespace };
        let (config_map, pod) = (flumen_project::config_map(&build), flumen_project::pod(&build));
        Ok(cluster.create_pod(namespace, &config_map, &pod).await?)
    }

    /// A pod whose volumes are not there would wait for them.
    async fn check_mounts(&self, cluster: &Cluster) -> Result<(), Error> {
        let Request { namespace, spec, .. } = self.request;
        let missing = |what: String| self.request.failed(Failure::Missing { what });
        if let Some(name) = &spec.credentials {
            let keys = cluster.secret_keys(namespace, name.as_str()).await?;
            let keys = keys.ok_or_else(|| {
                missing(format!("there is no Secret {name} in namespace {namespace}, which is to have the credentials"))
            })?;
            let needed = flumen_project::needed_keys(spec);
            if let Some(key) = needed.iter().find(|key| !keys.contains(**key)) {
                return Err(missing(format!(
                    "the Secret {name} in namespace {namespace} has no entry {key}; this repository needs {}",
                    needed.join(" and ")
                )));
            }
        }
        let Some((settings, needed)) = flumen_project::settings_keys(spec) else { return Ok(()) };
        let (kind, name, keys) = match settings {
            BuildSettings::Secret(name) => {
                ("Secret", name, cluster.secret_keys(namespace, name.as_str()).await?)
            }
            BuildSettings::ConfigMap(name) => {
                ("ConfigMap", name, cluster.config_map_keys(namespace, name.as_str()).await?)
            }
        };
        let keys = keys.ok_or_else(|| {
            missing(format!(
                "there is no {kind} {name} in namespace {namespace}, which is to have the settings"
            ))
        })?;
        if needed.iter().any(|key| keys.contains(*key)) {
            return Ok(());
        }
        Err(missing(format!(
            "the {kind} {name} in namespace {namespace} has no entry {}",
            needed.join(" or ")
        )))
    }

    async fn begin(&self, state: &mut State, step: &'static str) -> Result<(), Error> {
        if state.step == step && state.seen {
            return Ok(());
        }
        state.step = step;
        let begun = self.control.store().begin_preparation_step(self.id, step, clock::now());
        if begun.await? {
            return Ok(());
        }
        let what = format!("operation {}", self.id);
        Err(flumen_store::Error::NotUnderway { what }.into())
    }

    async fn finish(&self, step: &str, detail: Option<&str>) -> Result<(), Error> {
        let store = self.control.store();
        store.note_step(self.id, step, detail, None).await?;
        Ok(store.finish_step(self.id, step, None, clock::now()).await?)
    }

    async fn fetched(&self, state: &mut State, commit: &str) -> Result<(), Error> {
        if !state.fetched {
            self.finish(FETCH, Some(commit)).await?;
            (state.fetched, state.waits) = (true, None);
        }
        if state.built { Ok(()) } else { self.begin(state, BUILD).await }
    }

    async fn built(&self, state: &mut State) -> Result<(), Error> {
        if !state.built {
            self.finish(BUILD, None).await?;
            state.built = true;
        }
        self.begin(state, TAKE).await
    }

    /// Says what the step waits for, if that is another thing than before.
    async fn wait_for(&self, state: &mut State, reason: Option<String>) -> Result<(), Error> {
        if state.waits != reason {
            let store = self.control.store();
            store.note_step(self.id, state.step, None, reason.as_deref()).await?;
            state.waits = reason;
        }
        Ok(())
    }

    async fn take(
        &self,
        cluster: &Cluster,
        state: &mut State,
        commit: String,
    ) -> Result<Option<BuiltArtifact>, Error> {
        match take::take(self.control, (cluster, self.id), self.request, commit).await {
            Err(error) if state.failures + 1 < TRIES && take::is_worth_another(&error) => {
                state.failures += 1;
                self.wait_for(state, Some(error.paragraph())).await?;
                Ok(None)
            }
            taken => taken,
        }
    }

    /// The failure as an error, after the steps before it are said to be done.
    async fn failed(&self, state: &mut State, failure: Failure) -> Error {
        let told = async {
            let part = failure.part();
            if part != Part::Fetch && !state.fetched {
                self.finish(FETCH, None).await?;
                state.fetched = true;
                self.begin(state, BUILD).await?;
            }
            if part == Part::HandOver { self.built(state).await } else { Ok(()) }
        };
        match told.await {
            Ok(()) => self.request.failed(failure),
            Err(error) => error,
        }
    }

    /// The lines of the builder's log that say why it failed, if that is what failed and it can be had.
    async fn reason(&self, cluster: &Cluster, failure: &Failure) -> Option<String> {
        if !matches!(failure, Failure::Build { .. }) {
            return None;
        }
        let name = flumen_project::name(self.id);
        let last = LogRequest { tail_lines: Some(REASON_LINES), ..LogRequest::default() };
        let namespace = &self.request.namespace;
        let log = cluster.pod_logs(namespace, &name, flumen_project::CONTAINERS[1], &last).await;
        let pieces: Vec<_> = log.ok()?.try_collect().await.ok()?;
        Some(flumen_project::essence(&String::from_utf8_lossy(&pieces.concat())))
    }
}
