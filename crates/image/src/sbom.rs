//! What was put into an image, or what a job is released from, as SPDX 2.3 in JSON: the files with their digests, and what
//! they are made of. No clock and no chance is in it, so that the same things have the same document.

use std::fmt::Write as _;

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

/// What a document is about.
#[derive(Debug, Clone, Copy)]
pub enum SbomSubject<'a> {
    /// An image, which is named by its digest.
    Image(&'a Reference),
    /// A release of a job, wherever its files are put.
    Release {
        /// The name of the job.
        name: &'a str,
        /// The id of the release, `sha256:` and hex.
        id: &'a str,
    },
}

/// What a document says.
#[derive(Debug, Clone, Copy)]
pub struct Sbom<'a> {
    /// What it is about.
    pub subject: SbomSubject<'a>,
    /// The image that the subject stands on, by digest, if it is to be named.
    pub base: Option<&'a Reference>,
    /// The files.
    pub files: &'a [SbomFile],
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SbomFile {
    /// Its path in the image, without the slash at the beginning.
    pub path: String,
    /// Its SHA-1 in hex.
    pub sha1: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// What else is to be said of it.
    pub comment: Option<String>,
    /// Whether it is an archive that does not lie in the image itself but unpacked. It must have one package, which stands
    /// for it.
    pub is_unpacked: bool,
    /// What it is made of.
    pub packages: Vec<SbomPackage>,
}

/// What a package is called where it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SbomOrigin {
    /// An artifact of a Maven repository.
    Maven {
        /// Its group.
        group: String,
        /// Its name.
        artifact: String,
        /// What tells it apart from other files of that name, if something does.
        classifier: Option<String>,
    },
    /// A package of Python, with its name as indexes spell it.
    Python {
        /// Its name.
        name: String,
    },
}

/// A package in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SbomPackage {
    /// What it is called.
    pub origin: SbomOrigin,
    /// Its version.
    pub version: String,
    /// Its licence.
    pub license: SbomLicense,
}

/// A licence, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SbomLicense {
    /// It as a valid SPDX expression.
    pub expression: Option<String>,
    /// The words for it that stand for no known licence.
    pub unrecognised: Vec<String>,
}

/// What is said of a jar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SbomJar {
    /// Group, name and version that it was had by, with the licence that its POM names.
    pub own: Option<([String; 3], SbomLicense)>,
    /// What tells it apart from other files that are had by these.
    pub classifier: Option<String>,
    /// Groups, names and versions of what it says it was made of.
    pub inside: Vec<[String; 3]>,
    /// The licence that its manifest names.
    pub of_manifest: SbomLicense,
}

impl SbomJar {
    /// What it is made of. Its POM speaks for the jar itself, and its manifest where that has no word; of what was put into
    /// a jar nothing says the licence.
    pub fn packages(self) -> Vec<SbomPackage> {
        let Self { own, classifier, mut inside, of_manifest } = self;
        let (own, of_pom) = own.unzip();
        if let Some(own) = own.as_ref().filter(|own| !inside.contains(own)) {
            inside.insert(0, own.clone());
        }
        let is_alone = inside.len() == 1;
        let is_own =
            |coordinates: &[String; 3]| own.as_ref().map_or(is_alone, |own| own == coordinates);
        let license = |coordinates: &[String; 3]| {
            if !is_own(coordinates) {
                return SbomLicense::default();
            }
            let said = of_pom.clone().filter(|said| *said != SbomLicense::default());
            said.unwrap_or_else(|| of_manifest.clone())
        };
        let package = |coordinates: [String; 3]| {
            let license = license(&coordinates);
            let classifier = classifier.clone().filter(|_| is_own(&coordinates));
            let [group, artifact, version] = coordinates;
            let origin = SbomOrigin::Maven { group, artifact, classifier };
            SbomPackage { origin, version, license }
        };
        inside.into_iter().map(package).collect()
    }
}

