//! Builds of projects, each in a pod of its own. The intent is written down first; a server that comes later finds the pod
//! by the operation's id and goes on with it. How it ended is written down next, and only then is the pod removed: until
//! that is so too, the build is taken up again.

mod log;
mod remove;
mod take;
mod work;

use std::time::Duration;

use flumen_model::{Namespace, OperationId, ProjectSpec};
use flumen_store::{BuildEnd, BuiltArtifact, Operation, OperationState, ProjectBuild};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, clock, controller::AFTER_FAULT, queue::Queue};
pub(crate) use log::log;

/// How often it is looked whether a build is still wanted, where nobody says so: another server may know.
const LOOK: Duration = Duration::from_secs(5);

/// What `project build` asked for, as the operation keeps it: a change of project or environment is for the next build.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// The project, with what is to be built of it.
    pub(crate) spec: ProjectSpec,
    /// The image that it is built in.
    pub(crate) image: String,
    /// The cluster.
    pub(crate) cluster: String,
    /// The namespace in it.
    pub(crate) namespace: Namespace,
}

impl Request {
    fn of(operation: &Operation) -> Result<Self, Error> {
        let read = operation.request.as_deref().and_then(|text| serde_json::from_str(text).ok());
        read.ok_or_else(|| Error::Invalid {
            message: format!(
                "this version of Flumen cannot read what operation {} asked for",
                operation.id
            ),
        })
    }

    fn failed(&self, source: flumen_project::Failure) -> Error {
        Error::Build {
            project: self.spec.name.to_string(),
            repository: self.spec.repository.to_string(),
            reference: self.spec.reference.to_string(),
            source: Box::new(source),
        }
    }
}

/// The builds that go on, or of which something stands in a cluster.
#[derive(Debug)]
pub(crate) struct Builds {
    /// Those that nobody works on yet.
    queue: Queue<OperationId>,
    /// Says that one of them may have ended.
    changed: watch::Sender<()>,
}

impl Builds {
    pub(crate) fn new() -> Self {
        Self { queue: Queue::new(), changed: watch::Sender::new(()) }
    }

    pub(crate) fn wake(&self, id: OperationId) {
        self.queue.wake(id);
    }

    /// Has those who build look whether that is still wanted.
    pub(crate) fn look(&self) {
        self.changed.send_replace(());
    }
}

/// Has those begun which nobody works on here: a server that died, or another one, left them.
pub(crate) async fn take_up(control: &Control) -> Result<(), Error> {
    for id in control.store().standing_builds().await? {
        control.builds_queue().wake(id);
    }
    Ok(())
}

pub(crate) async fn run(control: Control, stop: CancellationToken) {
    loop {
        let id = tokio::select! {
            () = stop.cancelled() => return,
            id = control.builds_queue().queue.take() => id,
        };
        let control = control.clone();
        control.tasks().clone().spawn("build a project", |stop| async move {
            tokio::select! {
                // Left as it is: the next server goes on with it.
                () = stop.cancelled() => {}
                () = carry_through(&control, id) => {}
            }
            control.builds_queue().queue.give_back(id);
        });
    }
}

/// Builds, and removes what stands of it; begins anew where the database or the cluster is away.
async fn carry_through(control: &Control, id: OperationId) {
    while let Err(error) = Box::pin(carry_on(control, id)).await {
        let error = error.paragraph();
        tracing::warn!(operation.id = %id, error, "the build of a project is gone on with later");
        tokio::time::sleep(AFTER_FAULT).await;
    }
}

async fn carry_on(control: &Control, id: OperationId) -> Result<(), Error> {
    let Some(build) = control.store().build(id).await? else { return Ok(()) };
    let Some(operation) = control.store().operation(id).await? else { return Ok(()) };
    if build.removed_at.is_some() {
        return Ok(());
    }
    let request = match Request::of(&operation) {
        Ok(request) => request,
        Err(error) => {
            end(control, id, Err(error)).await?;
            return Ok(control.store().build_removed(id, clock::now()).await?);
        }
    };
    if operation.state == OperationState::Running {
        tokio::select! {
            () = not_wanted(control, id) => {}
            ended = work::build(control, &operation, &request) => end(control, id, ended).await?,
        }
    }
    remove::remove(control, id, &request).await
}

/// Waits until the build has ended, whoever ended it.
async fn not_wanted(control: &Control, id: OperationId) {
    let mut changed = control.builds_queue().changed.subscribe();
    loop {
        match control.store().build(id).await {
            Ok(Some(ProjectBuild { state: OperationState::Running, .. })) => {}
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(operation.id = %id, error = %error, "it is not known whether a build is still wanted");
            }
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Writes down how a build ended, unless it has ended otherwise.
async fn end(
    control: &Control,
    id: OperationId,
    ended: Result<BuiltArtifact, Error>,
) -> Result<(), Error> {
    let now = clock::now();
    match ended {
        Ok(artifact) => {
            control.store().end_build(id, BuildEnd::Built(&artifact), now).await?;
            tracing::info!(operation.id = %id, commit = artifact.commit, digest = %artifact.digest, "a project was built");
        }
        Err(error) if error.is_database_away() => return Err(error),
        Err(error) => {
            let refusal = error.refusal();
            if control.store().end_build(id, BuildEnd::Refused(&refusal), now).await? {
                let error = error.paragraph();
                tracing::info!(operation.id = %id, error, "a project could not be built");
            }
        }
    }
    Ok(())
}
