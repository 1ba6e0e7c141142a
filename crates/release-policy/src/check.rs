//! What a policy says of the artifacts of a job.

use std::fmt;

use spdx::Expression;

use crate::{
    Choice, Licence, Policy, Unknown,
    file::{DeniedArtifact, DeniedLicence},
};

/// An artifact in a Maven repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Artifact {
    /// Its group.
    pub group: String,
    /// Its name.
    pub artifact: String,
    /// Its version.
    pub version: String,
}

/// Something that a job would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An artifact from a Maven repository.
    Resolved {
        /// What it is.
        artifact: Artifact,
        /// What it is there for, the one that the job file names first; empty for that one itself.
        path: Vec<String>,
        /// What its POM says.
        licence: Licence,
    },
    /// A jar that came as a file.
    File {
        /// Its name.
        name: String,
        /// What its manifest says.
        licence: Licence,
    },
    /// An artifact that a jar was made of.
    Inside {
        /// What it is.
        artifact: Artifact,
        /// The jar.
        jar: String,
    },
}

/// What a policy says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why there is no release.
    pub refusals: Vec<Refusal>,
    /// What only is to be looked at.
    pub warnings: Vec<String>,
}

/// Something that no release may have: what, how it came, which rule, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    subject: Subject,
    rule: String,
    reason: Option<String>,
}

impl Policy {
    /// What the policy says of all that a job would have.
    pub fn check(&self, subjects: &[Subject]) -> Findings {
        let mut findings = Findings::default();
        for subject in subjects {
            self.check_artifact(subject, &mut findings);
            self.check_licence(subject, &mut findings);
        }
        findings
    }

    fn check_artifact(&self, subject: &Subject, findings: &mut Findings) {
        let (Subject::Resolved { artifact, .. } | Subject::Inside { artifact, .. }) = subject
        else {
            return;
        };
        let denies = |rule: &&DeniedArtifact| rule.denies(artifact);
        if let Some(rule) = self.artifacts.deny.iter().find(denies) {
            findings.refusals.push(Refusal {
                subject: subject.clone(),
                rule: format!("the release policy denies {rule}"),
                reason: rule.reason.as_ref().map(|reason| reason.0.clone()),
            });
        }
    }

    fn check_licence(&self, subject: &Subject, findings: &mut Findings) {
        let Some(rules) = &self.licenses else { return };
        let licence = match subject {
            Subject::Resolved { licence, .. } => licence,
            // A jar that says nothing is the team's own as a rule.
            Subject::File { licence, .. } if !licence.choices.is_empty() => licence,
            Subject::File { .. } | Subject::Inside { .. } => return,
        };
        let mut denied = Vec::new();
        let mut unknown = licence.choices.is_empty().then(|| "says no licence".to_owned());
        for choice in &licence.choices {
            match choice {
                Choice::Spdx(text) if is_denied(text, &rules.deny) => denied.push(text.as_str()),
                // Whoever takes the artifact takes it under this one.
                Choice::Spdx(_) => return,
                Choice::Unrecognised(text) => {
                    unknown = Some(format!("names a licence that is not known: {text}"));
                }
            }
        }
        let Some(unknown) = unknown else {
            let rule = format!("the release policy denies its licence, {}", denied.join(" or "));
            findings.refusals.push(Refusal { subject: subject.clone(), rule, reason: None });
            return;
        };
        match rules.unknown {
            Unknown::Allow => {}
            Unknown::Warn => findings.warnings.push(format!("{subject} {unknown}")),
            Unknown::Deny => findings.refusals.push(Refusal {
                subject: subject.clone(),
                rule: format!("it {unknown}, which the release policy denies"),
                reason: None,
            }),
        }
    }
}

/// Whether nothing of an expression is left without what is denied.
fn is_denied(expression: &str, deny: &std::collections::BTreeSet<DeniedLicence>) -> bool {
    let Ok(expression) = Expression::parse(expression) else { return false };
    !expression.evaluate(|one| !deny.contains(&DeniedLicence(one.to_string())))
}