impl Sbom<'_> {
    /// The document.
    pub fn document(&self) -> Value {
        let mut written = Written::default();
        let about = self.subject.id();
        written.relate("SPDXRef-DOCUMENT", "DESCRIBES", about);
        written.packages.push(self.subject.package());
        if let Some(base) = self.base {
            written.packages.push(image_package(BASE, base));
            written.relate(about, self.subject.relation_to_base(), BASE);
        }
        for (number, file) in self.files.iter().enumerate() {
            written.add(about, number, file);
        }
        json!({
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": self.subject.name(),
            "documentNamespace": self.namespace(),
            "creationInfo": {
                "created": EPOCH,
                "creators": [concat!("Tool: flumen-", env!("CARGO_PKG_VERSION"))],
            },
            "packages": written.packages,
            "files": written.files,
            "relationships": written.relations,
        })
    }

    /// What no other document is called. An image has one base, and a release any.
    fn namespace(&self) -> String {
        let place = "https://spdx.org/spdxdocs";
        match (self.subject, self.base) {
            (SbomSubject::Image(image), _) => {
                format!("{place}/flumen-image-{}", hex(image.manifest_name()))
            }
            (SbomSubject::Release { id, .. }, None) => {
                format!("{place}/flumen-release-{}", hex(id))
            }
            (SbomSubject::Release { id, .. }, Some(base)) => {
                format!("{place}/flumen-release-{}-on-{}", hex(id), hex(base.manifest_name()))
            }
        }
    }
}

const IMAGE: &str = "SPDXRef-Image";
const RELEASE: &str = "SPDXRef-Release";
const BASE: &str = "SPDXRef-Base";

impl SbomSubject<'_> {
    const fn id(&self) -> &'static str {
        match self {
            Self::Image(_) => IMAGE,
            Self::Release { .. } => RELEASE,
        }
    }

    const fn relation_to_base(&self) -> &'static str {
        match self {
            Self::Image(_) => "DESCENDANT_OF",
            Self::Release { .. } => "DEPENDS_ON",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Image(image) => format!("{}@{}", image.repository(), image.manifest_name()),
            Self::Release { name, id } => format!("{name}@{id}"),
        }
    }

    fn package(&self) -> Value {
        match self {
            Self::Image(image) => image_package(IMAGE, image),
            Self::Release { name, id } => package(RELEASE, (name, id)),
        }
    }
}

/// The parts of a document.
#[derive(Default)]
struct Written {
    packages: Vec<Value>,
    files: Vec<Value>,
    relations: Vec<Value>,
}

impl Written {
    fn relate(&mut self, from: &str, kind: &str, to: &str) {
        self.relations.push(json!({
            "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to,
        }));
    }

    fn add(&mut self, about: &str, number: usize, file: &SbomFile) {
        let checksums = json!([
            { "algorithm": "SHA1", "checksumValue": file.sha1 },
            { "algorithm": "SHA256", "checksumValue": file.sha256 },
        ]);
        if file.is_unpacked {
            for package in &file.packages {
                let id = self.add_package(package);
                if let Some(described) = self.packages.last_mut() {
                    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
                    described["packageFileName"] = json!(name);
                    described["checksums"] = checksums.clone();
                    if let Some(comment) = &file.comment {
                        described["comment"] = json!(comment);
                    }
                }
                self.relate(about, "CONTAINS", &id);
            }
            return;
        }
        let id = format!("SPDXRef-File-{number}");
        // A package whose files were not all looked at contains none, by the rules of SPDX.
        self.relate(&id, "FILE_ADDED", about);
        let mut listed = json!({
            "SPDXID": id, "fileName": format!("./{}", file.path), "checksums": checksums,
        });
        if let Some(comment) = &file.comment {
            listed["comment"] = json!(comment);
        }
        self.files.push(listed);
        for package in &file.packages {
            let package = self.add_package(package);
            self.relate(&id, "CONTAINS", &package);
        }
    }

