//! Releases that cannot be made at once. The intent is written down first; what a release needs is then had beside the
//! requests, step by step, and the job file is applied as any other. Each step can be done again: what a server that
//! died had begun, the next one does from the beginning, and finds what was there already.

use std::{sync::Arc, time::Duration};

use flumen_lifecycle::{Preparation, preparation};
use flumen_model::{JobSpec, OperationId};
use flumen_store::{Operation, OperationKind, PreparationEnd, Principal};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    ApplyJob, Control, Error, StepProgress,
    by_url::Fetching,
    clock,
    controller::AFTER_FAULT,
    dependencies::Resolved,
    jobs::{Packages, Prepared},
    operations::begun,
    queue::Queue,
    text,
};

/// How many releases are prepared at once. Most of the time they wait for repositories.
const SIDE_BY_SIDE: usize = 16;

/// How often it is looked whether a preparation is still wanted, where nobody says so: another server may know.
const LOOK: Duration = Duration::from_secs(5);

/// How often it is looked how far a step is, for who follows it.
const COUNT: Duration = Duration::from_millis(200);

/// After how many of these looks it is written down.
const TELL: u32 = 5;

/// How often a file that the server itself could not write is tried in all.
const TRIES: u32 = 3;

/// What is to be prepared.
#[derive(Debug)]
pub(crate) struct Preparations {
    /// Those that nobody works on yet.
    queue: Queue<OperationId>,
    /// Says that one of them may have ended.
    changed: watch::Sender<()>,
}

impl Preparations {
    pub(crate) fn new() -> Self {
        Self { queue: Queue::new(), changed: watch::Sender::new(()) }
    }

    /// Has those who prepare releases look whether these are still wanted.
    pub(crate) fn look(&self) {
        self.changed.send_replace(());
    }
}

impl Control {
    /// Writes down that the release of this job file is to be prepared, in the place of one that is being prepared for
    /// the job, and begins with it.
    pub(crate) async fn begin_preparation(
        &self,
        principal: &Principal,
        apply: &ApplyJob,
    ) -> Result<OperationId, Error> {
        let by = (principal.team, &*principal.name);
        let subject = (&apply.spec.environment, &apply.spec.name);
        let operation = Operation {
            request: serde_json::to_string(apply).ok(),
            ..begun(by, OperationKind::Apply, subject)
        };
        let id = operation.id;
        let key = apply.terms.key.as_ref().map(|(key, request)| (key.as_str(), request.as_str()));
        let _beginning = Beginning { preparations: self.preparations(), id };
        self.store().create_preparation(&operation, key).await?;
        Ok(id)
    }

    /// Gives up the release that is being prepared for a job, if one is: something else was asked of the job.
    pub(crate) async fn supersede_preparation(
        &self,
        principal: &Principal,
        spec: &JobSpec,
    ) -> Result<(), Error> {
        let store = self.store();
        // Looked for first: an answer that changes nothing needs no database that can be written.
        let known = store.preparation_of(principal.team, &spec.environment, &spec.name).await?;
        if let Some(operation) = known {
            store.end_preparation(operation, PreparationEnd::Superseded, clock::now()).await?;
            self.preparations().look();
        }
        Ok(())
    }
}

/// Has it begun when this is dropped: the answer of the database may be lost, and whoever asked may have gone, when the
/// intent is written. What was not written is not begun.
struct Beginning<'a> {
    preparations: &'a Preparations,
    id: OperationId,
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        self.preparations.look();
        self.preparations.queue.wake(self.id);
    }
}

/// Has that begun which nobody works on here: a server that died, or another one, left it.
pub(crate) async fn take_up(control: &Control) -> Result<(), Error> {
    for id in control.store().preparations().await? {
        control.preparations().queue.wake(id);
    }
    Ok(())
}

pub(crate) async fn run(control: Control, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    loop {
        let id = tokio::select! {
            () = stop.cancelled() => return,
            id = control.preparations().queue.take() => id,
        };
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let control = control.clone();
        control.tasks().clone().spawn("prepare a release", |stop| async move {
            tokio::select! {
                // Left as it is: the next server goes on with it.
                () = stop.cancelled() => {}
                () = not_wanted(&control, id) => {}
                () = carry_through(&control, id) => {}
            }
            control.preparations().queue.give_back(id);
            drop(permit);
        });
    }
}

