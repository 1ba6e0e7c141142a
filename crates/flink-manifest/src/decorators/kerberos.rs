//! Keytab and `krb5.conf`.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret, SecretVolumeSource, Volume, VolumeMount},
};

use crate::{Error, Object, Warning, feature::KRB5_PATH_FIXED, keys, render::Render};

const KEYTAB_VOLUME: &str = "kerberos-keytab-volume";
const KEYTAB_PATH: &str = "/opt/kerberos/kerberos-keytab";
const KRB5_VOLUME: &str = "kerberos-krb5conf-volume";
const KRB5_FILE: &str = "krb5.conf";
const KRB5_PATH: &str = "/etc/krb5.conf";

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let keytab = render.text(keys::KEYTAB)?;
    if let (Some(path), Some(_)) = (keytab, render.text(keys::PRINCIPAL)?) {
        mount_keytab(render, path);
    }
    if let Some(path) = render.text(keys::KRB5)? {
        mount_krb5(render, path);
    }
    Ok(())
}

fn mount_keytab(render: &mut Render<'_>, path: String) {
    let name = render.names.keytab();
    match render.spec.files.keytab.clone() {
        None => missing(render, keys::KEYTAB, path, &format!("the Secret {name}")),
        Some(file) => {
            render.configuration.set_text(keys::KEYTAB, format!("{KEYTAB_PATH}/{}", file.name));
            // Flink gives the Secret no labels of its own.
            let metadata = render.owned(name.clone(), BTreeMap::new());
            render.objects.push(Object::Secret(Secret {
                metadata,
                data: Some(BTreeMap::from([(file.name, ByteString(file.content))])),
                ..Secret::default()
            }));
        }
    }
    render.pod.add_volume(Volume {
        name: KEYTAB_VOLUME.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(name),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    });
    render.pod.mount(KEYTAB_VOLUME, KEYTAB_PATH);
}

fn mount_krb5(render: &mut Render<'_>, path: String) {
    let name = render.names.krb5();
    let local_name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    let inside = if render.has(KRB5_PATH_FIXED) { KRB5_FILE } else { &local_name };
    render.pod.add_config_map(KRB5_VOLUME, &name, &[(&local_name, inside)]);
    render.pod.add_mount(VolumeMount {
        name: KRB5_VOLUME.to_owned(),
        mount_path: KRB5_PATH.to_owned(),
        sub_path: Some(KRB5_FILE.to_owned()),
        ..VolumeMount::default()
    });
    match render.spec.files.krb5.clone() {
        None => missing(render, keys::KRB5, path, &format!("the ConfigMap {name}")),
        Some(file) => {
            let metadata = render.owned(name, BTreeMap::new());
            let text = String::from_utf8_lossy(&file.content).into_owned();
            render.objects.push(Object::ConfigMap(ConfigMap {
                metadata,
                data: Some(BTreeMap::from([(file.name, text)])),
                ..ConfigMap::default()
            }));
        }
    }
}

fn missing(render: &mut Render<'_>, key: &str, path: String, object: &str) {
    let warning = Warning::FileMissing { key: key.to_owned(), path, object: object.to_owned() };
    render.warnings.push(warning);
}
