//! What is wrong or doubtful in a script, as far as that can be said without Flink.

mod factories;
mod finding;
pub(crate) mod jobs;
pub(crate) mod secrets;
mod settings;
mod statements;

use std::collections::BTreeSet;

use flumen_flink_conf::Severity;
use flumen_model::FlinkVersion;

use crate::{FactoryKind, Script};

pub use finding::{Finding, Problem};

/// What the script is for.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The Flink version; without it, what differs between versions is judged mildly.
    pub version: Option<FlinkVersion>,
    /// Factories that jars bring besides those of Flink.
    pub provided: BTreeSet<(FactoryKind, String)>,
}

impl Target {
    /// Adds what a jar brings. Its class files do not say which sort of factory an identifier is of.
    pub fn provide(&mut self, identifiers: impl IntoIterator<Item = String>) {
        for identifier in identifiers {
            let all = FactoryKind::ALL.map(|kind| (kind, identifier.clone()));
            self.provided.extend(all);
        }
    }
}

/// Everything that is wrong or doubtful, in the order of the script. Empty is good.
pub fn check(script: &Script<'_>, target: &Target) -> Vec<Finding> {
    let mut findings = statements::check(script, target);
    findings.extend(jobs::check(script));
    findings.extend(settings::check(script, target));
    findings.extend(factories::check(script, target));
    findings.extend(secrets::check(script));
    findings.extend(script.resolved().into_iter().flat_map(|it| it.findings().iter().cloned()));
    findings.sort_by_key(|finding| (finding.at.offset, finding.severity == Severity::Warning));
    findings
}
