use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use flumen_api_types::Operation;
use flumen_control::Principal;
use flumen_model::OperationId;
use futures::{Stream, StreamExt as _, stream};

use crate::{
    error::Error,
    extract::{Caller, Path},
    state::Api,
    translate,
};

/// How often the operation is looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// Sends the operation now and at each change, until it has ended.
#[utoipa::path(
    get, path = "/api/v1/operations/{id}/events", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Operation, content_type = "text/event-stream",
        description = "Server-sent events; the data of each is the operation"))
)]
pub(crate) async fn follow(
    State(api): State<Api>,
    Caller(principal): Caller,
    Path(id): Path<OperationId>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    let first = look(&api, &principal, id).await?;
    let stop = api.stop.clone();
    let later =
        stream::unfold(Some(first.clone()), move |last| next(api.clone(), principal.clone(), last));
    let changes = stream::iter([first]).chain(later).take_until(stop.cancelled_owned());
    let events = changes.filter_map(|operation| async move {
        Event::default().event("operation").json_data(operation).ok().map(Ok)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

async fn look(api: &Api, principal: &Principal, id: OperationId) -> Result<Operation, Error> {
    let known = api.control.operation(principal, id).await?;
    translate::with_savepoint(api, principal, known).await
}

/// The next change after `last`; none after the end.
async fn next(
    api: Api,
    principal: Principal,
    last: Option<Operation>,
) -> Option<(Operation, Option<Operation>)> {
    let last = last.filter(|last| !last.state.has_ended())?;
    loop {
        tokio::time::sleep(INTERVAL).await;
        match look(&api, &principal, last.id).await {
            Ok(now) if now == last => {}
            Ok(now) => return Some((now.clone(), Some(now))),
            // The stream ends early, and who follows asks again and gets the reason.
            Err(error) => {
                tracing::debug!(operation.id = %last.id, error = %error, "an operation cannot be followed");
                return None;
            }
        }
    }
}
