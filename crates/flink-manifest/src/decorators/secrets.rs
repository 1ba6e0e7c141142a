//! Secrets as files.

use k8s_openapi::api::core::v1::{SecretVolumeSource, Volume};

use crate::{Error, render::Render};

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    for (secret, path) in render.map("kubernetes.secrets")? {
        let volume = format!("{secret}-volume");
        render.pod.mount(&volume, &path);
        render.pod.add_volume(Volume {
            name: volume,
            secret: Some(SecretVolumeSource {
                secret_name: Some(secret),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
    Ok(())
}
