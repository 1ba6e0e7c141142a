//! Environment variables whose value is in a Secret.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, SecretKeySelector};

use crate::{Error, render::Render};

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let entries = render.configuration.list_of_maps("kubernetes.env.secretKeyRef")?;
    for entry in entries.unwrap_or_default() {
        let part = |name: &str| entry.get(name).cloned().unwrap_or_default();
        render.pod.add_variable(EnvVar {
            name: part("env"),
            value: None,
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: part("secret"),
                    key: part("key"),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
        });
    }
    Ok(())
}
