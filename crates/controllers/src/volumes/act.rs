//! What actions about claims and volumes do. Each may be done again.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Client;
use kube::api::{Api, Patch};
use serde_json::{Value, json};

use super::decide::{Action, Binding};
use super::facts::{CLAIM_PROTECTION, PROVISIONER, VOLUME_PROTECTION};
use crate::error::Verb;
use crate::facts::Key;
use crate::hub::{describe, manager};
use crate::{Error, clock};

struct Writer<'a>(&'a Client);

pub(super) async fn act(client: &Client, action: &Action) -> Result<(), Error> {
    let writer = Writer(client);
    match action {
        Action::SetClass { claim, class } => {
            writer.claim(claim, &json!({"spec": {"storageClassName": class}})).await
        }
        Action::Ask { claim, provisioner } => {
            let annotations = json!({PROVISIONER: provisioner});
            writer.claim(claim, &json!({"metadata": {"annotations": annotations}})).await
        }
        Action::Bind(binding) => writer.bind(binding).await,
        Action::FreeClaim(key) => {
            let found = writer.claims(key).get(&key.name).await;
            let Some(claim) = there(found, || describe::<PersistentVolumeClaim>(key))? else {
                return Ok(());
            };
            let rest = without(&claim.metadata, CLAIM_PROTECTION);
            writer.claim(key, &rest).await
        }
        Action::FreeVolume(name) => {
            let found = writer.volumes().get(name).await;
            let Some(volume) = there(found, || volume_named(name))? else { return Ok(()) };
            let rest = without(&volume.metadata, VOLUME_PROTECTION);
            writer.volume(name, &rest).await
        }
        Action::SetPhase { volume, phase } => writer.phase(volume, phase).await,
        Action::Release { volume, owner } => {
            let found = writer.claims(&owner.key).get(&owner.key.name).await;
            let found = there(found, || describe::<PersistentVolumeClaim>(&owner.key))?;
            // The watch of volumes may be ahead of the one of claims.
            if found.is_some_and(|claim| claim.metadata.uid.as_deref() == Some(&*owner.uid)) {
                return Ok(());
            }
            writer.phase(volume, "Released").await
        }
    }
}

fn volume_named(name: &str) -> String {
    describe::<PersistentVolume>(&Key::new("", name))
}

fn there<T>(
    found: Result<T, kube::Error>,
    describe: impl FnOnce() -> String,
) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(source) => Err(Error::request(Verb::Read, describe(), source)),
    }
}

/// The patch that leaves all other finalizers; the version makes it fail if somebody changed them meanwhile.
fn without(metadata: &ObjectMeta, finalizer: &str) -> Value {
    let rest: Vec<&String> =
        metadata.finalizers.iter().flatten().filter(|known| *known != finalizer).collect();
    json!({"metadata": {
        "uid": metadata.uid,
        "resourceVersion": metadata.resource_version,
        "finalizers": rest,
    }})
}

impl Writer<'_> {
    fn claims(&self, key: &Key) -> Api<PersistentVolumeClaim> {
        Api::namespaced(self.0.clone(), &key.namespace)
    }

    fn volumes(&self) -> Api<PersistentVolume> {
        Api::all(self.0.clone())
    }

    async fn claim(&self, key: &Key, body: &Value) -> Result<(), Error> {
        let changed = self.claims(key).patch(&key.name, &manager(), &Patch::Merge(body)).await;
        let failed =
            |source| Error::request(Verb::Change, describe::<PersistentVolumeClaim>(key), source);
        changed.map(drop).map_err(failed)
    }

    async fn volume(&self, name: &str, body: &Value) -> Result<(), Error> {
        let changed = self.volumes().patch(name, &manager(), &Patch::Merge(body)).await;
        changed.map(drop).map_err(|source| Error::request(Verb::Change, volume_named(name), source))
    }

    async fn phase(&self, name: &str, phase: &str) -> Result<(), Error> {
        let since = Time(clock::now());
        let body = json!({"status": {"phase": phase, "lastPhaseTransitionTime": since}});
        let changed = self.volumes().patch_status(name, &manager(), &Patch::Merge(body)).await;
        changed.map(drop).map_err(|source| Error::request(Verb::Change, volume_named(name), source))
    }

    /// First the volume says whose it is, so that no other claim gets it, then the claim.
    async fn bind(&self, binding: &Binding) -> Result<(), Error> {
        let Binding { claim, uid, volume } = binding;
        let owner = json!({
            "kind": "PersistentVolumeClaim", "apiVersion": "v1",
            "namespace": claim.namespace, "name": claim.name, "uid": uid,
        });
        self.volume(&volume.name, &json!({"spec": {"claimRef": owner}})).await?;
        let done = json!({"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"});
        let bound = json!({"metadata": {"uid": uid, "annotations": done}, "spec": {"volumeName": volume.name}});
        self.claim(claim, &bound).await?;
        let status = json!({
            "metadata": {"uid": uid},
            "status": {"phase": "Bound", "accessModes": volume.modes, "capacity": volume.capacities},
        });
        let written =
            self.claims(claim).patch_status(&claim.name, &manager(), &Patch::Merge(status)).await;
        let failed =
            |source| Error::request(Verb::Change, describe::<PersistentVolumeClaim>(claim), source);
        written.map(drop).map_err(failed)
    }
}
