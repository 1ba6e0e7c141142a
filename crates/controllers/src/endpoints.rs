//! Endpoints: the addresses of the pods behind each service with a selector.

mod capacity;
mod printed;
mod subsets;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Endpoints;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, PostParams};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Facts, Key, Object, Uid, endpoints_digest};
use crate::hub::{Hub, describe};
use crate::services::{View, trigger};
pub(crate) use capacity::ANNOTATION as OVER_CAPACITY;
pub(crate) use printed::of_slice_port;
pub(crate) use subsets::{published_anyway, resolve};

/// The label that tells the controller's own `Endpoints` from those made by hand.
pub(crate) const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
/// Its value.
pub(crate) const MANAGER: &str = "endpoint-controller";
/// The label of what belongs to a service without an address.
pub(crate) const HEADLESS: &str = "service.kubernetes.io/headless";

#[derive(Debug)]
pub(crate) enum Change {
    Remove(Uid),
    Create(Box<Endpoints>),
    Replace(Box<Endpoints>),
}

pub(crate) async fn act(hub: &Hub, key: &Key, change: Option<Change>) -> Result<(), Error> {
    match change {
        None => Ok(()),
        Some(Change::Remove(uid)) => {
            hub.delete::<Endpoints>(key, &uid, DeleteParams::default()).await
        }
        Some(Change::Create(endpoints)) => {
            let api = hub.api::<Endpoints>(&key.namespace);
            let created = api.create(&PostParams::default(), &endpoints).await;
            hub.answered(&created.map_err(|source| {
                Error::request(Verb::Create, describe::<Endpoints>(key), source)
            })?);
            Ok(())
        }
        Some(Change::Replace(endpoints)) => replace(hub, key, *endpoints).await,
    }
}

async fn replace(hub: &Hub, key: &Key, wanted: Endpoints) -> Result<(), Error> {
    let api = hub.api::<Endpoints>(&key.namespace);
    let mut live = api
        .get(&key.name)
        .await
        .map_err(|source| Error::request(Verb::Read, describe::<Endpoints>(key), source))?;
    write_over(&mut live, wanted);
    let replaced = api.replace(&key.name, &PostParams::default(), &live).await;
    hub.answered(
        &replaced
            .map_err(|source| Error::request(Verb::Change, describe::<Endpoints>(key), source))?,
    );
    Ok(())
}

/// What others say in annotations stays.
fn write_over(live: &mut Endpoints, wanted: Endpoints) {
    let annotations = wanted.metadata.annotations.as_ref();
    let triggered = annotations.and_then(|all| all.get(trigger::ANNOTATION));
    let time = triggered.and_then(|time| time.parse().ok());
    trigger::annotate(&mut live.metadata.annotations, time);
    let truncated = capacity::is_truncated(annotations);
    capacity::annotate(&mut live.metadata.annotations, truncated);
    live.subsets = wanted.subsets;
    live.metadata.labels = wanted.metadata.labels;
}

/// What is to be done about the endpoints of a service that is gone.
pub(crate) fn left(endpoints: &Object) -> Option<Change> {
    let ours = matches!(endpoints.facts, Facts::Endpoints { ours: true, .. });
    ours.then(|| Change::Remove(Uid::clone(&endpoints.uid)))
}

pub(crate) fn decide(view: &View<'_>) -> Option<Change> {
    let (key, service) = (&view.object.key, view.service);
    let mut labels: BTreeMap<String, String> = service.labels.clone();
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if service.headless {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let mut annotations = None;
    trigger::annotate(&mut annotations, view.trigger);
    let pods: Vec<&Object> = view.pods.iter().map(|(pod, _)| *pod).collect();
    let mut subsets = subsets::subsets(&key.name, &key.namespace, service, &pods);
    let truncated = capacity::truncate(&mut subsets);
    capacity::annotate(&mut annotations, truncated);
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
    match view.endpoints.map(|known| &known.facts) {
        None => Some(Change::Create(Box::new(wanted))),
        Some(Facts::Endpoints { digest, .. }) if *digest == endpoints_digest(&wanted) => None,
        Some(_) => Some(Change::Replace(Box::new(wanted))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_over_gets_the_annotations_and_loses_them() {
        let endpoints = |annotations: &[(&str, &str)]| {
            let annotations =
                annotations.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            let annotations: BTreeMap<String, String> = annotations.collect();
            let metadata = ObjectMeta {
                annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
                ..ObjectMeta::default()
            };
            Endpoints { metadata, subsets: None }
        };
        let full = [(OVER_CAPACITY, "truncated"), (trigger::ANNOTATION, "2026-01-01T00:00:00Z")];
        let whole: Vec<(&str, &str)> = [("a", "b")].into_iter().chain(full).collect();
        for (before, wanted, after) in [
            (&[("a", "b")][..], &full[..], &whole[..]),
            (&whole, &[], &[("a", "b")]),
            (&full, &[], &[]),
        ] {
            let mut live = endpoints(before);
            write_over(&mut live, endpoints(wanted));
            assert_eq!(live, endpoints(after), "{before:?} {wanted:?}");
        }
    }
}
