use flumen_lifecycle::{Desired, Intent, JobState};
use flumen_model::{EnvironmentName, JobName, OperationId};
use flumen_store::{Job, NewJob, Operation, OperationState, Principal};

use super::apply::new_run;
use crate::{Control, Error, clock, identity};

impl Control {
    /// Starts a job that does not run, with its newest release.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it runs, [`Error::NotFound`] if there is no such job.
    pub async fn start_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        key: Option<(String, String)>,
    ) -> Result<OperationId, Error> {
        if let Some(operation) = self.replayed(principal, key.as_ref()).await? {
            return Ok(operation);
        }
        let mut job = self.owned(principal, environment, name).await?;
        let state = JobState::of(&job.desired, &job.status);
        if !state.is_at_rest() {
            let message = format!("job {name} is {state}; it can be started when it has ended");
            return Err(Error::Conflict { message });
        }
        let run = new_run(&job);
        let operation = new_operation(principal, &job, "start");
        job.desired =
            Desired { intent: Intent::Run { run: run.id }, operation: Some(operation.id) };
        job.updated_at = clock::now();
        let new = NewJob {
            job: &job,
            release: None,
            run: Some(&run),
            operation: Some(&operation),
            key: key.as_ref().map(|(key, request)| (key.as_str(), request.as_str())),
        };
        self.store().update_job(&new).await?;
        self.wakes().wake(job.id);
        Ok(operation.id)
    }

    /// Cancels a job. One that has ended stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job, [`Error::Conflict`] if it is being deleted.
    pub async fn cancel_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        key: Option<(String, String)>,
    ) -> Result<OperationId, Error> {
        self.wish(principal, (environment, name), (Intent::Cancel, "cancel"), key).await
    }

    /// Cancels a job if it runs, and forgets it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job.
    pub async fn delete_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        key: Option<(String, String)>,
    ) -> Result<OperationId, Error> {
        self.wish(principal, (environment, name), (Intent::Delete, "delete"), key).await
    }

    async fn wish(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        (intent, kind): (Intent, &str),
        key: Option<(String, String)>,
    ) -> Result<OperationId, Error> {
        if let Some(operation) = self.replayed(principal, key.as_ref()).await? {
            return Ok(operation);
        }
        let mut job = self.owned(principal, environment, name).await?;
        if intent == Intent::Cancel && job.desired.intent == Intent::Delete {
            let message = format!("job {name} is being deleted, which cancels it");
            return Err(Error::Conflict { message });
        }
        let operation = new_operation(principal, &job, kind);
        job.desired = Desired { intent, operation: Some(operation.id) };
        job.updated_at = clock::now();
        let new = NewJob {
            job: &job,
            release: None,
            run: None,
            operation: Some(&operation),
            key: key.as_ref().map(|(key, request)| (key.as_str(), request.as_str())),
        };
        self.store().update_job(&new).await?;
        self.wakes().wake(job.id);
        Ok(operation.id)
    }

    /// The operation that this request started when it was made before.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the key was used for another request.
    pub(super) async fn replayed(
        &self,
        principal: &Principal,
        key: Option<&(String, String)>,
    ) -> Result<Option<OperationId>, Error> {
        let Some((key, request)) = key else { return Ok(None) };
        match self.store().idempotent(principal, key).await? {
            None => Ok(None),
            Some((known, operation)) if known == *request => Ok(Some(operation)),
            Some(_) => {
                let message = format!("the idempotency key {key:?} was used for another request");
                Err(Error::Conflict { message })
            }
        }
    }
}

/// An operation on a job that is about to be written down.
pub(super) fn new_operation(principal: &Principal, job: &Job, kind: &str) -> Operation {
    Operation {
        id: identity::operation(),
        team: principal.team,
        job: Some(job.id),
        environment: Some(job.environment.clone()),
        subject: job.name.to_string(),
        kind: kind.to_owned(),
        request: None,
        principal: principal.name.clone(),
        state: OperationState::Running,
        error: None,
        created_at: clock::now(),
        finished_at: None,
        steps: Vec::new(),
    }
}
