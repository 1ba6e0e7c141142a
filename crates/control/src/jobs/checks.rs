//! What the jars of a job say before it is released.

use flumen_jar::{
    Artifact, Connector, Facts, Findings, ImageLib, ImageScala, Part, Problem, Program, Target,
    check,
};
use flumen_model::{
    ArtifactRole, ConfigurationValue, FlinkMinor, FlinkVersion, JobKind, JobSpec, UpgradeMode,
};
use flumen_sql::{FactoryKind, Origin, origin, release, with_scala};
use flumen_store::ReleaseArtifact;

use super::{Prepared, image_lib::parent_first, policy, uploaded::distinct};
use crate::{
    Control, Error,
    artifacts::is_jar,
    delivery::check_fetched,
    release::{content, is_generated, is_in_image},
};

/// Up to here every part of Flink is for one Scala.
const WITHOUT_SCALA: FlinkMinor = FlinkMinor::new(1, 15);

impl Control {
    /// Looks at all that a job is made from together. Returns what is doubtful about it.
    ///
    /// # Errors
    /// [`Error::Denied`] with all that the release policy denies, [`Error::Unfit`] with all that Flink would fail on; [`Error::Invalid`] for what is no jar, two files that would lie in one
    /// place, or an image that the pods cannot pull.
    pub(crate) async fn check_artifacts(
        &self,
        spec: &JobSpec,
        prepared: &Prepared,
    ) -> Result<Vec<String>, Error> {
        let artifacts = distinct(&prepared.artifacts)?;
        self.check_python_files(spec, &artifacts).await?;
        check_fetched(spec, &self.environment(&spec.environment).await?, &artifacts)?;
        let mut warnings = self.check_jars(spec, &artifacts).await?;
        let content = content(spec, artifacts, prepared.script.clone());
        warnings.extend(self.check_pull_secrets(spec, &content).await?);
        Ok(warnings)
    }

    async fn check_jars(
        &self,
        spec: &JobSpec,
        artifacts: &[ReleaseArtifact],
    ) -> Result<Vec<String>, Error> {
        let is_loaded = |one: &&ReleaseArtifact| {
            let role =
                matches!(one.role, ArtifactRole::Usrlib | ArtifactRole::Lib | ArtifactRole::Plugin);
            role && is_jar(&one.name) && !is_generated(&one.name)
        };
        let jars: Vec<&ReleaseArtifact> = artifacts.iter().filter(is_loaded).collect();
        if jars.is_empty() {
            return Ok(Vec::new());
        }
        let mut facts: Vec<Facts> = Vec::with_capacity(jars.len());
        for jar in &jars {
            facts.push(self.facts(jar).await?);
        }
        let mut looked_at = self.ask_policy(spec, || policy::of_jars(&jars, &facts))?;
        let maven: Vec<Option<Artifact>> = jars.iter().map(|jar| coordinates(jar)).collect();
        let parts: Vec<Part<'_>> = jars
            .iter()
            .zip(&facts)
            .zip(&maven)
            .map(|((jar, facts), maven)| {
                let (name, maven) = (jar.name.as_str(), maven.as_ref());
                Part { name, role: jar.role, maven, facts }
            })
            .collect();
        let scala = self.image_scala(spec).await?;
        let classes = self.image_classes(spec).await?;
        let parent_first = parent_first(spec);
        let lib = classes.as_deref();
        let target = Target {
            flink: spec.flink_version,
            scala: &scala,
            lib: lib.map(|classes| ImageLib { classes, parent_first: &parent_first }),
            program: program(spec, artifacts),
            keeps_state: keeps_state(spec),
            release_of: &|connector| release_of(connector, spec, &scala),
        };
        let Findings { errors, warnings } = check(&parts, &target);
        if errors.is_empty() {
            looked_at.extend(warnings.iter().map(Problem::to_string));
            return Ok(looked_at);
        }
        Err(Error::Unfit {
            job: spec.name.to_string(),
            flink: spec.flink_version,
            problems: errors.iter().map(Problem::to_string).collect(),
        })
    }
}

