use flumen_model::{BuildCache, BuildSettings};
use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, EmptyDirVolumeSource, HostPathVolumeSource,
    PersistentVolumeClaimVolumeSource, SecretVolumeSource, Volume, VolumeMount,
};

use super::Build;

/// A volume and where it is mounted.
pub(super) type Place = (&'static str, &'static str);

pub(super) const WORKSPACE: Place = ("workspace", "/flumen/workspace");
pub(super) const SCRIPTS: Place = ("scripts", "/flumen/scripts");
pub(super) const CREDENTIALS: Place = ("credentials", "/flumen/credentials");
pub(super) const SETTINGS: Place = ("settings", "/flumen/settings");
pub(super) const CACHE: Place = ("cache", "/flumen/cache");

pub(super) const fn path(place: Place) -> &'static str {
    place.1
}

pub(super) fn mount((name, path): Place, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// The users that the programs of a build know.
pub(super) fn passwd() -> VolumeMount {
    VolumeMount { sub_path: Some("passwd".to_owned()), ..mount((SCRIPTS.0, "/etc/passwd"), true) }
}

pub(super) fn all(build: &Build<'_>) -> Vec<Volume> {
    let spec = build.spec;
    let empty =
        |place: Place| Volume { empty_dir: Some(EmptyDirVolumeSource::default()), ..named(place) };
    let mut volumes = vec![
        empty(WORKSPACE),
        Volume {
            config_map: Some(ConfigMapVolumeSource {
                name: super::name(build.operation),
                default_mode: Some(0o555),
                ..ConfigMapVolumeSource::default()
            }),
            ..named(SCRIPTS)
        },
        match &spec.cache {
            None => empty(CACHE),
            Some(BuildCache::Claim(claim)) => Volume {
                persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                    claim_name: claim.to_string(),
                    read_only: None,
                }),
                ..named(CACHE)
            },
            Some(BuildCache::HostPath(path)) => Volume {
                host_path: Some(HostPathVolumeSource {
                    path: path.to_string(),
                    type_: Some("Directory".to_owned()),
                }),
                ..named(CACHE)
            },
        },
    ];
    // The group of the Pod reads it and nobody else.
    let secret = |name: &str, place| Volume {
        secret: Some(SecretVolumeSource {
            secret_name: Some(name.to_owned()),
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        }),
        ..named(place)
    };
    volumes.extend(spec.credentials.as_ref().map(|name| secret(name.as_str(), CREDENTIALS)));
    volumes.extend(spec.settings.as_ref().map(|settings| match settings {
        BuildSettings::Secret(name) => secret(name.as_str(), SETTINGS),
        BuildSettings::ConfigMap(name) => Volume {
            config_map: Some(ConfigMapVolumeSource {
                name: name.to_string(),
                ..ConfigMapVolumeSource::default()
            }),
            ..named(SETTINGS)
        },
    }));
    volumes
}

fn named((name, _): Place) -> Volume {
    Volume { name: name.to_owned(), ..Volume::default() }
}
