//! Whether the operators of a program are found again when it has changed.

use flumen_model::ArtifactRole;

use super::{FLINK, Findings, Part, Problem, Program, Target};
use crate::Operators;

/// Looks at the program's own classes, which share the first two parts of their package with the main class: a jar also holds
/// connectors, which name the operators that they make.
pub(super) fn check(parts: &[Part<'_>], target: &Target<'_>, findings: &mut Findings) {
    let class = match target.program {
        Program::Class(class) => Some(class),
        Program::Manifest => parts.first().and_then(|first| first.facts.main_class.as_deref()),
        Program::Script | Program::InImage => None,
    };
    // Of programs that come with Flink nobody here has the source.
    let Some(class) = class.filter(|class| target.keeps_state && !class.starts_with(FLINK)) else {
        return;
    };
    let package = package(class);
    let own = parts.iter().filter(|part| part.role != ArtifactRole::Plugin);
    let own = own.flat_map(|part| &part.facts.classes);
    let own = own.filter(|(name, _)| self::package(name) == package);
    if own.filter_map(|(_, class)| class.operators).max() == Some(Operators::WithoutUid) {
        findings.warnings.push(Problem::NoUid { class: class.to_owned() });
    }
}

/// The first two parts of the package of a class.
fn package(class: &str) -> &str {
    let (package, _) = class.rsplit_once('.').unwrap_or_default();
    package.match_indices('.').nth(1).map_or(package, |(end, _)| &package[..end])
}
