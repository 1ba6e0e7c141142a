//! Parts of answers.

use serde_json::{Map, Value};

/// The parts that the pointers name, under their pointers; the whole answer if none is named.
pub(super) fn pick(answer: &Value, pointers: &[String]) -> Value {
    if pointers.is_empty() {
        return answer.clone();
    }
    let part =
        |pointer: &String| (pointer.clone(), find(answer, pointer).cloned().unwrap_or_default());
    Value::Object(pointers.iter().map(part).collect::<Map<String, Value>>())
}

/// What a pointer leads to. A step `[name=x]` leads to the item of a list whose field is that.
pub(super) fn find<'a>(answer: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut place = answer;
    // A slash within brackets belongs to the value.
    let mut rest = pointer.strip_prefix('/')?;
    while !rest.is_empty() {
        let (step, after) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((inner, after)) => {
                let (field, wanted) = inner.split_once('=')?;
                let fits = |item: &&Value| item.get(field).and_then(Value::as_str) == Some(wanted);
                place = place.as_array()?.iter().find(fits)?;
                rest = after.strip_prefix('/').unwrap_or(after);
                continue;
            }
            None => rest.split_once('/').unwrap_or((rest, "")),
        };
        let step = step.replace("~1", "/").replace("~0", "~");
        place = match place {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            other => other.get(&step)?,
        };
        rest = after;
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::find;

    #[test]
    fn a_part_is_found_by_names_places_and_fields() {
        let answer = json!({"a": [{"name": "x/y", "b": {"c/d": 1}}]});
        assert_eq!(find(&answer, "/a/[name=x/y]/b/c~1d"), Some(&json!(1)));
        assert_eq!(find(&answer, "/a/0/name"), Some(&json!("x/y")));
        assert_eq!(find(&answer, "/a/[name=z]"), None);
    }
}
