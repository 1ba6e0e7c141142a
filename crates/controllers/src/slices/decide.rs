//! Which endpoint slices a service should have, with as few changes of those that it has as the real controller makes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::endpoints::{HEADLESS, of_slice_port, published_anyway, resolve};
use crate::facts::Object;
use crate::services::{View, trigger};

/// The label by which a slice names its service.
pub(crate) const SERVICE: &str = "kubernetes.io/service-name";
/// The label that tells the controller's own slices from those made by hand.
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Its value.
pub(crate) const MANAGER: &str = "endpointslice-controller.k8s.io";
const ADDRESS_TYPE: &str = "IPv4";
/// The label of a node that says where it is.
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";
/// How many endpoints a slice has at the most.
const FULL: usize = 100;

/// What is to be done with slices.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Create(Box<EndpointSlice>),
    Replace(Box<EndpointSlice>),
    Delete { name: String, uid: String },
}

/// What one endpoint is known by: its address and its pod. Everything else of it may change in place.
type Identity = (Vec<String>, Option<String>, Option<String>);
type Endpoints = BTreeMap<Identity, Endpoint>;
/// Ports, by what sorts them.
type Ports = Vec<([u8; 16], EndpointPort)>;

pub(crate) fn decide(view: &View<'_>) -> Vec<Change> {
    let (owned, others): (Vec<_>, Vec<_>) =
        view.slices.iter().copied().partition(|slice| is_owned(slice, view.object));
    let mut groups = groups(view);
    let mut plan = Plan {
        create: Vec::new(),
        replace: Vec::new(),
        delete: others.into_iter().cloned().collect(),
    };
    let mut by_ports: BTreeMap<Vec<[u8; 16]>, Vec<&EndpointSlice>> = BTreeMap::new();
    for slice in owned {
        let ports = sorted(slice.ports.clone().unwrap_or_default());
        by_ports.entry(ports.iter().map(|(rank, _)| *rank).collect()).or_default().push(slice);
    }
    for (key, slices) in by_ports {
        match groups.remove(&key) {
            Some((ports, wanted)) => plan.group(view, &ports, wanted, &slices),
            None => plan.delete.extend(slices.into_iter().cloned()),
        }
    }
    for (ports, wanted) in groups.into_values() {
        plan.group(view, &ports, wanted, &[]);
    }
    plan.keep_one(view);
    plan.changes(view)
}

fn is_owned(slice: &EndpointSlice, service: &Object) -> bool {
    let owners = slice.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| *owner.uid == *service.uid && owner.kind == "Service")
}

fn sorted(ports: Vec<EndpointPort>) -> Ports {
    let mut ports: Ports = ports.into_iter().map(|port| (of_slice_port(&port), port)).collect();
    ports.sort_by_key(|(rank, _)| *rank);
    ports
}

/// The endpoints that there should be, by their ports.
fn groups(view: &View<'_>) -> BTreeMap<Vec<[u8; 16]>, (Ports, Endpoints)> {
    let mut groups: BTreeMap<Vec<[u8; 16]>, (Ports, Endpoints)> = BTreeMap::new();
    for (object, node) in &view.pods {
        let Some((identity, endpoint)) = endpoint(view, object, *node) else { continue };
        let Some(pod) = object.pod() else { continue };
        let ports = view.service.ports.iter().filter_map(|port| resolve(port, pod));
        let ports = ports.map(|(name, protocol, number, app_protocol)| EndpointPort {
            name: Some(name.unwrap_or_default()),
            port: Some(number),
            protocol: Some(protocol),
            app_protocol,
        });
        let ports = sorted(ports.collect());
        let key = ports.iter().map(|(rank, _)| *rank).collect();
        let group = groups.entry(key).or_insert_with(|| (ports, Endpoints::new()));
        group.1.insert(identity, endpoint);
    }
    groups
}

fn endpoint(
    view: &View<'_>,
    object: &Object,
    node: Option<&Object>,
) -> Option<(Identity, Endpoint)> {
    let pod = object.pod()?;
    let address = published_anyway(pod)?;
    let shown_anyway = view.service.publish_not_ready;
    if address.parse::<std::net::Ipv4Addr>().is_err() || (node.is_none() && !shown_anyway) {
        return None;
    }
    let serving = pod.ready_since.is_some();
    let zone = node.and_then(Object::node).and_then(|node| node.labels.get(ZONE));
    let hostname = pod.hostname.clone();
    let endpoint = Endpoint {
        addresses: vec![address.to_owned()],
        conditions: Some(EndpointConditions {
            ready: Some(shown_anyway || (serving && !object.deleting)),
            serving: Some(serving),
            terminating: Some(object.deleting),
        }),
        hostname: hostname.filter(|_| pod.subdomain.as_ref() == Some(&view.object.key.name)),
        node_name: pod.node.clone(),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".to_owned()),
            namespace: Some(object.key.namespace.clone()),
            name: Some(object.key.name.clone()),
            uid: Some(object.uid.to_string()),
            ..ObjectReference::default()
        }),
        zone: zone.filter(|zone| !zone.is_empty()).cloned(),
        ..Endpoint::default()
    };
    Some((identity(&endpoint), endpoint))
}

