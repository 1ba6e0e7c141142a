//! Which controllers must look at what, after a change. Too many wakes cost a look, a missing one costs correctness.

use std::collections::BTreeSet;

use super::World;
use super::labels::Selectors;
use crate::facts::{Facts, Key, Node, Object, Pod, Uid};
use crate::kinds::Kind;
use crate::slices::ZONE;

/// Where kubelets say that they live.
pub(crate) const LEASES: &str = "kube-node-lease";

/// Something that a controller should look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Wake {
    Deployment(Uid),
    ReplicaSet(Uid),
    /// An object with owners, or one that is being deleted with its dependents.
    Garbage(Uid),
    /// A service, by name: it may be gone. Its endpoints and its slices.
    Service(Key),
    /// The quotas of a namespace.
    Quotas(String),
    /// The same, after something of this kind went there.
    GivenBack(String, Kind),
    /// A namespace that is being deleted.
    Namespace(String),
    /// What every namespace should contain.
    ServiceAccount(String),
    PodGarbage(Uid),
    Schedule(Uid),
    /// All pods that wait for a node: there may be one for them now.
    Room,
    /// A node, by name: whether it is heard, and what taints it has for it.
    Node(String),
    /// A pod on a node whose taints may drive it away, or did so until now.
    Evict(Uid),
}

/// `assumed`: it was a pod that counted on a node before its binding was seen.
pub(super) fn wakes(
    world: &World,
    old: Option<&Object>,
    new: Option<&Object>,
    assumed: bool,
) -> Vec<Wake> {
    let mut wakes = Vec::new();
    let Some(any) = new.or(old) else { return wakes };
    garbage(world, old, new, &mut wakes);
    contents(world, old, new, &mut wakes);
    if gives_back(old, new) && world.quotas(&any.key.namespace).next().is_some() {
        wakes.push(Wake::GivenBack(any.key.namespace.clone(), any.kind));
    }
    match &any.facts {
        Facts::Pod(_) => {
            pod(world, old, new, &mut wakes);
            if frees_room(world, old, new, assumed) {
                wakes.push(Wake::Room);
            }
        }
        Facts::ReplicaSet(_) => {
            wakes.push(Wake::ReplicaSet(Uid::clone(&any.uid)));
            let owners: BTreeSet<&Uid> = [old, new]
                .into_iter()
                .flatten()
                .filter_map(|set| Some(&set.controller()?.uid))
                .collect();
            wakes.extend(owners.into_iter().map(|owner| Wake::Deployment(Uid::clone(owner))));
            adoption(old, new, &world.deployments, Wake::Deployment, &mut wakes);
        }
        Facts::Deployment(_) => wakes.push(Wake::Deployment(Uid::clone(&any.uid))),
        Facts::Service(_) | Facts::Endpoints { .. } => wakes.push(Wake::Service(any.key.clone())),
        Facts::Slice(_) => {
            let services = [old, new].into_iter().flatten().filter_map(Object::service_of_slice);
            wakes.extend(services.map(Wake::Service));
        }
        Facts::Quota { .. } => {
            // What is used changes with every pod, and is known then.
            if !old.zip(new).is_some_and(|(old, new)| old.facts == new.facts) {
                wakes.push(Wake::Quotas(any.key.namespace.clone()));
            }
        }
        Facts::Node(_) => node(world, old, new, &mut wakes),
        // What a claim or class becomes may be what pods wait for.
        Facts::Claim { .. } | Facts::StorageClass { .. } => {
            let same =
                |old: &Object, new: &Object| old.facts == new.facts && old.deleting == new.deleting;
            if !old.zip(new).is_some_and(|(old, new)| same(old, new)) {
                wakes.push(Wake::Room);
            }
        }
        Facts::Namespace { .. } => {
            let wake = if any.deleting { Wake::Namespace } else { Wake::ServiceAccount };
            wakes.push(wake(any.key.name.clone()));
        }
        Facts::Plain if any.kind == Kind::Lease && any.key.namespace == LEASES => {
            wakes.push(Wake::Node(any.key.name.clone()));
        }
        Facts::Plain => {}
    }
    wakes
}

