//! Differences between recorded and rendered objects. The order of a list counts only for commands
//! and their arguments; what is empty equals what is missing; configuration values are compared as
//! the text that Flink reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::case::Case;

type Named = BTreeMap<(String, String), Value>;

/// Every difference, in words.
pub(crate) fn differences(case: &Case, rendered: Vec<Value>) -> Vec<String> {
    let (mut want, mut got) = (by_name(case.objects.clone()), by_name(rendered));
    let prefixes = prefixes(case);
    let mut problems = Vec::new();
    let names: BTreeSet<_> = want.keys().chain(got.keys()).cloned().collect();
    for name in names {
        let at = format!("{} {}", name.0, name.1);
        match (want.remove(&name), got.remove(&name)) {
            (Some(mut want), Some(mut got)) => {
                problems.extend(lost(case, &prefixes, &got).map(|text| format!("{at}: {text}")));
                for object in [&mut want, &mut got] {
                    normalise_configuration(object, &prefixes);
                    *object = unordered(object, "");
                }
                compare(&want, &got, &at, &mut problems);
            }
            (Some(_), None) => problems.push(format!("{at}: not created")),
            (None, _) => problems.push(format!("{at}: Flink creates no such object")),
        }
    }
    problems
}

/// Values that the user gave and that the rendered configuration lacks.
pub(crate) fn lost_values(case: &Case, rendered: &[Value]) -> Vec<String> {
    let prefixes = prefixes(case);
    rendered.iter().flat_map(|object| lost(case, &prefixes, object)).collect()
}

fn by_name(objects: Vec<Value>) -> Named {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = |object: &Value| (text(&object["kind"]), text(&object["metadata"]["name"]));
    objects.into_iter().map(|object| (name(&object), object)).collect()
}

/// The given keys that are a dotted prefix of another: there the real client loses values.
fn prefixes(case: &Case) -> Vec<String> {
    if case.version.minor() < (1, 19).into() {
        return Vec::new();
    }
    let given = case.given();
    let is_prefix = |key: &&String| given.keys().any(|other| below(key, other));
    given.keys().filter(is_prefix).cloned().collect()
}

fn below(prefix: &str, key: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
}

fn lost(case: &Case, prefixes: &[String], object: &Value) -> impl Iterator<Item = String> {
    let given = case.given();
    let mut problems = Vec::new();
    for prefix in prefixes.iter().filter(|_| object.get("flinkConfig").is_some()) {
        let written = object["flinkConfig"].as_object().expect("a map");
        let has = |key: &str, value: &str| written.get(key).is_some_and(|it| scalar(it) == value);
        for (key, value) in given.iter().filter(|(key, _)| below(prefix, key)) {
            if !has(key, value) {
                problems.push(format!("{key} is lost"));
            }
        }
        let value = &given[prefix];
        let somewhere = |key: &&String| (*key == prefix || below(prefix, key)) && has(key, value);
        if !written.keys().any(|key| somewhere(&key)) {
            problems.push(format!("the value of {prefix} is lost"));
        }
    }
    problems.into_iter()
}

fn normalise_configuration(object: &mut Value, prefixes: &[String]) {
    let Some(Value::Object(entries)) = object.get_mut("flinkConfig") else { return };
    let concerned = |key: &str| prefixes.iter().any(|prefix| key == prefix || below(prefix, key));
    let normal: Map<_, _> = entries
        .iter()
        .filter(|(key, _)| !concerned(key))
        .map(|(key, value)| (key.clone(), as_text(value)))
        .collect();
    *entries = normal;
}

fn as_text(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(as_text).collect()),
        value => scalar(value).into(),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn unordered(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), unordered(value, key)));
            let is_empty = |value: &Value| match value {
                Value::Null => true,
                Value::Array(items) => items.is_empty(),
                Value::Object(map) => map.is_empty(),
                _ => false,
            };
            let full = |(key, value): &(String, Value)| !is_empty(value) || key == "emptyDir";
            let sorted: BTreeMap<_, _> = entries.filter(full).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|item| unordered(item, key)).collect();
            if !matches!(key, "args" | "command") {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        value => value.clone(),
    }
}

fn compare(want: &Value, got: &Value, at: &str, problems: &mut Vec<String>) {
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            let keys: BTreeSet<_> = want.keys().chain(got.keys()).collect();
            for key in keys {
                let at = format!("{at}.{key}");
                match (want.get(key), got.get(key)) {
                    (Some(want), Some(got)) => compare(want, got, &at, problems),
                    (Some(want), None) => problems.push(format!("{at}: missing, Flink has {want}")),
                    (None, got) => problems.push(format!("{at}: {got:?}, Flink has none")),
                }
            }
        }
        (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                compare(want, got, &format!("{at}[{index}]"), problems);
            }
        }
        (want, got) if want != got => problems.push(format!("{at}: {got}, Flink has {want}")),
        _ => {}
    }
}

/// An object in the recordings' form: with the configuration file read back.
pub(crate) fn comparable(mut object: Value) -> Value {
    if object["kind"] != "ConfigMap" {
        return object;
    }
    let Some(Value::Object(mut data)) = object.as_object_mut().and_then(|map| map.remove("data"))
    else {
        return object;
    };
    let read = |name: &str, data: &mut Map<String, Value>| {
        data.remove(name).map(|text| text.as_str().expect("a text").to_owned())
    };
    if let Some(text) = read("flink-conf.yaml", &mut data) {
        object["configFile"] = "flink-conf.yaml".into();
        object["flinkConfig"] = legacy(&text);
    } else if let Some(text) = read("config.yaml", &mut data) {
        object["configFile"] = "config.yaml".into();
        object["flinkConfig"] = standard(&text);
    } else {
        object["data"] = Value::Object(data);
        return object;
    }
    object["otherFiles"] = json!(data.keys().collect::<Vec<_>>());
    object
}

fn legacy(text: &str) -> Value {
    let mut entries = Map::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some((key, value)) = line.split_once(": ") {
            entries.insert(key.trim().to_owned(), value.into());
        } else if let Some(key) = line.trim_end().strip_suffix(':') {
            entries.insert(key.to_owned(), "".into());
        }
    }
    Value::Object(entries)
}

fn standard(text: &str) -> Value {
    let tree: Value = serde_saphyr::from_str(text).expect("a YAML document");
    let mut entries = Map::new();
    flatten("", &tree, &mut entries);
    Value::Object(entries)
}

fn flatten(prefix: &str, value: &Value, entries: &mut Map<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let full = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&full, value, entries);
            }
        }
        value => {
            entries.insert(prefix.to_owned(), value.clone());
        }
    }
}
