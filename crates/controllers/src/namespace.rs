//! A namespace that is being deleted is emptied, pods first, and then let go.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, PostParams, Preconditions};
use kube::core::ApiResource;

use crate::Error;
use crate::error::Verb;
use crate::facts::{Facts, Key, Object};
use crate::hub::Hub;
use crate::kinds::Kind;
use crate::reduce::Bare;

/// What keeps a namespace until this controller is done with it.
pub(crate) const FINALIZER: &str = "kubernetes";
const CONCURRENT: usize = 16;
const PAGE: u32 = 500;
/// What is not watched is looked for again after this time.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) async fn look(hub: &Hub, name: String) -> Result<Option<Duration>, Error> {
    let ending = hub.world(|world| {
        let object = world.named(Kind::Namespace, &Key::new("", name.as_str()))?;
        (object.deleting && matches!(object.facts, Facts::Namespace { finalize: true }))
            .then(|| world.contents(&name))
    });
    let Some(contents) = ending else { return Ok(None) };
    if !contents.is_empty() {
        return empty_known(hub, &contents).await;
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

/// Deletes what the watches know of and waits for their news: of the pods if there are any, else of everything.
async fn empty_known(hub: &Hub, contents: &[Object]) -> Result<Option<Duration>, Error> {
    let pods = contents.iter().any(|object| object.kind == Kind::Pod);
    let now =
        contents.iter().filter(|object| !object.deleting && (!pods || object.kind == Kind::Pod));
    let deletions = now.filter_map(|object| {
        let (resource, _) = hub.kinds.resource(object.kind)?;
        Some(delete(
            hub,
            resource,
            object.key.namespace.clone(),
            object.key.name.clone(),
            object.uid.to_string(),
        ))
    });
    let done: Vec<Result<(), Error>> = futures::stream::iter(deletions.collect::<Vec<_>>())
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    done.into_iter().collect::<Result<(), Error>>()?;
    Ok(None)
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
