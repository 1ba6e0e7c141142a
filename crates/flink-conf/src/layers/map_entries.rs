use std::collections::BTreeMap;

use super::Entry;
use crate::{Catalogue, ConfigurationFormat, Value, ValueType, parse_map};

/// Flink reads a map under its own key, and only if that is not set from keys below it. So that a
/// higher layer can add one entry to a map of a lower one, such entries move into the map; entries of
/// a lower layer than the whole map's are gone with it.
pub(super) fn folded(
    catalogue: Catalogue,
    format: ConfigurationFormat,
    entries: Vec<Entry>,
) -> Vec<Entry> {
    let (mut maps, mut others): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| {
        catalogue.option(&entry.key).is_some_and(|option| option.value_type == ValueType::Map)
    });
    for map in &mut maps {
        let prefix = format!("{}.", map.key);
        let Some(mut merged) = as_map(&map.value, format) else { continue };
        let (below, rest): (Vec<Entry>, Vec<Entry>) =
            others.into_iter().partition(|entry| entry.key.starts_with(&prefix));
        others = rest;
        let own_layer = map.layer;
        for entry in below {
            let name = entry.key[prefix.len()..].to_owned();
            let history = entry.clone().into_history();
            if entry.layer >= own_layer {
                if map.layer == own_layer {
                    map.overridden
                        .extend(Entry::new(&map.key, map.value.clone(), own_layer).into_history());
                }
                map.layer = map.layer.max(entry.layer);
                merged.insert(name, entry.value.to_text(format).into_owned());
                map.value = Value::Map(merged.clone());
            } else {
                map.overridden.extend(history);
            }
        }
    }
    maps.append(&mut others);
    maps.sort_by_key(|entry| entry.layer);
    maps
}

fn as_map(value: &Value, format: ConfigurationFormat) -> Option<BTreeMap<String, String>> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Text(text) => parse_map(text, format).ok(),
        _ => None,
    }
}
