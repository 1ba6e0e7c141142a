//! The effect "have the image".

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use flumen_image::Credential;
use k8s_openapi::api::core::v1::{Container, Pod, Secret};
use kube::Api;

use super::{announce::is_init, node::Node, state::Event};
use crate::{
    error::chain,
    events::Note,
    images::{self, Image},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Always,
    IfNotPresent,
    Never,
}

/// The policy of the specification, else what the name suggests: a moving tag is asked for each time.
fn policy(container: &Container) -> Policy {
    let image = container.image.as_deref().unwrap_or_default();
    match container.image_pull_policy.as_deref() {
        Some("Always") => Policy::Always,
        Some("Never") => Policy::Never,
        Some("IfNotPresent") => Policy::IfNotPresent,
        _ => {
            let name = image.rsplit('/').next().unwrap_or_default();
            let moving = !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
            if moving { Policy::Always } else { Policy::IfNotPresent }
        }
    }
}

/// Finds or pulls the image of a container.
pub(super) async fn run(node: &Node, pod: &Pod, container: &Container) -> Event {
    let name = container.name.clone();
    let image = container.image.as_deref().unwrap_or_default();
    let tell = |what: Note| node.recorder.note(pod, what.about(&name, is_init(pod, &name)));
    match fetch(node, pod, image, policy(container), &tell).await {
        Ok(found) => Event::ImageReady(name, Arc::new(found)),
        Err((reason, message)) => Event::ImageFailed(name, reason.to_owned(), message),
    }
}

type Failure = (&'static str, String);

async fn fetch(
    node: &Node,
    pod: &Pod,
    image: &str,
    policy: Policy,
    tell: &(dyn Fn(Note) + Sync),
) -> Result<Image, Failure> {
    let invalid = |error: images::Error| {
        (
            "InvalidImageName",
            format!("Failed to apply default image tag {image:?}: {}", chain(&error)),
        )
    };
    let present = node.images.find(image).map_err(invalid)?;
    match (policy, present) {
        (Policy::IfNotPresent | Policy::Never, Some(found)) => {
            tell(Note::normal(
                "Pulled",
                format!("Container image {image:?} already present on machine"),
            ));
            return Ok(found);
        }
        (Policy::Never, None) => {
            let message =
                format!("Container image {image:?} is not present with pull policy of Never");
            return Err(("ErrImageNeverPull", message));
        }
        (Policy::Always | Policy::IfNotPresent, _) => {}
    }
    tell(Note::normal("Pulling", format!("Pulling image {image:?}")));
    let begun = Instant::now();
    match node.images.pull(image, credentials(node, pod).await).await {
        Ok(found) => {
            let took = begun.elapsed();
            let message = format!(
                "Successfully pulled image {image:?} in {took:.3?} ({took:.3?} including waiting). Image size: {} bytes.",
                found.size_bytes
            );
            tell(Note::normal("Pulled", message));
            Ok(found)
        }
        Err(error) => {
            let message = chain(&error);
            tell(Note::warning("Failed", format!("Failed to pull image {image:?}: {message}")));
            Err(("ErrImagePull", message))
        }
    }
}

/// From the pod's `imagePullSecrets`; one that is missing is as good as none, as in Kubernetes.
async fn credentials(node: &Node, pod: &Pod) -> BTreeMap<String, Credential> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let api: Api<Secret> = Api::namespaced(node.client.clone(), namespace);
    let mut found = BTreeMap::new();
    let spec = pod.spec.as_ref();
    for reference in spec.and_then(|spec| spec.image_pull_secrets.as_ref()).into_iter().flatten() {
        match api.get_opt(&reference.name).await {
            Ok(secret) => found.extend(secret.iter().flat_map(images::from_secret)),
            Err(error) => {
                tracing::warn!(%error, secret = reference.name, "could not read an image pull secret");
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moving_tag_is_always_asked_for() {
        for (image, given, expected) in [
            ("flink", None, Policy::Always),
            ("r:5000/flink", None, Policy::Always),
            ("r:5000/flink:latest", None, Policy::Always),
            ("flink:1.20.5", None, Policy::IfNotPresent),
            ("flink@sha256:00", None, Policy::IfNotPresent),
            ("flink:1.20.5", Some("Always"), Policy::Always),
            ("flink", Some("Never"), Policy::Never),
        ] {
            let container = Container {
                image: Some(image.into()),
                image_pull_policy: given.map(str::to_owned),
                ..Container::default()
            };
            assert_eq!(policy(&container), expected, "{image}");
        }
    }
}
