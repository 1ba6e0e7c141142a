//! Claims and volumes: which belongs to which, and what is in use. It has a world of its own, because nothing else in the
//! cluster depends on these kinds; whoever makes volumes is not here but on the nodes.

mod act;
mod decide;
mod facts;

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use facts::{Change, Claim, Class, User, Volume, World};

/// Pause after an action that failed.
const AGAIN: Duration = Duration::from_millis(200);
/// How many kinds must be listed before anything is decided.
const KINDS: usize = 4;

/// Looks after claims and volumes until `stop`.
pub(crate) async fn run(client: Client, stop: CancellationToken) {
    let (sender, mut changes) = mpsc::unbounded_channel();
    let mut watches = JoinSet::new();
    watches.spawn(follow::<PersistentVolumeClaim, Claim>(
        client.clone(),
        sender.clone(),
        Change::Claims,
    ));
    watches.spawn(follow::<PersistentVolume, Volume>(
        client.clone(),
        sender.clone(),
        Change::Volumes,
    ));
    watches.spawn(follow::<StorageClass, Class>(client.clone(), sender.clone(), Change::Classes));
    watches.spawn(follow::<Pod, User>(client.clone(), sender, Change::Users));
    let mut world = World::default();
    let mut again = false;
    loop {
        let pause = async {
            if again { tokio::time::sleep(AGAIN).await } else { std::future::pending().await }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            change = changes.recv() => match change {
                Some(change) => world.take(change),
                None => return,
            },
            () = pause => {}
        }
        while let Ok(change) = changes.try_recv() {
            world.take(change);
        }
        if world.listed.len() < KINDS {
            continue;
        }
        again = false;
        for action in decide::decide(&world) {
            if let Err(error) = act::act(&client, &action).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a claim or volume has to wait"
                );
                again = true;
            }
        }
    }
}

/// Passes one kind on, reduced to what matters.
async fn follow<K, F>(
    client: Client,
    changes: mpsc::UnboundedSender<Change>,
    wrap: fn(facts::Update<F>) -> Change,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    F: for<'a> From<&'a K>,
{
    let mut events =
        watcher(Api::<K>::all(client), watcher::Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        let uid = |object: &K| object.meta().uid.clone().unwrap_or_default();
        let update = match event {
            Ok(Event::Init) => facts::Update::Begin,
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                facts::Update::Is(uid(&object), F::from(&object))
            }
            Ok(Event::InitDone) => facts::Update::End,
            Ok(Event::Delete(object)) => facts::Update::Gone(uid(&object)),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "watch interrupted");
                continue;
            }
        };
        if changes.send(wrap(update)).is_err() {
            return;
        }
    }
}
