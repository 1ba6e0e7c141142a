//! Claims: a volume of the cluster that is a directory of this node.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use k8s_openapi::api::core::v1::{HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim};
use kube::{Api, Client};

use super::{Error, host_path, write::Owner};

/// A volume of a pod that is a claim.
pub(super) struct Wanted<'a> {
    pub(super) volume: &'a str,
    pub(super) namespace: &'a str,
    pub(super) claim: &'a str,
    /// The pod does not have it yet.
    pub(super) is_new: bool,
}

impl Wanted<'_> {
    /// Where the volume of the bound claim is on this node.
    pub(super) async fn find(&self, client: &Client) -> Result<HostPathVolumeSource, Error> {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), self.namespace);
        let found = claims
            .get(self.claim)
            .await
            .map_err(|source| self.not_fetched("persistentvolumeclaim", self.claim, source))?;
        let uid = found.metadata.uid.clone();
        // Whoever lets go of the claim has seen no pod that uses it.
        if self.is_new && found.metadata.deletion_timestamp.is_some() {
            return Err(Error::Leaving {
                volume: self.volume.to_owned(),
                claim: self.claim.to_owned(),
            });
        }
        let bound =
            found.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
        let name =
            found.spec.and_then(|spec| spec.volume_name).filter(|name| bound && !name.is_empty());
        let name = name.ok_or_else(|| self.unbound())?;
        let volumes: Api<PersistentVolume> = Api::all(client.clone());
        let found = volumes
            .get(&name)
            .await
            .map_err(|source| self.not_fetched("persistentvolume", &name, source))?;
        let spec = found.spec.unwrap_or_default();
        // A claim says which volume it wants; only the volume says whose it is.
        if spec.claim_ref.and_then(|owner| owner.uid) != uid {
            return Err(self.unbound());
        }
        let local = spec.local.map(|local| HostPathVolumeSource {
            path: local.path,
            type_: Some("Directory".to_owned()),
        });
        spec.host_path
            .or(local)
            .ok_or_else(|| Error::Unsupported { volume: self.volume.to_owned() })
    }

    fn unbound(&self) -> Error {
        Error::Unbound { volume: self.volume.to_owned(), claim: self.claim.to_owned() }
    }

    fn not_fetched(&self, kind: &'static str, name: &str, source: kube::Error) -> Error {
        let (volume, name) = (self.volume.to_owned(), name.to_owned());
        Error::Fetch { volume, kind, name, source: Box::new(source) }
    }
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
