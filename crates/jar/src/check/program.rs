//! Whether there is a class to run.

use std::collections::BTreeMap;

use super::{FLINK, Findings, Part, Problem, Program, Target};
use crate::{facts::has_main, names};

/// How many names are offered.
const MOST_OFFERED: usize = 3;
/// How like a name must be to be offered, from 0 to 1.
const LIKE: f64 = 0.75;

pub(super) fn check(parts: &[Part<'_>], target: &Target<'_>, findings: &mut Findings) {
    let (class, is_named) = match target.program {
        Program::Script | Program::InImage => return,
        Program::Class(class) => (class, true),
        Program::Manifest => {
            let Some(first) = parts.first() else { return };
            let Some(class) = &first.facts.main_class else {
                let (jar, offered) = (first.name.to_owned(), offered("", parts));
                findings.errors.push(Problem::NoMainClass { jar, offered });
                return;
            };
            (class.as_str(), false)
        }
    };
    let lookup = |name: &str| parts.iter().find_map(|part| part.facts.classes.get(name));
    if lookup(class).is_none() {
        let problem = Problem::MainClassMissing {
            class: class.to_owned(),
            is_named,
            jars: parts.iter().map(|part| part.name.to_owned()).collect(),
            offered: offered(class, parts),
        };
        // The image may have classes of Flink's own, and what lies in a jar in a jar is not known.
        let may_be_there =
            class.starts_with(FLINK) || parts.iter().any(|part| part.facts.has_nested_jars);
        if may_be_there { &mut findings.warnings } else { &mut findings.errors }.push(problem);
    } else if has_main(class, lookup) == Some(false) {
        let offered = offered(class, parts);
        findings.errors.push(Problem::NoMainMethod { class: class.to_owned(), offered });
    }
}

/// Classes with a main method, those first whose names are like the one that is wanted.
fn offered(wanted: &str, parts: &[Part<'_>]) -> Vec<String> {
    let simple = |name: &str| name.rsplit(['.', '$']).next().unwrap_or_default().to_lowercase();
    let mut mains: BTreeMap<&str, f64> = BTreeMap::new();
    for part in parts {
        for (name, facts) in &part.facts.classes {
            if !facts.has_main || names::is_relocated(&name.replace('.', "/")) {
                continue;
            }
            let whole = strsim::normalized_damerau_levenshtein(wanted, name);
            let end = strsim::normalized_damerau_levenshtein(&simple(wanted), &simple(name));
            mains.insert(name, whole.max(end));
        }
    }
    let mut names: Vec<(&str, f64)> = mains.into_iter().collect();
    names.sort_by(|(one, like), (other, alike)| alike.total_cmp(like).then(one.cmp(other)));
    // Where there are few, any of them may be meant.
    if names.len() > MOST_OFFERED {
        names.retain(|(_, like)| wanted.is_empty() || *like >= LIKE);
    }
    names.into_iter().take(MOST_OFFERED).map(|(name, _)| name.to_owned()).collect()
}
