//! JSON patches (RFC 6902).

use serde_json::Value;

/// Applies the operations in order; an error names the operation that failed.
pub(crate) fn apply(mut target: Value, operations: &Value) -> Result<Value, String> {
    let operations = operations.as_array().ok_or("a JSON patch must be a list of operations")?;
    for operation in operations {
        step(&mut target, operation)?;
    }
    Ok(target)
}

fn step(target: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |field: &str| operation.get(field).and_then(Value::as_str);
    let kind = text("op").ok_or("missing field `op`")?;
    let path = text("path").ok_or("missing field `path`")?;
    let value = || {
        operation
            .get("value")
            .cloned()
            .ok_or_else(|| format!("{kind} operation without a value at {path}"))
    };
    let from = || text("from").ok_or_else(|| format!("{kind} operation without `from` at {path}"));
    match kind {
        "add" => add(target, path, value()?),
        "remove" => remove(target, path).map(drop),
        "replace" => {
            // A field that is missing is replaced all the same, as the real server has it.
            match target.pointer_mut(path) {
                Some(place) => {
                    *place = value()?;
                    Ok(())
                }
                None => match parent(target, path, "replace")? {
                    (Value::Object(map), last) => {
                        map.insert(last, value()?);
                        Ok(())
                    }
                    _ => Err(missing("replace", path)),
                },
            }
        }
        "move" => {
            let from = from()?;
            if path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                return Err(format!("move operation cannot move {from} into itself"));
            }
            let moved = remove(target, from)?;
            add(target, path, moved)
        }
        "copy" => {
            let from = from()?;
            let copied = target.pointer(from).cloned().ok_or_else(|| missing("copy", from))?;
            add(target, path, copied)
        }
        "test" => {
            let expected = value()?;
            if target.pointer(path).unwrap_or(&Value::Null) == &expected {
                Ok(())
            } else {
                Err(format!("testing value {path} failed: test failed"))
            }
        }
        other => Err(format!("unknown operation {other}")),
    }
}

fn missing(kind: &str, path: &str) -> String {
    format!("{kind} operation does not apply: doc is missing path: {path}: missing value")
}

/// The container that a path leads into, and the last part of the path.
fn parent<'a>(
    target: &'a mut Value,
    path: &str,
    kind: &str,
) -> Result<(&'a mut Value, String), String> {
    let (before, last) = path.rsplit_once('/').ok_or_else(|| format!("invalid path {path}"))?;
    let container = target.pointer_mut(before).ok_or_else(|| missing(kind, path))?;
    Ok((container, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (container, last) = parent(target, path, "add")?;
    match container {
        Value::Object(map) => {
            map.insert(last, value);
            Ok(())
        }
        Value::Array(items) if last == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => {
            let index = index(&last)
                .filter(|index| *index <= items.len())
                .ok_or_else(|| missing("add", path))?;
            items.insert(index, value);
            Ok(())
        }
        _ => Err(missing("add", path)),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let (container, last) = parent(target, path, "remove")?;
    let removed = match container {
        Value::Object(map) => map.shift_remove(&last),
        Value::Array(items) => {
            index(&last).filter(|index| *index < items.len()).map(|index| items.remove(index))
        }
        _ => None,
    };
    removed.ok_or_else(|| missing("remove", path))
}

fn index(text: &str) -> Option<usize> {
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if leading_zero || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        None
    } else {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::apply;

    #[test]
    fn each_operation_does_what_the_standard_says() {
        let target = json!({"a": {"x/y": 1}, "list": [1, 2, 3]});
        let operations = json!([
            {"op": "test", "path": "/a/x~1y", "value": 1},
            {"op": "add", "path": "/list/1", "value": 9},
            {"op": "add", "path": "/list/-", "value": 4},
            {"op": "remove", "path": "/list/0"},
            {"op": "replace", "path": "/a/x~1y", "value": 2},
            {"op": "copy", "from": "/a", "path": "/b"},
            {"op": "move", "from": "/a/x~1y", "path": "/c"},
        ]);
        let expected = json!({"a": {}, "list": [9, 2, 3, 4], "b": {"x/y": 2}, "c": 2});
        assert_eq!(apply(target, &operations), Ok(expected));
    }

    #[test]
    fn an_operation_that_does_not_fit_is_an_error() {
        for operation in [
            json!({"op": "test", "path": "/a", "value": 2}),
            json!({"op": "remove", "path": "/b"}),
            json!({"op": "replace", "path": "/b/c", "value": 1}),
            json!({"op": "add", "path": "/b/c", "value": 1}),
            json!({"op": "add", "path": "/list/2", "value": 1}),
            json!({"op": "remove", "path": "/list/-"}),
            json!({"op": "remove", "path": ""}),
            json!({"op": "move", "from": "/a", "path": "/a/b"}),
            json!({"op": "add", "path": "/b"}),
            json!({"path": "/b"}),
            json!("nonsense"),
        ] {
            let target = json!({"a": 1, "list": [1]});
            assert!(apply(target, &json!([operation])).is_err(), "{operation}");
        }
    }
}
