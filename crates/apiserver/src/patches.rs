//! Patches of objects.

use serde_json::{Map, Value};

/// A JSON merge patch (RFC 7386).
pub(crate) fn merge(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            let before = target.get(key).cloned().unwrap_or_default();
            target.insert(key.clone(), merge(before, value));
        }
    }
    Value::Object(target)
}
