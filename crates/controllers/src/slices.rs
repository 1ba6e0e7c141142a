//! Endpoint slices: the addresses of the pods behind each service with a selector, in pieces.

mod decide;

use std::time::Duration;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, PostParams};

use crate::Error;
use crate::endpoints::trigger;
use crate::error::Verb;
use crate::facts::{Key, Object, Uid};
use crate::hub::{Hub, describe};
use crate::kinds::Kind;
use crate::world::World;
use decide::{Change, View};
pub(crate) use decide::{MANAGED_BY, MANAGER, SERVICE, ZONE};

pub(crate) async fn look(hub: &Hub, key: Key) -> Result<Option<Duration>, Error> {
    for change in hub.world(|world| begin(world, &key)) {
        act(hub, &key.namespace, change).await?;
    }
    Ok(None)
}

fn begin(world: &mut World, key: &Key) -> Vec<Change> {
    let known = world.named(Kind::Service, key);
    let wanted = known.and_then(|object| Some((object, object.service()?)));
    let wanted = wanted
        .filter(|(object, service)| !object.deleting && service.has_endpoints())
        .map(|(object, service)| (object.clone(), service.clone()));
    let Some((object, service)) = wanted else {
        // Its slices go with it, by their owner.
        if world.named(Kind::Service, key).is_none() {
            world.slice_triggers.forget(key);
        }
        return Vec::new();
    };
    let times = trigger::times(&world.selected_pods(&key.namespace, &service.selector));
    let trigger = world.slice_triggers.look(key, service.created, times);
    let world = &*world;
    let pods = world.selected_pods(&key.namespace, &service.selector);
    let view = View {
        object: &object,
        service: &service,
        pods: pods.into_iter().map(|pod| (pod, node(world, pod))).collect(),
        slices: world.slices(key).collect(),
        trigger,
    };
    decide::decide(&view)
}

fn node<'a>(world: &'a World, pod: &Object) -> Option<&'a Object> {
    let name = pod.pod()?.node.as_deref()?;
    world.named(Kind::Node, &Key::new("", name))
}

async fn act(hub: &Hub, namespace: &str, change: Change) -> Result<(), Error> {
    let api = hub.api::<EndpointSlice>(namespace);
    let parameters = PostParams::default();
    match change {
        Change::Create(slice) => {
            let prefix = slice.metadata.generate_name.clone().unwrap_or_default();
            let created = api.create(&parameters, &slice).await;
            let described = format!("an EndpointSlice {namespace}/{prefix}");
            hub.answered(
                &created.map_err(|source| Error::request(Verb::Create, described, source))?,
            );
        }
        Change::Replace(slice) => {
            let key = Key::new(namespace, slice.metadata.name.clone().unwrap_or_default());
            let replaced = api.replace(&key.name, &parameters, &slice).await;
            hub.answered(&replaced.map_err(|source| {
                Error::request(Verb::Change, describe::<EndpointSlice>(&key), source)
            })?);
        }
        Change::Delete { name, uid } => {
            let key = Key::new(namespace, name);
            let uid = Uid::from(uid);
            hub.delete::<EndpointSlice>(&key, &uid, DeleteParams::default()).await?;
        }
    }
    Ok(())
}
