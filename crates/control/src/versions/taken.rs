//! A base image that somebody else made.

use flumen_image::Reference;
use flumen_model::{FlinkVersion, ImagePython, PYTHON_LABEL};

use super::REPOSITORY;
use crate::{Control, Error};

/// The Flink version that an image of `flumen image build` is for.
const VERSION_LABEL: &str = "flumen.dev/flink-version";

/// Looks at an image that somebody else made, and returns it by digest, without the registry's address, and the Python that
/// it says it has.
pub(super) async fn own_image(
    control: &Control,
    registry: &str,
    image: &str,
    version: FlinkVersion,
) -> Result<(String, Option<ImagePython>), Error> {
    let reference: Reference = image.parse().map_err(Error::from)?;
    let place: Reference = format!("{registry}/{REPOSITORY}").parse().map_err(Error::from)?;
    if reference.registry() != place.registry() {
        let message = format!(
            "the image {image} is not in the registry {registry} of the environment, where its jobs' images stand on it; push it there"
        );
        return Err(Error::Invalid { message });
    }
    let client = control.registries().client(reference.registry()).await?;
    let found = client.pull_manifest(&reference).await?;
    let labels = found.config.labels_of_config();
    let labeled = labels.and_then(|labels| labels.get(VERSION_LABEL));
    if let Some(other) = labeled.filter(|labeled| **labeled != version.to_string()) {
        let message = format!("the image {image} was built for Flink {other}, not for {version}");
        return Err(Error::Invalid { message });
    }
    let python = labels.and_then(|labels| labels.get(PYTHON_LABEL)).map(|text| {
        serde_json::from_str(text).map_err(|error| {
            let message =
                format!("the label {PYTHON_LABEL} of the image {image} cannot be read: {error}");
            Error::Invalid { message }
        })
    });
    let python = python.transpose()?;
    // What the name itself stands for, which may be an index of several platforms.
    let named = client.manifest_digest(&reference).await?;
    let digest = named.unwrap_or(found.digest);
    let path = place.repository().strip_suffix(REPOSITORY).unwrap_or_default();
    let Some(repository) = reference.repository().strip_prefix(path) else {
        let message = format!("the image {image} is not below {registry}; push it there");
        return Err(Error::Invalid { message });
    };
    Ok((format!("{repository}@{digest}"), python))
}