    fn add_package(&mut self, added: &SbomPackage) -> String {
        let SbomPackage { origin, version, license } = added;
        let id = format!("SPDXRef-Package-{}", self.packages.len());
        let number = escaped(version);
        let (name, mut purl) = match origin {
            SbomOrigin::Maven { group, artifact, .. } => {
                let purl = format!("pkg:maven/{}/{}@{number}", escaped(group), escaped(artifact));
                (format!("{group}:{artifact}"), purl)
            }
            SbomOrigin::Python { name } => {
                (name.clone(), format!("pkg:pypi/{}@{number}", escaped(name)))
            }
        };
        if let SbomOrigin::Maven { classifier: Some(classifier), .. } = origin {
            purl = format!("{purl}?classifier={}", escaped(classifier));
        }
        let mut described = package(&id, (&name, version));
        described["externalRefs"] = purls(&purl);
        if let Some(expression) = &license.expression {
            described["licenseDeclared"] = json!(expression);
        }
        if !license.unrecognised.is_empty() {
            let words = license.unrecognised.join("; ");
            let comment = format!("It names a licence that has no SPDX id here: {words}");
            described["licenseComments"] = json!(comment);
        }
        self.packages.push(described);
        id
    }
}

fn package(id: &str, (name, version): (&str, &str)) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "versionInfo": version,
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "licenseDeclared": NO_ASSERTION,
        "copyrightText": NO_ASSERTION,
    })
}

fn image_package(id: &str, image: &Reference) -> Value {
    let (repository, version) = (image.repository(), image.manifest_name());
    let name = repository.rsplit('/').next().unwrap_or(repository);
    let place = format!("{}/{repository}", image.registry());
    let mut described = package(id, (&place, version));
    let purl = format!("pkg:oci/{name}@{}?repository_url={place}", version.replace(':', "%3A"));
    described["externalRefs"] = purls(&purl);
    described
}

fn purls(purl: &str) -> Value {
    json!([{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": purl,
    }])
}

/// A part of a package URL.
fn escaped(part: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    part.bytes().fold(String::new(), |mut text, byte| {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn hex(digest: &str) -> &str {
    digest.rsplit(':').next().unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coordinates(artifact: &str) -> [String; 3] {
        ["g", artifact, "1"].map(str::to_owned)
    }

    fn license(id: &str) -> SbomLicense {
        SbomLicense { expression: Some(id.to_owned()), unrecognised: Vec::new() }
    }

    fn licenses(jar: SbomJar) -> Vec<Option<String>> {
        jar.packages().into_iter().map(|one| one.license.expression).collect()
    }

    #[test]
    fn a_pom_speaks_for_its_jar_and_else_the_manifest_and_nothing_for_what_was_put_in() {
        let known = |id: &str| Some(id.to_owned());
        let inside = vec![coordinates("a"), coordinates("b")];
        let own = Some((coordinates("a"), license("MIT")));
        let jar = SbomJar {
            own,
            classifier: None,
            inside: inside.clone(),
            of_manifest: license("Apache-2.0"),
        };
        assert_eq!(licenses(jar.clone()), [known("MIT"), None]);
        let own = Some((coordinates("a"), SbomLicense::default()));
        assert_eq!(licenses(SbomJar { own, ..jar.clone() }), [known("Apache-2.0"), None]);
        assert_eq!(licenses(SbomJar { own: None, ..jar.clone() }), [None, None]);
        let alone = SbomJar { own: None, inside: vec![coordinates("a")], ..jar };
        assert_eq!(licenses(alone), [known("Apache-2.0")]);
    }

    #[test]
    fn what_a_url_of_a_package_cannot_hold_is_escaped() {
        assert_eq!(escaped("1.0+cpu-a_b~c"), "1.0%2Bcpu-a_b~c");
    }
}
