//! Savepoints and checkpoints of jobs: what is known of them, and which one a run starts from.

use flumen_flink_rest as flink;
use flumen_lifecycle::{Outcome, Savepoint, plain_path};
use flumen_model::{EnvironmentName, JobId, JobName, OperationId, RunId, SnapshotId};
use flumen_store::{
    Job, Principal, Run, Snapshot, SnapshotCause, SnapshotFilter, SnapshotKind, Store,
};

use crate::{
    Control, Error, clock, identity,
    storage::{Files, Usable},
};

impl Control {
    /// The snapshots of the team before `before`, newest first; of one job if it is named.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such job.
    pub async fn snapshots(
        &self,
        principal: &Principal,
        job: Option<(&EnvironmentName, &JobName)>,
        before: Option<SnapshotId>,
        limit: u32,
    ) -> Result<Vec<Snapshot>, Error> {
        let job = match job {
            Some((environment, name)) => Some(self.owned(principal, environment, name).await?.id),
            None => None,
        };
        let team = Some(principal.team);
        let filter = SnapshotFilter { team, job, run: None, before, limit: Some(limit) };
        Ok(self.store().snapshots(&filter).await?)
    }

    /// One snapshot.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such snapshot.
    pub async fn snapshot(&self, principal: &Principal, id: SnapshotId) -> Result<Snapshot, Error> {
        let snapshot = self.store().snapshot(id).await?;
        snapshot.filter(|snapshot| snapshot.team == principal.team).ok_or_else(|| Error::NotFound {
            what: format!("snapshot {id}"),
            hint: "; see `flumen snapshot list`".to_owned(),
        })
    }
}

/// Refuses a snapshot that cannot be started from, as far as Flumen can look.
pub(crate) async fn check(
    control: &Control,
    environment: &EnvironmentName,
    path: &str,
) -> Result<(), Error> {
    let look = control.storages().of(environment).await?;
    let Some(files) = look.files() else { return Ok(()) };
    match files.usable(path).await? {
        Usable::Yes | Usable::CannotTell => Ok(()),
        Usable::No(why) => {
            let message = format!("no job can be started from that snapshot: {why}");
            Err(Error::Invalid { message })
        }
    }
}

/// The newest snapshot of the job that can be started from.
pub(crate) async fn latest(control: &Control, job: &Job) -> Result<Option<String>, Error> {
    let files = control.storages().of(&job.environment).await?.files();
    let filter = SnapshotFilter { job: Some(job.id), ..SnapshotFilter::default() };
    let recorded = control.store().snapshots(&filter).await?;
    if let Some(files) = &files
        && let Some(path) = newer_in_storage(control, job, &recorded, files).await?
    {
        return Ok(Some(path));
    }
    for snapshot in recorded {
        let gone = match &files {
            Some(files) => matches!(files.usable(&snapshot.path).await?, Usable::No(_)),
            None => false,
        };
        if !gone {
            return Ok(Some(snapshot.path));
        }
    }
    Ok(None)
}

/// A checkpoint that the newest ended run completed when nobody heard of it any more.
async fn newer_in_storage(
    control: &Control,
    job: &Job,
    recorded: &[Snapshot],
    files: &Files,
) -> Result<Option<String>, Error> {
    let runs = control.store().runs(job.id).await?;
    let Some(last) = runs.iter().find(|run| run.outcome.is_some() && run.objects.is_some()) else {
        return Ok(None);
    };
    if matches!(last.outcome, Some(Outcome::Stopped | Outcome::Finished)) {
        return Ok(None);
    }
    let Some(checkpoints) = last.plan.as_ref().and_then(|plan| plan.checkpoints.as_deref()) else {
        return Ok(None);
    };
    let Some((number, path)) = files.newest_checkpoint(checkpoints, last.id).await? else {
        return Ok(None);
    };
    let known =
        recorded.iter().filter(|known| known.run == last.id).filter_map(|known| known.number);
    Ok((known.max().is_none_or(|known| known < number)).then_some(path))
}

