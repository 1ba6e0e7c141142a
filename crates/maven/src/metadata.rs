//! `maven-metadata.xml`: which versions there are, and which file a snapshot is today.

use crate::xml::{self, XmlError, child, listed, own_text, text_of};

/// What a repository says of an artifact or of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Metadata {
    pub(crate) versions: Vec<String>,
    snapshots: Vec<Snapshot>,
    /// Time and number of the newest build, as they stand in names of files: `20240101.120000-3`.
    newest: Option<String>,
    pub(crate) last_updated: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Snapshot {
    extension: String,
    classifier: String,
    version: String,
}

impl Metadata {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        xml::read(&xml::decode(bytes), "metadata", |root| {
            let Some(versioning) = child(root, "versioning") else { return Self::default() };
            let newest = child(versioning, "snapshot").and_then(|snapshot| {
                let time = text_of(snapshot, "timestamp")?;
                Some(format!("{time}-{}", text_of(snapshot, "buildNumber")?))
            });
            let snapshots = listed(versioning, "snapshotVersions", "snapshotVersion");
            Self {
                versions: listed(versioning, "versions", "version").map(own_text).collect(),
                snapshots: snapshots
                    .map(|node| Snapshot {
                        extension: text_of(node, "extension").unwrap_or_default(),
                        classifier: text_of(node, "classifier").unwrap_or_default(),
                        version: text_of(node, "value").unwrap_or_default(),
                    })
                    .collect(),
                newest,
                last_updated: text_of(versioning, "lastUpdated").unwrap_or_default(),
            }
        })
    }

    /// The version in the name of the file of a snapshot; none if the metadata does not say.
    pub(crate) fn file_version(
        &self,
        version: &str,
        extension: &str,
        classifier: &str,
    ) -> Option<String> {
        let listed = self
            .snapshots
            .iter()
            .find(|one| one.extension == extension && one.classifier == classifier)
            .map(|one| one.version.clone());
        let base = version.strip_suffix("SNAPSHOT")?;
        listed.or_else(|| self.newest.as_ref().map(|newest| format!("{base}{newest}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_the_file_that_is_listed_or_the_newest_build() {
        let metadata = Metadata::parse(
            b"<metadata><versioning><snapshot><timestamp>20240101.120000</timestamp><buildNumber>3</buildNumber>
              </snapshot><lastUpdated>20240101120000</lastUpdated><snapshotVersions><snapshotVersion>
              <extension>pom</extension><value>1.0-20240101.115959-3</value></snapshotVersion></snapshotVersions>
              </versioning></metadata>",
        )
        .expect("metadata");
        let version = |extension| metadata.file_version("1.0-SNAPSHOT", extension, "");
        assert_eq!(version("pom").as_deref(), Some("1.0-20240101.115959-3"));
        assert_eq!(version("jar").as_deref(), Some("1.0-20240101.120000-3"));
        assert_eq!(metadata.file_version("1.0", "jar", ""), None);
    }
}
