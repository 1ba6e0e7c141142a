//! Whether a jar was built for the Flink that it is to run on.

use std::collections::BTreeMap;

use flumen_model::{ArtifactRole, FlinkMinor};

use super::{Connector, Findings, Part, Problem, Target};
use crate::{Artifact, BuiltFor, EvidenceKind, evidence};

/// What names one minor in a jar.
#[derive(Default)]
struct Named {
    /// What Flink fails on, by what to take instead as far as that is known.
    failures: BTreeMap<Option<String>, Vec<String>>,
    doubtful: Vec<String>,
}

pub(super) fn check(part: &Part<'_>, target: &Target<'_>, findings: &mut Findings) {
    if !part.facts.bundled.is_empty() {
        let (jar, artifacts) = (part.name.to_owned(), part.facts.bundled.clone());
        findings.warnings.push(Problem::BundledFlink { jar, role: part.role, artifacts });
    }
    let ours = target.flink.minor();
    let by_name = part.maven.and_then(built_for);
    let all = || part.facts.built_for.iter().chain(&by_name);
    // A jar with connectors for this minor may well have been built against another.
    let fits = |it: &BuiltFor| it.minor == ours && it.kind != EvidenceKind::Hint;
    let fits = all().any(fits);
    let mut others: BTreeMap<FlinkMinor, Named> = BTreeMap::new();
    for built in all().filter(|it| it.minor != ours) {
        let named = others.entry(built.minor).or_default();
        match outcome(built, part, target) {
            Outcome::Fails(remedy) => {
                named.failures.entry(remedy).or_default().push(built.source.clone());
            }
            Outcome::MayRun if fits && built.kind == EvidenceKind::Hint => {}
            Outcome::MayRun => named.doubtful.push(built.source.clone()),
        }
    }
    let problem = |built_for, sources, remedy| Problem::OtherMinor {
        jar: part.name.to_owned(),
        sources,
        built_for,
        flink: target.flink,
        remedy,
    };
    for (minor, Named { mut failures, doubtful }) in others {
        if failures.is_empty() && !doubtful.is_empty() {
            findings.warnings.push(problem(minor, doubtful, None));
        }
        if failures.len() > 1 {
            failures.remove(&None);
        }
        let errors = failures.into_iter();
        findings.errors.extend(errors.map(|(remedy, sources)| problem(minor, sources, remedy)));
    }
}

/// What becomes of something that was built for another minor.
enum Outcome {
    MayRun,
    /// It fails, and this is to be taken instead, as far as that is known.
    Fails(Option<String>),
}

/// A program that was built for another minor of the same major runs as a rule, and a connector may have to do for which
/// there is no later release. What lies in `lib` or is a plugin is a part of Flink itself.
fn outcome(built: &BuiltFor, part: &Part<'_>, target: &Target<'_>) -> Outcome {
    let artifact = artifact(built, part);
    match built.kind {
        EvidenceKind::Connector => {
            let release = match artifact {
                Some(artifact) => (target.release_of)(Connector::Artifact(artifact)),
                None => identifiers(part).find_map(target.release_of),
            };
            let is_other_major = built.minor.major() != target.flink.minor().major();
            if release.is_some() || is_other_major {
                Outcome::Fails(release)
            } else {
                Outcome::MayRun
            }
        }
        EvidenceKind::Flink if matches!(part.role, ArtifactRole::Lib | ArtifactRole::Plugin) => {
            let own = |it: &Artifact| format!("{}:{}:{}", it.group, it.artifact, target.flink);
            Outcome::Fails(artifact.map(own))
        }
        EvidenceKind::Flink | EvidenceKind::Hint => Outcome::MayRun,
    }
}

fn artifact<'f>(built: &BuiltFor, part: &Part<'f>) -> Option<&'f Artifact> {
    let mut all = part.facts.artifacts.iter().chain(part.maven);
    all.find(|it| evidence::of_artifact(it).is_some_and(|found| found.source == built.source))
}

fn built_for(artifact: &Artifact) -> Option<BuiltFor> {
    let found = evidence::of_artifact(artifact)?;
    Some(BuiltFor { minor: evidence::minor(&found)?, source: found.source, kind: found.kind })
}

fn identifiers<'f>(part: &Part<'f>) -> impl Iterator<Item = Connector<'f>> {
    let identifiers = part.facts.factories.iter().filter_map(|it| it.identifier.as_deref());
    identifiers.map(Connector::Identifier)
}
