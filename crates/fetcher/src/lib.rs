#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

use std::fmt::Write as _;

use flumen_model::{Digest, Secret};

/// The jar, which runs on Java 8 and later.
pub static JAR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/flumen-fetcher.jar"));

/// A file that is to be fetched.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it is put, below the directory that the program is given: names with `/` between them.
    pub path: String,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where it is: `http` or `https`. It may have a signature in it.
    pub url: Secret,
}

/// The list that the program reads: `java -jar flumen-fetcher.jar LIST DIRECTORY`.
pub fn list(files: &[File]) -> Secret {
    let mut text = String::new();
    for File { path, digest, size, url } in files {
        writeln!(text, "{}\t{size}\t{path}\t{}", digest.hex(), url.expose())
            .expect("writing to a String does not fail");
    }
    Secret::new(text)
}

/// Whether a path can stand in a list, and be mounted by itself into a container.
pub fn is_path(path: &str) -> bool {
    let is_name = |name: &str| !matches!(name, "" | "." | "..");
    let is_plain = |one: char| !one.is_control() && one != ':';
    path.chars().all(is_plain) && path.split('/').all(is_name)
}
