//! `${…}` in POMs.

use std::collections::HashMap;

use crate::{coordinates::Gav, environment::Environment};

/// Where values come from, the nearest first: what the POM is, its properties, the machine.
pub(crate) struct Values<'a> {
    pub(crate) own: &'a Gav,
    pub(crate) packaging: &'a str,
    pub(crate) parent: Option<&'a Gav>,
    pub(crate) properties: &'a HashMap<&'a str, &'a str>,
    pub(crate) environment: &'a Environment,
}

/// Values may name values, which name values; properties that name each other in a circle stay as they are.
const MAX_DEPTH: usize = 40;
/// A value that grows beyond this stays as it is.
const MAX_LENGTH: usize = 8192;
/// The most values that one text is made of, empty ones too.
const MAX_VALUES: usize = 2000;

/// The values that are being expanded, and how many were.
#[derive(Default)]
struct Walk<'t> {
    within: Vec<&'t str>,
    seen: usize,
}

impl Walk<'_> {
    fn may_enter(&mut self, name: &str) -> bool {
        self.seen += 1;
        self.seen <= MAX_VALUES && self.within.len() < MAX_DEPTH && !self.within.contains(&name)
    }
}

impl Values<'_> {
    /// The text with all values in it that are known; others stay as they are.
    pub(crate) fn replace(&self, text: &str) -> String {
        if !text.contains("${") {
            return text.to_owned();
        }
        self.expand(text, &mut Walk::default()).unwrap_or_else(|| text.to_owned())
    }

    /// None if it names itself, or becomes too long.
    fn expand<'t>(&'t self, text: &'t str, walk: &mut Walk<'t>) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start + 2..].find('}') else { break };
            let (name, end) = (&rest[start + 2..start + 2 + length], start + 3 + length);
            out.push_str(&rest[..start]);
            match self.value(name) {
                Some(value) if walk.may_enter(name) => {
                    walk.within.push(name);
                    let expanded = self.expand(value, walk)?;
                    walk.within.pop();
                    out.push_str(&expanded);
                }
                Some(_) => return None,
                None => out.push_str(&rest[start..end]),
            }
            if out.len() > MAX_LENGTH {
                return None;
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
        (out.len() <= MAX_LENGTH).then_some(out)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let name = name.trim();
        let prefixed = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom."));
        prefixed
            .and_then(|name| self.of_project(name))
            .or_else(|| self.properties.get(name).copied())
            .or_else(|| self.environment.property(name))
            .or_else(|| self.of_project(name))
    }

    fn of_project(&self, name: &str) -> Option<&str> {
        let (of, part) = match name.strip_prefix("parent.") {
            Some(part) => (self.parent?, part),
            None => (self.own, name),
        };
        match part {
            "groupId" => Some(&of.group),
            "artifactId" => Some(&of.artifact),
            "version" => Some(&of.version),
            "packaging" if part == name => Some(self.packaging),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(text: &str, properties: &[(&str, &str)]) -> String {
        let own = Gav::new("g", "a", "1");
        let parent = Gav::new("g", "p", "2");
        let properties = properties.iter().copied().collect();
        let environment = Environment::linux("17");
        let values = Values {
            own: &own,
            packaging: "jar",
            parent: Some(&parent),
            properties: &properties,
            environment: &environment,
        };
        values.replace(text)
    }

    #[test]
    fn values_come_from_the_nearest_place() {
        let properties =
            [("x", "1.${y}"), ("y", "2"), ("project.version", "no"), ("version", "own")];
        for (text, expected) in [
            ("a-${x}-b", "a-1.2-b"),
            ("${project.version}", "1"),
            ("${pom.groupId}", "g"),
            ("${project.parent.version}", "2"),
            ("${version}", "own"),
            ("${java.specification.version}", "17"),
            ("${unknown} ${open", "${unknown} ${open"),
        ] {
            assert_eq!(replace(text, &properties), expected);
        }
    }

    #[test]
    fn circles_and_growth_end() {
        let circle = [("a", "${b}"), ("b", "x${a}")];
        assert_eq!(replace("v-${a}", &circle), "v-${a}");
        for end in ["boom", ""] {
            let mut bomb: Vec<(String, String)> =
                (0..30).map(|n| (format!("p{n}"), format!("${{p{0}}}${{p{0}}}", n + 1))).collect();
            bomb.push(("p30".to_owned(), end.to_owned()));
            let bomb: Vec<_> =
                bomb.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            assert_eq!(replace("${p0}", &bomb), "${p0}");
        }
    }
}
