//! Watches services and endpoints of all namespaces.

use std::{collections::BTreeMap, fmt::Debug};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1;
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;

use super::{Directory, Index, Key, reduce};

/// Keeps the directory up to date until the future is dropped.
pub(crate) async fn feed(client: Client, directory: Directory) {
    let services = follow(
        Api::<v1::Service>::all(client.clone()),
        directory.clone(),
        |index| &mut index.services,
        reduce::service,
    );
    let endpoints = follow(
        Api::<v1::Endpoints>::all(client),
        directory,
        |index| &mut index.endpoints,
        |endpoints| Some(reduce::endpoints(endpoints)),
    );
    futures::join!(services, endpoints);
}

async fn follow<K, T>(
    api: Api<K>,
    directory: Directory,
    table: impl Fn(&mut Index) -> &mut BTreeMap<Key, T>,
    reduce: impl Fn(&K) -> Option<T>,
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Default,
    T: PartialEq,
{
    let key = |object: &K| (object.namespace().unwrap_or_default(), object.name_any());
    let mut arriving: BTreeMap<Key, T> = BTreeMap::new();
    let mut events = watcher::watcher(api, watcher::Config::default()).default_backoff().boxed();
    loop {
        match events.try_next().await {
            Ok(Some(Event::Init)) => arriving.clear(),
            Ok(Some(Event::InitApply(object))) => {
                arriving.extend(reduce(&object).map(|value| (key(&object), value)));
            }
            Ok(Some(Event::InitDone)) => {
                let new = std::mem::take(&mut arriving);
                directory.change(|index| replace(table(index), new));
            }
            Ok(Some(Event::Apply(object))) => {
                let (key, value) = (key(&object), reduce(&object));
                directory.change(|index| set(table(index), key, value));
            }
            Ok(Some(Event::Delete(object))) => {
                directory.change(|index| set(table(index), key(&object), None));
            }
            Ok(None) => return,
            // The stream goes on by itself, with growing pauses.
            Err(error) => tracing::debug!(%error, "could not watch services"),
        }
    }
}

fn replace<T: PartialEq>(table: &mut BTreeMap<Key, T>, new: BTreeMap<Key, T>) -> bool {
    let changed = *table != new;
    *table = new;
    changed
}

fn set<T: PartialEq>(table: &mut BTreeMap<Key, T>, key: Key, value: Option<T>) -> bool {
    match value {
        Some(value) if table.get(&key) == Some(&value) => false,
        Some(value) => {
            table.insert(key, value);
            true
        }
        None => table.remove(&key).is_some(),
    }
}
