use std::collections::HashSet;

use crate::{Catalogue, FlinkOption, Value};

/// The entries with each key that is a dotted prefix of another one renamed to the key that this
/// minor prefers, where there is one and it is not set itself.
pub(super) fn with_preferred_keys<'a>(
    catalogue: Catalogue,
    mut entries: Vec<(&'a str, &'a Value)>,
) -> Vec<(&'a str, &'a Value)> {
    let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
    let prefixes = prefixes(&keys);
    for entry in &mut entries {
        if prefixes.contains(entry.0)
            && let Some(preferred) = preferred(catalogue, entry.0)
            && !keys.contains(&preferred)
        {
            entry.0 = preferred;
        }
    }
    entries
}

/// Those of the keys that are a dotted prefix of another.
pub(super) fn prefixes<'a>(keys: &[&'a str]) -> HashSet<&'a str> {
    let known: HashSet<&str> = keys.iter().copied().collect();
    let above = |key: &'a str| key.match_indices('.').map(move |(at, _)| &key[..at]);
    keys.iter().flat_map(|key| above(key)).filter(|prefix| known.contains(prefix)).collect()
}

/// The key below `alias` that says the same: that of an option read from `alias`, from which every
/// other option that is read from `alias` is read too.
fn preferred(catalogue: Catalogue, alias: &str) -> Option<&'static str> {
    if catalogue.option(alias).is_some_and(|option| option.key == alias) {
        return None;
    }
    let readers: Vec<&FlinkOption> = catalogue.readers(alias).collect();
    let speaks_for_all = |candidate: &&&FlinkOption| {
        let is_below = candidate.key.strip_prefix(alias).is_some_and(|rest| rest.starts_with('.'));
        is_below && readers.iter().all(|other| other.keys().any(|key| key == candidate.key))
    };
    readers.iter().find(speaks_for_all).map(|option| option.key)
}
