//! `$(NAME)` in values, commands and arguments.

use std::collections::BTreeMap;

/// Replaces `$(NAME)` by the variable's value; `$$` is a dollar sign, an unknown name stays as it is.
pub(crate) fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
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
            match variables.get(name) {
                Some(value) => result.push_str(value),
                None => result.extend(["$(", name, ")"]),
            }
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
}
