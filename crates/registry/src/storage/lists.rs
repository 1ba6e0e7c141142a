//! What there is: repositories and tags, in the order of their names.

use std::{io, path::Path};

use super::{MANIFESTS, Storage, TAGS, file_names};

impl Storage {
    /// The tags of a repository, `None` if there is no such repository.
    pub(crate) async fn tags(&self, repository: &str) -> io::Result<Option<Vec<String>>> {
        if !tokio::fs::try_exists(self.repository(repository, MANIFESTS)).await? {
            return Ok(None);
        }
        let directory = self.repository(repository, TAGS);
        blocking(move || {
            let mut tags = file_names(&directory)?;
            tags.sort();
            Ok(tags)
        })
        .await
        .map(Some)
    }

    /// The repositories that have manifests.
    pub(crate) async fn catalog(&self) -> io::Result<Vec<String>> {
        let root = self.root.join("repositories");
        blocking(move || {
            let mut names = repositories(&root)?;
            names.retain(|name| root.join(name).join(MANIFESTS).is_dir());
            names.sort();
            Ok(names)
        })
        .await
    }
}

/// Every directory below `root` that is or could be a repository.
pub(super) fn repositories(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut to_visit = vec![String::new()];
    while let Some(parent) = to_visit.pop() {
        for name in
            file_names(&root.join(&parent))?.into_iter().filter(|name| !name.starts_with('_'))
        {
            let name = if parent.is_empty() { name } else { format!("{parent}/{name}") };
            found.push(name.clone());
            to_visit.push(name);
        }
    }
    Ok(found)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