/// Waits until the release is made or given up.
async fn not_wanted(control: &Control, id: OperationId) {
    let mut changed = control.preparations().changed.subscribe();
    loop {
        match control.store().is_preparing(id).await {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                tracing::debug!(operation.id = %id, error = %error, "it is not known whether a release is still to be prepared");
            }
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Prepares and makes the release, or writes down why not; begins anew while the database is away, and a few times
/// where the server's own disk refuses.
async fn carry_through(control: &Control, id: OperationId) {
    for attempt in 1.. {
        let ended = match Box::pin(prepare(control, id)).await {
            Ok(()) => return,
            Err(error) if error.is_database_away() => Err(error),
            Err(error @ Error::File { .. }) if attempt < TRIES => Err(error),
            Err(error) => refuse(control, id, &error).await,
        };
        let Err(error) = ended else { return };
        tracing::warn!(operation.id = %id, error = error.paragraph(), "the preparation of a release is begun anew");
        tokio::time::sleep(AFTER_FAULT).await;
    }
}

/// Prepares and makes the release that the operation is to make.
async fn prepare(control: &Control, id: OperationId) -> Result<(), Error> {
    let not_underway = || flumen_store::Error::NotUnderway { what: format!("operation {id}") };
    let operation = control.store().operation(id).await?.ok_or_else(not_underway)?;
    let request = operation.request.as_deref().ok_or_else(not_underway)?;
    let apply: ApplyJob = serde_json::from_str(request).map_err(|_| Error::Invalid {
        message: format!("this version of Flumen cannot read what operation {id} asked for"),
    })?;
    let mut work = Work {
        control,
        operation: &operation,
        apply: &apply,
        prepared: Prepared { operation: Some(id), ..Prepared::default() },
        resolved: None,
        packages: None,
    };
    work.prepared.artifacts = control.uploaded_artifacts(&apply).await?;
    control.add_project_files(operation.team, &apply.spec, &mut work.prepared).await?;
    for step in preparation(&apply.spec) {
        let (store, name) = (control.store(), step.name());
        if !store.begin_preparation_step(id, name, clock::now()).await? {
            return Err(not_underway().into());
        }
        tracing::debug!(operation.id = %id, step = name, "preparing a release");
        // The release ends its step itself, with all that follows from it.
        if let Some(detail) = Box::pin(work.take(step)).await? {
            store.note_step(id, name, Some(&detail), None).await?;
            store.finish_step(id, name, None, clock::now()).await?;
        }
    }
    Ok(())
}

/// Writes down why there is no release, unless the operation has ended otherwise.
async fn refuse(control: &Control, id: OperationId, error: &Error) -> Result<(), Error> {
    let refusal = error.refusal();
    let end = PreparationEnd::Refused(&refusal);
    if control.store().end_preparation(id, end, clock::now()).await? {
        tracing::info!(operation.id = %id, error = error.paragraph(), "a release could not be made");
    }
    Ok(())
}

/// How far a step is, in words.
fn describe(progress: StepProgress) -> String {
    let StepProgress { bytes, files, total_files, .. } = progress;
    let bytes = text::bytes(bytes);
    match files.zip(total_files) {
        Some((files, total)) => format!(
            "{files} of {} there, {bytes} fetched",
            text::count(usize::try_from(total).unwrap_or(usize::MAX), "file")
        ),
        None => format!("{bytes} fetched"),
    }
}

/// One attempt.
struct Work<'a> {
    control: &'a Control,
    operation: &'a Operation,
    apply: &'a ApplyJob,
    prepared: Prepared,
    resolved: Option<Resolved>,
    packages: Option<Packages>,
}

impl Work<'_> {
    /// Takes a step; says what came of it, unless that was the release.
    async fn take(&mut self, step: Preparation) -> Result<Option<String>, Error> {
        let (control, spec) = (self.control, &self.apply.spec);
        match step {
            Preparation::FetchFiles => {
                let mut artifacts = std::mem::take(&mut self.prepared.artifacts);
                let (before, fetching) = (artifacts.len(), Fetching::default());
                // It goes far, and a step is taken once.
                let work = Box::pin(control.add_artifacts_by_url(spec, &mut artifacts, &fetching));
                self.tell(step, work, || fetching.progress()).await?;
                let detail = text::count(artifacts.len() - before, "file");
                self.prepared.artifacts = artifacts;
                Ok(Some(detail))
            }
            Preparation::Resolve => {
                let resolved = control.resolve_dependencies(spec).await?;
                let detail = resolved.describe();
                self.prepared.warnings.extend(resolved.warnings.iter().cloned());
                self.resolved = Some(resolved);
                Ok(Some(detail))
            }
            Preparation::Fetch => self.fetch().await.map(Some),
            Preparation::ResolveRequirements => {
                let artifacts = &self.prepared.artifacts;
                let packages = control.resolve_requirements(spec, artifacts).await?;
                let detail = packages.describe();
                self.prepared.warnings.extend(packages.warnings.iter().cloned());
                self.packages = Some(packages);
                Ok(Some(detail))
            }
            Preparation::FetchWheels => self.fetch_wheels().await.map(Some),
            Preparation::CheckScript => {
                let script = control.prepare_sql(spec, &mut self.prepared.artifacts).await?;
                let detail = script.describe();
                self.prepared.warnings.extend(script.warnings);
                self.prepared.script = script.needs;
                Ok(Some(detail))
            }
            Preparation::CheckJars => {
                let warnings = control.check_artifacts(spec, &self.prepared).await?;
                let detail = text::count(warnings.len(), "warning");
                self.prepared.warnings.extend(warnings);
                Ok(Some(detail))
            }
            Preparation::Release => {
                let Operation { team, principal, .. } = self.operation;
                let principal = Principal { name: principal.clone(), team: *team };
                control.apply_prepared(&principal, self.apply, &self.prepared).await?;
                Ok(None)
            }
        }
    }

    /// Fetches what was resolved, and says meanwhile how far it is.
    async fn fetch(&mut self) -> Result<String, Error> {
        let resolved = self.resolved.take().expect("the step before resolves them");
        let fetching = self.control.fetch_dependencies(&self.apply.spec, &resolved);
        let cached = resolved.count_cached();
        let progress = || resolved.progress(cached);
        let fetched = self.tell(Preparation::Fetch, fetching, progress).await?;
        let detail = fetched.describe();
        self.prepared.artifacts.extend(fetched.artifacts);
        Ok(detail)
    }

    /// The same of wheels.
    async fn fetch_wheels(&mut self) -> Result<String, Error> {
        let packages = self.packages.take().expect("the step before resolves them");
        let fetching = self.control.fetch_wheels(&self.apply.spec, &packages);
        let progress = || packages.progress();
        let wheels = self.tell(Preparation::FetchWheels, fetching, progress).await?;
        let size = wheels.iter().map(|wheel| wheel.size).sum();
        let detail = format!("{}, {}", text::count(wheels.len(), "wheel"), text::bytes(size));
        self.prepared.artifacts.extend(wheels);
        Ok(detail)
    }

    /// Waits for work of a step, says meanwhile how far it is, and writes that down now and then.
    async fn tell<T>(
        &self,
        step: Preparation,
        work: impl Future<Output = Result<T, Error>>,
        progress: impl Fn() -> StepProgress,
    ) -> Result<T, Error> {
        let (id, store) = (self.operation.id, self.control.store());
        let telling = self.control.steps_under_way().begin(id, step.name());
        let mut work = std::pin::pin!(work);
        let mut said = StepProgress::default();
        let mut looks = 0;
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(COUNT) => {}
            }
            let now = progress();
            telling.say(now);
            looks = (looks + 1) % TELL;
            if looks == 0 && now != said {
                store.note_step(id, step.name(), Some(&describe(now)), None).await?;
                said = now;
            }
        }
    }
}
