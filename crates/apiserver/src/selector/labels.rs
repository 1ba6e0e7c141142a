//! Label selectors: `app=a,tier in (x, y),!legacy`, and the same as an object with `matchLabels`.

use serde_json::Value;

/// Terms that must all hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirements(Vec<Requirement>);

#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, PartialEq, Eq)]
enum Operator {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    GreaterThan(i64),
    LessThan(i64),
}

type Labels = [(Box<str>, Box<str>)];

impl Requirements {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }

    /// Reads the form of the query parameter.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (requirement, tail) = parse_one(rest)?;
            requirements.push(requirement);
            rest = tail.trim_start();
            match rest.strip_prefix(',') {
                Some(tail) if tail.trim_start().is_empty() => {
                    return Err("found '', expected: identifier after ','".to_owned());
                }
                Some(tail) => rest = tail.trim_start(),
                None if rest.is_empty() => break,
                None => return Err(format!("found '{rest}', expected: ',' or 'end of string'")),
            }
        }
        Ok(Self(requirements))
    }

    /// Reads the form of an object's `selector`.
    pub(crate) fn of_selector(selector: &Value) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (key, value) in
            selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten()
        {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements
                .push(Requirement { key: key.clone(), operator: Operator::In(vec![value]) });
        }
        for expression in
            selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten()
        {
            let key = expression.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            let values: Vec<String> = values.filter_map(Value::as_str).map(str::to_owned).collect();
            let operator =
                match expression.get("operator").and_then(Value::as_str).unwrap_or_default() {
                    "In" => Operator::In(values),
                    "NotIn" => Operator::NotIn(values),
                    "Exists" => Operator::Exists,
                    "DoesNotExist" => Operator::DoesNotExist,
                    other => {
                        return Err(format!("\"{other}\" is not a valid label selector operator"));
                    }
                };
            requirements.push(Requirement { key, operator });
        }
        Ok(Self(requirements))
    }
}

impl std::fmt::Display for Requirements {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, Requirement { key, operator }) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(",")?;
            }
            match operator {
                Operator::In(values) => match values.as_slice() {
                    [one] => write!(formatter, "{key}={one}")?,
                    many => write!(formatter, "{key} in ({})", many.join(","))?,
                },
                Operator::NotIn(values) => write!(formatter, "{key} notin ({})", values.join(","))?,
                Operator::Exists => formatter.write_str(key)?,
                Operator::DoesNotExist => write!(formatter, "!{key}")?,
                Operator::GreaterThan(limit) => write!(formatter, "{key}>{limit}")?,
                Operator::LessThan(limit) => write!(formatter, "{key}<{limit}")?,
            }
        }
        Ok(())
    }
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.iter().find(|(key, _)| **key == *self.key).map(|(_, value)| value);
        match &self.operator {
            Operator::In(values) => {
                value.is_some_and(|value| values.iter().any(|one| **one == **value))
            }
            Operator::NotIn(values) => {
                !value.is_some_and(|value| values.iter().any(|one| **one == **value))
            }
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan(limit) => value
                .and_then(|value| value.parse::<i64>().ok())
                .is_some_and(|number| number > *limit),
            Operator::LessThan(limit) => value
                .and_then(|value| value.parse::<i64>().ok())
                .is_some_and(|number| number < *limit),
        }
    }
}

/// The end of a word: what may follow a key or a value.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_whitespace() || "=!,()<>".contains(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn parse_one(text: &str) -> Result<(Requirement, &str), String> {
    if let Some(rest) = text.strip_prefix('!') {
        let (key, rest) = parse_key(rest.trim_start())?;
        return Ok((Requirement { key, operator: Operator::DoesNotExist }, rest));
    }
    let (key, rest) = parse_key(text)?;
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with(',') {
        return Ok((Requirement { key, operator: Operator::Exists }, rest));
    }
    for sign in ["==", "!=", "="] {
        if let Some(rest) = rest.strip_prefix(sign) {
            let (value, rest) = word(rest.trim_start());
            check_value(value)?;
            let values = vec![value.to_owned()];
            let operator =
                if sign == "!=" { Operator::NotIn(values) } else { Operator::In(values) };
            return Ok((Requirement { key, operator }, rest));
        }
    }
    for sign in ['>', '<'] {
        if let Some(rest) = rest.strip_prefix(sign) {
            let (value, rest) = word(rest.trim_start());
            let number = value.parse().map_err(|_| {
                format!("for 'Gt', 'Lt' operators, the value must be an integer: '{value}'")
            })?;
            let operator = if sign == '>' {
                Operator::GreaterThan(number)
            } else {
                Operator::LessThan(number)
            };
            return Ok((Requirement { key, operator }, rest));
        }
    }
    let (operator, rest) = word(rest);
    let (values, rest) = parse_values(rest.trim_start(), operator)?;
    let operator = match operator {
        "in" => Operator::In(values),
        "notin" => Operator::NotIn(values),
        other => return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
    };
    Ok((Requirement { key, operator }, rest))
}

fn parse_key(text: &str) -> Result<(String, &str), String> {
    let (key, rest) = word(text);
    match crate::resources::qualified_problem(key) {
        None => Ok((key.to_owned(), rest)),
        Some(problem) => Err(format!("key: Invalid value: \"{key}\": {problem}")),
    }
}

fn check_value(value: &str) -> Result<(), String> {
    match crate::resources::label_value_problem(value) {
        None => Ok(()),
        Some(problem) => Err(format!("values[0]: Invalid value: \"{value}\": {problem}")),
    }
}

fn parse_values<'a>(text: &'a str, operator: &str) -> Result<(Vec<String>, &'a str), String> {
    let Some(inner) = text.strip_prefix('(') else {
        return Err(format!("found '{operator}{text}', expected: '('"));
    };
    let (inside, rest) =
        inner.split_once(')').ok_or_else(|| format!("found '{inner}', expected: ')'"))?;
    let values: Vec<String> = inside.split(',').map(|value| value.trim().to_owned()).collect();
    for value in &values {
        check_value(value)?;
    }
    Ok((values, rest))
}

#[cfg(test)]
mod tests {
    use super::Requirements;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: Vec<(Box<str>, Box<str>)> =
            labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        Requirements::parse(selector).unwrap().matches(&labels)
    }

    #[test]
    fn each_operator_selects_what_it_names() {
        let labels = [("app", "wordcount"), ("tier", "back"), ("rank", "7")];
        for (selector, expected) in [
            ("", true),
            ("app=wordcount", true),
            ("app==wordcount,tier=back", true),
            ("app=other", false),
            ("app!=other", true),
            ("missing!=other", true),
            ("app", true),
            ("missing", false),
            ("!missing", true),
            ("!app", false),
            ("tier in (front, back)", true),
            ("tier in (front)", false),
            ("tier notin (front),app", true),
            ("missing notin (a)", true),
            ("rank>6", true),
            ("rank<7", false),
            ("app = wordcount , tier in (back)", true),
            ("app=", false),
        ] {
            assert_eq!(selects(selector, &labels), expected, "{selector}");
        }
    }

    #[test]
    fn an_empty_value_selects_an_empty_label() {
        assert!(selects("app=", &[("app", "")]));
        assert!(selects("app in ()", &[("app", "")]));
    }

    #[test]
    fn nonsense_is_refused() {
        for selector in ["=a", "a b", "a in", "a in (b", "a in b", "-a=b", "a=b c", "a=-b-"] {
            assert!(Requirements::parse(selector).is_err(), "{selector}");
        }
    }
}
