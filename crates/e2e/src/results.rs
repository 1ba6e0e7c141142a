use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// The files that Flink wrote and committed below a directory.
pub(crate) fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in
            fs::read_dir(&next).with_context(|| format!("could not read {}", next.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                // Flink's file sink hides what is not committed behind a leading dot.
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                ensure!(!name.starts_with('.'), "{} was never committed", path.display());
                files.push(path);
            }
        }
    }
    Ok(files)
}
