//! `SET` and `RESET`. Flink has two readers for them: its grammar takes `SET 'key' = 'value'` like any other
//! statement; a pattern over the whole text takes `SET key = value`, and fails on comments, on blanks in the
//! value, and leaves doubled quotes as they are.

use crate::{Script, Statement, Token, TokenKind, text::unquoted};

/// What a `SET` statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `SET` alone, which lists what is set.
    List,
    /// A key and its value.
    Pair {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Whether it is written with the key in quotes.
        is_quoted: bool,
    },
    /// Nothing that Flink reads.
    Malformed,
}

impl Setting {
    /// What a statement of the kind [`Set`](crate::StatementKind::Set) says.
    pub fn of(script: &Script<'_>, statement: &Statement) -> Self {
        let tokens = script.significant(statement);
        let tokens = tokens.get(1..).unwrap_or_default();
        let Some(first) = tokens.first() else { return Self::List };
        let equals = tokens.iter().position(|token| script.token_text(token) == "=");
        let (key, value) = tokens.split_at(equals.unwrap_or(tokens.len()));
        let quoted = joined(script, key).zip(joined(script, value.get(1..).unwrap_or_default()));
        if let Some((key, value)) = quoted {
            return Self::Pair { key, value, is_quoted: true };
        }
        let has_comment = script.tokens()[statement.tokens.clone()].iter().any(is_comment);
        if has_comment {
            return Self::Malformed;
        }
        let inner = &script.text()[first.span.start..script.span(statement).end];
        by_pattern(inner).unwrap_or(Self::Malformed)
    }
}

/// The text that these are, if they are texts: neighbours are one text, as SQL has it.
fn joined(script: &Script<'_>, tokens: &[&Token]) -> Option<String> {
    let text = |token: &&Token| {
        let is_text = token.kind == TokenKind::Text && token.is_closed;
        is_text.then(|| unquoted(script.token_text(token)))
    };
    if tokens.is_empty() { None } else { tokens.iter().map(text).collect() }
}

pub(crate) fn is_comment(token: &Token) -> bool {
    matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment)
}

/// Flink's pattern: a key without quotes and blanks, `=`, and a text without quotes in it or one word.
fn by_pattern(text: &str) -> Option<Setting> {
    let key_end = text.find(|it: char| it == '\'' || it.is_whitespace()).unwrap_or(text.len());
    let (head, rest) = text.split_at(key_end);
    let (key, value) = if let Some(value) = rest.trim_start().strip_prefix('=') {
        (head, value.trim_start())
    } else {
        let (key, value) = head.rsplit_once('=')?;
        // Either the value follows the sign at once, or after blanks.
        (key, if value.is_empty() { rest.trim_start() } else { &text[key.len() + 1..] })
    };
    let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    let value = match inner.filter(|inner| !inner.contains('\'')) {
        Some(inner) => inner,
        None if value.is_empty() || value.contains(char::is_whitespace) => return None,
        None => value,
    };
    let pair = || Setting::Pair { key: key.to_owned(), value: value.to_owned(), is_quoted: false };
    (!key.is_empty()).then(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(text: &str) -> Setting {
        let script = Script::parse(text);
        Setting::of(&script, &script.statements()[0])
    }

    fn pair(key: &str, value: &str, is_quoted: bool) -> Setting {
        Setting::Pair { key: key.to_owned(), value: value.to_owned(), is_quoted }
    }

    #[test]
    fn the_two_forms_are_read_as_flink_reads_them() {
        for (text, expected) in [
            ("SET", Setting::List),
            ("set ;", Setting::List),
            ("SET 'a' = 'it''s';", pair("a", "it's", true)),
            ("SET /* c */ 'a'='b'", pair("a", "b", true)),
            ("SET 'a' 'b' = 'c'", pair("ab", "c", true)),
            ("SET a.b=c;", pair("a.b", "c", false)),
            ("SET a = 'b;c';", pair("a", "b;c", false)),
            ("SET\n\na =\nb;", pair("a", "b", false)),
            ("SET a= b", pair("a", "b", false)),
            ("SET a ='1 min'", pair("a", "1 min", false)),
            ("SET a = 'it''s'", pair("a", "'it''s'", false)),
            ("SET a=b=c", pair("a=b", "c", false)),
            ("SET a = 1 min", Setting::Malformed),
            ("SET 'a' = b", Setting::Malformed),
            ("SET a = /* c */ b", Setting::Malformed),
            ("SET a =", Setting::Malformed),
            ("SET a", Setting::Malformed),
            ("SET = a", Setting::Malformed),
            ("SET 'a'", Setting::Malformed),
        ] {
            assert_eq!(setting(text), expected, "{text}");
        }
    }
}
