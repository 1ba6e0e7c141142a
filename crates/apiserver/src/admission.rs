//! What is checked and filled in when an object is made, beyond the rules of its kind.

use serde_json::{Value, json};

use crate::{api::Api, clock, failure::Failure, resources::Resource, storage::Change};

mod pods;
pub(crate) mod quota;

const AUTHORITY: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/// A namespaced object needs a namespace that is not going away.
pub(crate) fn check_namespace(
    api: &Api,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<(), Failure> {
    if !resource.namespaced {
        return Ok(());
    }
    let namespaces = api.registry.core("namespaces");
    let Some(stored) = api.store.get(namespaces.id, namespace) else {
        return Err(Failure::not_found(namespaces, namespace));
    };
    if stored.value().pointer("/metadata/deletionTimestamp").is_some() {
        return Err(Failure::namespace_terminating(resource, name, namespace));
    }
    Ok(())
}

/// Completes a new object with what other objects decide.
pub(crate) fn admit(
    api: &Api,
    resource: &Resource,
    namespace: &str,
    object: &mut Value,
) -> Result<(), Failure> {
    if resource.plural == "pods" { pods::admit(api, resource, namespace, object) } else { Ok(()) }
}

/// Completes a changed object.
pub(crate) fn admit_update(resource: &Resource, object: &mut Value) {
    if resource.plural == "pods" {
        pods::admit_update(object);
    }
}

/// What comes into being together with a new namespace.
pub(crate) fn companions(api: &Api, resource: &Resource, name: &str) -> Vec<Change> {
    if resource.plural != "namespaces" {
        return Vec::new();
    }
    let make = |plural: &str, object_name: &str, mut object: Value| {
        let resource = api.registry.core(plural);
        object["apiVersion"] = resource.api_version().into();
        object["kind"] = resource.kind.into();
        object["metadata"] = json!({
            "name": object_name,
            "namespace": name,
            "uid": uuid::Uuid::new_v4().to_string(),
            "creationTimestamp": clock::stamp(),
        });
        Change {
            resource: resource.id,
            key: format!("{name}/{object_name}"),
            based_on: None,
            object,
            delete: false,
        }
    };
    let mut authority =
        make("configmaps", "kube-root-ca.crt", json!({"data": {"ca.crt": api.authority.pem()}}));
    authority.object["metadata"]["annotations"] = json!({"kubernetes.io/description": AUTHORITY});
    vec![make("serviceaccounts", "default", json!({})), authority]
}
