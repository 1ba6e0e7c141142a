//! The end of events: nobody deletes them, so they go some time after they were last seen.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{api::Api, clock, storage::Change};

/// Looks for old events from time to time, until the server is gone.
pub(crate) async fn run(api: Weak<Api>, stop: CancellationToken) {
    loop {
        let Some(lifetime) = api.upgrade().map(|api| api.settings.event_lifetime) else { return };
        let pause = (lifetime / 10).clamp(Duration::from_millis(10), Duration::from_mins(1));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        let Some(api) = api.upgrade() else { return };
        remove_old(&api, lifetime).await;
    }
}

async fn remove_old(api: &Arc<Api>, lifetime: Duration) {
    let events = api.registry.core("events");
    let oldest = clock::now().checked_sub(lifetime).unwrap_or(Timestamp::MIN);
    let (entries, _) = api.store.list(events.id, None);
    for (key, stored) in entries {
        let object = stored.value();
        if last_seen(&object).is_none_or(|seen| seen >= oldest) {
            continue;
        }
        let (based_on, resource) = (Some(stored.revision), events.id);
        let change = Change { resource, key: key.to_string(), based_on, object, delete: true };
        if let Err(error) = api.store.commit(vec![change]).await {
            tracing::debug!(
                key = &*key,
                error = &error as &dyn std::error::Error,
                "could not remove an old event"
            );
        }
    }
}

fn last_seen(event: &Value) -> Option<Timestamp> {
    ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .iter()
        .filter_map(|pointer| event.pointer(pointer).and_then(Value::as_str))
        .filter_map(|time| time.parse().ok())
        .max()
}