fn identity(endpoint: &Endpoint) -> Identity {
    let target = endpoint.target_ref.as_ref();
    let pod = target.and_then(|target| target.name.clone());
    (endpoint.addresses.clone(), endpoint.hostname.clone(), pod)
}

/// What is to become of slices, before those that go make room for those that come.
struct Plan {
    create: Vec<EndpointSlice>,
    replace: Vec<EndpointSlice>,
    delete: Vec<EndpointSlice>,
}

impl Plan {
    /// Puts the endpoints with the same ports into the slices that there are for them, and into new ones.
    fn group(
        &mut self,
        view: &View<'_>,
        ports: &Ports,
        mut wanted: Endpoints,
        slices: &[&EndpointSlice],
    ) {
        let labels = labels(view);
        let (mut changed, mut same) = (Vec::new(), Vec::new());
        for slice in slices {
            let mut new = (*slice).clone();
            let kept =
                slice.endpoints.iter().filter_map(|endpoint| wanted.remove(&identity(endpoint)));
            new.endpoints = kept.collect();
            new.metadata.labels = Some(labels.clone());
            if new.endpoints.is_empty() {
                self.delete.push((*slice).clone());
            } else if new == **slice {
                same.push(new);
            } else {
                changed.push(new);
            }
        }
        let mut rest = wanted.into_values();
        changed.sort_by_key(|slice| std::cmp::Reverse(slice.endpoints.len()));
        for slice in &mut changed {
            fill(slice, &mut rest);
        }
        // What is left goes into the fullest slice that can take all of it.
        let left = rest.len();
        let has_room =
            |slice: &&mut EndpointSlice| left > 0 && slice.endpoints.len() + left <= FULL;
        let fullest = same.iter_mut().filter(has_room).max_by_key(|slice| slice.endpoints.len());
        if let Some(slice) = fullest {
            fill(slice, &mut rest);
            changed.push(slice.clone());
        }
        self.replace.extend(changed);
        while rest.len() > 0 {
            let ports = ports.iter().map(|(_, port)| port.clone()).collect();
            let mut slice = new(view, ports);
            fill(&mut slice, &mut rest);
            self.create.push(slice);
        }
    }

    /// A service without endpoints has one empty slice.
    fn keep_one(&mut self, view: &View<'_>) {
        if self.delete.len() < view.slices.len() || !self.create.is_empty() {
            return;
        }
        let empty = new(view, Vec::new());
        let is_it = |slice: &EndpointSlice| {
            slice.endpoints.is_empty()
                && slice.ports.as_deref().unwrap_or_default().is_empty()
                && slice.metadata.labels == empty.metadata.labels
                && is_owned(slice, view.object)
        };
        if self.delete.len() == 1 && self.delete.iter().all(is_it) {
            self.delete.clear();
        } else {
            self.create.push(empty);
        }
    }

    /// A slice that goes lends its name to one that comes.
    fn changes(mut self, view: &View<'_>) -> Vec<Change> {
        let mut deleted = Vec::new();
        for old in self.delete {
            let takes_over = old.address_type == ADDRESS_TYPE && is_owned(&old, view.object);
            match self.create.pop() {
                Some(mut slice) if takes_over => {
                    slice.metadata.name = old.metadata.name;
                    slice.metadata.resource_version = old.metadata.resource_version;
                    self.replace.push(slice);
                }
                other => {
                    self.create.extend(other);
                    deleted.push(old);
                }
            }
        }
        let told = |mut slice: EndpointSlice| {
            trigger::annotate(&mut slice.metadata.annotations, view.trigger);
            Box::new(slice)
        };
        let create = self.create.into_iter().map(|slice| Change::Create(told(slice)));
        let replace = self.replace.into_iter().map(|slice| Change::Replace(told(slice)));
        let delete = deleted.into_iter().filter_map(|slice| {
            Some(Change::Delete { name: slice.metadata.name?, uid: slice.metadata.uid? })
        });
        create.chain(replace).chain(delete).collect()
    }
}

fn fill(slice: &mut EndpointSlice, rest: &mut impl Iterator<Item = Endpoint>) {
    let room = FULL.saturating_sub(slice.endpoints.len());
    slice.endpoints.extend(rest.take(room));
}

fn labels(view: &View<'_>) -> BTreeMap<String, String> {
    let mut labels = view.service.labels.clone();
    labels.remove(HEADLESS);
    if view.service.headless {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels.insert(SERVICE.to_owned(), view.object.key.name.clone());
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    labels
}

fn new(view: &View<'_>, ports: Vec<EndpointPort>) -> EndpointSlice {
    let key = &view.object.key;
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", key.name)),
            namespace: Some(key.namespace.clone()),
            labels: Some(labels(view)),
            owner_references: Some(vec![OwnerReference {
                api_version: "v1".to_owned(),
                kind: "Service".to_owned(),
                name: key.name.clone(),
                uid: view.object.uid.to_string(),
                controller: Some(true),
                block_owner_deletion: Some(true),
            }]),
            ..ObjectMeta::default()
        },
        address_type: ADDRESS_TYPE.to_owned(),
        endpoints: Vec::new(),
        ports: Some(ports),
    }
}

#[cfg(test)]
mod tests;
