use std::ops::ControlFlow;

use flumen_model::{EnvironmentName, JobName, OperationId};
use flumen_store::{Job, Principal};
use serde::{Deserialize, Serialize};

use crate::{Control, Error};

/// The key under which a request is one however often it is made, and the hash of the request. Default: none.
pub(crate) type IdempotencyKey = Option<(String, String)>;

/// On what terms a request is made, whatever it orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// The idempotency key, and the hash of the request. Default: none. It counts once, when the request is made.
    #[serde(skip)]
    pub key: Option<(String, String)>,
    /// The version that the caller has seen of what is to be changed. Default: any.
    pub if_match: Option<i64>,
}

impl Terms {
    /// Refuses the request where the caller saw another version than there is.
    pub(crate) fn check(&self, what: impl Into<String>, actual: i64) -> Result<(), Error> {
        match self.if_match {
            Some(expected) if expected != actual => {
                Err(Error::Changed { what: what.into(), expected, actual })
            }
            _ => Ok(()),
        }
    }
}

impl Control {
    /// The operation that this request started when it was made before.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the key was used for another request.
    pub(crate) async fn replayed(
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

    /// The job, as a request on these terms may change it: it is written back by the version that was read. Or else the
    /// operation that the same request began: it is looked for after the job is read, so that no request is refused for
    /// what it did itself.
    pub(super) async fn to_change(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        terms: &Terms,
    ) -> Result<ControlFlow<OperationId, Box<Job>>, Error> {
        let job = self.owned(principal, environment, name).await.map(Box::new);
        if let Some(operation) = self.replayed(principal, terms.key.as_ref()).await? {
            return Ok(ControlFlow::Break(operation));
        }
        let job = job?;
        terms.check(format!("job {name}"), job.version)?;
        Ok(ControlFlow::Continue(job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_refused() {
        let of = |if_match| Terms { if_match, key: None };
        assert!(of(Some(1)).check("the job", 2).is_err());
        assert!(of(Some(2)).check("the job", 2).is_ok());
        assert!(of(None).check("the job", 2).is_ok());
    }
}
