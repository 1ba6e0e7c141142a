//! `META-INF/maven/GROUP/ARTIFACT/pom.properties`, and the one property of a POM that matters.

use crate::Artifact;

/// The value of a key in a properties file, which Maven writes without escapes.
pub(crate) fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

pub(crate) fn artifact(text: &str) -> Option<Artifact> {
    let of = |key| value(text, key).map(str::to_owned);
    Some(Artifact { group: of("groupId")?, artifact: of("artifactId")?, version: of("version")? })
}

/// What `<flink.version>` holds, the property that Flink's quickstarts give a project.
pub(crate) fn flink_version(pom: &str) -> Option<&str> {
    let (_, after) = pom.split_once("<flink.version>")?;
    after.split_once("</flink.version>").map(|(version, _)| version.trim())
}
