//! What files say that are put into an image, for the list of them.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use flumen_image::{SbomFile, SbomPackage};
use flumen_jar::{Artifact, Jar};
use flumen_release_policy::Licence;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::{Error, Streams, jar};

/// A file of an image.
pub(super) struct Added {
    /// Its path in the image, without the slash at the beginning.
    pub(super) path: String,
    /// Where it was read.
    pub(super) source: PathBuf,
    /// What it is in a Maven repository, with the licence that its POM names, if it is from there.
    pub(super) maven: Option<(Artifact, Licence)>,
}

/// Reads the files.
pub(super) fn look_at(files: &[Added], streams: &mut Streams<'_>) -> Result<Vec<SbomFile>, Error> {
    let mut known = Vec::new();
    for Added { path, source, maven } in files {
        let (sha1, sha256) = checksums(source).map_err(|error| Error::ReadFile {
            file: source.display().to_string(),
            source: error,
        })?;
        let mut packages = Vec::new();
        if source.extension().is_some_and(|extension| extension == "jar") {
            match jar::inspect_file(source) {
                Ok(jar) => packages = made_of(&jar, maven.as_ref()),
                Err(error) => {
                    let cause = std::error::Error::source(&error);
                    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                    streams.note(&format!(
                        "warning: {error}{cause}; the list of what was put in names it as a file only"
                    ))?;
                }
            }
        }
        known.push(SbomFile { path: path.clone(), sha1, sha256, packages });
    }
    Ok(known)
}

/// What a jar is made of. Its POM speaks for the jar itself, and its manifest where that has no word; of what was put into a
/// jar nothing says the licence.
fn made_of(jar: &Jar, maven: Option<&(Artifact, Licence)>) -> Vec<SbomPackage> {
    let own = maven.map(|(artifact, _)| artifact);
    let mut artifacts: Vec<&Artifact> = jar.artifacts.iter().collect();
    if let Some(own) = own.filter(|own| !artifacts.contains(own)) {
        artifacts.insert(0, own);
    }
    let is_alone = artifacts.len() == 1;
    let package = |artifact: &Artifact| {
        let is_own = own.map_or(is_alone, |own| own == artifact);
        let of_pom = maven.filter(|_| is_own).map(|(_, licence)| licence.clone());
        let of_manifest =
            || jar.manifest.license.as_deref().filter(|_| is_own).map(Licence::of_manifest);
        let licence = of_pom.filter(|licence| !licence.choices.is_empty()).or_else(of_manifest);
        let licence = licence.unwrap_or_default();
        let unknown: Vec<&str> = licence.unrecognised().collect();
        SbomPackage {
            group: artifact.group.clone(),
            artifact: artifact.artifact.clone(),
            version: artifact.version.clone(),
            license: licence.spdx(),
            license_comment: (!unknown.is_empty()).then(|| {
                format!("It names a licence that has no SPDX id here: {}", unknown.join("; "))
            }),
        }
    };
    artifacts.into_iter().map(package).collect()
}

fn checksums(file: &Path) -> io::Result<(String, String)> {
    let mut file = File::open(file)?;
    let (mut sha1, mut sha256) = (Sha1::new(), Sha256::new());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(&sha1.finalize()), hex(&sha256.finalize()))),
            count => {
                sha1.update(&buffer[..count]);
                sha256.update(&buffer[..count]);
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
