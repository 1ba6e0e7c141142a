use std::ops::ControlFlow;

use flumen_lifecycle::Intent;
use flumen_model::{EnvironmentName, JobName, OperationId, TeamId};
use flumen_store::{Job, NewJob, Operation, OperationKind, Principal};

use super::{Terms, start::wanted};
use crate::{Control, Error, clock, operations::begun};

/// How often a change is tried again that somebody else was faster with.
const AGAIN: usize = 5;

impl Control {
    /// Cancels a job. One that has ended stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job, [`Error::Conflict`] if it is being deleted.
    pub async fn cancel_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        terms: Terms,
    ) -> Result<OperationId, Error> {
        let place = (environment, name);
        again_if_stale(|| {
            self.wish(principal, place, (Intent::Cancel, OperationKind::Cancel), &terms)
        })
        .await
    }

    /// Cancels a job if it runs, and forgets it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job.
    pub async fn delete_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        terms: Terms,
    ) -> Result<OperationId, Error> {
        let place = (environment, name);
        again_if_stale(|| {
            self.wish(principal, place, (Intent::Delete, OperationKind::Delete), &terms)
        })
        .await
    }

    async fn wish(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        (intent, kind): (Intent, OperationKind),
        terms: &Terms,
    ) -> Result<OperationId, Error> {
        let mut job = match self.to_change(principal, (environment, name), terms).await? {
            ControlFlow::Continue(job) => job,
            ControlFlow::Break(operation) => return Ok(operation),
        };
        if intent == Intent::Cancel && job.desired.intent == Intent::Delete {
            let message = format!("job {name} is being deleted, which cancels it");
            return Err(Error::Conflict { message });
        }
        let operation = new_operation((principal.team, &principal.name), &job, kind);
        job.desired = wanted(&job, intent, operation.id);
        job.updated_at = clock::now();
        self.write_down(&only(&job, &operation, terms.key.as_ref())).await?;
        Ok(operation.id)
    }
}

/// Does it again from the beginning where somebody else was faster meanwhile, perhaps with the same request; a
/// few times, since each time somebody got further.
pub(crate) async fn again_if_stale<T, F>(attempt: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for _ in 0..AGAIN {
        match attempt().await {
            Err(Error::Store(
                flumen_store::Error::Stale { .. } | flumen_store::Error::Exists { .. },
            )) => {}
            result => return result,
        }
    }
    attempt().await
}

/// A change of what is wanted by an operation, and nothing else.
pub(super) fn only<'a>(
    job: &'a Job,
    operation: &'a Operation,
    key: Option<&'a (String, String)>,
) -> NewJob<'a> {
    NewJob {
        job,
        release: None,
        run: None,
        operation: Some(operation),
        key: key.map(|(key, request)| (key.as_str(), request.as_str())),
        preparation: None,
        // What else is asked of a job does not contradict the release that it is to get.
        ends_preparation: matches!(
            operation.kind,
            OperationKind::Stop | OperationKind::Cancel | OperationKind::Delete
        ),
    }
}

/// An operation on a job that is about to be written down.
pub(crate) fn new_operation(by: (TeamId, &str), job: &Job, kind: OperationKind) -> Operation {
    let begun = begun(by, kind, (&job.environment, &job.name));
    Operation { job: Some(job.id), ..begun }
}
