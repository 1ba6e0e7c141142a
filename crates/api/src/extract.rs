//! What handlers take out of a request. Every refusal is one of our own errors.

use axum::extract::{FromRequest, FromRequestParts};
use flumen_model::{EnvironmentName, JobName};
use serde::Deserialize;

use crate::error::Error;

mod caller;
mod idempotency;
mod page;
mod precondition;

pub(crate) use caller::{Caller, authenticate};
pub(crate) use idempotency::IdempotencyKey;
pub(crate) use page::{Slice, slice};
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