/// The directory of the savepoint that the operation wants. It holds the operation's id, so that the
/// savepoint is found there whoever heard of it.
pub(crate) fn savepoint_directory(
    run: &Run,
    wished: Option<&str>,
    operation: OperationId,
) -> Result<String, Error> {
    let wished = wished.map(ToOwned::to_owned);
    let planned = || run.plan.as_ref().and_then(|plan| plan.savepoints.clone());
    let Some(base) = wished.or_else(planned) else {
        let message = "the job has no directory for savepoints; name one with --savepoint-path, or set execution.checkpointing.savepoint-dir in its configuration".to_owned();
        return Err(Error::Invalid { message });
    };
    Ok(format!("{}/{}", base.trim_end_matches('/'), operation.as_uuid().simple()))
}

/// The completed savepoint in this directory that the JobManager remembers.
pub(crate) fn remembered_in(checkpoints: &flink::Checkpoints, directory: &str) -> Option<String> {
    let below = format!("{}/", plain_path(directory));
    checkpoints
        .history
        .iter()
        .chain(&checkpoints.latest.savepoint)
        .filter(|one| one.is_savepoint && one.status == flink::CheckpointStatus::Completed)
        .filter_map(|one| one.external_path.clone())
        .find(|path| plain_path(path).starts_with(&below))
}

/// Writes down the snapshots that Flink tells of.
pub(crate) async fn record(
    store: &Store,
    job: &Job,
    run: &Run,
    checkpoints: &flink::Checkpoints,
) -> Result<(), Error> {
    let latest = [&checkpoints.latest.completed, &checkpoints.latest.savepoint];
    let told = latest.into_iter().flatten().chain(&checkpoints.history);
    let snapshots: Vec<_> = told.filter_map(|one| snapshot_of(job, run.id, one)).collect();
    if snapshots.is_empty() {
        return Ok(());
    }
    let retained = run.plan.as_ref().map_or(1, |plan| plan.retained_checkpoints);
    Ok(store.save_snapshots(job, run.id, &snapshots, retained).await?)
}

/// As [`record`], of a job and a run that are still known.
pub(crate) async fn record_told(
    store: &Store,
    job: JobId,
    run: RunId,
    checkpoints: &flink::Checkpoints,
) -> Result<(), Error> {
    let (Some(job), Some(run)) = (store.job(job).await?, store.run(run).await?) else {
        return Ok(());
    };
    record(store, &job, &run, checkpoints).await
}

/// Writes down the savepoint that an operation asked for.
pub(crate) async fn record_savepoint(
    control: &Control,
    job: &Job,
    savepoint: &Savepoint,
    path: &str,
) -> Result<(), Error> {
    let snapshot = Snapshot {
        cause: if savepoint.stops { SnapshotCause::Stop } else { SnapshotCause::Savepoint },
        operation: Some(savepoint.operation),
        ..bare(job, savepoint.run, SnapshotKind::Savepoint, path)
    };
    let snapshots = std::slice::from_ref(&snapshot);
    Ok(control.store().save_snapshots(job, savepoint.run, snapshots, u64::MAX).await?)
}

fn snapshot_of(job: &Job, run: RunId, told: &flink::Checkpoint) -> Option<Snapshot> {
    let path = told.external_path.as_deref()?;
    if told.status != flink::CheckpointStatus::Completed || told.discarded {
        return None;
    }
    let (kind, cause) = if told.is_savepoint {
        (SnapshotKind::Savepoint, SnapshotCause::Other)
    } else {
        (SnapshotKind::Checkpoint, SnapshotCause::Periodic)
    };
    Some(Snapshot {
        cause,
        number: Some(told.id),
        format: told.savepoint_format.as_ref().map(|word| word.to_lowercase()),
        size: told.state_size,
        duration: Some(told.end_to_end_duration),
        triggered_at: Some(told.trigger_timestamp),
        completed_at: told.latest_ack_timestamp.unwrap_or_else(clock::now),
        ..bare(job, run, kind, path)
    })
}

/// A snapshot of which only its place is known.
fn bare(job: &Job, run: RunId, kind: SnapshotKind, path: &str) -> Snapshot {
    Snapshot {
        id: identity::snapshot(),
        team: job.team,
        environment: job.environment.clone(),
        job: Some(job.id),
        job_name: job.name.clone(),
        run,
        kind,
        cause: SnapshotCause::Other,
        operation: None,
        number: None,
        format: None,
        path: path.to_owned(),
        size: None,
        duration: None,
        triggered_at: None,
        completed_at: clock::now(),
    }
}
