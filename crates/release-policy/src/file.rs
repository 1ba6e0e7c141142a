//! The file of a release policy.

use std::{collections::BTreeSet, fmt};

use flumen_maven_version::{Constraint, Version};
use serde::Deserialize;
use spdx::{Licensee, ParseMode};

use crate::Artifact;

/// What releases must not be made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// Rules of licences. Default: none is looked at.
    pub(crate) licenses: Option<Licences>,
    /// Rules of artifacts.
    #[serde(default)]
    pub(crate) artifacts: Artifacts,
}

/// Rules of licences.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Licences {
    #[serde(default)]
    pub(crate) deny: BTreeSet<DeniedLicence>,
    /// What becomes of an artifact whose licence is not known. Default: a warning.
    #[serde(default)]
    pub(crate) unknown: Unknown,
}

/// What becomes of an artifact whose licence is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unknown {
    /// Nothing.
    Allow,
    /// The release is made, with a warning.
    #[default]
    Warn,
    /// There is no release.
    Deny,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Artifacts {
    #[serde(default)]
    pub(crate) deny: Vec<DeniedArtifact>,
}

/// Versions of an artifact that no release may have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeniedArtifact {
    artifact: Pattern,
    versions: Option<Versions>,
    pub(crate) reason: Option<Reason>,
}

/// An SPDX id, perhaps with an exception: just that, so that `GPL-2.0-only` does not mean it with the exception of the
/// class path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DeniedLicence(pub(crate) String);

/// `GROUP:ARTIFACT`, where either may be `*`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Pattern {
    group: String,
    artifact: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Versions {
    text: String,
    range: Constraint,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Reason(pub(crate) String);

/// What is wrong with the file of a release policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}{message}", place(*.at))]
pub struct Error {
    /// The file.
    pub file: String,
    /// Line and column, both from 1, where that is known.
    pub at: Option<(u64, u64)>,
    /// What is wrong, and what is allowed.
    pub message: String,
}

fn place(at: Option<(u64, u64)>) -> String {
    at.map(|(line, column)| format!("{line}:{column}: ")).unwrap_or_else(|| " ".to_owned())
}

impl Policy {
    /// Reads a policy. `file` is only for messages.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let read: Result<Self, _> = serde_saphyr::from_str_with_options(text, options);
        let policy = read.map_err(|error| {
            let at = error.location().map(|at| (at.line(), at.column()));
            let (file, message) = (file.to_owned(), message(&error.to_string()));
            Error { file, at, message }
        })?;
        if policy.licenses.is_none() && policy.artifacts.deny.is_empty() {
            let message = "there is no rule in it; expected licenses or artifacts".to_owned();
            return Err(Error { file: file.to_owned(), at: Some((1, 1)), message });
        }
        Ok(policy)
    }
}

/// The message of the library without the place, which stands before it here.
fn message(text: &str) -> String {
    let cut = text.rfind(" at line ").or_else(|| text.rfind(" (line "));
    text[..cut.unwrap_or(text.len())].to_owned()
}

impl DeniedArtifact {
    /// Whether this artifact is meant.
    pub(crate) fn denies(&self, artifact: &Artifact) -> bool {
        let Pattern { group, artifact: name } = &self.artifact;
        let is = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        is(group, &artifact.group)
            && is(name, &artifact.artifact)
            && self
                .versions
                .as_ref()
                .is_none_or(|versions| versions.range.allows(&Version::parse(&artifact.version)))
    }
}

impl fmt::Display for DeniedArtifact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.artifact.group, self.artifact.artifact)?;
        match &self.versions {
            Some(versions) => write!(out, " in {}", versions.text),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for DeniedLicence {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = |why: &str| {
            format!(
                "{text:?} {why}; expected an id of the SPDX licence list such as AGPL-3.0-only, or one with an exception such as GPL-2.0-only WITH Classpath-exception-2.0"
            )
        };
        let licensee =
            Licensee::parse_mode(&text, ParseMode::STRICT).map_err(|error| match error.reason {
                spdx::error::Reason::DeprecatedLicenseId => {
                    refuse("is out of use: -only or -or-later belongs behind it")
                }
                _ => refuse("is no licence"),
            })?;
        let request = licensee.into_req();
        match request.license.id() {
            Some(id) if id.is_deprecated() => {
                Err(refuse("is out of use: -only or -or-later belongs behind it"))
            }
            Some(_) => Ok(Self(request.to_string())),
            None => Err(refuse("is on no list")),
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_part = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            part == "*" || (!part.is_empty() && part.bytes().all(allowed))
        };
        match text.split_once(':') {
            Some((group, artifact)) if is_part(group) && is_part(artifact) && text != "*:*" => {
                Ok(Self { group: group.to_owned(), artifact: artifact.to_owned() })
            }
            _ => Err(format!(
                "{text:?} names no artifact; expected GROUP:ARTIFACT, where one of them may be *; the version stands under versions"
            )),
        }
    }
}

impl TryFrom<String> for Versions {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{text:?} is no range of versions; expected one as Maven has it, such as [,2.17.0), [1.0,1.5] or [2.14.1]"
            )
        };
        match Constraint::parse(&text) {
            Ok(range @ Constraint::Ranges(_)) => Ok(Self { text, range }),
            // Maven takes a version alone for a wish, which denies nothing.
            Ok(Constraint::Soft(_)) | Err(_) => Err(refuse()),
        }
    }
}

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            return Err("the reason is empty; expected a text, or no reason at all".to_owned());
        }
        Ok(Self(words.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Policy::parse("policy.yaml", text).expect_err(text).to_string()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_is_allowed() {
        for (text, place, words) in [
            ("licenses:\n  deny: [GPL-2.0]\n", "policy.yaml:2:", "-only or -or-later"),
            ("licenses:\n  deny:\n    - MIT\n    - Aapche-2.0\n", "policy.yaml:4:", "SPDX"),
            ("licenses:\n  deny: [LicenseRef-ours]\n", "policy.yaml:2:", "SPDX"),
            ("licenses:\n  unknown: maybe\n", "policy.yaml:2:", "warn"),
            ("licences:\n  deny: [MIT]\n", "policy.yaml:1:", "licenses"),
            ("artifacts:\n  deny:\n    - artifact: log4j\n", "policy.yaml:3:", "GROUP:ARTIFACT"),
            ("artifacts:\n  deny:\n    - artifact: '*:*'\n", "policy.yaml:3:", "GROUP:ARTIFACT"),
            (
                "artifacts:\n  deny:\n    - artifact: g:a\n      versions: 1.0\n",
                "policy.yaml:4:",
                "[2.14.1]",
            ),
            (
                "artifacts:\n  deny:\n    - artifact: g:a\n      versions: '[2,1]'\n",
                "policy.yaml:4:",
                "[2.14.1]",
            ),
            (
                "artifacts:\n  deny:\n    - artifact: g:a\n      reason: ''\n",
                "policy.yaml:4:",
                "empty",
            ),
            ("artifacts:\n  deny:\n    - versions: '[,1)'\n", "policy.yaml:3:", "artifact"),
            ("artifacts: {deny: []}\n", "policy.yaml:1:1:", "expected licenses or artifacts"),
            ("a: [\n", "policy.yaml:", ""),
            ("", "policy.yaml:", ""),
        ] {
            let error = refused(text);
            assert!(error.starts_with(place), "{text}: {error}");
            assert!(error.contains(words), "{text}: {error}");
            assert_eq!(error.matches("line ").count(), 0, "its place is said once: {error}");
        }
    }
}
