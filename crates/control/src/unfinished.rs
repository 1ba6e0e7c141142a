//! Files that a server which died was still making. Nobody goes on with them.

use std::{ffi::OsStr, io, path::Path};

use crate::Error;

/// Removes layers that were to be pushed and files that were fetched or made; uploads stay, as their senders can go on.
pub(crate) async fn remove(data_directory: &Path) -> Result<(), Error> {
    let layers = data_directory.join("layers");
    match tokio::fs::remove_dir_all(&layers).await {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(Error::file("remove", layers)(source));
        }
        Ok(()) | Err(_) => {}
    }
    let artifacts = data_directory.join("artifacts");
    let read = |source| Error::file("read", &artifacts)(source);
    let mut entries = tokio::fs::read_dir(&artifacts).await.map_err(read)?;
    while let Some(entry) = entries.next_entry().await.map_err(read)? {
        let path = entry.path();
        if path.extension() == Some(OsStr::new("part")) {
            tokio::fs::remove_file(&path).await.map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}
