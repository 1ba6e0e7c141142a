use std::{fmt, str::FromStr};

use crate::error::Error;

/// Group, artifact and version: what a POM is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gav {
    /// The group, such as `org.apache.flink`.
    pub group: String,
    /// The artifact, such as `flink-connector-kafka`.
    pub artifact: String,
    /// The version.
    pub version: String,
}

/// What one file in a repository is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coordinates {
    /// Group, artifact and version.
    pub gav: Gav,
    /// Maven's `type`, such as `jar` or `test-jar`.
    pub kind: String,
    /// The file's ending, which follows from the type, such as `jar`.
    pub extension: String,
    /// What tells files of one artifact apart, such as `tests`; empty for the main one.
    pub classifier: String,
}

/// Types of Maven whose files end otherwise than they are called, or have a classifier of their own.
const TYPES: &[(&str, &str, &str)] = &[
    ("maven-plugin", "jar", ""),
    ("ejb", "jar", ""),
    ("ejb-client", "jar", "client"),
    ("test-jar", "jar", "tests"),
    ("javadoc", "jar", "javadoc"),
    ("java-source", "jar", "sources"),
];

/// The longest part of coordinates that is taken.
const MAX_PART: usize = 200;

impl Gav {
    /// The three as they are, unchecked.
    pub fn new(group: &str, artifact: &str, version: &str) -> Self {
        Self { group: group.to_owned(), artifact: artifact.to_owned(), version: version.to_owned() }
    }

    /// The POM of these.
    pub fn pom(&self) -> Coordinates {
        Coordinates {
            gav: self.clone(),
            kind: "pom".to_owned(),
            extension: "pom".to_owned(),
            classifier: String::new(),
        }
    }

    /// Where its files lie in a repository: `org/apache/flink/flink-core/1.20.1`.
    pub fn directory(&self) -> String {
        format!("{}/{}/{}", self.group.replace('.', "/"), self.artifact, self.version)
    }

    /// Whether the version is one that is still worked on.
    pub fn is_snapshot(&self) -> bool {
        self.version.ends_with("-SNAPSHOT")
    }

    /// Whether each part can be a name of a file, so that no path leads out of a repository.
    pub fn is_sound(&self) -> bool {
        is_name(&self.group) && is_name(&self.artifact) && is_version(&self.version)
    }
}

impl Coordinates {
    /// The file of a dependency of `kind`, which is Maven's `type`.
    pub fn of_type(gav: Gav, kind: &str, classifier: &str) -> Self {
        let kind = if kind.is_empty() { "jar" } else { kind };
        let (extension, fixed) = TYPES
            .iter()
            .find(|(name, _, _)| *name == kind)
            .map_or((kind, ""), |(_, extension, classifier)| (*extension, *classifier));
        let classifier = if classifier.is_empty() { fixed } else { classifier };
        Self {
            gav,
            kind: kind.to_owned(),
            extension: extension.to_owned(),
            classifier: classifier.to_owned(),
        }
    }

    /// The name of the file. `version` is that of the file, which differs for snapshots.
    pub fn file_name(&self, version: &str) -> String {
        let dash = if self.classifier.is_empty() { "" } else { "-" };
        format!("{}-{version}{dash}{}.{}", self.gav.artifact, self.classifier, self.extension)
    }

    /// Where the file lies in a repository.
    pub fn path(&self) -> String {
        format!("{}/{}", self.gav.directory(), self.file_name(&self.gav.version))
    }

    /// Whether each part can be a name of a file.
    pub fn is_sound(&self) -> bool {
        let is_empty_or_name = |text: &str| text.is_empty() || is_name(text);
        self.gav.is_sound() && is_name(&self.extension) && is_empty_or_name(&self.classifier)
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=MAX_PART).contains(&text.len())
        && text.bytes().all(allowed)
        // Dots of a group become slashes: none may stand at an end or beside another.
        && text.split('.').all(|part| !part.is_empty())
}

fn is_version(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+~".contains(&byte);
    (1..=MAX_PART).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('.')
}

impl fmt::Display for Gav {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.group, self.artifact, self.version)
    }
}

