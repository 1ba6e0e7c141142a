//! Claims: a volume of the cluster that is a directory of this node.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::{HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim};
use kube::{Api, Client};

use super::{Error, host_path, write::Owner};

/// Where the volume of a bound claim is on this node.
pub(super) async fn find(
    client: &Client,
    volume: &str,
    namespace: &str,
    claim: &str,
) -> Result<HostPathVolumeSource, Error> {
    let fetch_error = |kind: &'static str, name: &str| {
        let (volume, name) = (volume.to_owned(), name.to_owned());
        move |source| Error::Fetch { volume, kind, name, source: Box::new(source) }
    };
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let found = claims.get(claim).await.map_err(fetch_error("persistentvolumeclaim", claim))?;
    let uid = found.metadata.uid.clone();
    let bound = found.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
    let name =
        found.spec.and_then(|spec| spec.volume_name).filter(|name| bound && !name.is_empty());
    let name =
        name.ok_or_else(|| Error::Unbound { volume: volume.to_owned(), claim: claim.to_owned() })?;
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    let found = volumes.get(&name).await.map_err(fetch_error("persistentvolume", &name))?;
    let spec = found.spec.unwrap_or_default();
    // A claim says which volume it wants; only the volume says whose it is.
    if spec.claim_ref.and_then(|owner| owner.uid) != uid {
        return Err(Error::Unbound { volume: volume.to_owned(), claim: claim.to_owned() });
    }
    let local = spec.local.map(|local| HostPathVolumeSource {
        path: local.path,
        type_: Some("Directory".to_owned()),
    });
    spec.host_path.or(local).ok_or_else(|| Error::Unsupported { volume: volume.to_owned() })
}

/// Makes what may be made of the volume, and a link to it among the pod's own volumes.
pub(super) fn set_up(
    link: &Path,
    volume: &str,
    source: &HostPathVolumeSource,
    owner: Owner,
) -> Result<(), Error> {
    host_path::check(volume, source, owner)?;
    let write_error = |source: io::Error| Error::Write {
        volume: volume.to_owned(),
        path: PathBuf::from(link),
        source,
    };
    if fs::read_link(link).is_ok_and(|path| path == Path::new(&source.path)) {
        return Ok(());
    }
    if let Some(parent) = link.parent() {
        fs::create_dir_all(parent).map_err(write_error)?;
    }
    symlink(&source.path, link).map_err(write_error)
}
