//! The forms that names, labels and ports must have.

use serde_json::Value;

use crate::failure::Cause;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const QUALIFIED_WITH_PREFIX: &str = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn edges_are(text: &str, allowed: fn(char) -> bool) -> bool {
    text.chars().next().is_some_and(allowed) && text.chars().next_back().is_some_and(allowed)
}

fn lower(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    text.len() <= 63
        && edges_are(text, lower)
        && text.chars().all(|character| lower(character) || character == '-')
}

/// What is wrong with the name of most kinds.
pub(crate) fn subdomain_problem(name: &str) -> Option<String> {
    if name.len() > 253 {
        return Some("must be no more than 253 characters".into());
    }
    let good = name.split('.').all(|part| {
        edges_are(part, lower) && part.chars().all(|character| lower(character) || character == '-')
    });
    (!good).then(|| SUBDOMAIN.into())
}

/// What is wrong with the name of a namespace.
pub(crate) fn namespace_problem(name: &str) -> Option<String> {
    if name.contains('.') {
        return Some("must not contain dots".into());
    }
    label_problem(name)
}

/// What is wrong with the name of a container or a port.
pub(crate) fn label_problem(name: &str) -> Option<String> {
    if name.len() > 63 {
        return Some("must be no more than 63 characters".into());
    }
    (!is_label(name)).then(|| LABEL.into())
}

/// What is wrong with the name of a service.
pub(crate) fn label_1035_problem(name: &str) -> Option<String> {
    if name.len() > 63 {
        return Some("must be no more than 63 characters".into());
    }
    let starts = name.chars().next().is_some_and(|first| first.is_ascii_lowercase());
    (!starts || !is_label(name)).then(|| LABEL_1035.into())
}

/// Everything that is wrong with the name of a port.
pub(crate) fn port_name_problems(name: &str) -> Vec<&'static str> {
    let mut problems = Vec::new();
    if name.len() > 15 {
        problems.push("must be no more than 15 characters");
    }
    if !name.chars().all(|character| lower(character) || character == '-') {
        problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.contains(|character: char| character.is_ascii_lowercase()) {
        problems.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        problems.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        problems.push("must not begin or end with a hyphen");
    }
    problems
}

/// What is wrong with a port that is given by number or by name.
pub(crate) fn port_problems(port: &Value) -> Vec<&'static str> {
    match port {
        Value::String(name) => port_name_problems(name),
        Value::Number(number) if !number.as_i64().is_some_and(|it| (1..=65535).contains(&it)) => {
            vec!["must be between 1 and 65535, inclusive"]
        }
        _ => Vec::new(),
    }
}

fn qualified_part(text: &str) -> bool {
    edges_are(text, |character| character.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
}

/// What is wrong with the key of a label or an annotation.
pub(crate) fn qualified_problem(key: &str) -> Option<String> {
    if key.matches('/').count() > 1 {
        return Some(QUALIFIED_WITH_PREFIX.into());
    }
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            return Some("prefix part must be non-empty".into());
        }
        if let Some(problem) = subdomain_problem(prefix) {
            return Some(format!("prefix part {problem}"));
        }
    }
    if name.is_empty() {
        return Some("name part must be non-empty".into());
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 characters".into());
    }
    (!qualified_part(name)).then(|| QUALIFIED.into())
}

/// What is wrong with the value of a label.
pub(crate) fn label_value_problem(value: &str) -> Option<String> {
    if value.len() > 63 {
        return Some("must be no more than 63 characters".into());
    }
    (!value.is_empty() && !qualified_part(value)).then(|| LABEL_VALUE.into())
}

/// What is wrong with a map of labels.
pub(crate) fn check_labels(labels: Option<&Value>, field: &str, causes: &mut Vec<Cause>) {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        if let Some(problem) = qualified_problem(key) {
            causes.push(Cause::invalid(field, &key.as_str().into(), &problem));
        }
        if let Some(problem) = label_value_problem(value.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid(field, value, &problem));
        }
    }
}