/// As Maven writes them: `GROUP:ARTIFACT:TYPE[:CLASSIFIER]:VERSION`.
impl fmt::Display for Coordinates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gav, kind, classifier, .. } = self;
        write!(out, "{}:{}:{kind}", gav.group, gav.artifact)?;
        if !classifier.is_empty() {
            write!(out, ":{classifier}")?;
        }
        write!(out, ":{}", gav.version)
    }
}

/// `GROUP:ARTIFACT:VERSION` or `GROUP:ARTIFACT:TYPE[:CLASSIFIER]:VERSION`.
impl FromStr for Coordinates {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why| Error::ReadCoordinates { text: text.to_owned(), why };
        let parts: Vec<&str> = text.split(':').collect();
        let (group, artifact, kind, classifier, version) = match parts[..] {
            [group, artifact, version] => (group, artifact, "jar", "", version),
            [group, artifact, kind, version] => (group, artifact, kind, "", version),
            [group, artifact, kind, classifier, version] => {
                (group, artifact, kind, classifier, version)
            }
            _ => return Err(wrong("expected GROUP:ARTIFACT:VERSION")),
        };
        if matches!(version, "LATEST" | "RELEASE") {
            return Err(wrong("a version that changes by itself is not taken; name one"));
        }
        let coordinates = Self::of_type(Gav::new(group, artifact, version), kind, classifier);
        let is_range = version.starts_with(['[', '(']);
        let checked = if is_range {
            flumen_maven_version::Constraint::parse(version)
                .map_err(|_| wrong("its version is no range, such as [1.0,2.0)"))?;
            Self { gav: Gav::new(group, artifact, "1"), ..coordinates.clone() }
        } else {
            coordinates.clone()
        };
        if !checked.is_sound() {
            return Err(wrong("a part is empty, too long, or has a character that none may have"));
        }
        Ok(coordinates)
    }
}

/// `GROUP:ARTIFACT`, where either may be `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exclusion {
    /// The group, or `*` for any.
    pub group: String,
    /// The artifact, or `*` for any.
    pub artifact: String,
}

impl Exclusion {
    /// Whether an artifact is meant.
    pub fn matches(&self, group: &str, artifact: &str) -> bool {
        let fits = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        fits(&self.group, group) && fits(&self.artifact, artifact)
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.group, self.artifact)
    }
}

impl FromStr for Exclusion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_pattern = |part: &str| part == "*" || is_name(part);
        match text.split_once(':') {
            Some((group, artifact)) if is_pattern(group) && is_pattern(artifact) => {
                Ok(Self { group: group.to_owned(), artifact: artifact.to_owned() })
            }
            _ => Err(Error::ReadExclusion { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_read_as_maven_writes_them() {
        for (text, path) in [
            ("a.b:c:1", "a/b/c/1/c-1.jar"),
            ("a.b:c:pom:1", "a/b/c/1/c-1.pom"),
            ("a.b:c:jar:tests:1", "a/b/c/1/c-1-tests.jar"),
            ("a.b:c:test-jar:1", "a/b/c/1/c-1-tests.jar"),
        ] {
            assert_eq!(text.parse::<Coordinates>().expect(text).path(), path);
        }
    }

    #[test]
    fn no_part_leads_out_of_a_repository() {
        for text in [
            "",
            "a",
            "a:b",
            "a:b:",
            "a:b:..",
            "..:b:1",
            "a:../b:1",
            "a:b:1/2",
            ".b:c:1",
            "b.:c:1",
            "a..b:c:1",
            "a:b:c:d:e:1",
            "a:b:LATEST",
            "a:b:[1",
            "a:b:\n1",
        ] {
            assert!(text.parse::<Coordinates>().is_err(), "{text}");
        }
        assert!("a:b:[1,2)".parse::<Coordinates>().is_ok());
    }

    #[test]
    fn an_exclusion_may_be_a_pattern() {
        let all: Exclusion = "*:*".parse().expect("a pattern");
        let group: Exclusion = "org.slf4j:*".parse().expect("a pattern");
        assert!(all.matches("a", "b") && group.matches("org.slf4j", "x"));
        assert!(!group.matches("org.slf4jx", "x"));
        assert!("org.slf4j".parse::<Exclusion>().is_err());
    }
}
