//! What a user may do. Everybody who is known may do everything for now; roles will be looked up here.

use crate::{api::Api, failure::Failure, request::Call};

/// Refuses what the user may not do.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every request passes here so that roles need no second place"
)]
pub(crate) fn check(_api: &Api, call: &Call, verb: &'static str) -> Result<(), Failure> {
    let resource = call.target.resource;
    tracing::trace!(user = call.user.name, verb, ?resource, key = call.key(), "request");
    Ok(())
}
