//! Persistent volume claims.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, Volume, VolumeMount};

use crate::{Error, Warning, render::Render};

const MAX_CLAIM: usize = 253;
const MAX_VOLUME: usize = 63;

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let read_only = render.flag("kubernetes.persistent-volume-claim-read-only")?;
    let mut paths = BTreeSet::new();
    for (claim, path) in render.map("kubernetes.persistent-volume-claims")? {
        let refuse =
            |reason: String| Error::Claim { claim: claim.clone(), path: path.clone(), reason };
        check_claim(&claim).and_then(|()| check_path(&path)).map_err(refuse)?;
        if !paths.insert(path.clone()) {
            return Err(refuse("another claim is mounted there".to_owned()));
        }
        let volume = format!("{}-pvc", claim.replace('.', "-"));
        if volume.len() > MAX_VOLUME {
            return Err(refuse(format!("the volume's name {volume} is longer than {MAX_VOLUME}")));
        }
        if has_volume(render, &volume) {
            return Err(refuse(format!("the pod has a volume {volume} already")));
        }
        if has_mount(render, &path) {
            let warning = Warning::MountPathTaken { path: path.clone(), claim: claim.clone() };
            render.warnings.push(warning);
        }
        render.pod.add_mount(VolumeMount {
            name: volume.clone(),
            mount_path: path,
            read_only: Some(read_only),
            ..VolumeMount::default()
        });
        render.pod.add_volume(Volume {
            name: volume,
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim,
                read_only: Some(read_only),
            }),
            ..Volume::default()
        });
    }
    Ok(())
}

/// A DNS-1123 subdomain.
fn check_claim(claim: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |label: &str| {
        label.starts_with(inner)
            && label.ends_with(inner)
            && label.chars().all(|c| inner(c) || c == '-')
    };
    if claim.len() <= MAX_CLAIM && claim.split('.').all(label) {
        return Ok(());
    }
    Err(format!(
        "the name of a claim has at most {MAX_CLAIM} lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit"
    ))
}

fn check_path(path: &str) -> Result<(), String> {
    if path.starts_with('/') { Ok(()) } else { Err("the path must be absolute".to_owned()) }
}

fn has_volume(render: &Render<'_>, name: &str) -> bool {
    render.pod.spec.volumes.iter().flatten().any(|volume| volume.name == name)
}

fn has_mount(render: &Render<'_>, path: &str) -> bool {
    render.pod.main.volume_mounts.iter().flatten().any(|mount| mount.mount_path == path)
}
