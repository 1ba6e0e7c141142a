//! Values as text that a person reads, and how two such texts differ.

use serde_json::{Map, Value};

/// What still goes on one line.
const WIDTH: usize = 110;
/// Lines of a difference that are the same and shown around it.
const CONTEXT: usize = 3;

/// A value as JSON; what is short stays on one line.
pub(crate) fn render(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    let short = compact(value);
    if short.chars().count() + indent <= WIDTH {
        text.push_str(&short);
        return;
    }
    let (open, close, parts) = match value {
        Value::Array(items) => ("[", "]", items.iter().map(|item| (None, item)).collect()),
        Value::Object(map) => {
            ("{", "}", map.iter().map(|(key, value)| (Some(key), value)).collect::<Vec<_>>())
        }
        _ => {
            text.push_str(&short);
            return;
        }
    };
    text.push_str(open);
    let count = parts.len();
    for (position, (key, value)) in parts.into_iter().enumerate() {
        text.push('\n');
        text.push_str(&" ".repeat(indent + 2));
        if let Some(key) = key {
            text.push_str(&Value::from(key.as_str()).to_string());
            text.push_str(": ");
        }
        write(value, indent + 2, text);
        if position + 1 < count {
            text.push(',');
        }
    }
    text.push('\n');
    text.push_str(&" ".repeat(indent));
    text.push_str(close);
}

fn compact(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(compact).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| {
                format!("{}: {}", Value::from(key.as_str()), compact(value))
            };
            let pairs: Vec<String> = map.iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// The value with the fields of each object in the order of their names.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(pairs))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The lines that only one of two texts has, with those around them.
pub(crate) fn diff(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let lines = align(&old, &new);
    let near = |position: usize| {
        let from = position.saturating_sub(CONTEXT);
        let to = (position + CONTEXT + 1).min(lines.len());
        lines[from..to].iter().any(|(sign, _)| *sign != ' ')
    };
    let mut text = String::new();
    let mut skipped = false;
    for (position, (sign, line)) in lines.iter().enumerate() {
        if near(position) {
            text.push(*sign);
            text.extend([" ", line, "\n"]);
            skipped = false;
        } else if !skipped {
            text.push_str("  …\n");
            skipped = true;
        }
    }
    text
}

/// All lines of both texts, each with where it stands: `-` in the first only, `+` in the second only.
fn align<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    // The length of the longest common part of what is left of both.
    let width = new.len() + 1;
    let mut common = vec![0_usize; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{diff, render};

    #[test]
    fn what_is_short_stays_on_a_line() {
        assert_eq!(render(&json!({"a": [1, "b"]})), r#"{"a": [1, "b"]}"#);
        let long = "x".repeat(90);
        assert_eq!(
            render(&json!({"a": {"b": long}, "c": 1})),
            format!("{{\n  \"a\": {{\"b\": \"{long}\"}},\n  \"c\": 1\n}}")
        );
    }

    #[test]
    fn a_difference_is_shown_with_what_is_around_it() {
        assert_eq!(
            diff("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\nx\n7"),
            "  …\n  3\n  4\n  5\n- 6\n+ x\n  7\n"
        );
    }
}
