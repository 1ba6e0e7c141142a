//! The files that a job is made from: hashed here, sent only where the server does not have them.

mod directory;
mod upload;

use std::{
    io,
    io::Read as _,
    path::{Path, PathBuf},
};

use flumen_api_types::Artifact;
use flumen_model::{ArtifactRole, ArtifactUrl, Dependency, Digest, JobKind, JobSpec};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::{Error, client::Client, job_files::Defined, printer::Progress, text};

const BUFFER: usize = 256 * 1024;
/// What the path of a file begins with that is in the image already.
const IN_IMAGE: &str = "local://";

/// Hashes every file that the job names and sends those that the server lacks.
pub(crate) async fn upload(
    client: &Client,
    defined: &Defined,
    progress: &Progress,
) -> Result<Vec<Artifact>, Error> {
    upload_all(client, defined, files(&defined.spec), progress).await
}

/// As [`upload`], without the main artifact.
pub(crate) async fn upload_dependencies(
    client: &Client,
    defined: &Defined,
    progress: &Progress,
) -> Result<Vec<Artifact>, Error> {
    let mut files = Vec::new();
    add_dependencies(&defined.spec, &mut files);
    upload_all(client, defined, files, progress).await
}

async fn upload_all(
    client: &Client,
    defined: &Defined,
    files: Vec<(&str, ArtifactRole)>,
    progress: &Progress,
) -> Result<Vec<Artifact>, Error> {
    let mut artifacts = Vec::new();
    for (named, role) in files {
        let (source, artifact) = hashed(defined, named, role, progress)?;
        let path = source.path();
        let failed = |source| unreadable(defined, named, path, source);
        if let Some(before) = upload::send(client, &artifact, path, progress, failed).await? {
            progress.line(told(&artifact, before));
        }
        artifacts.push(artifact);
    }
    Ok(artifacts)
}

fn told(artifact: &Artifact, before: u64) -> String {
    let (name, size) = (&artifact.name, text::bytes(artifact.size));
    match before {
        0 => format!("  uploaded {name} ({size})"),
        before => format!("  uploaded {name} ({size}, {} of it before)", text::bytes(before)),
    }
}

/// Hashes every file that the job names, and sends none.
pub(crate) fn hash_all(defined: &Defined, progress: &Progress) -> Result<Vec<Artifact>, Error> {
    let files = files(&defined.spec).into_iter();
    files.map(|(named, role)| Ok(hashed(defined, named, role, progress)?.1)).collect()
}

/// Where the bytes of an artifact are: in the file that the job names, or in an archive of the directory that it names.
enum Source {
    File(PathBuf),
    Packed(NamedTempFile),
}

impl Source {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Packed(file) => file.path(),
        }
    }
}

fn hashed(
    defined: &Defined,
    named: &str,
    role: ArtifactRole,
    progress: &Progress,
) -> Result<(Source, Artifact), Error> {
    let path = defined.folder.join(named);
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |source| unreadable(defined, named, &path, source);
    let is_packed = matches!(role, ArtifactRole::Python | ArtifactRole::Archive) && path.is_dir();
    let source = if is_packed {
        progress.say(format!("packing {name}"));
        name.push_str(".zip");
        Source::Packed(directory::pack(&path).map_err(failed)?)
    } else {
        Source::File(path.clone())
    };
    progress.say(format!("hashing {name}"));
    let (digest, size) = hash(source.path()).map_err(failed)?;
    Ok((source, Artifact { path: named.to_owned(), digest, name, role, size }))
}

fn unreadable(defined: &Defined, named: &str, path: &Path, source: io::Error) -> Error {
    Error::ReadArtifact {
        job: format!("the job {}", defined.spec.name),
        named: named.to_owned(),
        file: path.to_owned(),
        source,
    }
}

/// The paths that a job names, each with what the file is for.
fn files(spec: &JobSpec) -> Vec<(&str, ArtifactRole)> {
    let main = match spec.kind {
        JobKind::Jar => ArtifactRole::Usrlib,
        JobKind::Sql => ArtifactRole::Script,
        JobKind::Python => ArtifactRole::Python,
    };
    let main = (spec.artifact.as_str(), main);
    let is_here = !ArtifactUrl::is_meant(main.0) && !main.0.starts_with(IN_IMAGE);
    let mut files = if is_here { vec![main] } else { Vec::new() };
    add_dependencies(spec, &mut files);
    files
}

/// Adds the files that a job needs beside its main artifact, unless they are there already.
fn add_dependencies<'s>(spec: &'s JobSpec, files: &mut Vec<(&'s str, ArtifactRole)>) {
    // The rest is fetched by the server.
    let dependencies = spec.dependencies.iter().filter_map(|dependency| match dependency {
        Dependency::File(file) => Some((file.path.as_str(), file.role)),
        Dependency::Maven(_) | Dependency::Url(_) => None,
    });
    for file in dependencies {
        if !file.0.starts_with(IN_IMAGE) && !files.contains(&file) {
            files.push(file);
        }
    }
}

fn hash(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((Digest::from_sha256(&hasher.finalize().into()), size));
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_lie_elsewhere_are_not_uploaded_and_none_twice() {
        let spec = r#"{"name":"a","environment":"local","flinkVersion":"1.20.5","artifact":"a.jar",
            "dependencies":[{"path":"a.jar"},{"path":"b.jar","role":"lib"},{"path":"local:///opt/c.jar"},
            {"url":"https://files.example/d.jar"},{"maven":"g:e:1"}]}"#;
        let mut spec: JobSpec = serde_json::from_str(spec).expect("valid");
        let lib = ("b.jar", ArtifactRole::Lib);
        assert_eq!(files(&spec), [("a.jar", ArtifactRole::Usrlib), lib]);
        spec.artifact = "https://files.example/a.jar".to_owned();
        spec.dependencies.remove(0);
        assert_eq!(files(&spec), [lib]);
    }

    #[test]
    fn the_digest_is_that_of_sha256sum() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a");
        std::fs::write(&path, "abc").expect("written");
        let (digest, size) = hash(&path).expect("hashed");
        assert_eq!(size, 3);
        assert_eq!(
            digest.hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(hash(directory.path()).is_err(), "a folder is no artifact");
    }
}
