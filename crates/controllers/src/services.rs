//! Services with a selector: which pods stand behind each, found once for its endpoints and its slices.

pub(crate) mod trigger;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::facts::{Key, Object, Service};
use crate::hub::Hub;
use crate::kinds::Kind;
use crate::world::World;
use crate::{Error, endpoints, slices};
use trigger::Triggers;

/// Everything that decides what is told of the pods behind a service.
pub(crate) struct View<'a> {
    pub(crate) object: &'a Object,
    pub(crate) service: &'a Service,
    /// Each pod with its node, if that is known.
    pub(crate) pods: Vec<(&'a Object, Option<&'a Object>)>,
    pub(crate) trigger: Option<Timestamp>,
    /// The `Endpoints` of its name, whoever made them.
    pub(crate) endpoints: Option<&'a Object>,
    /// The slices that were made for it.
    pub(crate) slices: Vec<&'a EndpointSlice>,
}

/// What is to be done for a service.
#[derive(Debug, Default)]
struct Round {
    endpoints: Option<endpoints::Change>,
    slices: Vec<slices::Change>,
}

pub(crate) async fn look(hub: &Hub, key: Key) -> Result<Option<Duration>, Error> {
    let round = hub.world(|world| {
        let mut triggers = std::mem::take(&mut world.triggers);
        let round = begin(world, &mut triggers, &key);
        world.triggers = triggers;
        round
    });
    // What goes wrong with one of them does not hold up the other.
    let (endpoints, slices) = futures::join!(
        endpoints::act(hub, &key, round.endpoints),
        slices::act(hub, &key.namespace, round.slices)
    );
    endpoints.and(slices).map(|()| None)
}

fn begin(world: &World, triggers: &mut Triggers, key: &Key) -> Round {
    let endpoints = world.named(Kind::Endpoints, key);
    let Some(object) = world.named(Kind::Service, key) else {
        triggers.forget(key);
        // Its slices go with it, by their owner.
        return Round { endpoints: endpoints.and_then(endpoints::left), slices: Vec::new() };
    };
    let kept = object.service().filter(|service| service.has_endpoints() && !object.deleting);
    let Some(service) = kept else { return Round::default() };
    let pods = world.selected_pods(&key.namespace, &service.selector);
    let view = View {
        object,
        service,
        trigger: triggers.look(key, service.created, trigger::times(&pods)),
        pods: pods.into_iter().map(|pod| (pod, node(world, pod))).collect(),
        endpoints,
        slices: world.slices(key).collect(),
    };
    Round { endpoints: endpoints::decide(&view), slices: slices::decide(&view) }
}

fn node<'a>(world: &'a World, pod: &Object) -> Option<&'a Object> {
    let name = pod.pod()?.node.as_deref()?;
    world.named(Kind::Node, &Key::new("", name))
}

#[cfg(test)]
mod tests;
