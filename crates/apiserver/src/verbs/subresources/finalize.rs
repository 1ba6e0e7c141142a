//! The finalizers of a namespace's specification, which its controller removes when the namespace is empty.

use std::sync::Arc;

use axum::body::Body;
use http::Request;

use crate::{
    api::{Answer, Api},
    failure::Failure,
    request::Call,
    verbs::{
        body, metadata, update,
        write::{self, Part},
    },
};

pub(super) async fn finalize(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let sent = body::read_object(call, request.into_body()).await?;
    metadata::check_name(call, &sent)?;
    metadata::check_revision(&sent)?;
    let finish = |old: &_| write::finish_tracked(api, call, Part::Finalizers, sent.clone(), old);
    let written = write::change(api, call, finish).await?;
    Ok(update::answer(call, written))
}