impl fmt::Display for Artifact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.group, self.artifact, self.version)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolved { artifact, path, .. } if path.is_empty() => artifact.fmt(out),
            Self::Resolved { artifact, path, .. } => {
                write!(out, "{artifact}, which came by {},", path.join(" > "))
            }
            Self::File { name, .. } => name.fmt(out),
            Self::Inside { artifact, jar } => write!(out, "{artifact}, which is inside {jar},"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} cannot be in a release: {}", self.subject, self.rule)?;
        if let Some(reason) = &self.reason {
            write!(out, " ({reason})")?;
        }
        out.write_str("; ")?;
        match &self.subject {
            Subject::Resolved { path, .. } if path.is_empty() => {
                out.write_str("name another version of it, or leave it out")
            }
            Subject::Resolved { artifact, path, .. } => write!(
                out,
                "take another version of {}, or leave it out with exclude: [{}:{}]",
                path[0], artifact.group, artifact.artifact
            ),
            Subject::File { .. } => out.write_str("leave it out"),
            Subject::Inside { jar, .. } => write!(out, "take a {jar} that was made without it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Declared;

    fn artifact(text: &str) -> Artifact {
        let parts: Vec<&str> = text.split(':').collect();
        let part = |place: usize| parts[place].to_owned();
        Artifact { group: part(0), artifact: part(1), version: part(2) }
    }

    fn resolved(text: &str, path: &[&str], licences: &[&str]) -> Subject {
        let declared = |name: &&str| Declared { name: (*name).to_owned(), url: String::new() };
        let licence = Licence::declared(&licences.iter().map(declared).collect::<Vec<_>>());
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Subject::Resolved { artifact: artifact(text), path, licence }
    }

    fn check(policy: &str, subject: Subject) -> (Vec<String>, Vec<String>) {
        let policy = Policy::parse("policy.yaml", policy).expect("a policy");
        let found = policy.check(&[subject]);
        (found.refusals.iter().map(Refusal::to_string).collect(), found.warnings)
    }

    const LOG4J: &str = "artifacts:\n  deny:\n    - artifact: org.apache.logging.log4j:log4j-core\n      versions: '[,2.17.1)'\n      reason: CVE-2021-44228\n";

    #[test]
    fn a_denied_version_is_refused_with_its_path_its_rule_and_a_remedy() {
        let path = ["org.example:connector:1.0", "org.example:base:1.0"];
        let core = "org.apache.logging.log4j:log4j-core";
        let (refused, _) = check(LOG4J, resolved(&format!("{core}:2.14.1"), &path, &[]));
        assert_eq!(
            refused,
            [
                "org.apache.logging.log4j:log4j-core:2.14.1, which came by org.example:connector:1.0 > org.example:base:1.0, cannot be in a release: the release policy denies org.apache.logging.log4j:log4j-core in [,2.17.1) (CVE-2021-44228); take another version of org.example:connector:1.0, or leave it out with exclude: [org.apache.logging.log4j:log4j-core]"
            ]
        );
        assert_eq!(check(LOG4J, resolved(&format!("{core}:2.17.1"), &path, &[])).0, [""; 0]);
        let api = "org.apache.logging.log4j:log4j-api:2.14.1";
        assert_eq!(check(LOG4J, resolved(api, &path, &[])).0, [""; 0]);
        let inside = Subject::Inside {
            artifact: artifact(&format!("{core}:2.14.1")),
            jar: "job.jar".into(),
        };
        let (refused, _) = check(LOG4J, inside);
        assert!(refused[0].contains("inside job.jar, cannot be in a release"), "{refused:?}");
        let whole = "artifacts: {deny: [{artifact: 'log4j:*'}]}";
        let (refused, _) = check(whole, resolved("log4j:log4j:1.2.17", &[], &[]));
        assert!(refused[0].ends_with("name another version of it, or leave it out"), "{refused:?}");
    }

    #[test]
    fn an_artifact_is_refused_if_every_licence_of_it_is_denied() {
        let deny = "licenses: {deny: [AGPL-3.0-only, GPL-2.0-only], unknown: allow}";
        for (licences, is_refused) in [
            (&["GNU Affero General Public License v3.0"][..], true),
            (&["AGPL-3.0-only", "GPL-2.0-only"], true),
            (&["AGPL-3.0-only", "Apache-2.0"], false),
            (&["MIT AND AGPL-3.0-only"], true),
            (&["MIT OR AGPL-3.0-only"], false),
            (&["GPL-2.0-only WITH Classpath-exception-2.0"], false),
            (&["CDDL + GPLv2 with classpath exception"], false),
            (&["AGPL-3.0-only", "Ours"], false),
            (&[], false),
        ] {
            let (refused, warned) = check(deny, resolved("g:a:1", &[], licences));
            assert_eq!((refused.len() == 1, warned.len()), (is_refused, 0), "{licences:?}");
        }
    }

    #[test]
    fn an_unknown_licence_is_what_the_policy_makes_of_it() {
        let with = |unknown: &str| format!("licenses: {{deny: [AGPL-3.0-only]{unknown}}}");
        let ours = || resolved("g:a:1", &["g:b:1"], &["Ours"]);
        assert_eq!(check(&with(", unknown: allow"), ours()), (vec![], vec![]));
        let warning = "g:a:1, which came by g:b:1, names a licence that is not known: Ours";
        assert_eq!(check(&with(""), ours()), (vec![], vec![warning.to_owned()]));
        let (refused, _) = check(&with(", unknown: deny"), ours());
        assert!(refused[0].contains("it names a licence that is not known: Ours"), "{refused:?}");
        let (refused, _) = check(&with(", unknown: deny"), resolved("g:a:1", &[], &[]));
        assert!(refused[0].contains("it says no licence"), "{refused:?}");
        let own = Subject::File { name: "job.jar".into(), licence: Licence::default() };
        assert_eq!(check(&with(", unknown: deny"), own), (vec![], vec![]), "a team's own jar");
        let file =
            Subject::File { name: "x.jar".into(), licence: Licence::of_manifest("AGPL-3.0-only") };
        assert_eq!(check(&with(""), file).0.len(), 1);
    }
}
