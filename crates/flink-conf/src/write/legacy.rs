use super::Loss;
use crate::{ConfigurationFormat, Value, java};

pub(super) fn render(entries: &[(&str, &Value)]) -> String {
    let mut text = String::new();
    for (key, value) in entries {
        text.push_str(key);
        text.push_str(": ");
        text.push_str(&value.to_text(ConfigurationFormat::Legacy));
        text.push('\n');
    }
    text
}

pub(super) fn losses(entries: &[(&str, &Value)]) -> Vec<Loss> {
    let loss = |(key, value): &(&str, &Value)| {
        let text = value.to_text(ConfigurationFormat::Legacy);
        // An empty list is what Flink has where nothing is set.
        let is_empty_list = matches!(value, Value::List(items) if items.is_empty());
        let judge = if is_empty_list { what_is_cut } else { what_is_lost };
        judge(key, &text).map(|what| Loss { key: (*key).to_owned(), what })
    };
    entries.iter().filter_map(loss).collect()
}

/// What Flink's line parser does to the pair, if it does not read it back.
fn what_is_lost(key: &str, text: &str) -> Option<&'static str> {
    if let Some(what) = what_is_cut(key, text) {
        return Some(what);
    }
    if text.is_empty() {
        return Some("an empty value is read as not set");
    }
    (java::trim(text) != text).then_some("blanks around the value are dropped")
}

/// What Flink's line parser does to the pair, if it reads another key or part of the value.
pub(crate) fn what_is_cut(key: &str, text: &str) -> Option<&'static str> {
    let is_read_otherwise = key.contains(['#', '\n', '\r']) || key.contains(": ");
    if is_read_otherwise || key.is_empty() || java::trim(key) != key {
        return Some("the key is empty or holds a '#', ': ', line breaks or blanks around it");
    }
    if text.contains(['\n', '\r']) {
        return Some("the value has line breaks and only its first line is read");
    }
    text.contains('#').then_some("the value is cut at its first '#'")
}
