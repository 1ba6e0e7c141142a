use std::collections::BTreeMap;

use flumen_model::{ArtifactRole, ArtifactUrl, Digest};
use flumen_store::ReleaseArtifact;
use serde::{Deserialize, Serialize};

use super::ApplyJob;
use crate::{
    Control, Error,
    artifacts::{check_jar, check_name},
    release,
};

/// An artifact that was uploaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadedArtifact {
    /// The file name it gets.
    pub name: String,
    /// Its content.
    pub digest: Digest,
    /// What it is for.
    pub role: ArtifactRole,
}

impl Control {
    /// The files that the job names by path, which must be here.
    pub(crate) async fn uploaded_artifacts(
        &self,
        apply: &ApplyJob,
    ) -> Result<Vec<ReleaseArtifact>, Error> {
        let is_elsewhere = release::is_in_image(&apply.spec.artifact)
            || ArtifactUrl::is_meant(&apply.spec.artifact);
        if apply.artifacts.is_empty() && !is_elsewhere {
            let message =
                format!("the artifact {} of the job was not uploaded", apply.spec.artifact);
            return Err(Error::Invalid { message });
        }
        self.uploaded(&apply.artifacts).await
    }

    /// Files that were uploaded.
    pub(crate) async fn uploaded(
        &self,
        uploaded: &[UploadedArtifact],
    ) -> Result<Vec<ReleaseArtifact>, Error> {
        let mut artifacts = Vec::with_capacity(uploaded.len());
        for UploadedArtifact { name, digest, role } in uploaded {
            let Some(size) = self.artifact(digest).await? else {
                return Err(Error::not_found(format!("the uploaded artifact {digest} ({name})")));
            };
            check_name(name)?;
            if *role == ArtifactRole::Wheel {
                let message = format!(
                    "{name} has the role wheel, which is for what requirements come to; give it the role python"
                );
                return Err(Error::Invalid { message });
            }
            check_jar(&self.artifact_path(digest), name).await?;
            artifacts.push(ReleaseArtifact {
                name: name.clone(),
                digest: digest.clone(),
                size,
                role: *role,
                maven: None,
            });
        }
        Ok(artifacts)
    }
}

/// Leaves out what is there twice, and refuses two files that would lie in one place.
pub(crate) fn distinct(artifacts: &[ReleaseArtifact]) -> Result<Vec<ReleaseArtifact>, Error> {
    let mut seen = BTreeMap::new();
    let mut kept = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        let path = release::path_in_image(artifact);
        match seen.insert(path.clone(), &artifact.digest) {
            None => kept.push(artifact.clone()),
            Some(other) if *other == artifact.digest => {}
            Some(_) => {
                let message = format!(
                    "the job has two different files for {path} in its image; rename one or leave it out"
                );
                return Err(Error::Invalid { message });
            }
        }
    }
    Ok(kept)
}
