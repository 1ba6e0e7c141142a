//! Writing a pod's status and deleting its object.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::{Value, json};

/// Pause before a deletion is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Merges the status into the object; the uid makes it fail for another pod of the same name. Answers with the object's version.
pub(crate) async fn write(
    api: &Api<Pod>,
    pod: &Pod,
    before: Option<&PodStatus>,
    status: &PodStatus,
) -> Result<u64, kube::Error> {
    let patch = patch(pod, before, status).map_err(kube::Error::SerdeError)?;
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let written = api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(version(&written))
}

/// Versions grow with time; one that is no number is as old as can be.
pub(super) fn version(pod: &Pod) -> u64 {
    let version = pod.metadata.resource_version.as_deref();
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// A field that the status no longer has must be named to be removed.
fn patch(
    pod: &Pod,
    before: Option<&PodStatus>,
    status: &PodStatus,
) -> Result<Value, serde_json::Error> {
    let mut new = serde_json::to_value(status)?;
    let old = serde_json::to_value(before.or(pod.status.as_ref()))?;
    if let (Some(new), Some(old)) = (new.as_object_mut(), old.as_object()) {
        for name in ["message", "reason", "podIP", "podIPs"] {
            if old.contains_key(name) && !new.contains_key(name) {
                new.insert(name.to_owned(), Value::Null);
            }
        }
    }
    Ok(json!({"metadata": {"uid": pod.metadata.uid}, "status": new}))
}

/// Removes the object at once; one that is gone already, or replaced, is fine.
pub(crate) async fn delete(api: &Api<Pod>, pod: &Pod) -> Result<(), kube::Error> {
    let parameters = DeleteParams {
        grace_period_seconds: Some(0),
        preconditions: Some(Preconditions {
            uid: pod.metadata.uid.clone(),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    match api.delete(pod.metadata.name.as_deref().unwrap_or_default(), &parameters).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.code == 404 || answer.code == 409 => Ok(()),
        Err(error) => {
            tokio::time::sleep(AGAIN).await;
            Err(error)
        }
    }
}
