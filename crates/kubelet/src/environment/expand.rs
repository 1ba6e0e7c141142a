//! `$(NAME)` in values, commands and arguments.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign, an unknown name stays as it is.
pub(crate) fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    replace(text, |name| match variables.get(name) {
        Some(value) => value.into(),
        None => format!("$({name})").into(),
    })
}

/// The same where every variable must have a value; otherwise the names of those that have none.
pub(crate) fn expand_strictly(
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<String, BTreeSet<String>> {
    let mut missing = BTreeSet::new();
    let result = replace(text, |name| {
        let value = variables.get(name).map(String::as_str).unwrap_or_default();
        if value.is_empty() {
            missing.insert(name.to_owned());
        }
        value.into()
    });
    if missing.is_empty() { Ok(result) } else { Err(missing) }
}

fn replace<'v>(text: &str, mut value: impl FnMut(&str) -> Cow<'v, str>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, after) = rest.split_at(dollar);
        result.push_str(before);
        let after = &after[1..];
        if let Some(escaped) = after.strip_prefix('$') {
            result.push('$');
            rest = escaped;
        } else if let Some((name, remainder)) =
            after.strip_prefix('(').and_then(|inner| inner.split_once(')'))
        {
            result.push_str(&value(name));
            rest = remainder;
        } else {
            result.push('$');
            rest = after;
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_kubernetes_does() {
        let variables = BTreeMap::from([
            ("A".to_owned(), "1".to_owned()),
            ("B_C".to_owned(), "$(A)".to_owned()),
        ]);
        for (text, expected) in [
            ("x$(A)y$(A)", "x1y1"),
            ("$(B_C)", "$(A)"),
            ("$$(A) $$$(A)", "$(A) $1"),
            ("$(NO) $A ${A} $", "$(NO) $A ${A} $"),
            ("$(A", "$(A"),
            ("é$(A)é", "é1é"),
        ] {
            assert_eq!(expand(text, &variables), expected, "{text}");
        }
    }

    #[test]
    fn where_every_variable_must_have_a_value_those_without_are_named() {
        let variables =
            BTreeMap::from([("A".to_owned(), "1".to_owned()), ("EMPTY".to_owned(), String::new())]);
        assert_eq!(expand_strictly("x/$(A)/$$(NO)", &variables).unwrap(), "x/1/$(NO)");
        let missing = expand_strictly("$(NO)/$(A)/$(EMPTY)/$(NO)", &variables).unwrap_err();
        assert_eq!(missing, ["EMPTY", "NO"].map(str::to_owned).into());
    }
}
