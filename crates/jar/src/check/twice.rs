//! What two jars bring, and only one of them counts.

use std::collections::BTreeMap;

use flumen_model::ArtifactRole;

use super::{FLINK, Findings, ImageLib, Part, Problem, Program, Target};
use crate::FactoryFacts;

/// How many classes are named.
const MOST_NAMED: usize = 3;
/// The interface of what only `CREATE CATALOG` looks up.
const CATALOG: &str = "org.apache.flink.table.factories.CatalogFactory";

pub(super) fn check(parts: &[Part<'_>], target: &Target<'_>, findings: &mut Findings) {
    // Each plugin has a class loader of its own.
    let shared: Vec<&Part<'_>> =
        parts.iter().filter(|part| part.role != ArtifactRole::Plugin).collect();
    factories(&shared, target, findings);
    classes(&shared, findings);
    if let Some(lib) = target.lib {
        for part in shared {
            in_image(part, lib, findings);
        }
    }
}

/// Two classes of one identifier, of which Flink refuses to choose. A class that is there twice is one to it.
fn factories(parts: &[&Part<'_>], target: &Target<'_>, findings: &mut Findings) {
    let mut known: BTreeMap<&str, Vec<(&Part<'_>, &FactoryFacts)>> = BTreeMap::new();
    for part in parts {
        for factory in &part.facts.factories {
            let Some(identifier) = factory.identifier.as_deref() else { continue };
            let others = known.entry(identifier).or_default();
            let rival = others
                .iter()
                .find(|(other, rival)| other.name != part.name && rival.class != factory.class);
            if let Some((other, rival)) = rival {
                let shared: Vec<_> = rival.interfaces.intersection(&factory.interfaces).collect();
                let is_known = !rival.interfaces.is_empty() && !factory.interfaces.is_empty();
                // Tables are read and written with both there, and few scripts that have the jars make a catalog: the
                // connector for JDBC has two of them itself.
                let of_catalog = !shared.is_empty() && shared.iter().all(|it| *it == CATALOG);
                let problem = Problem::TwoFactories {
                    identifier: identifier.to_owned(),
                    of_catalog,
                    one: (rival.class.clone(), other.name.to_owned()),
                    other: (factory.class.clone(), part.name.to_owned()),
                };
                match (shared.is_empty(), is_known) {
                    // A connector and a catalog may well be called the same.
                    (true, true) => {}
                    (false, _) if target.program == Program::Script && !of_catalog => {
                        findings.errors.push(problem);
                    }
                    _ => findings.warnings.push(problem),
                }
            }
            others.push((part, factory));
        }
    }
}

/// Classes that two jars have with other bytes.
fn classes(parts: &[&Part<'_>], findings: &mut Findings) {
    let mut holders: BTreeMap<&str, Vec<(usize, u32)>> = BTreeMap::new();
    for (place, part) in parts.iter().enumerate() {
        for (name, class) in &part.facts.classes {
            holders.entry(name).or_default().push((place, class.checksum));
        }
    }
    let mut twice: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for (name, holders) in holders {
        let Some(((first, checksum), others)) = holders.split_first() else { continue };
        for (other, _) in others.iter().filter(|(_, found)| found != checksum) {
            twice.entry((*first, *other)).or_default().push(name);
        }
    }
    for ((one, other), names) in twice {
        findings.warnings.push(Problem::ClassesTwice {
            jars: (parts[one].name.to_owned(), parts[other].name.to_owned()),
            count: names.len(),
            named: names.into_iter().take(MOST_NAMED).map(str::to_owned).collect(),
        });
    }
}

/// Classes that the image has with other bytes, and that come from there. Of most a job takes its own. Where all of an artifact
/// of Flink is in the jar, that was said.
fn in_image(part: &Part<'_>, lib: ImageLib<'_>, findings: &mut Findings) {
    let is_taken = |name: &str| {
        part.role == ArtifactRole::Lib || lib.parent_first.iter().any(|it| name.starts_with(it))
    };
    let was_said = |name: &str| !part.facts.bundled.is_empty() && name.starts_with(FLINK);
    let mut others = part.facts.classes.iter().filter(|(name, class)| {
        is_taken(name) && !was_said(name) && lib.classes.has_other(name, class.checksum)
    });
    let named: Vec<String> =
        others.by_ref().take(MOST_NAMED).map(|(name, _)| name.clone()).collect();
    if !named.is_empty() {
        let (jar, role, count) = (part.name.to_owned(), part.role, named.len() + others.count());
        findings.warnings.push(Problem::ClassesInImage { jar, role, count, named });
    }
}
