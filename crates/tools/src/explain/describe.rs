//! Options as people read them.

use super::origin::{Explained, Overridden};

/// `key = value  [layer]`, one line.
pub(super) fn line(option: &Explained) -> String {
    let value = option.value.as_deref().unwrap_or_default();
    let over = match option.overridden.first() {
        None => String::new(),
        Some(Overridden { value, origin, .. }) => format!(", over {} of {origin}", one_line(value)),
    };
    format!("{} = {}  [{}{over}]\n", option.key, one_line(value), option.origin)
}

/// Everything about one option.
pub(super) fn full(option: &Explained) -> String {
    let value = option.value.as_deref().map_or_else(|| "no value".to_owned(), one_line);
    let mut lines =
        vec![format!("{} = {value}", option.key), format!("  set by: {}", option.origin)];
    for Overridden { key, value, origin } in &option.overridden {
        lines.push(format!("  over: {key} = {}, set by {origin}", one_line(value)));
    }
    if let Some(facts) = &option.option {
        if facts.key != option.key {
            lines.push(format!("  option: {}", facts.key));
        }
        lines.push(format!("  type: {}", facts.value_type));
        if !facts.words.is_empty() {
            lines.push(format!("  allowed: {}", facts.words.join(", ")));
        }
        lines.push(format!("  default: {}", facts.default.unwrap_or("none")));
        if !facts.other_keys.is_empty() {
            lines.push(format!("  also read from: {}", facts.other_keys.join(", ")));
        }
    } else {
        lines.push("  Flink does not know this option".to_owned());
    }
    lines.join("\n") + "\n"
}

fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}