/// Whether something takes less of quotas than before; what takes more was counted when it came.
fn gives_back(old: Option<&Object>, new: Option<&Object>) -> bool {
    let Some(old) = old else { return false };
    let Some(new) = new else { return true };
    match (&old.facts, &new.facts) {
        (Facts::Pod(before), Facts::Pod(after)) => {
            !before.phase.is_final() && after.phase.is_final()
        }
        // What it takes is not among what is known of it.
        (Facts::Service(_), Facts::Service(_)) => true,
        _ => false,
    }
}

fn garbage(world: &World, old: Option<&Object>, new: Option<&Object>, wakes: &mut Vec<Wake>) {
    let dependents = |uid: &str| {
        world
            .dependents(uid)
            .map(|object| Wake::Garbage(Uid::clone(&object.uid)))
            .collect::<Vec<_>>()
    };
    match new {
        Some(new) => {
            let owners_changed =
                old.is_none_or(|old| old.owners != new.owners) && !new.owners.is_empty();
            let ending = new.deleting && (new.foreground || new.orphan);
            let ends_now = ending
                && old.is_none_or(|old| {
                    !old.deleting || old.foreground != new.foreground || old.orphan != new.orphan
                });
            if owners_changed || ending {
                wakes.push(Wake::Garbage(Uid::clone(&new.uid)));
            }
            if ends_now {
                wakes.extend(dependents(&new.uid));
            }
        }
        None => wakes.extend(old.iter().flat_map(|old| dependents(&old.uid))),
    }
    // An owner that waits for its dependents looks again when one of them goes, leaves it or no longer blocks.
    if let Some(old) = old
        && new.is_none_or(|new| new.owners != old.owners)
    {
        let waiting = old
            .owners
            .iter()
            .filter_map(|owner| world.get(&owner.uid))
            .filter(|owner| owner.deleting && (owner.foreground || owner.orphan));
        wakes.extend(waiting.map(|owner| Wake::Garbage(Uid::clone(&owner.uid))));
    }
}

/// What depends on the namespace of the object. One that is being emptied is looked at when something new shows, when the last pod
/// is gone and when all is: with each of many objects would be with each of them at all.
fn contents(world: &World, old: Option<&Object>, new: Option<&Object>, wakes: &mut Vec<Wake>) {
    let Some(object) = new.or(old) else { return };
    let (namespace, gone) = (&object.key.namespace, new.is_none());
    if namespace.is_empty() {
        return;
    }
    if world.is_namespace_ending(namespace) {
        let inside = &world.contents;
        let last_pod = object.kind == Kind::Pod && !inside.has_pods(namespace);
        let next = if gone { last_pod || inside.is_empty(namespace) } else { old.is_none() };
        wakes.extend(next.then(|| Wake::Namespace(namespace.clone())));
    } else if gone && matches!(object.kind, Kind::ServiceAccount | Kind::ConfigMap) {
        wakes.push(Wake::ServiceAccount(namespace.clone()));
    }
}

fn pod(world: &World, old: Option<&Object>, new: Option<&Object>, wakes: &mut Vec<Wake>) {
    let old_pod = old.and_then(Object::pod);
    let new_pod = new.and_then(Object::pod);
    let Some(any) = new.or(old) else { return };
    for object in [old, new].into_iter().flatten() {
        if let Some(owner) = object.controller()
            && let Some(set) = world.get(&owner.uid).filter(|owner| owner.kind == Kind::ReplicaSet)
        {
            wakes.push(Wake::ReplicaSet(Uid::clone(&set.uid)));
            if new.is_none() {
                // A Deployment that recreates waits for the last old pod to be gone.
                wakes
                    .extend(set.controller().map(|owner| Wake::Deployment(Uid::clone(&owner.uid))));
            }
        }
    }
    adoption(old, new, &world.sets, Wake::ReplicaSet, wakes);
    if !same_for_endpoints(old, new) {
        let labels = [old_pod, new_pod].into_iter().flatten().map(|pod| &pod.labels);
        let services =
            labels.flat_map(|labels| world.selectors.candidates(&any.key.namespace, labels));
        wakes.extend(services.map(|service| Wake::Service(service.clone())));
    }
    if let (Some(object), Some(pod)) = (new, new_pod) {
        match &pod.node {
            None if object.deleting => wakes.push(Wake::PodGarbage(Uid::clone(&object.uid))),
            None if asks_anew(pod, old_pod) => {
                wakes.push(Wake::Schedule(Uid::clone(&object.uid)));
            }
            Some(node) => match world.node(node) {
                None => wakes.push(Wake::PodGarbage(Uid::clone(&object.uid))),
                Some(node) if node.evicts().next().is_some() => {
                    wakes.push(Wake::Evict(Uid::clone(&object.uid)));
                }
                Some(_) => {}
            },
            None => {}
        }
    }
}

