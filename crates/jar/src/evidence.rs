//! Which Flink and which Scala the artifacts in a jar are for.

use std::collections::BTreeSet;

use flumen_model::{FlinkMinor, FlinkVersion};

use crate::{Artifact, EvidenceKind, FlinkEvidence, Manifest, Scala};

/// The group of Flink's own artifacts.
pub(crate) const GROUP: &str = "org.apache.flink";

/// The Flink version that an artifact of Flink says it is for: its own version, or what follows the dash in
/// that of a connector with releases of its own (`3.4.0-1.20`).
pub(crate) fn of_artifact(artifact: &Artifact) -> Option<FlinkEvidence> {
    let source = format!("{}:{}:{}", artifact.group, artifact.artifact, artifact.version);
    let evidence =
        |version: &str, kind| FlinkEvidence { version: version.to_owned(), source, kind };
    let is_of_flink = artifact.group == GROUP;
    if let Some((_, minor)) = artifact.version.rsplit_once('-')
        && is_minor(minor)
    {
        let kind = if is_of_flink { EvidenceKind::Connector } else { EvidenceKind::Hint };
        return Some(evidence(minor, kind));
    }
    let is_flink = is_of_flink && !artifact.artifact.contains("shaded");
    let is_version = artifact.version.parse::<FlinkVersion>().is_ok();
    // Flink CDC counts its own versions, which look like Flink's.
    let is_cdc = artifact.artifact.contains("cdc");
    (is_flink && is_version && !is_cdc).then(|| evidence(&artifact.version, EvidenceKind::Flink))
}

/// What the manifest of one of Flink's own jars says: its title begins with `Flink :`, and its version is that
/// of the artifact.
pub(crate) fn of_manifest(manifest: &Manifest) -> Option<FlinkEvidence> {
    let (title, version) = (manifest.title.as_ref()?, manifest.version.as_ref()?);
    title.strip_prefix("Flink :")?;
    let artifact = Artifact {
        group: GROUP.to_owned(),
        artifact: title.to_ascii_lowercase(),
        version: version.clone(),
    };
    let FlinkEvidence { version, kind, .. } = of_artifact(&artifact)?;
    let source = format!("{title} {}, in the manifest", artifact.version);
    Some(FlinkEvidence { version, source, kind })
}

/// What a POM in the jar says with its property `flink.version`.
pub(crate) fn of_pom(entry: &str, version: &str) -> Option<FlinkEvidence> {
    let is_version = version.parse::<FlinkVersion>().is_ok() || is_minor(version);
    let evidence = || FlinkEvidence {
        version: version.to_owned(),
        source: format!("flink.version of {entry}"),
        kind: EvidenceKind::Hint,
    };
    is_version.then(evidence)
}

/// The minors that the evidence names.
pub(crate) fn minors(evidence: &[FlinkEvidence]) -> Vec<String> {
    let minors: BTreeSet<FlinkMinor> = evidence.iter().filter_map(minor).collect();
    minors.iter().map(FlinkMinor::to_string).collect()
}

/// The minor that the evidence names.
pub(crate) fn minor(evidence: &FlinkEvidence) -> Option<FlinkMinor> {
    match evidence.version.parse::<FlinkVersion>() {
        Ok(version) => Some(version.minor()),
        Err(_) => evidence.version.parse::<FlinkMinor>().ok(),
    }
}

fn is_minor(text: &str) -> bool {
    text.parse::<FlinkMinor>().is_ok_and(FlinkMinor::is_supported)
}

/// Which Scala the artifacts and the library in the jar are of.
pub(crate) fn scala(artifacts: &[Artifact], is_bundled: bool, version: Option<String>) -> Scala {
    let suffixes: BTreeSet<&str> = artifacts.iter().filter_map(scala_suffix).collect();
    let suffixes = suffixes.into_iter().map(str::to_owned).collect();
    Scala { suffixes, is_bundled, version }
}

/// The Scala that the name of an artifact ends with.
pub(crate) fn scala_suffix(artifact: &Artifact) -> Option<&str> {
    let (_, suffix) = artifact.artifact.rsplit_once('_')?;
    let is_scala = suffix == "3" || suffix.strip_prefix("2.1").is_some_and(|it| it.len() == 1);
    is_scala.then_some(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(group: &str, artifact: &str, version: &str) -> Option<String> {
        let artifact = Artifact {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
        };
        of_artifact(&artifact).map(|evidence| evidence.version)
    }

    #[test]
    fn a_manifest_names_flink_if_the_jar_is_of_flink() {
        let version_of = |title: &str, version: &str| {
            let title = Some(title.to_owned());
            let manifest =
                Manifest { title, version: Some(version.to_owned()), ..Manifest::default() };
            of_manifest(&manifest).map(|evidence| evidence.version)
        };
        let kafka = "Flink : Connectors : SQL : Kafka";
        assert_eq!(version_of(kafka, "5.0.0-2.2").as_deref(), Some("2.2"));
        assert_eq!(version_of("Flink : Examples : Streaming", "2.3.0").as_deref(), Some("2.3.0"));
        assert_eq!(version_of("Paimon : Flink : 1.20", "1.13.1"), None);
        assert_eq!(version_of("Flink : CDC", "2.1.1"), None);
    }

    #[test]
    fn a_connector_names_its_flink_after_the_dash() {
        let flink = "org.apache.flink";
        let of = |artifact, version| version_of(flink, artifact, version);
        assert_eq!(of("flink-connector-kafka", "3.4.0-1.20").as_deref(), Some("1.20"));
        assert_eq!(of("flink-core", "1.20.5").as_deref(), Some("1.20.5"));
        assert_eq!(of("flink-sql-connector-mysql-cdc", "2.1.1"), None);
        assert_eq!(of("flink-shaded-jackson", "2.1.3"), None);
        assert_eq!(of("flink-core", "3.9.9"), None);
        assert_eq!(version_of("com.example", "job", "1.20.5"), None);
        assert_eq!(version_of("com.example", "job", "1.0-1.20").as_deref(), Some("1.20"));
    }
}
