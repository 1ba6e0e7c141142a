//! One rule of a role: what it allows, and what it covers of another one.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::{Attributes, Resource, Wanted};

const ALL: &str = "*";

/// Verbs on resources, or on paths that are no resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) verbs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) api_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) resources: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    pub(crate) paths: Vec<String>,
}

impl Rule {
    /// The rules of a role.
    pub(crate) fn of_role(role: &Value) -> Vec<Self> {
        let rules = role.get("rules").and_then(Value::as_array).into_iter().flatten();
        // What is stored was read as its type before.
        rules.filter_map(|rule| Self::deserialize(rule).ok()).collect()
    }

    pub(super) fn allows(&self, attributes: &Attributes) -> bool {
        has(&self.verbs, &attributes.verb)
            && match &attributes.wanted {
                Wanted::Resource(resource) => self.allows_resource(resource),
                Wanted::Path(path) => self.paths.iter().any(|rule| path_covers(rule, path)),
            }
    }

    fn allows_resource(&self, wanted: &Resource) -> bool {
        has(&self.api_groups, &wanted.group)
            && self.resources.iter().any(|resource| names(resource, wanted))
            && (self.resource_names.is_empty() || self.resource_names.contains(&wanted.name))
    }

    /// One rule for each verb on each thing.
    fn parts(&self) -> Vec<Self> {
        let names: Vec<Option<&String>> = if self.resource_names.is_empty() {
            vec![None]
        } else {
            self.resource_names.iter().map(Some).collect()
        };
        let mut parts = Vec::new();
        let one = |text: &String| vec![text.clone()];
        for group in &self.api_groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    parts.extend(names.iter().map(|name| Self {
                        verbs: one(verb),
                        api_groups: one(group),
                        resources: one(resource),
                        resource_names: name.map(one).unwrap_or_default(),
                        paths: Vec::new(),
                    }));
                }
            }
        }
        for path in &self.paths {
            let of_path = |verb| Self { verbs: one(verb), paths: one(path), ..Self::default() };
            parts.extend(self.verbs.iter().map(of_path));
        }
        parts
    }

    /// Whether all that a part of another rule allows is allowed by this one.
    fn covers(&self, part: &Self) -> bool {
        part.verbs.iter().all(|verb| has(&self.verbs, verb))
            && part.api_groups.iter().all(|group| has(&self.api_groups, group))
            && part.resources.iter().all(|resource| self.covers_resource(resource))
            && part.paths.iter().all(|path| self.paths.iter().any(|own| path_covers(own, path)))
            && (self.resource_names.is_empty()
                || (!part.resource_names.is_empty()
                    && part.resource_names.iter().all(|name| self.resource_names.contains(name))))
    }

    fn covers_resource(&self, resource: &str) -> bool {
        has(&self.resources, resource)
            || resource.split_once('/').is_some_and(|(_, part)| {
                self.resources.iter().any(|own| own.strip_prefix("*/") == Some(part))
            })
    }
}

/// A list that allows everything has a star.
fn has(list: &[String], one: &str) -> bool {
    list.iter().any(|entry| entry == ALL || entry == one)
}

/// Whether a rule's `pods`, `pods/log`, `*/log` or `*` is what is wanted.
fn names(rule: &str, wanted: &Resource) -> bool {
    if rule == ALL {
        return true;
    }
    match rule.split_once('/') {
        None => wanted.subresource.is_empty() && rule == wanted.plural,
        Some((plural, part)) => {
            !wanted.subresource.is_empty()
                && part == wanted.subresource
                && (plural == ALL || plural == wanted.plural)
        }
    }
}

/// Whether a path, or a rule's path, is one of those that a rule's path with a star at its end stands for.
fn path_covers(rule: &str, path: &str) -> bool {
    rule == path || (rule.ends_with('*') && path.starts_with(rule.trim_end_matches('*')))
}

/// What of some rules no other rule covers, verb by verb.
pub(crate) fn uncovered(owned: &[&Rule], wanted: &[Rule]) -> Vec<Rule> {
    let parts = wanted.iter().flat_map(Rule::parts);
    parts.filter(|part| !owned.iter().any(|own| own.covers(part))).collect()
}

/// Parts of rules, those of the same thing together, as people are told of them.
pub(crate) fn describe(parts: &[Rule]) -> String {
    let mut things: BTreeMap<_, Rule> = BTreeMap::new();
    let mut texts = Vec::new();
    for part in parts {
        if part.paths.is_empty() {
            let thing = (&part.api_groups, &part.resources, &part.resource_names);
            let nothing = || Rule { verbs: Vec::new(), ..part.clone() };
            let verbs = &mut things.entry(thing).or_insert_with(nothing).verbs;
            verbs.extend(part.verbs.iter().cloned());
        } else {
            texts.push(part.to_string());
        }
    }
    texts.extend(things.values().map(ToString::to_string));
    texts.sort();
    texts.dedup();
    texts.join("\n")
}

/// As the real server prints a rule in messages.
impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = [
            ("APIGroups", &self.api_groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.paths),
            ("ResourceNames", &self.resource_names),
            ("Verbs", &self.verbs),
        ];
        let given = fields.into_iter().filter(|(_, list)| !list.is_empty());
        let texts: Vec<String> =
            given.map(|(name, list)| format!("{name}:{}", quoted(list))).collect();
        write!(formatter, "{{{}}}", texts.join(", "))
    }
}

/// Texts as the real server prints lists of them.
pub(crate) fn quoted(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|one| format!("{one:?}")).collect();
    format!("[{}]", quoted.join(" "))
}
