//! Whether a jar was built for the Scala that it meets.

use flumen_model::FlinkMinor;

use super::{Findings, ImageScala, Part, Problem, Target};
use crate::{
    Artifact,
    evidence::{GROUP, scala_suffix},
};

/// From here on no part of Flink is released for another Scala than 2.12.
const ONE_SCALA: FlinkMinor = FlinkMinor::new(1, 15);

pub(super) fn check(part: &Part<'_>, target: &Target<'_>, findings: &mut Findings) {
    let facts = part.facts;
    let of_image = match target.scala {
        ImageScala::Of(scala) => Some(scala.as_str()),
        ImageScala::Unknown | ImageScala::None => None,
    };
    let of_flink = if target.flink.minor() < ONE_SCALA { of_image } else { Some("2.12") };
    let mut is_told = false;
    for artifact in facts.artifacts.iter().chain(part.maven) {
        let Some(suffix) = scala_suffix(artifact) else { continue };
        let Artifact { group, artifact: name, version } = artifact;
        let source = || format!("{group}:{name}:{version}");
        let other = |of: Option<&str>| of.is_some_and(|scala| scala != suffix);
        if group == GROUP && other(of_flink) {
            is_told = true;
            let scala = of_flink.unwrap_or_default().to_owned();
            let name = name.strip_suffix(suffix).unwrap_or(name);
            findings.errors.push(Problem::OtherScala {
                jar: part.name.to_owned(),
                source: source(),
                built_for: suffix.to_owned(),
                remedy: Some(format!("{group}:{name}{scala}")),
                scala,
            });
        } else if group != GROUP && other(of_image) && !is_told {
            // Once is enough: all of a program is built for one Scala.
            is_told = true;
            findings.warnings.push(Problem::OtherScala {
                jar: part.name.to_owned(),
                source: source(),
                built_for: suffix.to_owned(),
                scala: of_image.unwrap_or_default().to_owned(),
                remedy: None,
            });
        }
    }
    let bundled = facts.scala.version.as_deref().and_then(binary_version);
    if let (Some(bundled), Some(scala), false) = (bundled, of_image, is_told)
        && bundled != scala
    {
        findings.warnings.push(Problem::OtherScala {
            jar: part.name.to_owned(),
            source: format!("the Scala library {bundled} in it"),
            built_for: bundled.to_owned(),
            scala: scala.to_owned(),
            remedy: None,
        });
    }
}

/// `2.12` of `2.12.7`.
fn binary_version(version: &str) -> Option<&str> {
    let (end, _) = version.match_indices('.').nth(1)?;
    version.get(..end)
}
