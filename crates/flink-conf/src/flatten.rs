use std::collections::BTreeMap;

use flumen_model::ConfigurationValue;
use indexmap::IndexMap;

use crate::{Catalogue, ConfigurationFormat, Error, Value, ValueType};

const LISTS: &str = "a list holds texts and numbers, or maps of them, but no lists";
const MAPS: &str = "a map holds texts and numbers";

/// The entries of a file that may nest its keys: `{a: {b: 1}}` and `{a.b: 1}` are the same. A mapping
/// under the key of a map-typed option is that option's value.
///
/// # Errors
/// If a key is there twice or a value has a form that no option takes.
pub fn flatten(
    tree: &BTreeMap<String, ConfigurationValue>,
    catalogue: Catalogue,
) -> Result<Vec<(String, Value)>, Error> {
    let mut entries = IndexMap::new();
    collect(&mut entries, "", tree, catalogue)?;
    Ok(entries.into_iter().collect())
}

fn collect(
    entries: &mut IndexMap<String, Value>,
    prefix: &str,
    tree: &BTreeMap<String, ConfigurationValue>,
    catalogue: Catalogue,
) -> Result<(), Error> {
    for (name, value) in tree {
        let key = format!("{prefix}{name}");
        if let ConfigurationValue::Map(below) = value
            && !is_map(catalogue, &key)
        {
            collect(entries, &format!("{key}."), below, catalogue)?;
            continue;
        }
        let value = typed(&key, value)?;
        if entries.insert(key.clone(), value).is_some() {
            return Err(Error::DuplicateKey { key });
        }
    }
    Ok(())
}

fn is_map(catalogue: Catalogue, key: &str) -> bool {
    catalogue.option(key).is_some_and(|option| option.value_type == ValueType::Map)
}

fn typed(key: &str, value: &ConfigurationValue) -> Result<Value, Error> {
    let unfit = |allowed| Error::UnfitValue { key: key.to_owned(), allowed };
    Ok(match value {
        ConfigurationValue::Boolean(flag) => Value::Boolean(*flag),
        ConfigurationValue::Integer(number) => Value::Integer(*number),
        ConfigurationValue::Float(number) => Value::Double(*number),
        ConfigurationValue::Text(text) => Value::Text(text.clone()),
        ConfigurationValue::Map(map) => Value::Map(text_map("", map).ok_or_else(|| unfit(MAPS))?),
        ConfigurationValue::List(items) => list(items).ok_or_else(|| unfit(LISTS))?,
    })
}

fn list(items: &[ConfigurationValue]) -> Option<Value> {
    let has_maps = items.iter().any(|item| matches!(item, ConfigurationValue::Map(_)));
    if !has_maps {
        return items.iter().map(text).collect::<Option<_>>().map(Value::List);
    }
    let map = |item: &ConfigurationValue| match item {
        ConfigurationValue::Map(map) => text_map("", map),
        _ => None,
    };
    items.iter().map(map).collect::<Option<_>>().map(Value::ListOfMaps)
}

/// Keys of such a map often hold dots (`app.kubernetes.io/name`), so nesting means the same there.
fn text_map(
    prefix: &str,
    map: &BTreeMap<String, ConfigurationValue>,
) -> Option<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for (name, value) in map {
        let key = format!("{prefix}{name}");
        match value {
            ConfigurationValue::Map(below) => texts.extend(text_map(&format!("{key}."), below)?),
            value => {
                texts.insert(key, text(value)?);
            }
        }
    }
    Some(texts)
}

fn text(value: &ConfigurationValue) -> Option<String> {
    let value = match value {
        ConfigurationValue::Boolean(flag) => Value::Boolean(*flag),
        ConfigurationValue::Integer(number) => Value::Integer(*number),
        ConfigurationValue::Float(number) => Value::Double(*number),
        ConfigurationValue::Text(text) => return Some(text.clone()),
        ConfigurationValue::List(_) | ConfigurationValue::Map(_) => return None,
    };
    Some(value.to_text(ConfigurationFormat::Standard).into_owned())
}
