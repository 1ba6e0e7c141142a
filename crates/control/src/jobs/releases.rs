use flumen_lifecycle::{Definition, Difference, differences, is_policy};
use flumen_model::{ArtifactRole, Digest, EnvironmentName, JobName, JobSpec};
use flumen_store::{Job, Principal, Release, ReleaseArtifact, ReleaseContent};
use serde_json::Value;

use super::{Applied, ApplyJob, Prepared, Terms, UploadedArtifact, diff::masked};
use crate::{Control, Error, release, sbom};

/// To which release a job goes back, and how.
#[derive(Debug, Clone)]
pub struct RollBackOrder {
    /// The number of the release.
    pub release: i64,
    /// Whether the job shall run, and a running one be replaced.
    pub start: bool,
    /// Whether it is done although it puts the state at risk.
    pub force: bool,
}

impl Control {
    /// The releases of a job, newest first.
    pub async fn releases(
        &self,
        principal: &Principal,
        environment: &EnvironmentName,
        name: &JobName,
    ) -> Result<Vec<Release>, Error> {
        let job = self.owned(principal, environment, name).await?;
        Ok(self.store().releases(job.id).await?)
    }

    /// One release of a job.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job or release.
    pub async fn release(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        number: i64,
    ) -> Result<Release, Error> {
        let job = self.owned(principal, environment, name).await?;
        self.numbered(&job, number).await
    }

    /// What a release of a job is made of, as SPDX 2.3 in JSON.
    ///
    /// # Errors
    /// As [`Control::release`]; [`Error::File`] if a file of it cannot be read.
    pub async fn release_sbom(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        number: i64,
    ) -> Result<Value, Error> {
        let job = self.owned(principal, environment, name).await?;
        let release = self.numbered(&job, number).await?;
        sbom::of_release(self, &job, &release).await
    }

    /// Where the second of two releases of a job differs from the first.
    ///
    /// # Errors
    /// As [`Control::release`].
    pub async fn release_differences(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        (from, to): (i64, i64),
    ) -> Result<Vec<Difference>, Error> {
        let job = self.owned(principal, environment, name).await?;
        let (from, to) = (self.numbered(&job, from).await?, self.numbered(&job, to).await?);
        let (old, new) = (spec(&job, &from.content)?, spec(&job, &to.content)?);
        let (before, after) = (digests(&from.content), digests(&to.content));
        let found = differences(
            Definition { spec: &old, artifacts: &before },
            Definition { spec: &new, artifacts: &after },
        );
        Ok(found.into_iter().map(masked).collect())
    }

    /// Makes an earlier release the job's definition again, as if its file was applied once more. The policies
    /// of the job, which are part of no release, stay as they are.
    ///
    /// # Errors
    /// As [`Control::release`] and [`Control::apply_job`].
    pub async fn roll_back_job(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        order: RollBackOrder,
        terms: Terms,
    ) -> Result<Applied, Error> {
        let job = self.owned(principal, environment, name).await?;
        let release = self.numbered(&job, order.release).await?;
        let spec = spec(&job, &release.content)?;
        let named = named(&release.content).cloned().map(|artifact| UploadedArtifact {
            name: artifact.name,
            digest: artifact.digest,
            role: artifact.role,
        });
        let artifacts = named.collect();
        let RollBackOrder { start, force, .. } = order;
        let apply = ApplyJob { spec, artifacts, start, force, terms };
        // The very files of that release: what is resolved anew may be others.
        let sources = release.sources;
        let ReleaseContent { artifacts, script, .. } = release.content;
        let prepared = Prepared { artifacts, script, sources, ..Prepared::default() };
        self.apply_prepared(principal, &apply, &prepared).await
    }

    async fn numbered(&self, job: &Job, number: i64) -> Result<Release, Error> {
        let releases = self.store().releases(job.id).await?;
        releases.into_iter().find(|release| release.number == number).ok_or_else(|| {
            Error::NotFound {
                what: format!("release {number} of job {}", job.name),
                hint: format!("; see `flumen release list {}`", job.name),
            }
        })
    }
}

/// The job file of a release with the policies that the job has now.
fn spec(job: &Job, content: &ReleaseContent) -> Result<JobSpec, Error> {
    let mut content = content.clone();
    if let Ok(Value::Object(present)) = serde_json::to_value(&job.spec) {
        content.job.extend(present.into_iter().filter(|(key, _)| is_policy(key)));
    }
    release::spec(&content, &job.environment)
}

/// The files that the job file names by path.
fn named(content: &ReleaseContent) -> impl Iterator<Item = &ReleaseArtifact> {
    content
        .artifacts
        .iter()
        .filter(|artifact| artifact.maven.is_none() && artifact.role != ArtifactRole::Wheel)
        .filter(|artifact| !release::is_generated(&artifact.name))
}

/// The files that the job file names by path, by their names.
pub(super) fn digests(content: &ReleaseContent) -> Vec<(String, Digest)> {
    named(content).map(|artifact| (artifact.name.clone(), artifact.digest.clone())).collect()
}
