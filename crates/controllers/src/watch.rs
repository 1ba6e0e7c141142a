//! One watch per kind: its objects are reduced at once and go into the world.

use std::collections::HashSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use kube::Resource;
use kube::api::Api;
use kube::runtime::watcher::{self, Event, watcher};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::facts::{Facts, Object, Uid};
use crate::hub::Hub;
use crate::kinds::Kind;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Which kinds are watched and how many of them are complete.
#[derive(Debug)]
pub(crate) struct Synced(watch::Sender<usize>);

impl Synced {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    fn one_more(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Waits until that many kinds have been listed.
    pub(crate) async fn wait_for(&self, kinds: usize) {
        let mut count = self.0.subscribe();
        // The sender is `self`, so it cannot be gone.
        let _ = count.wait_for(|count| *count >= kinds).await;
    }
}

/// Follows one kind until `stop`.
pub(crate) async fn follow<K>(
    hub: Arc<Hub>,
    kind: Kind,
    api: Api<K>,
    facts: fn(&K) -> Facts,
    synced: Arc<Synced>,
    stop: CancellationToken,
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = pin!(watcher(api, watcher::Config::default()).take_until(stop.cancelled()));
    let mut listed: HashSet<Uid> = HashSet::new();
    let mut complete = false;
    let mut failures = 0;
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                failures += 1;
                pause(kind, &error, failures, &stop).await;
                continue;
            }
        };
        failures = 0;
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                if let Some(object) = Object::new(kind, object.meta(), facts(&object)) {
                    listed.insert(Uid::clone(&object.uid));
                    hub.watched(object);
                }
            }
            Event::InitDone => {
                hub.retain(kind, &listed);
                listed = HashSet::new();
                if !complete {
                    complete = true;
                    synced.one_more();
                }
            }
            Event::Apply(object) => {
                if let Some(object) = Object::new(kind, object.meta(), facts(&object)) {
                    hub.watched(object);
                }
            }
            Event::Delete(object) => {
                if let Some(object) = Object::new(kind, object.meta(), Facts::Plain) {
                    hub.removed(&object);
                }
            }
        }
    }
}

async fn pause(kind: Kind, error: &watcher::Error, failures: u32, stop: &CancellationToken) {
    let delay = FIRST_DELAY.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_DELAY);
    // The first failure is how a server that restarts or forgets old versions shows; the watch begins anew.
    if failures == 1 {
        tracing::debug!(?kind, error = error as &dyn std::error::Error, "watch interrupted");
    } else {
        tracing::warn!(?kind, failures, error = error as &dyn std::error::Error, "watch failed");
    }
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = stop.cancelled() => {}
    }
}
