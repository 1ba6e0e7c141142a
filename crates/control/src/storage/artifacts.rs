//! Files of jobs that pods fetch from the storage: each once, by content, below a folder of this server's team.

use std::{path::Path, time::Duration};

use flumen_model::{Digest, Secret, TeamId};

use super::{Files, below, no_answer};
use crate::Error;

const FOLDER: &str = "artifacts";

impl Files {
    /// Puts an artifact there, unless it is there, and says where Flink finds it.
    pub(crate) async fn keep_artifact(
        &self,
        (team, faults): (TeamId, &flumen_faults::Faults),
        (digest, name, size): (&Digest, &str, u64),
        file: &Path,
    ) -> Result<String, Error> {
        let key = self.artifact(team, digest, name);
        if self.tree.size(&key).await? != Some(size) {
            let put = self.tree.put(&key, file);
            faults.around("storage.put-artifact", put, no_answer).await?;
        }
        Ok(self.tree.uri(&key))
    }

    /// A link by which whoever has it reads an artifact for so long; none where there are no such links.
    pub(crate) async fn artifact_link(
        &self,
        team: TeamId,
        (digest, name): (&Digest, &str),
        valid: Duration,
    ) -> Result<Option<Secret>, Error> {
        self.tree.link(&self.artifact(team, digest, name), valid).await
    }

    /// The digests of the artifacts that are there.
    pub(crate) async fn kept_artifacts(&self, team: TeamId) -> Result<Vec<Digest>, Error> {
        let names = self.tree.folders(&self.artifacts(team)).await?;
        Ok(names.iter().filter_map(|hex| format!("sha256:{hex}").parse().ok()).collect())
    }

    /// Removes an artifact.
    pub(crate) async fn remove_artifact(
        &self,
        (team, faults): (TeamId, &flumen_faults::Faults),
        digest: &Digest,
    ) -> Result<(), Error> {
        let folder = below(&self.artifacts(team), digest.hex());
        let remove = self.tree.remove_below(&folder);
        faults.around("storage.remove-artifact", remove, no_answer).await
    }

    fn artifact(&self, team: TeamId, digest: &Digest, name: &str) -> String {
        below(&below(&self.artifacts(team), digest.hex()), name)
    }

    /// Servers that share a place have teams of their own.
    fn artifacts(&self, team: TeamId) -> String {
        below(&self.tree.own(FOLDER), &team.to_string())
    }
}
