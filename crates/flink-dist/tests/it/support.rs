use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A directory with these files in it.
pub(crate) fn directory_with(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, content) in files {
        write(&directory.path().join(path), content);
    }
    directory
}

pub(crate) fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Puts one of the programs in `tests/fakes` at `path`. A link: a file that was just written may still be open for
/// writing in a child of another test, and cannot be run then.
pub(crate) fn link_fake(name: &str, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(crate_file(&format!("tests/fakes/{name}")), path).unwrap();
}

pub(crate) fn crate_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Flink home of version 1.20.5, as far as anyone looks.
pub(crate) fn flink_home() -> TempDir {
    directory_with(&[
        ("bin/flink", ""),
        ("bin/config.sh", ""),
        ("bin/bash-java-utils.jar", ""),
        ("conf/config.yaml", "rest:\n  port: 8081\n"),
        ("lib/flink-dist-1.20.5.jar", ""),
        ("lib/log4j.jar", ""),
        ("opt/flink-python-1.20.5.jar", ""),
        ("plugins/gpu/gpu.jar", ""),
        ("plugins/gpu/discover.sh", ""),
        ("log/old.log", ""),
    ])
}
