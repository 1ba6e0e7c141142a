//! Endpoints: the addresses of the pods behind each service with a selector.

mod printed;
mod subsets;
pub(crate) mod trigger;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Endpoints;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, PostParams};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Facts, Key, Object, Uid, endpoints_digest};
use crate::hub::{Hub, describe};
use crate::kinds::Kind;
use crate::world::World;
pub(crate) use printed::of_slice_port;
pub(crate) use subsets::{published_anyway, resolve};

/// The label that tells the controller's own `Endpoints` from those made by hand.
pub(crate) const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
/// Its value.
pub(crate) const MANAGER: &str = "endpoint-controller";
/// The label of what belongs to a service without an address.
pub(crate) const HEADLESS: &str = "service.kubernetes.io/headless";

#[derive(Debug)]
enum Task {
    Nothing,
    Remove(Uid),
    Create(Box<Endpoints>),
    Replace(Box<Endpoints>),
}

pub(crate) async fn look(hub: &Hub, key: Key) -> Result<Option<Duration>, Error> {
    match hub.world(|world| begin(world, &key)) {
        Task::Nothing => {}
        Task::Remove(uid) => hub.delete::<Endpoints>(&key, &uid, DeleteParams::default()).await?,
        Task::Create(endpoints) => {
            let created = hub
                .api::<Endpoints>(&key.namespace)
                .create(&PostParams::default(), &endpoints)
                .await;
            hub.answered(&created.map_err(|source| {
                Error::request(Verb::Create, describe::<Endpoints>(&key), source)
            })?);
        }
        Task::Replace(endpoints) => replace(hub, &key, *endpoints).await?,
    }
    Ok(None)
}

async fn replace(hub: &Hub, key: &Key, wanted: Endpoints) -> Result<(), Error> {
    let api = hub.api::<Endpoints>(&key.namespace);
    let mut live = api
        .get(&key.name)
        .await
        .map_err(|source| Error::request(Verb::Read, describe::<Endpoints>(key), source))?;
    live.subsets = wanted.subsets;
    live.metadata.labels = wanted.metadata.labels;
    let triggered =
        wanted.metadata.annotations.as_ref().and_then(|all| all.get(trigger::ANNOTATION));
    let time = triggered.and_then(|time| time.parse().ok());
    trigger::annotate(&mut live.metadata.annotations, time);
    let replaced = api.replace(&key.name, &PostParams::default(), &live).await;
    hub.answered(
        &replaced
            .map_err(|source| Error::request(Verb::Change, describe::<Endpoints>(key), source))?,
    );
    Ok(())
}

fn begin(world: &mut World, key: &Key) -> Task {
    let Some(service) = world.named(Kind::Service, key).and_then(Object::service).cloned() else {
        world.endpoint_triggers.forget(key);
        return decide(world, key, None);
    };
    let times = trigger::times(&world.selected_pods(&key.namespace, &service.selector));
    let time =
        service.has_endpoints().then(|| world.endpoint_triggers.look(key, service.created, times));
    decide(world, key, time.flatten())
}

fn decide(world: &World, key: &Key, triggered: Option<Timestamp>) -> Task {
    let known = world.named(Kind::Endpoints, key);
    let Some(object) = world.named(Kind::Service, key) else {
        let ours = known.filter(|known| matches!(known.facts, Facts::Endpoints { ours: true, .. }));
        return ours.map_or(Task::Nothing, |known| Task::Remove(Uid::clone(&known.uid)));
    };
    let Some(service) = object.service().filter(|service| service.has_endpoints()) else {
        return Task::Nothing;
    };
    if object.deleting {
        return Task::Nothing;
    }
    let pods = world.selected_pods(&key.namespace, &service.selector);
    let mut labels: BTreeMap<String, String> = service.labels.clone();
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if service.headless {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let mut annotations = None;
    trigger::annotate(&mut annotations, triggered);
    let subsets = subsets::subsets(&key.name, &key.namespace, service, &pods);
    let wanted = Endpoints {
        metadata: ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            labels: Some(labels),
            annotations,
            ..ObjectMeta::default()
        },
        subsets: Some(subsets).filter(|subsets| !subsets.is_empty()),
    };
    match known.map(|known| &known.facts) {
        None => Task::Create(Box::new(wanted)),
        Some(Facts::Endpoints { digest, .. }) if *digest == endpoints_digest(&wanted) => {
            Task::Nothing
        }
        Some(_) => Task::Replace(Box::new(wanted)),
    }
}
