//! The replica set of a Deployment's template.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use kube::core::{Selector, SelectorExt as _};

use crate::facts::{DESIRED, MOST, REVISION, TEMPLATE_HASH, is_inherited};

#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Of the new replica set.
    pub(super) replicas: i32,
    /// Of the Deployment.
    pub(super) wanted: i32,
    pub(super) surge: i32,
}

/// What the Deployment wanted when a replica set was last scaled.
pub(super) fn size_annotations(wanted: i32, surge: i32) -> BTreeMap<String, String> {
    BTreeMap::from([
        (DESIRED.to_owned(), wanted.to_string()),
        (MOST.to_owned(), wanted.saturating_add(surge).to_string()),
    ])
}

/// `None` if the Deployment has no specification.
pub(super) fn replica_set(
    deployment: &Deployment,
    hash: &str,
    size: Size,
    revision: i64,
) -> Option<ReplicaSet> {
    let spec = deployment.spec.as_ref()?;
    let name = deployment.metadata.name.as_deref()?;
    let with_hash = |labels: Option<&BTreeMap<String, String>>| {
        let mut labels = labels.cloned().unwrap_or_default();
        labels.insert(TEMPLATE_HASH.to_owned(), hash.to_owned());
        labels
    };
    let mut template = spec.template.clone();
    let metadata = template.metadata.get_or_insert_default();
    let labels = with_hash(metadata.labels.as_ref());
    metadata.labels = Some(labels.clone());
    let mut selector = spec.selector.clone();
    selector.match_labels = Some(with_hash(selector.match_labels.as_ref()));
    let annotations = deployment.metadata.annotations.iter().flatten();
    let inherited = annotations.filter(|(name, _)| is_inherited(name));
    let mut annotations: BTreeMap<String, String> =
        inherited.map(|(key, value)| (key.clone(), value.clone())).collect();
    annotations.extend(size_annotations(size.wanted, size.surge));
    annotations.insert(REVISION.to_owned(), revision.to_string());
    Some(ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{name}-{hash}")),
            namespace: deployment.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: Some(annotations),
            owner_references: Some(vec![OwnerReference {
                api_version: "apps/v1".to_owned(),
                kind: "Deployment".to_owned(),
                name: name.to_owned(),
                uid: deployment.metadata.uid.clone()?,
                controller: Some(true),
                block_owner_deletion: Some(true),
            }]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(size.replicas),
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
        }),
        status: None,
    })
}

/// What an existing replica set is to the Deployment that wants one of its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kinship {
    Own,
    /// Nobody's, and for the same pods: this change of its metadata makes it the Deployment's.
    Orphan(Box<ObjectMeta>),
    Foreign,
}

/// `selector` is the Deployment's: it would not keep what it does not select.
pub(super) fn kinship(found: &ReplicaSet, wanted: &ReplicaSet, selector: &Selector) -> Kinship {
    let labels = found.metadata.labels.clone().unwrap_or_default();
    let is_selected = selector.matches(&labels);
    let controller = |set: &ReplicaSet| {
        let owners = set.metadata.owner_references.iter().flatten();
        owners
            .into_iter()
            .find(|owner| owner.controller == Some(true))
            .map(|owner| owner.uid.clone())
    };
    let pods = |set: &ReplicaSet| set.spec.as_ref().map(|spec| spec.selector.clone());
    match controller(found) {
        owner if owner == controller(wanted) => Kinship::Own,
        None if pods(found) == pods(wanted)
            && is_selected
            && found.metadata.deletion_timestamp.is_none() =>
        {
            let owners =
                found.metadata.owner_references.iter().chain(&wanted.metadata.owner_references);
            Kinship::Orphan(Box::new(ObjectMeta {
                uid: found.metadata.uid.clone(),
                resource_version: found.metadata.resource_version.clone(),
                owner_references: Some(owners.flatten().cloned().collect()),
                ..ObjectMeta::default()
            }))
        }
        _ => Kinship::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Expression;
    use serde_json::json;

    #[test]
    fn only_an_orphan_for_the_same_pods_is_adopted() {
        let set = |owner: Option<&str>, app: &str| -> ReplicaSet {
            let owners: Vec<_> = owner
                .map(|uid| json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": uid, "controller": true}))
                .into_iter()
                .collect();
            serde_json::from_value(json!({"metadata": {"name": "d-h", "uid": "u", "labels": {"app": app}, "resourceVersion": "7", "ownerReferences": owners},
                "spec": {"selector": {"matchLabels": {"app": app}}}}))
            .expect("replica set")
        };
        let wanted = set(Some("new"), "x");
        let selector = Selector::from_iter([Expression::Equal("app".to_owned(), "x".to_owned())]);
        assert_eq!(kinship(&set(Some("new"), "x"), &wanted, &selector), Kinship::Own);
        assert_eq!(kinship(&set(Some("old"), "x"), &wanted, &selector), Kinship::Foreign);
        assert_eq!(kinship(&set(None, "y"), &wanted, &selector), Kinship::Foreign);
        let mut strange = set(None, "x");
        strange.metadata.labels = None;
        assert_eq!(kinship(&strange, &wanted, &selector), Kinship::Foreign, "it would be released");
        let Kinship::Orphan(change) = kinship(&set(None, "x"), &wanted, &selector) else {
            panic!("not adopted")
        };
        assert_eq!(change.owner_references, wanted.metadata.owner_references);
        assert_eq!(
            (change.uid.as_deref(), change.resource_version.as_deref()),
            (Some("u"), Some("7"))
        );
    }

    #[test]
    fn the_replica_set_is_told_apart_by_the_hash_in_labels_selector_and_template() {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"name": "d", "namespace": "ns", "uid": "u", "annotations": {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}", "deployment.kubernetes.io/revision": "1"}},
            "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x", "more": "y"}}}}
        }))
        .expect("deployment");
        let set = replica_set(&deployment, "h", Size { replicas: 1, wanted: 2, surge: 1 }, 7)
            .expect("replica set");
        let set = serde_json::to_value(set).expect("json");
        assert_eq!(set["metadata"]["name"], "d-h");
        assert_eq!(
            set["metadata"]["labels"],
            json!({"app": "x", "more": "y", "pod-template-hash": "h"})
        );
        assert_eq!(
            set["spec"]["selector"],
            json!({"matchLabels": {"app": "x", "pod-template-hash": "h"}})
        );
        assert_eq!(set["spec"]["template"]["metadata"]["labels"], set["metadata"]["labels"]);
        let expected = json!({"a": "b", "deployment.kubernetes.io/desired-replicas": "2", "deployment.kubernetes.io/max-replicas": "3", "deployment.kubernetes.io/revision": "7"});
        assert_eq!(set["metadata"]["annotations"], expected);
        assert_eq!(set["metadata"]["ownerReferences"][0]["uid"], "u");
    }
}
