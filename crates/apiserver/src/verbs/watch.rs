//! Watch: what exists, if that was asked for, and then every change, for as long as the client listens.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures::Stream;
use http::Request;
use tokio::time::{Instant, sleep_until};

use super::list::{parse_revision, selector};
use crate::{
    api::{Answer, Api},
    failure::{Cause, Failure},
    request::{Accept, Call},
    resources::Resource,
    selector::Selector,
    storage::{Event, Object, in_namespace},
    transport,
    view::{self, View},
};

/// How many events are taken out of the store at a time.
const BATCH: usize = 64;
/// A watch without a time limit of its own ends after this, or up to twice this, so that not all come back at once.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);

/// What a watch was asked for.
struct Wanted {
    resource: &'static Resource,
    namespace: Option<String>,
    selector: Selector,
    view: View,
    /// After which revision events are wanted; `None` starts with what exists.
    after: Option<u64>,
    bookmarks: bool,
    /// Whether a bookmark says where what exists ends.
    mark_initial_end: bool,
    deadline: Instant,
}

/// GET of a collection with `watch`.
pub(super) fn watch(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let wanted = read_wanted(api, call)?;
    let lines = lines(api.clone(), wanted);
    let response = if call.wants_web_socket() {
        transport::web_socket::upgrade(request, lines, api.stop.clone())?
    } else {
        transport::stream::response(lines)
    };
    Ok(Answer::Response(response))
}

fn read_wanted(api: &Api, call: &Call) -> Result<Wanted, Failure> {
    let revision = call.query.text("resourceVersion").unwrap_or("0");
    let revision = parse_revision(revision)
        .map_err(|problem| Failure::unknown(format!("resourceVersion: {problem}")))?;
    let bookmarks = call.query.flag("allowWatchBookmarks");
    let initial =
        call.query.text("sendInitialEvents").map(|_| call.query.flag("sendInitialEvents"));
    check_initial(call, initial)?;
    let after = match initial {
        Some(true) if revision > api.store.revision() => {
            return Err(Failure::too_large_revision(revision, api.store.revision()));
        }
        Some(true) => None,
        Some(false) if revision == 0 => Some(api.store.revision()),
        None if revision == 0 => None,
        Some(false) | None => Some(revision),
    };
    let timeout = match call.query.number("timeoutSeconds")? {
        Some(seconds) if seconds > 0 => Duration::from_secs(seconds.unsigned_abs()),
        _ => {
            let random = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
            DEFAULT_TIMEOUT
                + DEFAULT_TIMEOUT.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 256.0)
        }
    };
    let deadline =
        Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + DEFAULT_TIMEOUT);
    Ok(Wanted {
        resource: call.target.resource,
        namespace: call.target.namespace.clone(),
        selector: selector(call)?,
        view: View::new(Accept::parse(&call.headers)?, &call.query),
        after,
        bookmarks,
        mark_initial_end: bookmarks && after.is_none(),
        deadline,
    })
}

fn check_initial(call: &Call, initial: Option<bool>) -> Result<(), Failure> {
    let matching = call.query.text("resourceVersionMatch");
    let required = || {
        Cause::forbidden(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )
    };
    let causes = match (initial, matching) {
        (None, None) | (Some(_), Some("NotOlderThan")) => return Ok(()),
        (None, Some(_)) => vec![Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )],
        (Some(_), None) => vec![required()],
        (Some(_), Some(other)) => {
            let other =
                Cause::unsupported("resourceVersionMatch", &other.into(), &["NotOlderThan"]);
            vec![required(), other]
        }
    };
    Err(Failure::invalid_kind("meta.k8s.io", "ListOptions", "", &causes))
}

/// The events as JSON lines, until the time is up, the server stops, or the watch has fallen too far behind.
fn lines(api: Arc<Api>, wanted: Wanted) -> impl Stream<Item = Bytes> + Send + 'static {
    let store = api.store.clone();
    let mut changed = store.subscribe(wanted.resource.id);
    // Looked up before the answer begins, so that the watch starts where its request was.
    let (initial, mut position) = match wanted.after {
        Some(revision) => (Vec::new(), revision),
        None => store.list(wanted.resource.id, wanted.namespace.as_deref()),
    };
    async_stream::stream! {
        let mut view = view::Events::new(wanted.resource, wanted.view);
        for (_, object) in initial {
            if wanted.selector.matches(&object) {
                yield view.line("ADDED", &object);
            }
        }
        if wanted.mark_initial_end {
            yield view.bookmark(position, true);
        }
        let interval = api.settings.bookmark_interval;
        let mut next_bookmark = Instant::now() + interval;
        loop {
            changed.borrow_and_update();
            let (events, complete) = match store.events_after(wanted.resource.id, position, BATCH) {
                Ok(next) => next,
                Err(expired) => {
                    yield view::Events::failure(&Failure::expired(format!("too old resource version: {position} ({})", expired.oldest)));
                    return;
                }
            };
            position = complete;
            let more = events.len() == BATCH;
            for event in events {
                if let Some((kind, object)) = seen(&wanted, &event) {
                    yield view.line(kind, &object);
                }
            }
            if more {
                continue;
            }
            tokio::select! {
                result = changed.changed() => if result.is_err() { return },
                () = sleep_until(next_bookmark.min(wanted.deadline)) => {
                    if wanted.bookmarks {
                        let revision = store.events_after(wanted.resource.id, position, 1)
                            .map_or(position, |(events, complete)| if events.is_empty() { complete } else { position });
                        yield view.bookmark(revision, false);
                    }
                    next_bookmark = Instant::now() + interval;
                    if Instant::now() >= wanted.deadline {
                        return;
                    }
                }
                () = api.stop.cancelled() => return,
            }
        }
    }
}

/// How a change looks to one who sees only what the selector selects.
fn seen(wanted: &Wanted, event: &Event) -> Option<(&'static str, Arc<Object>)> {
    if !in_namespace(&event.key, wanted.namespace.as_deref()) {
        return None;
    }
    let now = !event.deleted && wanted.selector.matches(&event.object);
    let before = event.previous.as_ref().filter(|previous| wanted.selector.matches(previous));
    match (now, before) {
        (true, Some(_)) => Some(("MODIFIED", event.object.clone())),
        (true, None) => Some(("ADDED", event.object.clone())),
        (false, Some(_)) if event.deleted => Some(("DELETED", event.object.clone())),
        // It is still there but no longer selected: its last selected state, at the revision of the change.
        (false, Some(previous)) => Some(("DELETED", Arc::new(previous.at(event.revision)))),
        (false, None) => None,
    }
}
