//! The effect "have the image".

use std::{sync::Arc, time::Instant};

use k8s_openapi::api::core::v1::{Container, Pod, Secret};
use kube::Api;

use super::{announce::is_init, node::Node, state::Event};
use crate::{
    error::chain,
    events::Note,
    images::{self, Image, Keyring},
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
        Ok(found) => Event::ImageReady(name.clone(), Arc::new(found)),
        Err((reason, message)) => {
            let (kind, text) = match reason {
                "InvalidImageName" => ("InspectFailed", message.clone()),
                "ErrImageNeverPull" => (reason, message.clone()),
                _ => ("Failed", format!("Failed to pull image {image:?}: {message}")),
            };
            tell(Note::warning(kind, text));
            Event::ImageFailed(name.clone(), reason.to_owned(), message)
        }
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
    match node.images.pull(image, &keyring(node, pod).await).await {
        Ok(found) => {
            let took = begun.elapsed();
            let message = format!(
                "Successfully pulled image {image:?} in {took:.3?} ({took:.3?} including waiting). Image size: {} bytes.",
                found.size_bytes
            );
            tell(Note::normal("Pulled", message));
            Ok(found)
        }
        Err(error) => Err(("ErrImagePull", chain(&error))),
    }
}

/// From the pod's `imagePullSecrets`; one that is missing is as good as none, and an event says so.
async fn keyring(node: &Node, pod: &Pod) -> Keyring {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let api: Api<Secret> = Api::namespaced(node.client.clone(), namespace);
    let (mut found, mut missing) = (Keyring::default(), Vec::new());
    let spec = pod.spec.as_ref();
    for reference in spec.and_then(|spec| spec.image_pull_secrets.as_ref()).into_iter().flatten() {
        match api.get_opt(&reference.name).await {
            Ok(Some(secret)) => found.add(&secret),
            Ok(None) => missing.push(reference.name.as_str()),
            Err(error) => {
                tracing::warn!(%error, secret = reference.name, "could not read an image pull secret");
                missing.push(reference.name.as_str());
            }
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed.",
            missing.join(", ")
        );
        node.recorder.note(pod, Note::warning("FailedToRetrieveImagePullSecret", message));
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
