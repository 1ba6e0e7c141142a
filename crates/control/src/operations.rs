use flumen_model::{EnvironmentName, JobName, OperationId};
use flumen_store::{Operation, Principal};

use crate::{Control, Error};

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

    /// The operations of the team, newest first, without their steps; of one job if it is named.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such job.
    pub async fn operations(
        &self,
        principal: &Principal,
        job: Option<(&EnvironmentName, &JobName)>,
        limit: u32,
    ) -> Result<Vec<Operation>, Error> {
        let job = match job {
            Some((environment, name)) => Some(self.owned(principal, environment, name).await?.id),
            None => None,
        };
        Ok(self.store().operations(principal.team, job, limit).await?)
    }
}
