//! The volumes of a pod as directories of this node.

mod claim;
mod host_path;
mod payload;
mod project;
mod write;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Volume, VolumeMount};
use kube::Client;

use crate::{
    environment::Facts,
    protocol::{Access, IdMap, Mount},
    sub_path,
};
use payload::Gathering;
pub(crate) use write::{LONGEST_NAME, Owner, empty};

/// Why a pod's volumes are not there (yet).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("MountVolume.SetUp failed for volume {volume:?}")]
    Content {
        volume: String,
        #[source]
        source: project::Error,
    },
    #[error("MountVolume.SetUp failed for volume {volume:?} : could not read {kind} {name:?}")]
    Fetch {
        volume: String,
        kind: &'static str,
        name: String,
        #[source]
        source: Box<kube::Error>,
    },
    #[error("MountVolume.SetUp failed for volume {volume:?} : could not write {}", path.display())]
    Write {
        volume: String,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("MountVolume.SetUp failed for volume {volume:?} : hostPath type check failed: {} is not a {expected}", path.display())]
    HostPath { volume: String, path: PathBuf, expected: &'static str },
    #[error(
        "MountVolume.SetUp failed for volume {volume:?} : this node has no volumes of this type; it knows configMap, secret, projected, downwardAPI, emptyDir, hostPath, and claims of hostPath and local volumes"
    )]
    Unsupported { volume: String },
    #[error(
        "MountVolume.SetUp failed for volume {volume:?} : persistentvolumeclaim {claim:?} is not bound"
    )]
    Unbound { volume: String, claim: String },
    #[error(
        "MountVolume.SetUp failed for volume {volume:?} : persistentvolumeclaim {claim:?} is being deleted"
    )]
    Leaving { volume: String, claim: String },
    #[error("container {container} mounts the volume {volume:?}, which the pod does not have")]
    NoVolume { container: String, volume: String },
    #[error(
        "failed to prepare subPath for volumeMount {mount:?}: {path:?} must stay inside the volume"
    )]
    Outside { mount: String, path: String },
    #[error("failed to prepare subPath for volumeMount {mount:?}: {path:?} of the volume")]
    SubPath {
        mount: String,
        path: String,
        #[source]
        source: io::Error,
    },
}

/// How soon a change in the API is seen in a volume, as with the real kubelet.
const REFRESH: Duration = Duration::from_mins(1);

/// Whether a volume shows objects that may change.
fn follows_api(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some()
        || volume.projected.is_some()
}

/// Where a pod's volumes are made and for whom.
#[derive(Clone)]
pub(crate) struct Volumes {
    pub(crate) client: Client,
    /// The pod's own directory below the data directory.
    pub(crate) directory: PathBuf,
    pub(crate) map: IdMap,
    pub(crate) facts: Facts,
}

impl Volumes {
    /// Makes or refreshes all volumes; tells when their content has to be refreshed.
    pub(crate) async fn prepare(&self, pod: &Pod) -> Result<Option<Timestamp>, Error> {
        let spec = pod.spec.as_ref();
        let group = spec
            .and_then(|spec| spec.security_context.as_ref())
            .and_then(|context| context.fs_group);
        let owner =
            Owner { map: self.map, group: group.and_then(|group| u32::try_from(group).ok()) };
        let volumes: Vec<&Volume> =
            spec.and_then(|spec| spec.volumes.as_ref()).into_iter().flatten().collect();
        let soon =
            volumes.iter().any(|volume| follows_api(volume)).then(|| Timestamp::now() + REFRESH);
        let made = futures::future::try_join_all(
            volumes.into_iter().map(|volume| self.make(pod, volume, owner)),
        );
        Ok(made.await?.into_iter().flatten().chain(soon).min())
    }

    async fn make(
        &self,
        pod: &Pod,
        volume: &Volume,
        owner: Owner,
    ) -> Result<Option<Timestamp>, Error> {
        let directory = self.own_directory(&volume.name);
        let write_error =
            |source| Error::Write { volume: volume.name.clone(), path: directory.clone(), source };
        if let Some(host_path) = &volume.host_path {
            return host_path::check(&volume.name, host_path, owner).map(|()| None);
        }
        if let Some(source) = &volume.persistent_volume_claim {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
            let wanted = claim::Wanted {
                volume: &volume.name,
                namespace,
                claim: &source.claim_name,
                is_new: !directory.is_symlink(),
            };
            let place = wanted.find(&self.client).await?;
            return claim::set_up(&directory, &volume.name, &place, owner).map(|()| None);
        }
        if volume.empty_dir.is_some() || volume.ephemeral.is_some() {
            return write::empty(&directory, owner).map(|()| None).map_err(write_error);
        }
        let gathering =
            Gathering { client: &self.client, pod, facts: &self.facts, volume: &volume.name };
        let Some(payload) = gathering.payload(volume).await? else {
            return Err(Error::Unsupported { volume: volume.name.clone() });
        };
        write::payload(&directory, &payload.files, owner).map_err(write_error)?;
        Ok(payload.refresh_at)
    }

