//! JSON patches (RFC 6902).

use std::io;

use serde_json::Value;

/// The real server takes no more operations in one patch.
const MAXIMUM_OPERATIONS: usize = 10_000;
/// Nor does it copy more than this in one patch, as JSON.
const MAXIMUM_COPIED_BYTES: usize = 3 << 20;
/// What the reader of JSON reads back; everything that walks through a value may use the stack for each level.
const MAXIMUM_DEPTH: usize = 127;

/// Why a patch is not applied. The real server does not tell clients which operation it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The limit, and how many operations there are.
    TooManyOperations(usize, usize),
    DoesNotFit,
}

/// Applies the operations in order.
pub(crate) fn apply(target: Value, operations: &Value) -> Result<Value, Refused> {
    let operations = operations.as_array().ok_or(Refused::DoesNotFit)?;
    if operations.len() > MAXIMUM_OPERATIONS {
        return Err(Refused::TooManyOperations(MAXIMUM_OPERATIONS, operations.len()));
    }
    let mut document = Document { root: target, copied_bytes: 0 };
    for operation in operations {
        document.step(operation).ok_or(Refused::DoesNotFit)?;
    }
    Ok(document.root)
}

/// What the operations change; they give `None` where they do not fit.
struct Document {
    root: Value,
    copied_bytes: usize,
}

impl Document {
    fn step(&mut self, operation: &Value) -> Option<()> {
        let text = |field: &str| operation.get(field).and_then(Value::as_str);
        let path = text("path")?;
        let value = || operation.get("value");
        match text("op")? {
            "add" => self.add(path, value()?.clone()),
            "remove" => self.remove(path).map(drop),
            "replace" => self.replace(path, value()?),
            "move" => {
                let from = text("from")?;
                if path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                    return None;
                }
                let moved = self.remove(from)?;
                self.add(path, moved)
            }
            "copy" => {
                let copied = self.copied(text("from")?)?;
                self.add(path, copied)
            }
            "test" => {
                let found = self.root.pointer(path).unwrap_or(&Value::Null);
                (found == value()?).then_some(())
            }
            _ => None,
        }
    }

    /// The container that a path leads into, and the last part of the path.
    fn parent(&mut self, path: &str) -> Option<(&mut Value, String)> {
        let (before, last) = path.rsplit_once('/')?;
        let container = self.root.pointer_mut(before)?;
        Some((container, last.replace("~1", "/").replace("~0", "~")))
    }

    fn add(&mut self, path: &str, value: Value) -> Option<()> {
        check_depth(path, &value)?;
        if path.is_empty() {
            self.root = value;
            return Some(());
        }
        let (container, last) = self.parent(path)?;
        match container {
            Value::Object(map) => {
                map.insert(last, value);
            }
            Value::Array(items) if last == "-" => items.push(value),
            Value::Array(items) => {
                let index = index(&last).filter(|index| *index <= items.len())?;
                items.insert(index, value);
            }
            _ => return None,
        }
        Some(())
    }

    fn replace(&mut self, path: &str, value: &Value) -> Option<()> {
        check_depth(path, value)?;
        if let Some(place) = self.root.pointer_mut(path) {
            *place = value.clone();
            return Some(());
        }
        // A field that is missing is replaced all the same, as the real server has it.
        let (Value::Object(map), last) = self.parent(path)? else { return None };
        map.insert(last, value.clone());
        Some(())
    }

    fn remove(&mut self, path: &str) -> Option<Value> {
        let (container, last) = self.parent(path)?;
        match container {
            Value::Object(map) => map.shift_remove(&last),
            Value::Array(items) => {
                index(&last).filter(|index| *index < items.len()).map(|index| items.remove(index))
            }
            _ => None,
        }
    }

    /// A copy, as long as there were not too many before.
    fn copied(&mut self, from: &str) -> Option<Value> {
        let missing_field = self.parent(from)?.0.is_object();
        let Some(found) = self.root.pointer(from) else {
            // A field that is missing is copied as nothing, as the real server has it.
            return missing_field.then_some(Value::Null);
        };
        self.copied_bytes += json_length(found);
        (self.copied_bytes <= MAXIMUM_COPIED_BYTES).then(|| found.clone())
    }
}

/// A value must not make the document deeper than it may be where it is put.
fn check_depth(path: &str, value: &Value) -> Option<()> {
    let above = path.bytes().filter(|byte| *byte == b'/').count();
    fits(value, MAXIMUM_DEPTH.checked_sub(above)?).then_some(())
}

fn fits(value: &Value, levels: usize) -> bool {
    let deeper = |inner: &Value, levels: usize| fits(inner, levels - 1);
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => false,
        Value::Array(items) => items.iter().all(|item| deeper(item, levels)),
        Value::Object(map) => map.values().all(|inner| deeper(inner, levels)),
        _ => true,
    }
}

fn json_length(value: &Value) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // A value can always be written, and counting never fails; if it did, it would be too much.
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => MAXIMUM_COPIED_BYTES + 1,
    }
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
    use serde_json::{Value, json};

    use super::{Refused, apply};

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
            let patched = apply(target, &json!([operation]));
            assert_eq!(patched, Err(Refused::DoesNotFit), "{operation}");
        }
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!({"x": inner}))
    }

    #[test]
    fn no_operation_makes_a_document_deeper_than_can_be_read_back() {
        let deep = |levels: usize| json!({"a": {}, "b": {"c": nested(levels)}});
        for operation in [
            json!({"op": "move", "from": "/b/c", "path": "/a/x"}),
            json!({"op": "copy", "from": "/b/c", "path": "/a/x"}),
            json!({"op": "move", "from": "/b", "path": "/a/x"}),
        ] {
            let levels = if operation["from"] == "/b" { 124 } else { 125 };
            let patched = apply(deep(levels), &json!([operation])).unwrap();
            let text = patched.to_string();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), patched);
            let patched = apply(deep(levels + 1), &json!([operation]));
            assert_eq!(patched, Err(Refused::DoesNotFit), "{operation}");
        }
        for op in ["add", "replace"] {
            let operation =
                |levels: usize| json!([{"op": op, "path": "/a/x", "value": nested(levels)}]);
            assert!(apply(deep(1), &operation(125)).is_ok());
            assert_eq!(apply(deep(1), &operation(126)), Err(Refused::DoesNotFit), "{op}");
        }
    }

    #[test]
    fn what_is_copied_is_counted_and_what_is_moved_is_not() {
        let target = json!({"a": "x".repeat(1 << 20)});
        let copy = json!({"op": "copy", "from": "/a", "path": "/b"});
        assert!(apply(target.clone(), &json!([copy, copy])).is_ok());
        assert_eq!(apply(target.clone(), &json!([copy, copy, copy])), Err(Refused::DoesNotFit));
        let there = json!({"op": "move", "from": "/a", "path": "/b"});
        let back = json!({"op": "move", "from": "/b", "path": "/a"});
        assert!(apply(target, &json!([there, back, there, back, there])).is_ok());
    }
}
