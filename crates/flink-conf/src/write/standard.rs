use indexmap::IndexMap;

use super::conflict::prefixes;
use crate::{
    ConfigurationFormat, Value,
    yaml::scalar::{INDENT, render_in_block, render_key},
};

/// How many levels below the first a key may have; readers of YAML limit them.
const DEEPEST: usize = 40;

/// One level of the document.
#[derive(Default)]
struct Level<'a> {
    entries: IndexMap<&'a str, Entry<'a>>,
}

enum Entry<'a> {
    Leaf(&'a Value),
    Level(Level<'a>),
}

/// Keys split at their dots into nested mappings, in the order of first appearance.
pub(super) fn render(entries: &[(&str, &Value)]) -> String {
    let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
    let prefixes = prefixes(&keys);
    let stays_flat = |key: &str| {
        // Flink reads a dotted key as it reads a nested one, so that a value and a mapping can stand
        // under the same name. A name without a dot cannot step aside: what is below it does.
        let steps_aside = prefixes.contains(key) && key.contains('.');
        let root = key.split('.').next().unwrap_or(key);
        let below_a_value = root != key && prefixes.contains(root);
        // An empty last part would be lost when the key is split as Flink splits it.
        let splits_badly = key.ends_with('.') || key.matches('.').count() > DEEPEST;
        steps_aside || below_a_value || splits_badly
    };
    let mut root = Level::default();
    for (key, value) in entries {
        if stays_flat(key) {
            root.entries.insert(key, Entry::Leaf(value));
        } else {
            root.insert(key, value);
        }
    }
    let mut text = String::new();
    root.write(&mut text, 0);
    text
}

impl<'a> Level<'a> {
    fn insert(&mut self, key: &'a str, value: &'a Value) {
        match key.split_once('.') {
            None => {
                self.entries.insert(key, Entry::Leaf(value));
            }
            Some((first, rest)) => {
                let below =
                    self.entries.entry(first).or_insert_with(|| Entry::Level(Self::default()));
                if let Entry::Level(below) = below {
                    below.insert(rest, value);
                }
            }
        }
    }

    fn write(&self, out: &mut String, indent: usize) {
        for (key, entry) in &self.entries {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(&render_key(key));
            out.push(':');
            match entry {
                Entry::Level(below) => {
                    out.push('\n');
                    below.write(out, indent + INDENT);
                }
                Entry::Leaf(value) => write_value(out, value, indent),
            }
        }
    }
}

/// What follows the colon, up to and with the line break.
fn write_value(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::List(items) if !items.is_empty() => {
            for item in items {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                out.push_str("- ");
                out.push_str(&render_in_block(item, indent));
            }
        }
        Value::List(_) => out.push_str(" []"),
        Value::Boolean(_) | Value::Integer(_) | Value::Double(_) => {
            out.push(' ');
            out.push_str(&value.to_text(ConfigurationFormat::Standard));
        }
        Value::Text(_) | Value::Map(_) | Value::ListOfMaps(_) => {
            out.push(' ');
            out.push_str(&render_in_block(&value.to_text(ConfigurationFormat::Standard), indent));
        }
    }
    out.push('\n');
}
