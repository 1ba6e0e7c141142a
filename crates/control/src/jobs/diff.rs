use flumen_flink_conf::shown_value;
use flumen_lifecycle::{Definition, Difference, Effect, differences, effect};
use flumen_model::{Digest, JobSpec};
use flumen_store::{Job, Principal};

use super::{UploadedArtifact, releases::digests};
use crate::{Control, Error, by_url::is_by_url};

/// What applying a job file would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Whether the job is new.
    pub is_new: bool,
    /// Whether there is a run that would have to be replaced.
    pub runs: bool,
    /// Where the file differs from what the job is.
    pub differences: Vec<Difference>,
}

impl Diff {
    /// What it takes to apply it.
    pub fn effect(&self) -> Effect {
        effect(&self.differences)
    }
}

impl Control {
    /// What applying this job file with these artifacts would change. Nothing is changed, and the artifacts
    /// need not be uploaded.
    ///
    /// # Errors
    /// As [`Control::apply_job`] for what cannot be.
    pub async fn diff_job(
        &self,
        principal: &Principal,
        spec: &JobSpec,
        artifacts: &[UploadedArtifact],
    ) -> Result<Diff, Error> {
        self.checked(spec).await?;
        let known = self.store().job_named(&spec.environment, &spec.name).await?;
        let Some(job) = known.filter(|job| job.team == principal.team) else {
            return Ok(Diff { is_new: true, runs: false, differences: Vec::new() });
        };
        self.difference(&job, spec, artifacts).await
    }

    /// Where a job file differs from what the job is.
    pub(super) async fn difference(
        &self,
        job: &Job,
        spec: &JobSpec,
        artifacts: &[UploadedArtifact],
    ) -> Result<Diff, Error> {
        let release = self.store().release(job.id, &job.release).await?;
        let mut before = release.map(|release| digests(&release.content)).unwrap_or_default();
        // Which file a URL gave is not known before it is fetched: it is compared by the URL.
        before.retain(|(name, _)| !is_by_url(&job.spec, name));
        let mut after: Vec<(String, Digest)> = artifacts
            .iter()
            .map(|artifact| (artifact.name.clone(), artifact.digest.clone()))
            .collect();
        let built = self.project_files(job.team, spec).await?;
        after.extend(built.into_iter().map(|file| (file.artifact.name, file.artifact.digest)));
        let old = Definition { spec: &job.spec, artifacts: &before };
        let new = Definition { spec, artifacts: &after };
        let mut differences: Vec<_> = differences(old, new).into_iter().map(masked).collect();
        differences.extend(self.base_difference(job, spec).await?);
        let runs = !flumen_lifecycle::JobState::of(&job.desired, &job.status).is_at_rest();
        Ok(Diff { is_new: false, runs, differences })
    }
}

impl Control {
    /// Whether the job would go to another base image of the same Flink version. Where the version changes, that says it.
    async fn base_difference(
        &self,
        job: &Job,
        spec: &JobSpec,
    ) -> Result<Option<Difference>, Error> {
        if job.spec.flink_version != spec.flink_version {
            return Ok(None);
        }
        let next = self.version_row(spec.flink_version, &spec.environment).await?.image;
        let present = self.store().last_base(job.id, &job.release).await?;
        Ok(present.filter(|present| *present != next).map(|present| Difference {
            field: "baseImage".to_owned(),
            from: Some(present),
            to: Some(next),
            effect: Effect::Restart,
            risk: None,
        }))
    }
}

/// Values of secret options are not shown.
pub(super) fn masked(mut difference: Difference) -> Difference {
    let key = difference.field.strip_prefix("configuration.");
    if let Some(key) = key {
        difference.from = difference.from.map(|value| shown_value(key, &value));
        difference.to = difference.to.map(|value| shown_value(key, &value));
    }
    difference
}
