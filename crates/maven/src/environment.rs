//! What POMs can ask of the machine: Java and the operating system. Nothing is looked up: the caller says it.

use std::collections::BTreeMap;

use crate::pom::{Activation, Pom, Profile};

/// The machine that dependencies are resolved for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    properties: BTreeMap<String, String>,
}

const FAMILY: &str = "unix";

impl Environment {
    /// Linux on `amd64` with a Java of that version, such as `17` or `1.8.0_412`.
    pub fn linux(java_version: &str) -> Self {
        let specification = match java_version.split(['.', '_', '-']).collect::<Vec<_>>()[..] {
            ["1", minor, ..] => format!("1.{minor}"),
            [major, ..] => major.to_owned(),
            [] => String::new(),
        };
        let properties = [
            ("java.version", java_version),
            ("java.specification.version", &specification),
            ("java.vm.specification.version", &specification),
            ("os.name", "Linux"),
            ("os.arch", "amd64"),
            ("os.version", "6.1"),
            ("file.separator", "/"),
            ("path.separator", ":"),
        ];
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self { properties: properties.into_iter().map(owned).collect() }
    }

    /// The same with one more system property, as `-D` gives it to Maven.
    #[must_use]
    pub fn with_property(mut self, key: &str, value: &str) -> Self {
        self.properties.insert(key.to_owned(), value.to_owned());
        self
    }

    /// A system property.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(String::as_str)
    }

    /// The profiles of a POM that hold.
    pub(crate) fn active<'a>(&self, pom: &'a Pom) -> Vec<&'a Profile> {
        let holds = |profile: &&Profile| self.holds(&profile.activation) == Some(true);
        let active: Vec<_> = pom.profiles.iter().filter(holds).collect();
        if active.is_empty() {
            return pom.profiles.iter().filter(|profile| profile.activation.by_default).collect();
        }
        active
    }

    /// Whether all conditions hold; none if there is no condition.
    fn holds(&self, activation: &Activation) -> Option<bool> {
        let conditions = [
            activation.jdk.as_deref().map(|jdk| self.is_java(jdk)),
            activation.property.as_ref().map(|(name, value)| self.has_property(name, value)),
            activation.system.as_ref().map(|wanted| self.is_system(wanted)),
            // What lies on the machine's disk is not looked at: no file is there. A path that is relative to the POM
            // counts as neither there nor missing, as POMs of a repository have no directory.
            activation.file_exists.as_ref().map(|_| false),
            activation.file_missing.as_deref().map(is_absolute),
        ];
        let mut given = conditions.into_iter().flatten().peekable();
        given.peek()?;
        Some(given.all(|holds| holds))
    }

    fn is_java(&self, wanted: &str) -> bool {
        let version = self.property("java.version").unwrap_or_default();
        if version.is_empty() {
            return false;
        }
        match wanted.strip_prefix('!') {
            Some(unwanted) => !version.starts_with(unwanted),
            None if wanted.starts_with(['[', '(']) => is_in_java_range(version, wanted),
            None => version.starts_with(wanted),
        }
    }

    fn has_property(&self, name: &str, value: &str) -> bool {
        let (is_negated, name) = name.strip_prefix('!').map_or((false, name), |name| (true, name));
        let found = self.property(name);
        if value.is_empty() {
            return found.is_some_and(|text| !text.is_empty()) != is_negated;
        }
        match value.strip_prefix('!') {
            Some(unwanted) => found != Some(unwanted),
            None => found == Some(value),
        }
    }

    fn is_system(&self, wanted: &[String; 4]) -> bool {
        let is = |wanted: &str, found: &str| {
            let (is_negated, wanted) =
                wanted.strip_prefix('!').map_or((false, wanted), |wanted| (true, wanted));
            wanted.is_empty() || wanted.eq_ignore_ascii_case(found) != is_negated
        };
        let property = |key| self.property(key).unwrap_or_default();
        is(&wanted[0], property("os.name"))
            && is(&wanted[1], FAMILY)
            && is(&wanted[2], property("os.arch"))
            && is(&wanted[3], property("os.version"))
    }
}

fn is_absolute(path: &str) -> bool {
    ["/", "${java.home}", "${user.home}"].iter().any(|start| path.starts_with(start))
}

/// Three numbers of a Java version, such as 1, 8 and 0 of `1.8.0_412`.
fn numbers(text: &str) -> [u64; 3] {
    let kept: String =
        text.chars().filter(|char| char.is_ascii_digit() || "._-".contains(*char)).collect();
    let mut parts = kept.split(['.', '_', '-']).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// Java's versions lie in ranges by their first three numbers, by a rule of its own.
fn is_in_java_range(version: &str, range: &str) -> bool {
    let version = numbers(version);
    let (lower, upper) = range.split_once(',').unwrap_or((range, ""));
    let bound = |text: &str| {
        let digits = text.trim_matches(['[', ']', '(', ')', ' ']);
        (!digits.is_empty()).then(|| numbers(digits))
    };
    let above = bound(lower).is_none_or(|bound| {
        version > bound || (version == bound && lower.trim_start().starts_with('['))
    });
    let below = bound(upper).is_none_or(|bound| {
        version < bound || (version == bound && upper.trim_end().ends_with(']'))
    });
    above && below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_active(activation: Activation, java: &str) -> bool {
        let profile = Profile { activation, ..Profile::default() };
        let pom = Pom { profiles: vec![profile], ..Pom::default() };
        !Environment::linux(java).active(&pom).is_empty()
    }

    #[test]
    fn java_is_asked_by_prefix_negation_and_range() {
        for (jdk, java, expected) in [
            ("1.8", "1.8.0_412", true),
            ("1.8", "17.0.1", false),
            ("!1.8", "17.0.1", true),
            ("[1.8,)", "17.0.1", true),
            ("[1.8,9)", "17.0.1", false),
            ("(,1.8]", "1.8.0_412", true),
            ("[9,)", "1.8.0_412", false),
            ("[17]", "17.0.1", true),
            ("[,", "17", true),
        ] {
            let activation = Activation { jdk: Some(jdk.to_owned()), ..Activation::default() };
            assert_eq!(is_active(activation, java), expected, "{jdk} on {java}");
        }
    }

    #[test]
    fn a_property_that_is_not_set_turns_a_negation_on() {
        for (name, value, expected) in [
            ("hadoop", "", false),
            ("!hadoop", "", true),
            ("hadoop", "2", false),
            ("hadoop", "!2", true),
            ("os.name", "Linux", true),
        ] {
            let property = Some((name.to_owned(), value.to_owned()));
            let activation = Activation { property, ..Activation::default() };
            assert_eq!(is_active(activation, "17"), expected, "{name}={value}");
        }
    }

    #[test]
    fn a_default_profile_gives_way_to_one_that_holds() {
        let profile = |activation| Profile { activation, ..Profile::default() };
        let by_default = Activation { by_default: true, ..Activation::default() };
        let jdk = Activation { jdk: Some("17".to_owned()), ..Activation::default() };
        let pom = Pom {
            profiles: vec![profile(by_default.clone()), profile(jdk.clone())],
            ..Pom::default()
        };
        let active = |java| {
            Environment::linux(java)
                .active(&pom)
                .into_iter()
                .map(|profile| profile.activation.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(active("17"), [jdk]);
        assert_eq!(active("11"), [by_default]);
    }
}
