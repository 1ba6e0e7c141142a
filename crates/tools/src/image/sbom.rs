//! What files say that are put into an image, for the list of them.

use std::path::PathBuf;

use flumen_image::{Checksums, SbomFile, SbomJar, SbomLicense, checksums};
use flumen_jar::{Artifact, Jar};
use flumen_release_policy::Licence;

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
        let Checksums { sha1, sha256 } = checksums(source).map_err(|error| Error::ReadFile {
            file: source.display().to_string(),
            source: error,
        })?;
        let mut packages = Vec::new();
        if source.extension().is_some_and(|extension| extension == "jar") {
            match jar::inspect_file(source) {
                Ok(jar) => packages = said(&jar, maven.as_ref()).packages(),
                Err(error) => {
                    let cause = std::error::Error::source(&error);
                    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                    streams.note(&format!(
                        "warning: {error}{cause}; the list of what was put in names it as a file only"
                    ))?;
                }
            }
        }
        let (path, comment, is_unpacked) = (path.clone(), None, false);
        known.push(SbomFile { path, sha1, sha256, comment, is_unpacked, packages });
    }
    Ok(known)
}

fn said(jar: &Jar, maven: Option<&(Artifact, Licence)>) -> SbomJar {
    let coordinates = |it: &Artifact| [it.group.clone(), it.artifact.clone(), it.version.clone()];
    SbomJar {
        own: maven.map(|(artifact, said)| (coordinates(artifact), license(said))),
        classifier: None,
        inside: jar.artifacts.iter().map(coordinates).collect(),
        of_manifest: jar
            .manifest
            .license
            .as_deref()
            .map(|text| license(&Licence::of_manifest(text)))
            .unwrap_or_default(),
    }
}

fn license(said: &Licence) -> SbomLicense {
    let unrecognised = said.unrecognised().map(str::to_owned).collect();
    SbomLicense { expression: said.spdx(), unrecognised }
}
