//! Pod templates: YAML to JSON by the core schema of YAML 1.2.

use serde_json::{Map, Number, Value as Json};

use crate::{
    fields::{Field, Report, join},
    node::{Node, Scalar, Value},
};

/// A pod template as the JSON object that Kubernetes would read.
pub(crate) fn object(field: &Field<'_>, report: &mut Report) -> Option<Map<String, Json>> {
    let json = json(field.node, &field.key, report)?;
    let Json::Object(map) = json else {
        field.refuse("a Kubernetes Pod with metadata and spec", report);
        return None;
    };
    Some(map)
}

fn json(node: &Node, key: &str, report: &mut Report) -> Option<Json> {
    match &node.value {
        Value::Scalar(scalar) => match resolve(scalar) {
            Ok(json) => Some(json),
            Err(message) => {
                report.add(node.at, key, message);
                None
            }
        },
        Value::List(items) => {
            let item = |(index, node)| json(node, &format!("{key}[{index}]"), report);
            let items: Vec<_> = items.iter().enumerate().map(item).collect();
            items.into_iter().collect::<Option<_>>().map(Json::Array)
        }
        Value::Map(entries) => {
            let mut map = Map::new();
            let mut complete = true;
            for entry in entries {
                let full = join(key, &entry.key);
                let value = json(&entry.node, &full, report);
                complete &= value.is_some();
                if map.insert(entry.key.clone(), value.unwrap_or_default()).is_some() {
                    report.add(entry.at, &full, "is there twice; leave one of them out");
                }
            }
            complete.then_some(Json::Object(map))
        }
    }
}

fn resolve(scalar: &Scalar) -> Result<Json, String> {
    let text = scalar.text.as_str();
    if scalar.is_null() {
        return Ok(Json::Null);
    }
    if !scalar.plain {
        return Ok(Json::from(text));
    }
    match text {
        "true" | "True" | "TRUE" => return Ok(Json::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Json::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "is {text}, which YAML 1.1 takes for an octal and YAML 1.2 for a decimal number; write 0o{} or a number without a leading 0",
            digits.trim_start_matches('0')
        ));
    }
    let integer = match text.split_at_checked(2) {
        Some(("0o", octal)) => i64::from_str_radix(octal, 8).ok(),
        Some(("0x", hex)) => i64::from_str_radix(hex, 16).ok(),
        _ => text.parse().ok(),
    };
    if let Some(integer) = integer {
        return Ok(Json::from(integer));
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let float = text.parse().ok().filter(|_| numeric).and_then(Number::from_f64);
    Ok(float.map_or_else(|| Json::from(text), Json::Number))
}
