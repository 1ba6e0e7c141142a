//! Files of jobs in the storage of their environment, from where Flink or init containers fetch them: each once, by content. What
//! put them there may die at any point, as it looks first and puts again what is not there.

use std::time::Duration;

use flumen_model::{Delivery, EnvironmentName, FetchFrom, JobSpec, Secret, Storage, TeamId};
use flumen_store::{DeliveredFile, Environment, EnvironmentDocument, ReleaseArtifact, RunDelivery};

use crate::{Control, Error, environments::LOCAL, storage::Files};

/// The part of a storage that files of jobs lie in.
struct Kept<'a> {
    control: &'a Control,
    files: Files,
    team: TeamId,
}

impl Kept<'_> {
    /// Puts a file there, unless it is there, and says where Flink finds it.
    async fn put(&self, file: &DeliveredFile) -> Result<String, Error> {
        let (here, effect) =
            (self.control.artifact_path(&file.digest), (self.team, self.control.faults()));
        let content = (&file.digest, name_of(file), file.size);
        self.files.keep_artifact(effect, content, &here).await
    }
}

impl Control {
    async fn kept(&self, environment: &Environment) -> Result<Option<Kept<'_>>, Error> {
        let files = self.storages().look(environment).await?.files();
        let team = self.store().first_team().await?;
        Ok(files.zip(team).map(|(files, team)| Kept { control: self, files, team }))
    }

    /// Puts into the storage what Flink fetches itself.
    pub(super) async fn store_for_flink(
        &self,
        spec: &JobSpec,
        environment: &Environment,
        artifacts: &[ReleaseArtifact],
    ) -> Result<RunDelivery, Error> {
        let Some(kept) = self.kept(environment).await? else {
            return Err(no_storage(spec, environment));
        };
        let mut files = Vec::with_capacity(artifacts.len());
        for ReleaseArtifact { digest, name, size, .. } in artifacts {
            let mut file =
                DeliveredFile { path: name.clone(), digest: digest.clone(), size: *size };
            file.path = kept.put(&file).await?;
            files.push(file);
        }
        Ok(RunDelivery { by: Delivery::Flink, files })
    }

    /// Puts into the storage what init containers fetch, as far as it is not there.
    pub(super) async fn store_for_pods(
        &self,
        environment: &Environment,
        files: &[DeliveredFile],
    ) -> Result<(), Error> {
        self.kept_with(environment, files).await.map(drop)
    }

    /// Links to files in the storage, by which whoever has one reads it for so long. What is not there is put there: another
    /// storage may have been chosen since the run began.
    pub(super) async fn storage_links(
        &self,
        environment: &Environment,
        files: &[DeliveredFile],
        valid: Duration,
    ) -> Result<Vec<Secret>, Error> {
        let kept = self.kept_with(environment, files).await?;
        let mut links = Vec::with_capacity(files.len());
        for file in files {
            let artifact = (&file.digest, name_of(file));
            let link = kept.files.artifact_link(kept.team, artifact, valid).await?;
            links.push(link.ok_or_else(|| no_links(environment))?);
        }
        Ok(links)
    }

    async fn kept_with(
        &self,
        environment: &Environment,
        files: &[DeliveredFile],
    ) -> Result<Kept<'_>, Error> {
        let kept = self.kept(environment).await?.ok_or_else(|| no_links(environment))?;
        for file in files {
            kept.put(file).await?;
        }
        Ok(kept)
    }
}

/// The last part of where a pod sees it.
fn name_of(file: &DeliveredFile) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}

/// Refuses an environment whose pods are to fetch from a storage that Flumen cannot sign links to, as far as it tells.
pub(crate) fn check_fetch_from(
    name: &EnvironmentName,
    document: &EnvironmentDocument,
) -> Result<(), Error> {
    let signs = document.fetch_from == FetchFrom::Server
        || matches!(&document.storage, Storage::S3(it) if it.readable && it.credentials.is_some());
    if signs { Ok(()) } else { Err(without_links(name, document)) }
}

fn no_links(environment: &Environment) -> Error {
    without_links(&environment.name, &environment.document)
}

fn without_links(name: &EnvironmentName, document: &EnvironmentDocument) -> Error {
    let why = match &document.storage {
        Storage::S3(storage) if storage.readable => "has no credentials".to_owned(),
        Storage::S3(_) => "has readable: false".to_owned(),
        Storage::HostPath { .. } | Storage::File(_) => {
            format!("is a {}", document.storage.kind())
        }
        Storage::Oss(_) | Storage::Hdfs(_) => format!("is {}", document.storage.kind()),
    };
    let message = format!(
        "pods of environment {name} are to fetch the files of jobs from its storage (fetchFrom: storage), which takes signed links, and Flumen has none for it, as it {why}; use a storage of kind s3 with credentials that the server can reach, or write fetchFrom: server"
    );
    Error::Invalid { message }
}

/// Whether the storage of an environment is one that Flumen can put files into, as far as the environment tells.
pub(super) fn check_storage(spec: &JobSpec, environment: &Environment) -> Result<(), Error> {
    let document = &environment.document;
    let can = match &document.storage {
        Storage::HostPath { .. } => document.cluster == LOCAL,
        Storage::S3(storage) => storage.readable && storage.credentials.is_some(),
        Storage::File(_) | Storage::Oss(_) | Storage::Hdfs(_) => false,
    };
    if can { Ok(()) } else { Err(no_storage(spec, environment)) }
}

fn no_storage(spec: &JobSpec, environment: &Environment) -> Error {
    let message = format!(
        "Flink is to fetch the jars of job {} from the storage of environment {} (delivery: flink), and Flumen cannot put them there; use a storage of kind s3 with credentials, or write delivery: init-container or image",
        spec.name, environment.name
    );
    Error::Invalid { message }
}
