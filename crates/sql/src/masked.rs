//! Statements as they may be shown: without the values of keys that Flink itself hides.

use std::ops::Range;

use flumen_flink_conf::{HIDDEN, is_sensitive};

use crate::{Token, TokenKind, lexer::tokens, text::unquoted};

/// The beginnings of comments, which may hold what was taken out of use.
const COMMENTS: [&str; 3] = ["--", "//", "/*"];
/// How deep comments in comments are looked through; what is deeper is left out.
const MOST_DEPTH: usize = 4;

/// A text of SQL with `'******'` for each value of a sensitive key: in `'key' = 'value'`, as options and hints have it, and in
/// `SET key = value`. Comments are no exception.
pub fn masked(text: &str) -> String {
    mask(text, 0)
}

fn mask(text: &str, depth: usize) -> String {
    let all = tokens(text);
    let hidden = hidden(text, &all);
    let mut ranges = hidden.iter().peekable();
    let mut out = String::with_capacity(text.len());
    for token in &all {
        while ranges.next_if(|range| range.end <= token.span.start).is_some() {}
        let word = &text[token.span.clone()];
        match ranges.peek().filter(|range| range.contains(&token.span.start)) {
            Some(range) if range.start == token.span.start => {
                out.push('\'');
                out.push_str(HIDDEN);
                out.push('\'');
            }
            Some(_) => {}
            None if token.is_significant() || token.kind == TokenKind::Space => out.push_str(word),
            None => out.push_str(&comment(word, depth)),
        }
    }
    out
}

/// The places of values that are not shown, in order.
fn hidden(text: &str, all: &[Token]) -> Vec<Range<usize>> {
    let significant: Vec<&Token> = all.iter().filter(|token| token.is_significant()).collect();
    let mut hidden: Vec<Range<usize>> = Vec::new();
    for (at, token) in significant.iter().enumerate() {
        let (word, rest) = (&text[token.span.clone()], &significant[at + 1..]);
        let found = if token.kind == TokenKind::Text && is_sensitive(&unquoted(word)) {
            value(text, rest)
        } else if word.eq_ignore_ascii_case("SET")
            && (at == 0 || significant[at - 1].kind == TokenKind::Semicolon)
        {
            plain_setting(text, rest)
        } else {
            None
        };
        let begins_later =
            |range: &Range<usize>| hidden.last().is_none_or(|last| last.end <= range.start);
        if let Some(range) = found.filter(begins_later) {
            hidden.push(range);
        }
    }
    hidden
}

/// Where the texts behind `=` stand.
fn value(text: &str, rest: &[&Token]) -> Option<Range<usize>> {
    let (equals, rest) = rest.split_first()?;
    if &text[equals.span.clone()] != "=" {
        return None;
    }
    // A prefix such as `U&` may stand before it, and neighbours are one text.
    let first = rest.iter().take(3).position(|token| token.kind == TokenKind::Text)?;
    let count = rest[first..].iter().take_while(|token| token.kind == TokenKind::Text).count();
    Some(rest[0].span.start..rest[first + count - 1].span.end)
}

/// The value of `SET key = value`, up to the end of the statement.
fn plain_setting(text: &str, rest: &[&Token]) -> Option<Range<usize>> {
    let end = rest.iter().position(|token| token.kind == TokenKind::Semicolon);
    let rest = &rest[..end.unwrap_or(rest.len())];
    let equals = rest.iter().position(|token| &text[token.span.clone()] == "=")?;
    let (key, value) = (rest.first()?, rest.get(equals + 1)?);
    let key = &text[key.span.start..rest[equals].span.start];
    is_sensitive(key).then(|| value.span.start..rest[rest.len() - 1].span.end)
}

fn comment(text: &str, depth: usize) -> String {
    let start = COMMENTS.iter().find(|start| text.starts_with(**start)).map_or("", |start| *start);
    let inside = &text[start.len()..];
    // What is no comment would be read without end.
    match start {
        "" => text.to_owned(),
        _ if depth < MOST_DEPTH => format!("{start}{}", mask(inside, depth + 1)),
        "/*" => "/* … */".to_owned(),
        _ => format!("{start} …"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_of_sensitive_keys_are_hidden_wherever_they_stand() {
        for (text, expected) in [
            (
                "CREATE TABLE t (a INT) WITH ('connector' = 'jdbc', 'password' = 'hun''ter2', 'url'='u')",
                "CREATE TABLE t (a INT) WITH ('connector' = 'jdbc', 'password' = '******', 'url'='u')",
            ),
            (
                "WITH ('properties.sasl.jaas.config' =\n  'a' 'b')",
                "WITH ('properties.sasl.jaas.config' =\n  '******')",
            ),
            (
                "SELECT * FROM t /*+ OPTIONS('api-key'='k') */",
                "SELECT * FROM t /*+ OPTIONS('api-key'='******') */",
            ),
            ("SET 's3.secret-key' = 'x'; SELECT 1", "SET 's3.secret-key' = '******'; SELECT 1"),
            ("SET s3.secret-key = x-y; SELECT 1", "SET s3.secret-key = '******'; SELECT 1"),
            ("-- 'password' = 'old'\nSELECT 1", "-- 'password' = '******'\nSELECT 1"),
            (
                "/* WITH ('token'='x') */ SELECT 'password'",
                "/* WITH ('token'='******') */ SELECT 'password'",
            ),
            ("SELECT * FROM t WHERE a = 'password'", "SELECT * FROM t WHERE a = 'password'"),
            ("WITH ('password' = U&'x')", "WITH ('password' = '******')"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn comments_in_comments_have_an_end() {
        let text = "a--".repeat(100_000);
        assert!(masked(&text).len() < 100);
        let text = format!("{text} 'password' = 'hunter2'");
        assert!(!masked(&text).contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_text_is_masked_and_keeps_nothing_of_a_secret(before in "[-/* '=;a-z]{0,20}") {
            let _ = masked(&before);
            let text = format!("{before}\n'; WITH ('password' = 'hunter2')");
            let _ = masked(&text);
            prop_assert!(!masked("WITH ('password' = 'hunter2')").contains("hunter2"));
        }
    }
}
