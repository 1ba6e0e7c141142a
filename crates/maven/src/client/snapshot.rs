use std::path::PathBuf;

use super::Client;
use crate::{coordinates::Coordinates, copies::Copied, error::Error, settings::Remote};

impl Client {
    /// The newest file of a snapshot that the repositories have, or the one that is here.
    pub(super) async fn snapshot(
        &self,
        of: &Coordinates,
        limit: u64,
    ) -> Result<Option<PathBuf>, Error> {
        let here = of.path();
        if self.settings.offline {
            return Ok(self.local.find(&here));
        }
        let directory = of.gav.directory();
        let said = self.metadata(&directory, |remote| remote.snapshots).await?;
        let newest = said
            .iter()
            .filter_map(|(id, metadata)| {
                let (extension, classifier) = (&of.extension, &of.classifier);
                let version = metadata.file_version(&of.gav.version, extension, classifier)?;
                Some((&metadata.last_updated, id, version))
            })
            .max_by_key(|(time, _, _)| *time);
        let Some((_, id, version)) = newest else {
            // A repository without metadata may have the file under its plain name, as an installed one has.
            return match self.local.find(&here) {
                Some(found) => Ok(Some(found)),
                None => self.fetch_from_any(&here, limit, |remote| remote.snapshots).await,
            };
        };
        let file = format!("{directory}/{}", of.file_name(&version));
        let found = match (self.local.find(&file), self.remote(id)) {
            (Some(found), _) => Some(found),
            (None, Some(remote)) => self.fetch_from(remote, &file, &file, limit).await?,
            (None, None) => None,
        };
        if let Some(found) = &found {
            // Maven keeps a copy under the plain name, too.
            let kept = self.local.path(&here);
            let directory = kept.parent().unwrap_or(self.local.root());
            Copied::into_directory(found, directory)?.keep_for_good(&kept)?;
        }
        Ok(found.map(|_| self.local.path(&here)))
    }

    fn remote(&self, id: &str) -> Option<&Remote> {
        self.settings.repositories.iter().find(|remote| remote.id == id)
    }
}