    fn own_directory(&self, volume: &str) -> PathBuf {
        self.directory.join("volumes").join(volume)
    }

    /// The path on this node that a mount shows, or a part of. `sub_path` has its variables replaced already.
    pub(crate) fn source(
        &self,
        pod: &Pod,
        container: &str,
        mount: &VolumeMount,
        sub_path: &str,
    ) -> Result<Mount, Error> {
        let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
        let volume =
            volumes.into_iter().flatten().find(|volume| volume.name == mount.name).ok_or_else(
                || Error::NoVolume { container: container.to_owned(), volume: mount.name.clone() },
            )?;
        let source = match &volume.host_path {
            Some(host_path) => PathBuf::from(&host_path.path),
            None => self.own_directory(&volume.name),
        };
        let claim = volume.persistent_volume_claim.as_ref();
        // What the kubelet replaces it must find as it left it, or it would follow the pod's links on the host.
        let read_only = mount.read_only.unwrap_or_default()
            || claim.and_then(|claim| claim.read_only).unwrap_or_default()
            || follows_api(volume);
        let access = match mount.recursive_read_only.as_deref() {
            _ if !read_only => Access::Full,
            Some("Enabled" | "IfPossible") => Access::RecursivelyReadOnly,
            _ => Access::ReadOnly,
        };
        let target = Path::new("/").join(&mount.mount_path);
        if sub_path.is_empty() {
            return Ok(Mount { source, sub_path: None, target, access });
        }
        let (mount, path) = (mount.name.clone(), sub_path.to_owned());
        if !project::is_inside(Path::new(sub_path)) {
            return Err(Error::Outside { mount, path });
        }
        // It is looked for again when it is mounted: until then the pod may have changed what is in there.
        sub_path::open(&source, sub_path.as_ref(), self.map).map_err(|source| Error::SubPath {
            mount,
            path,
            source,
        })?;
        Ok(Mount { source, sub_path: Some(sub_path.into()), target, access })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn access(volume: &Value, mount: Value) -> Access {
        let client = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let volumes = Volumes {
            client: Client::try_from(client).unwrap(),
            directory: "/nowhere".into(),
            map: IdMap::OWN,
            facts: Facts::default(),
        };
        let mut volume = volume.clone();
        volume["name"] = "v".into();
        let spec = json!({"containers": [], "volumes": [volume]});
        let pod: Pod = serde_json::from_value(json!({"spec": spec})).unwrap();
        let mut mount = mount;
        mount["name"] = "v".into();
        mount["mountPath"] = "/v".into();
        let mount: VolumeMount = serde_json::from_value(mount).unwrap();
        volumes.source(&pod, "main", &mount, "").unwrap().access
    }

    #[tokio::test]
    async fn what_is_mounted_below_is_read_only_for_those_who_ask_for_it() {
        let host = json!({"hostPath": {"path": "/data"}});
        for (mount, expected) in [
            (json!({}), Access::Full),
            (json!({"readOnly": true}), Access::ReadOnly),
            (json!({"readOnly": true, "recursiveReadOnly": "Disabled"}), Access::ReadOnly),
            (
                json!({"readOnly": true, "recursiveReadOnly": "Enabled"}),
                Access::RecursivelyReadOnly,
            ),
            (
                json!({"readOnly": true, "recursiveReadOnly": "IfPossible"}),
                Access::RecursivelyReadOnly,
            ),
            (json!({"recursiveReadOnly": "IfPossible"}), Access::Full),
        ] {
            assert_eq!(access(&host, mount.clone()), expected, "{mount}");
        }
        assert_eq!(access(&json!({"configMap": {"name": "m"}}), json!({})), Access::ReadOnly);
        let claim = json!({"persistentVolumeClaim": {"claimName": "c", "readOnly": true}});
        assert_eq!(access(&claim, json!({})), Access::ReadOnly);
    }
}
