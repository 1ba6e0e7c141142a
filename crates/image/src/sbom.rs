//! What was put into an image, as SPDX 2.3 in JSON: the files with their digests, and what jars say that they are
//! made of. No clock and no chance is in it, so that the same image has the same document.

use serde_json::{Value, json};

use crate::Reference;

/// The media type of the document.
pub const SBOM_MEDIA_TYPE: &str = "application/spdx+json";
/// The name of its file.
pub const SBOM_TITLE: &str = "sbom.spdx.json";
/// What stands for the time, which must not make a difference.
const EPOCH: &str = "1970-01-01T00:00:00Z";
/// What stands for what is not known.
const NO_ASSERTION: &str = "NOASSERTION";

/// A file of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SbomFile {
    /// Its path in the image, without the slash at the beginning.
    pub path: String,
    /// Its SHA-1 in hex.
    pub sha1: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// What it is made of.
    pub packages: Vec<SbomPackage>,
}

/// A Maven artifact in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SbomPackage {
    /// Its group.
    pub group: String,
    /// Its name.
    pub artifact: String,
    /// Its version.
    pub version: String,
    /// Its licence as a valid SPDX expression, if it is known.
    pub license: Option<String>,
    /// What is said of a licence that is not known.
    pub license_comment: Option<String>,
}

/// The document about what was put into `image`, which is named by its digest.
pub fn sbom(image: &Reference, files: &[SbomFile]) -> Value {
    let digest = image.manifest_name();
    let hex = digest.rsplit(':').next().unwrap_or(digest);
    let mut packages = vec![image_package(image, digest)];
    let mut listed = Vec::new();
    let mut relations = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE)];
    for (number, file) in files.iter().enumerate() {
        let id = format!("SPDXRef-File-{number}");
        // A package whose files were not all looked at contains none, by the rules of SPDX.
        relations.push(relation(&id, "FILE_ADDED", IMAGE));
        listed.push(json!({
            "SPDXID": id,
            "fileName": format!("./{}", file.path),
            "checksums": [
                { "algorithm": "SHA1", "checksumValue": file.sha1 },
                { "algorithm": "SHA256", "checksumValue": file.sha256 },
            ],
        }));
        for package in &file.packages {
            let number = format!("SPDXRef-Package-{}", packages.len());
            relations.push(relation(&id, "CONTAINS", &number));
            packages.push(maven_package(&number, package));
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

fn maven_package(id: &str, package: &SbomPackage) -> Value {
    let SbomPackage { group, artifact, version, license, license_comment } = package;
    let mut described = json!({
        "SPDXID": id,
        "name": format!("{group}:{artifact}"),
        "versionInfo": version,
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": license.as_deref().unwrap_or(NO_ASSERTION),
        "copyrightText": NO_ASSERTION,
        "externalRefs": [purl_reference(&format!("pkg:maven/{group}/{artifact}@{version}"))],
    });
    if let Some(comment) = license_comment {
        described["licenseComments"] = json!(comment);
    }
    described
}

fn image_package(image: &Reference, digest: &str) -> Value {
    let repository = image.repository();
    let name = repository.rsplit('/').next().unwrap_or(repository);
    let place = format!("{}/{repository}", image.registry());
    let purl = format!("pkg:oci/{name}@{}?repository_url={place}", digest.replace(':', "%3A"));
    json!({
        "SPDXID": IMAGE,
        "name": place,
        "versionInfo": digest,
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": NO_ASSERTION,
        "copyrightText": NO_ASSERTION,
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
