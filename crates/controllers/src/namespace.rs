//! A namespace that is being deleted is emptied, pods first, and then let go.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, PostParams, Preconditions};
use kube::core::ApiResource;

use crate::Error;
use crate::error::Verb;
use crate::facts::{Facts, Key, Object, Uid};
use crate::hub::Hub;
use crate::kinds::Kind;
use crate::reduce::Bare;
use crate::world::World;

/// What keeps a namespace until this controller is done with it.
pub(crate) const FINALIZER: &str = "kubernetes";
const CONCURRENT: usize = 16;
const PAGE: u32 = 500;
/// What was to go is looked for again after this time: not all is watched, and another object may have had the name.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) async fn look(hub: &Hub, name: String) -> Result<Option<Duration>, Error> {
    match hub.world(|world| state(world, &name)) {
        State::Stays => return Ok(None),
        State::Has(deletions) => return empty_known(hub, &name, deletions).await,
        State::Empty => {}
    }
    // By the watches it is empty: see what they do not show, or not yet.
    let mut left = 0;
    for resource in hub.kinds.contents() {
        left += empty_kind(hub, &name, resource).await?;
    }
    if left > 0 {
        return Ok(Some(AGAIN));
    }
    finalize(hub, &name).await?;
    Ok(None)
}

/// What the watches tell of a namespace.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// It is not being deleted, or others keep it.
    Stays,
    /// It has contents; of these the ones that are to be deleted now, by kind, name and uid.
    Has(Vec<(Kind, String, Uid)>),
    Empty,
}

/// The pods are to be deleted if there are any, else everything.
fn state(world: &World, name: &str) -> State {
    let object = world.named(Kind::Namespace, &Key::new("", name));
    let ends = object.is_some_and(|object| {
        object.deleting && matches!(object.facts, Facts::Namespace { finalize: true })
    });
    if !ends {
        return State::Stays;
    }
    if world.contents(name).next().is_none() {
        return State::Empty;
    }
    let pods = world.contents(name).any(|object| object.kind == Kind::Pod);
    let due = |object: &&Object| !object.deleting && (!pods || object.kind == Kind::Pod);
    let due = world.contents(name).filter(due);
    let names = due.map(|object| (object.kind, object.key.name.clone(), Uid::clone(&object.uid)));
    State::Has(names.collect())
}

/// Deletes what the watches know of and waits for their news.
async fn empty_known(
    hub: &Hub,
    namespace: &str,
    deletions: Vec<(Kind, String, Uid)>,
) -> Result<Option<Duration>, Error> {
    let again = (!deletions.is_empty()).then_some(AGAIN);
    let deletions = deletions.into_iter().filter_map(|(kind, name, uid)| {
        let (resource, _) = hub.kinds.resource(kind)?;
        Some(delete(hub, resource, namespace.to_owned(), name, uid.to_string()))
    });
    let done: Vec<Result<(), Error>> = futures::stream::iter(deletions.collect::<Vec<_>>())
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    done.into_iter().collect::<Result<(), Error>>()?;
    Ok(again)
}

/// Deletes all objects of a kind; answers how many are still there.
async fn empty_kind(hub: &Hub, namespace: &str, resource: &ApiResource) -> Result<usize, Error> {
    let api: Api<Bare> = Api::namespaced_with(hub.client.clone(), namespace, resource);
    let described = || format!("the {} of namespace {namespace}", resource.plural);
    let mut left = 0;
    // What has no finalizer is gone the second time.
    for _ in 0..2 {
        let found = api.list(&ListParams::default().limit(PAGE)).await;
        let found = found.map_err(|source| Error::request(Verb::Read, described(), source))?;
        left = found.items.len();
        let ending = |object: &Bare| object.metadata.deletion_timestamp.is_some();
        if found.items.iter().all(ending) {
            break;
        }
        let deletions = found.items.into_iter().filter(|object| !ending(object)).map(|object| {
            let uid = object.metadata.uid.unwrap_or_default();
            delete(
                hub,
                resource,
                namespace.to_owned(),
                object.metadata.name.unwrap_or_default(),
                uid,
            )
        });
        let done: Vec<Result<(), Error>> =
            futures::stream::iter(deletions).buffer_unordered(CONCURRENT).collect().await;
        done.into_iter().collect::<Result<(), Error>>()?;
    }
    Ok(left)
}

