use std::collections::HashSet;

use crate::{Catalogue, Value};

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
            && let Some(option) = catalogue.principal(entry.0)
            && !keys.contains(&option.key)
        {
            entry.0 = option.key;
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
