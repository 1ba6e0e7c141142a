//! What handlers take out of a request. Every refusal is one of our own errors.

use axum::extract::{FromRequest, FromRequestParts};
use flumen_api_types::JobReference;
use flumen_model::{EnvironmentName, InvalidValue, JobName};
use serde::Deserialize;

use crate::error::Error;

mod caller;
mod idempotency;
mod optional;
mod page;
mod precondition;

pub(crate) use caller::{Caller, authenticate};
pub(crate) use idempotency::IdempotencyKey;
pub(crate) use optional::OptionalBody;
pub(crate) use page::{Slice, gather, slice};
pub(crate) use precondition::{IfMatch, tagged};

/// A JSON body.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Error))]
pub(crate) struct Body<T>(pub(crate) T);

/// The query of the address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Error))]
pub(crate) struct Query<T>(pub(crate) T);

/// The variable parts of the address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Error))]
pub(crate) struct Path<T>(pub(crate) T);

/// The part of an address that names a job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct JobPath {
    pub(crate) environment: EnvironmentName,
    pub(crate) job: JobName,
}

impl JobPath {
    pub(crate) const fn name(&self) -> (&EnvironmentName, &JobName) {
        (&self.environment, &self.job)
    }

    pub(crate) fn reference(&self) -> JobReference {
        JobReference { environment: self.environment.clone(), name: self.job.clone() }
    }
}

/// The job that a query names. A name alone says too little: it is unique in its environment only.
pub(crate) fn named<'a>(
    environment: Option<&'a EnvironmentName>,
    job: Option<&'a JobName>,
) -> Result<Option<(&'a EnvironmentName, &'a JobName)>, Error> {
    match (environment, job) {
        (Some(environment), Some(job)) => Ok(Some((environment, job))),
        (None, Some(job)) => {
            let allowed = "name the environment of the job too";
            Err(InvalidValue::new("job", job.as_str(), allowed).into())
        }
        _ => Ok(None),
    }
}
