//! What was put into an image, as SPDX 2.3 in JSON: the files with their digests, and what jars say that they are
//! made of. No clock and no chance is in it, so that the same image has the same document.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use flumen_image::Reference;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::{Error, Streams, jar};

pub(super) const MEDIA_TYPE: &str = "application/spdx+json";
pub(super) const TITLE: &str = "sbom.spdx.json";
/// What stands for the time, which must not make a difference.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// A file of an image.
pub(super) struct Added {
    /// Its path in the image, without the slash at the beginning.
    pub(super) path: String,
    /// Where it was read.
    pub(super) source: PathBuf,
}

/// A file and what is known of it.
pub(super) struct Known {
    path: String,
    sha1: String,
    sha256: String,
    /// `(group, artifact, version)` of what a jar says that it is made of.
    artifacts: Vec<(String, String, String)>,
}

/// Reads the files.
pub(super) fn look_at(files: &[Added], streams: &mut Streams<'_>) -> Result<Vec<Known>, Error> {
    let mut known = Vec::new();
    for Added { path, source } in files {
        let (sha1, sha256) = checksums(source).map_err(|error| Error::ReadFile {
            file: source.display().to_string(),
            source: error,
        })?;
        let mut artifacts = Vec::new();
        if source.extension().is_some_and(|extension| extension == "jar") {
            match jar::inspect_file(source) {
                Ok(jar) => artifacts.extend(
                    jar.artifacts
                        .iter()
                        .map(|it| (it.group.clone(), it.artifact.clone(), it.version.clone())),
                ),
                Err(error) => {
                    let cause = std::error::Error::source(&error);
                    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                    streams.note(&format!(
                        "warning: {error}{cause}; the list of what was put in names it as a file only"
                    ))?;
                }
            }
        }
        known.push(Known { path: path.clone(), sha1, sha256, artifacts });
    }
    Ok(known)
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

/// The document about `image`, which is named by its digest.
pub(super) fn document(image: &Reference, files: &[Known]) -> Value {
    let digest = image.manifest_name();
    let hex = digest.rsplit(':').next().unwrap_or(digest);
    let mut packages = vec![image_package(image, digest)];
    let mut listed = Vec::new();
    let mut relations = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE)];
    for (number, file) in files.iter().enumerate() {
        let id = format!("SPDXRef-File-{number}");
        relations.push(relation(IMAGE, "CONTAINS", &id));
        listed.push(json!({
            "SPDXID": id,
            "fileName": format!("./{}", file.path),
            "checksums": [
                { "algorithm": "SHA1", "checksumValue": file.sha1 },
                { "algorithm": "SHA256", "checksumValue": file.sha256 },
            ],
        }));
        for (group, artifact, version) in &file.artifacts {
            let package = format!("SPDXRef-Package-{}", packages.len());
            relations.push(relation(&id, "CONTAINS", &package));
            let purl = format!("pkg:maven/{group}/{artifact}@{version}");
            packages.push(json!({
                "SPDXID": package,
                "name": format!("{group}:{artifact}"),
                "versionInfo": version,
                "downloadLocation": "NOASSERTION",
                "filesAnalyzed": false,
                "externalRefs": [purl_reference(&purl)],
            }));
        }
    }
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": format!("{}@{digest}", image.repository()),
        "documentNamespace": format!("https://spdx.org/spdxdocs/flumen-image-{hex}"),
        "creationInfo": {
            "created": EPOCH,
            "creators": [concat!("Tool: flumen-", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "files": listed,
        "relationships": relations,
    })
}

const IMAGE: &str = "SPDXRef-Image";

fn image_package(image: &Reference, digest: &str) -> Value {
    let repository = image.repository();
    let name = repository.rsplit('/').next().unwrap_or(repository);
    let place = format!("{}/{repository}", image.registry());
    let purl = format!("pkg:oci/{name}@{}?repository_url={place}", digest.replace(':', "%3A"));
    json!({
        "SPDXID": IMAGE,
        "name": place,
        "versionInfo": digest,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "externalRefs": [purl_reference(&purl)],
    })
}

fn purl_reference(purl: &str) -> Value {
    json!({
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": purl,
    })
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}
