use flumen_model::{EnvironmentName, JobName, OperationId, TeamId};
use flumen_store::{BuildEnd, Operation, OperationKind, OperationState, PreparationEnd, Principal};

use crate::{Control, Error, clock, identity};

impl Control {
    /// One operation with its steps.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such operation.
    pub async fn operation(
        &self,
        principal: &Principal,
        id: OperationId,
    ) -> Result<Operation, Error> {
        let operation = self.store().operation(id).await?;
        operation
            .filter(|operation| operation.team == principal.team)
            .ok_or_else(|| Error::not_found(format!("operation {id}")))
    }

    /// Cancels an operation that still prepares its release, whose job stays as it is, or that builds a project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such operation, [`Error::Conflict`] if it does something else.
    pub async fn cancel_operation(
        &self,
        principal: &Principal,
        id: OperationId,
    ) -> Result<Operation, Error> {
        if self.operation(principal, id).await?.kind == OperationKind::BuildProject {
            self.store().end_build(id, BuildEnd::Canceled, clock::now()).await?;
            self.builds_queue().look();
        } else {
            self.store().end_preparation(id, PreparationEnd::Canceled, clock::now()).await?;
            self.preparations().look();
        }
        let operation = self.operation(principal, id).await?;
        let subject = &operation.subject;
        let message = match (operation.state, operation.kind) {
            (OperationState::Canceled, _) => return Ok(operation),
            (OperationState::Running, OperationKind::AddVersion) => {
                format!("operation {id} adds Flink {subject}, which cannot be cancelled")
            }
            (OperationState::Running, _) => format!(
                "operation {id} is being carried out on job {subject}; `flumen job cancel {subject}` ends that"
            ),
            _ => format!("operation {id} has ended already"),
        };
        Err(Error::Conflict { message })
    }

    /// The operations of the team, newest first, without their steps; of the jobs that had this name, if one is named.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there are none and the team has no such job.
    pub async fn operations(
        &self,
        principal: &Principal,
        job: Option<(&EnvironmentName, &JobName)>,
        limit: u32,
    ) -> Result<Vec<Operation>, Error> {
        let found = self.store().operations(principal.team, job, limit).await?;
        if let Some((environment, name)) = job.filter(|_| found.is_empty()) {
            self.owned(principal, environment, name).await?;
        }
        Ok(found)
    }
}

/// An operation that begins now, of no job, and without what was asked for.
pub(crate) fn begun(
    (team, by): (TeamId, &str),
    kind: OperationKind,
    (environment, subject): (&EnvironmentName, impl ToString),
) -> Operation {
    Operation {
        id: identity::operation(),
        team,
        job: None,
        environment: Some(environment.clone()),
        subject: subject.to_string(),
        kind,
        request: None,
        principal: by.to_owned(),
        state: OperationState::Running,
        error: None,
        refusal: None,
        outcome: None,
        created_at: clock::now(),
        finished_at: None,
        steps: Vec::new(),
    }
}
