use flumen_flink_conf::is_sensitive;
use flumen_model::{AccessKind, ClusterAccess, EnvironmentName, Storage};
use flumen_store::{ClusterChange, Environment, EnvironmentDocument};

use crate::{
    Control, Error, Terms, clock, clusters,
    delivery::check_fetch_from,
    shown::check_not_hidden,
    storage::{StorageKeys, put_keys},
};

/// The cluster and the environment that are there from the start with `flumen up`.
pub(crate) const LOCAL: &str = "local";

/// Where the pods of the `local` environment see its storage.
const LOCAL_STORAGE_MOUNT: &str = "/opt/flink/storage";

impl Control {
    /// All environments by name.
    pub async fn environments(&self) -> Result<Vec<Environment>, Error> {
        Ok(self.store().environments().await?)
    }

    /// One environment.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none of that name.
    pub async fn environment(&self, name: &EnvironmentName) -> Result<Environment, Error> {
        let environment = self.store().environment(name).await?;
        environment.ok_or_else(|| Error::NotFound {
            what: format!("environment {name}"),
            hint: "; see `flumen environment list`".to_owned(),
        })
    }

    /// Changes what an environment says; its cluster must be known. Keys go into the Secret that the document names, and
    /// nowhere else.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown cluster, [`Error::Changed`] if the terms name another version, [`Error::Name`] or
    /// [`Error::Invalid`] for a storage that cannot be, [`Error::Cluster`] if keys cannot be put there.
    pub async fn save_environment(
        &self,
        principal: &crate::Principal,
        name: &EnvironmentName,
        (document, keys): (&EnvironmentDocument, Option<&StorageKeys>),
        terms: &Terms,
    ) -> Result<Environment, Error> {
        document.storage.check()?;
        check_fetch_from(name, document)?;
        check_no_keys(document)?;
        check_not_hidden(&document.configuration)?;
        let what = || format!("environment {name}");
        if terms.if_match.is_some() {
            terms.check(what(), self.environment(name).await?.version)?;
        }
        if let Some(keys) = keys {
            // First, as jobs go by the document at once. What is given again after a crash is the same.
            let cluster = self.clusters_handle().get(&document.cluster).await?;
            put_keys(&cluster, (name, document), keys).await?;
            self.storages().forget(document);
        }
        let now = clock::now();
        let change = (name, document);
        let written =
            self.store().save_environment(principal.team, change, terms.if_match, now).await;
        let written = written.map_err(|error| match error {
            flumen_store::Error::NoCluster { cluster, .. } => Error::NoCluster { name: cluster },
            other => other.into(),
        })?;
        clusters::follow_places(self).await?;
        let saved = self.environment(name).await?;
        if !written && saved.document != *document {
            terms.check(what(), saved.version)?;
        }
        Ok(saved)
    }
}

/// Refuses keys of the storage in the configuration: that is a `ConfigMap`, which more people may read than a Secret.
fn check_no_keys(document: &EnvironmentDocument) -> Result<(), Error> {
    let prefixes: &[&str] = match &document.storage {
        Storage::S3(_) => &["s3.", "fs.s3a.", "presto.s3."],
        Storage::Oss(_) => &["fs.oss."],
        Storage::HostPath { .. } | Storage::File(_) | Storage::Hdfs(_) => return Ok(()),
    };
    let is_key = |key: &&String| {
        let names_key = is_sensitive(key) || key.to_lowercase().contains("accesskey");
        names_key && prefixes.iter().any(|prefix| key.starts_with(prefix))
    };
    if let Some(key) = document.configuration.keys().find(is_key) {
        let message = format!(
            "{key} in the configuration of the environment would put a key of its storage into a ConfigMap; leave it out, and name the Secret that has it under credentials of the storage"
        );
        return Err(Error::Invalid { message });
    }
    Ok(())
}

/// Writes down cluster and environment `local`. The address of the registry may be another at each
/// start; what users added to the environment's configuration stays. What is so already is not written, so that a
/// start with a read-only database can read.
pub(crate) async fn provide_local(control: &Control) -> Result<(), Error> {
    let Some(local) = control.settings().local.clone() else { return Ok(()) };
    let Some(team) = control.store().first_team().await? else { return Ok(()) };
    let mut access = ClusterAccess::of(AccessKind::File);
    access.file = Some(local.kubeconfig.display().to_string());
    let cluster = ClusterChange { name: LOCAL, access: &access, credentials: None };
    let known = control.store().clusters().await?.into_iter().find(|one| one.name == LOCAL);
    match known {
        None => drop(control.store().add_cluster(team, cluster, clock::now()).await?),
        Some(known) if known.access != access => {
            control.store().replace_cluster(cluster, None).await?;
        }
        Some(_) => {}
    }
    let name: EnvironmentName = LOCAL.parse().map_err(|error: flumen_model::InvalidValue| {
        Error::Invalid { message: error.to_string() }
    })?;
    let known = control.store().environment(&name).await?;
    let storage = match known.as_ref().map(|known| &known.document.storage) {
        // What a user chose instead stays.
        Some(chosen) if !matches!(chosen, Storage::HostPath { .. }) => chosen.clone(),
        Some(_) | None => Storage::HostPath {
            host_path: local.storage.display().to_string(),
            mount_path: LOCAL_STORAGE_MOUNT.to_owned(),
        },
    };
    let document = EnvironmentDocument {
        cluster: LOCAL.to_owned(),
        namespace: "default".parse().map_err(|error: flumen_model::InvalidValue| {
            Error::Invalid { message: error.to_string() }
        })?,
        registry: local.registry.clone(),
        storage,
        delivery: known.as_ref().map(|known| known.document.delivery).unwrap_or_default(),
        fetch_from: known.as_ref().map(|known| known.document.fetch_from).unwrap_or_default(),
        configuration: known
            .as_ref()
            .map(|known| known.document.configuration.clone())
            .unwrap_or_default(),
    };
    if known.is_some_and(|known| known.document == document) {
        return Ok(());
    }
    control.store().save_environment(team, (&name, &document), None, clock::now()).await?;
    Ok(())
}
