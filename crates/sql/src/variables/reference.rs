use std::ops::Range;

use flumen_model::{ObjectName, SecretEntry, VariableName};

use crate::Position;

const SECRET: &str = "secret:";

/// An entry of a Secret that a script needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretReference {
    /// The Secret.
    pub name: ObjectName,
    /// Its entry.
    pub entry: SecretEntry,
    /// Where the script names it.
    pub at: Position,
}

/// What `${` or `$${` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark<'t> {
    /// `$${`
    Escape,
    /// `${name}`
    Variable(&'t str),
    /// `${secret:NAME/KEY}`
    Secret { name: &'t str, entry: &'t str },
    /// Nothing of these.
    Malformed,
}

/// Where the next `${` or `$${` of this part of the text begins.
pub(super) fn next_mark(text: &str, span: Range<usize>) -> Option<usize> {
    let is_mark = |at: &usize| text[*at..].starts_with("${") || text[*at..].starts_with("$${");
    let mut dollars = text[span.clone()].match_indices('$').map(|(at, _)| span.start + at);
    dollars.find(is_mark)
}

/// What the text begins with, and how many bytes it has.
pub(super) fn mark(text: &str) -> Option<(Mark<'_>, usize)> {
    if text.starts_with("$${") {
        return Some((Mark::Escape, 3));
    }
    let rest = text.strip_prefix("${")?;
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-:/".contains(byte);
    let length = rest.bytes().take_while(|byte| is_inner(byte)).count();
    let (inner, after) = rest.split_at(length);
    if !after.starts_with('}') {
        return Some((Mark::Malformed, 2));
    }
    let mark = match inner.strip_prefix(SECRET) {
        // What lacks one of them is refused by its name.
        Some(secret) => {
            let (name, entry) = secret.split_once('/').unwrap_or((secret, ""));
            Mark::Secret { name, entry }
        }
        None if inner.parse::<VariableName>().is_ok() => Mark::Variable(inner),
        None => Mark::Malformed,
    };
    Some((mark, length + 3))
}