async fn delete(
    hub: &Hub,
    resource: &ApiResource,
    namespace: String,
    name: String,
    uid: String,
) -> Result<(), Error> {
    let api: Api<Bare> = Api::namespaced_with(hub.client.clone(), &namespace, resource);
    let options = DeleteParams::background()
        .preconditions(Preconditions { uid: Some(uid), resource_version: None });
    match api.delete(&name, &options).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        Err(source) => Err(Error::request(
            Verb::Delete,
            format!("{} {namespace}/{name}", resource.kind),
            source,
        )),
    }
}

async fn finalize(hub: &Hub, name: &str) -> Result<(), Error> {
    let described = || format!("Namespace {name}");
    let api: Api<Namespace> = Api::all(hub.client.clone());
    let Some(mut live) = api
        .get_opt(name)
        .await
        .map_err(|source| Error::request(Verb::Read, described(), source))?
    else {
        return Ok(());
    };
    if live.metadata.deletion_timestamp.is_none() {
        return Ok(());
    }
    let finalizers = live.spec.get_or_insert_default().finalizers.get_or_insert_default();
    finalizers.retain(|finalizer| finalizer != FINALIZER);
    match api.replace_subresource("finalize", name, &PostParams::default(), &live).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(Error::request(Verb::Change, described(), source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Wake;

    fn plain(kind: Kind, name: &str, version: u64) -> Object {
        Object { version, ..Object::bare(kind, Key::new("ns", name), Facts::Plain) }
    }

    fn due(state: State) -> Vec<String> {
        let State::Has(mut due) = state else { panic!("{state:?}") };
        due.sort();
        due.into_iter().map(|(_, name, _)| name).collect()
    }

    #[test]
    fn a_namespace_is_looked_at_when_there_is_something_to_do_and_not_with_each_object() {
        let mut world = World::default();
        assert_eq!(state(&world, "ns"), State::Stays);
        for object in [
            plain(Kind::ConfigMap, "a", 1),
            plain(Kind::ConfigMap, "b", 2),
            plain(Kind::Pod, "p", 3),
            plain(Kind::Pod, "q", 4),
        ] {
            world.watched(object);
        }
        let facts = Facts::Namespace { finalize: true };
        let namespace = Object::bare(Kind::Namespace, Key::new("", "ns"), facts);
        world.watched(namespace.clone());
        assert_eq!(state(&world, "ns"), State::Stays);
        let wake = Wake::Namespace("ns".to_owned());
        let ending = Object { version: 5, deleting: true, ..namespace };
        assert!(world.watched(ending).contains(&wake));
        assert_eq!(due(state(&world, "ns")), ["p", "q"], "pods first");
        let going = Object { deleting: true, ..plain(Kind::Pod, "p", 6) };
        assert!(!world.watched(going).contains(&wake), "it was told to go");
        assert_eq!(due(state(&world, "ns")), ["q"]);
        assert!(world.watched(plain(Kind::Pod, "late", 7)).contains(&wake), "one more");
        for (kind, name, looked_at) in [
            (Kind::Pod, "p", false),
            (Kind::Pod, "q", false),
            (Kind::Pod, "late", true),
            (Kind::ConfigMap, "a", false),
            (Kind::ConfigMap, "b", true),
        ] {
            assert_eq!(world.removed(kind, name, 9).contains(&wake), looked_at, "{name}");
        }
        assert_eq!(state(&world, "ns"), State::Empty);
    }
}
