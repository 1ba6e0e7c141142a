//! Patches of objects.

use serde_json::{Map, Value};

pub(crate) mod json;
pub(crate) mod schema;
pub(crate) mod strategic;

/// A JSON merge patch (RFC 7386).
pub(crate) fn merge(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    target.retain(|key, _| !patch.get(key).is_some_and(Value::is_null));
    for (key, value) in patch.iter().filter(|(_, value)| !value.is_null()) {
        let before = target.get(key).cloned().unwrap_or_default();
        target.insert(key.clone(), merge(before, value));
    }
    Value::Object(target)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn a_merge_patch_sets_removes_and_replaces() {
        let target = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        let patch = json!({"a": {"b": null, "c": [3], "e": {"f": null, "g": 5}}, "h": 6});
        assert_eq!(merge(target, &patch), json!({"a": {"c": [3], "e": {"g": 5}}, "d": 4, "h": 6}));
    }
}