/// What Flink runs, as far as it can be looked for.
fn program<'a>(spec: &'a JobSpec, artifacts: &[ReleaseArtifact]) -> Program<'a> {
    let is_known = artifacts.first().is_some_and(|one| is_jar(&one.name));
    match (spec.kind, &spec.main_class) {
        (JobKind::Sql, _) => Program::Script,
        (JobKind::Python, _) => Program::InImage,
        (JobKind::Jar, _) if is_in_image(&spec.artifact) || !is_known => Program::InImage,
        (JobKind::Jar, Some(class)) => Program::Class(class),
        (JobKind::Jar, None) => Program::Manifest,
    }
}

/// Whether the job goes on with its state when its program is changed.
fn keeps_state(spec: &JobSpec) -> bool {
    let mode = spec.configuration.get("execution.runtime-mode");
    let is_batch =
        matches!(mode, Some(ConfigurationValue::Text(mode)) if mode.eq_ignore_ascii_case("batch"));
    spec.upgrade_mode != UpgradeMode::Stateless && !is_batch
}

/// What a file is in a Maven repository, from `group:artifact:type[:classifier]:version`.
pub(crate) fn coordinates(file: &ReleaseArtifact) -> Option<Artifact> {
    let mut parts = file.maven.as_deref()?.split(':').map(str::to_owned);
    let (group, artifact) = (parts.next()?, parts.next()?);
    Some(Artifact { group, artifact, version: parts.next_back()? })
}

/// The release of a connector for the Flink of the job, and its Scala.
fn release_of(connector: Connector<'_>, spec: &JobSpec, scala: &ImageScala) -> Option<String> {
    let version = spec.flink_version;
    let found = match connector {
        Connector::Artifact(it) => release(&it.group, &it.artifact, version)?,
        Connector::Identifier(it) => FactoryKind::ALL.into_iter().find_map(|kind| {
            match origin(kind, it, version) {
                // Without its version it may not be there.
                Origin::Maven { coordinates } if coordinates.split(':').count() == 3 => {
                    Some(coordinates)
                }
                _ => None,
            }
        })?,
    };
    Some(for_scala(found, version, scala))
}

/// The jar that brings a connector, format or catalog to Flink of this version and Scala, with its version where that is known.
pub(crate) fn jar_of(
    (kind, identifier): (FactoryKind, &str),
    version: FlinkVersion,
    scala: &ImageScala,
) -> Option<String> {
    match origin(kind, identifier, version) {
        Origin::Maven { coordinates } => Some(for_scala(coordinates, version, scala)),
        _ => None,
    }
}

fn for_scala(coordinates: String, version: FlinkVersion, scala: &ImageScala) -> String {
    match scala {
        ImageScala::Of(scala) if version.minor() < WITHOUT_SCALA => with_scala(&coordinates, scala),
        _ => coordinates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_to_take_is_for_the_flink_and_the_scala_of_the_job() {
        let of = |version: &str, scala: &str| {
            let spec = format!(
                r#"{{"name":"a","environment":"local","flinkVersion":"{version}","artifact":"a.jar"}}"#
            );
            let spec: JobSpec = serde_json::from_str(&spec).expect("valid");
            release_of(Connector::Identifier("kafka"), &spec, &ImageScala::Of(scala.to_owned()))
        };
        let kafka = |rest| Some(format!("org.apache.flink:flink-sql-connector-kafka{rest}"));
        assert_eq!(of("1.20.5", "2.12"), kafka(":3.4.0-1.20"));
        assert_eq!(of("1.14.6", "2.11"), kafka("_2.11:1.14.6"));
        assert_eq!(of("2.3.0", "2.12"), None, "there is none yet");
    }

    #[test]
    fn a_file_of_maven_says_what_it_is() {
        let digest = crate::identity::sha256(b"");
        let (name, role) = ("k.jar".to_owned(), ArtifactRole::Lib);
        let file = |maven: Option<&str>| {
            let (name, digest, maven) = (name.clone(), digest.clone(), maven.map(str::to_owned));
            coordinates(&ReleaseArtifact { name, digest, size: 1, role, maven })
        };
        let found = file(Some("g:a:jar:shaded:1.0-1.20")).expect("an artifact");
        assert_eq!((&*found.group, &*found.artifact, &*found.version), ("g", "a", "1.0-1.20"));
        assert_eq!(file(None), None);
    }
}
