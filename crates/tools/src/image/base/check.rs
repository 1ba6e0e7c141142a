//! What Flink would fail on is not put into an image that many jobs stand on.

use flumen_jar::{Connector, Facts, ImageScala, Part, Problem, Program, Target};
use flumen_model::FlinkVersion;

use super::{Base, Group};
use crate::{Error, Streams, jar};

/// Looks into every jar, and at all of them together; says what is doubtful.
pub(in crate::image) fn check(
    base: &Base,
    groups: &[Group],
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let mut facts = Vec::new();
    for jar in groups.iter().flat_map(|group| &group.jars) {
        facts.push(Facts::of(jar::inspect_file(&jar.source)?));
    }
    let jars = groups.iter().flat_map(|group| group.jars.iter().map(move |jar| (group.role, jar)));
    let parts: Vec<Part<'_>> = jars
        .zip(&facts)
        .map(|((role, jar), facts)| Part {
            name: &jar.name,
            role,
            maven: jar.maven.as_ref(),
            facts,
        })
        .collect();
    let version = base.flink_version;
    let target = Target {
        flink: version,
        scala: &ImageScala::Unknown,
        lib: None,
        program: Program::InImage,
        keeps_state: false,
        release_of: &|connector| release_of(connector, version),
    };
    let found = flumen_jar::check(&parts, &target);
    for warning in &found.warnings {
        streams.note(&format!("warning: {warning}"))?;
    }
    if found.errors.is_empty() {
        return Ok(());
    }
    let problems = found.errors.iter().map(Problem::to_string).collect();
    Err(Error::Unfit { name: base.name.clone(), flink: version, problems })
}

fn release_of(connector: Connector<'_>, version: FlinkVersion) -> Option<String> {
    match connector {
        Connector::Artifact(it) => flumen_sql::release(&it.group, &it.artifact, version),
        Connector::Identifier(_) => None,
    }
}