fn frees_room(world: &World, old: Option<&Object>, new: Option<&Object>, assumed: bool) -> bool {
    let holds = |object: Option<&Object>| object.and_then(Object::pod).is_some_and(holds_room);
    let still = holds(new) || new.is_some_and(|new| world.capacity.is_assumed(&new.uid));
    (assumed || holds(old)) && !still
}

/// Whether a pod waits for a node and did not, or for another one.
fn asks_anew(pod: &Pod, old: Option<&Pod>) -> bool {
    let before = old.and_then(|old| old.waiting.as_ref());
    pod.waiting.as_ref().is_some_and(|now| before.is_none_or(|before| !now.asks_as(before)))
}

fn holds_room(pod: &Pod) -> bool {
    pod.node.is_some() && !pod.phase.is_final()
}

fn same_for_endpoints(old: Option<&Object>, new: Option<&Object>) -> bool {
    let (Some(old), Some(new)) = (old, new) else { return false };
    let (Some(before), Some(after)) = (old.pod(), new.pod()) else { return false };
    old.deleting == new.deleting
        && before.labels == after.labels
        && before.phase == after.phase
        && before.ready_since.is_some() == after.ready_since.is_some()
        && before.address == after.address
        && before.node == after.node
}

/// Those that may want a pod or replica set that nobody manages.
fn adoption(
    old: Option<&Object>,
    new: Option<&Object>,
    selectors: &Selectors<Uid>,
    wake: fn(Uid) -> Wake,
    wakes: &mut Vec<Wake>,
) {
    let Some(new) = new.filter(|new| new.controller().is_none()) else { return };
    let Some(labels) = new.labels() else { return };
    if !old.is_some_and(|old| old.owners == new.owners && old.labels() == Some(labels)) {
        let may = selectors.candidates(&new.key.namespace, labels);
        wakes.extend(may.map(|uid| wake(Uid::clone(uid))));
    }
}

fn node(world: &World, old: Option<&Object>, new: Option<&Object>, wakes: &mut Vec<Wake>) {
    let Some(any) = new.or(old) else { return };
    let bound = |wake: fn(Uid) -> Wake| {
        world.pods_of(&any.key.name).map(move |object| wake(Uid::clone(&object.uid)))
    };
    if new.is_some_and(|new| old.is_none_or(|old| zone(old) != zone(new))) {
        wakes.extend(services_on(world, &any.key.name).map(Wake::Service));
    }
    let all = || world.nodes().map(|node| Wake::Node(node.key.name.clone()));
    let Some(new) = new else {
        wakes.push(Wake::Node(any.key.name.clone()));
        wakes.extend(all());
        wakes.extend(bound(Wake::PodGarbage));
        return;
    };
    let (old, new) = (old.and_then(Object::node), new.node());
    if old != new {
        wakes.push(Wake::Node(any.key.name.clone()));
    }
    // The status of a node changes all the time, what it offers does not.
    if old.map(Node::offer) != new.map(Node::offer) {
        wakes.push(Wake::Room);
    }
    let evicts =
        |node: Option<&Node>| node.into_iter().flat_map(Node::evicts).cloned().collect::<Vec<_>>();
    if evicts(old) != evicts(new) {
        wakes.extend(bound(Wake::Evict));
    }
    // How many nodes are ready decides whether pods are driven away at all.
    if old.map(|node| node.ready) != new.map(|node| node.ready) {
        wakes.extend(all());
    }
}

/// What slices say of a node.
fn zone(node: &Object) -> Option<&String> {
    node.node()?.labels.get(ZONE)
}

/// The services that may have pods on a node.
fn services_on<'a>(world: &'a World, node: &'a str) -> impl Iterator<Item = Key> + 'a {
    world.pods_of(node).flat_map(move |object| {
        let labels = object.pod().map(|pod| &pod.labels);
        let services = labels.map(|it| world.selectors.candidates(&object.key.namespace, it));
        services.into_iter().flatten().cloned()
    })
}
