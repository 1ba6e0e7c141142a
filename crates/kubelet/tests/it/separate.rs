//! A kubelet that is a process of its own, and processes as the host sees them.

use std::{
    path::{Path, PathBuf},
    process::Child,
};

/// Killed when this is dropped.
pub(crate) struct Separate(pub(crate) Child);

impl Drop for Separate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Host's pids of processes whose command line holds `mark`.
pub(crate) fn processes(mark: &str) -> Vec<PathBuf> {
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok())
        })
        .filter(|path| {
            let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(mark)
        })
        .collect()
}

/// Whether the program of a process is `sleep`.
pub(crate) fn sleeps(process: &Path) -> bool {
    std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe.ends_with("sleep"))
}
