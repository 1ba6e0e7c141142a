//! The end of events: nobody deletes them, so they go some time after they were last written.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    api::Api,
    clock,
    storage::{Change, Object},
};

/// Looks for old events from time to time, until the server is gone.
pub(crate) async fn run(api: Weak<Api>, stop: CancellationToken) {
    let Some(first) = api.upgrade().map(|api| api.store.revision()) else { return };
    let mut ages = Ages { first, written: HashMap::new() };
    loop {
        let Some(lifetime) = api.upgrade().map(|api| api.settings.event_lifetime) else { return };
        let pause = (lifetime / 10).clamp(Duration::from_millis(10), Duration::from_mins(1));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        let Some(api) = api.upgrade() else { return };
        remove_old(&api, lifetime, &mut ages).await;
    }
}

async fn remove_old(api: &Arc<Api>, lifetime: Duration, ages: &mut Ages) {
    let events = api.registry.core("events");
    let now = clock::now();
    let oldest = now.checked_sub(lifetime).unwrap_or(Timestamp::MIN);
    let (entries, _) = api.store.list(events.id, None);
    ages.see(&entries, now);
    for (key, stored) in entries {
        if ages.written.get(&key).is_none_or(|(_, written)| *written >= oldest) {
            continue;
        }
        let (based_on, resource) = (Some(stored.revision), events.id);
        let (key, object) = (key.to_string(), stored.value());
        let change = Change { resource, key: key.clone(), based_on, object, delete: true };
        if let Err(error) = api.store.commit(vec![change], || {}).await {
            tracing::debug!(
                key,
                error = &error as &dyn std::error::Error,
                "could not remove an old event"
            );
        }
    }
}

/// When each event was last written. Nothing in an event tells: its times are whatever its sender says.
struct Ages {
    /// The revision that the server started with.
    first: u64,
    /// The revision of an event, and about when it was written.
    written: HashMap<Arc<str>, (u64, Timestamp)>,
}

impl Ages {
    fn see(&mut self, entries: &[(Arc<str>, Arc<Object>)], now: Timestamp) {
        let mut written = HashMap::with_capacity(entries.len());
        for (key, event) in entries {
            let time = match self.written.get(key) {
                Some((revision, time)) if *revision == event.revision => *time,
                _ if event.revision > self.first => now,
                // It was written before the start, and what it carries is all that is known.
                _ => last_seen(&event.value()).map_or(now, |time| time.min(now)),
            };
            written.insert(key.clone(), (event.revision, time));
        }
        self.written = written;
    }
}

fn last_seen(event: &Value) -> Option<Timestamp> {
    let managers = event.pointer("/metadata/managedFields").and_then(Value::as_array);
    let managed = managers.into_iter().flatten().filter_map(|manager| manager.get("time"));
    ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"]
        .iter()
        .filter_map(|pointer| event.pointer(pointer))
        .chain(managed)
        .filter_map(Value::as_str)
        .filter_map(|time| time.parse().ok())
        .max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Timestamp, last_seen};

    #[test]
    fn an_event_from_before_the_start_is_as_old_as_its_latest_time() {
        let event = json!({
            "metadata": {
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "managedFields": [{"time": "2026-01-03T00:00:00Z"}, {}]
            },
            "lastTimestamp": "2026-01-02T00:00:00Z"
        });
        assert_eq!(last_seen(&event), "2026-01-03T00:00:00Z".parse::<Timestamp>().ok());
    }
}
