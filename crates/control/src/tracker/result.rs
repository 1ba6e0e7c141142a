use flumen_lifecycle::{
    Component, FlinkState, JobManagerContact, JobSeen, Outcome, PodSeen, RestoredSeen,
};
use flumen_model::RunId;

use super::{
    Tracker,
    poll::{Memory, Target},
};
use crate::{Error, results};

/// A JobManager ends with its job, sooner than anybody may have asked, and one that starts again has it no
/// more: what Flink left in storage tells the end.
pub(super) async fn left(
    tracker: &Tracker,
    target: &Target,
    run: RunId,
    memory: &Memory,
) -> Option<JobManagerContact> {
    let observed = tracker.observed(&target.place, Some(run));
    let restarted = |pod: &PodSeen| pod.component == Component::JobManager && pod.restarts > 0;
    if !memory.had_job && !observed.pods.iter().any(restarted) {
        return None;
    }
    let store = &tracker.inner.store;
    let left = async {
        let (Some(job), Some(run)) = (store.job(target.job).await?, store.run(run).await?) else {
            return Ok(None);
        };
        results::left(&tracker.inner.storages, &job.environment, &target.place.id, &run).await
    };
    let outcome = left.await.unwrap_or_else(|error: Error| {
        tracing::debug!(job.id = %target.job, error = error.paragraph(), "the result cannot be looked for");
        None
    });
    let state = match outcome? {
        Outcome::Finished => FlinkState::Finished,
        Outcome::Failed => FlinkState::Failed,
        Outcome::Canceled => FlinkState::Canceled,
        Outcome::Stopped | Outcome::Unknown => return None,
    };
    let job = JobSeen {
        state,
        failure: None,
        all_tasks_run: false,
        checkpointed: memory.checkpointed,
        restored: RestoredSeen::NotAsked,
        savepoint: None,
    };
    Some(JobManagerContact::Answers { job: Some(job) })
}
