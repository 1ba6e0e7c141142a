//! Cuts a script into tokens, with the rules of Flink's own lexer (Calcite's `BTID` state): a text ends at
//! the next single quote that is not doubled and may hold line breaks; an identifier in backticks may not;
//! backslashes escape only in `E'…'` (Flink 2.0); comments do not nest; `/*+` begins a hint, whose inside
//! is tokens like any other.

use crate::{Token, TokenKind};

/// Every token of the script, in order and without gaps.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let follows_e = follows_e(text, tokens.last(), at);
        let (kind, length, is_closed) = next(&text[at..], follows_e);
        tokens.push(Token { kind, span: at..at + length, is_closed });
        at += length;
    }
    tokens
}

/// Whether a text at this place would be `E'…'`.
pub(crate) fn follows_e(text: &str, last: Option<&Token>, at: usize) -> bool {
    let before = last.filter(|last| last.kind == TokenKind::Word && last.span.end == at);
    before.is_some_and(|last| text[last.span.clone()].eq_ignore_ascii_case("e"))
}

/// Kind, length in bytes and closedness of the token that `rest`, which is not empty, begins with.
pub(crate) fn next(rest: &str, follows_e: bool) -> (TokenKind, usize, bool) {
    let first = rest.chars().next().unwrap_or_default();
    let while_in = |is_in: fn(char) -> bool| rest.find(|it| !is_in(it)).unwrap_or(rest.len());
    match first {
        _ if is_space(first) => (TokenKind::Space, while_in(is_space), true),
        _ if is_in_word(first) => (TokenKind::Word, while_in(is_in_word), true),
        ';' => (TokenKind::Semicolon, 1, true),
        '-' | '/' if rest.starts_with("--") || rest.starts_with("//") => {
            (TokenKind::LineComment, rest.find(['\n', '\r']).unwrap_or(rest.len()), true)
        }
        '/' if rest.starts_with("/*+") => (TokenKind::Symbol, 3, true),
        '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
            Some(end) => (TokenKind::BlockComment, end + 4, true),
            None => (TokenKind::BlockComment, rest.len(), false),
        },
        '*' if rest.starts_with("*/") => (TokenKind::Symbol, 2, true),
        '\'' => match closing_quote(rest, follows_e) {
            Some(end) => (TokenKind::Text, end + 1, true),
            None => (TokenKind::Text, rest.len(), false),
        },
        '`' => in_one_line(rest, '`', TokenKind::QuotedIdentifier),
        '"' => in_one_line(rest, '"', TokenKind::DoubleQuoted),
        other => (TokenKind::Symbol, other.len_utf8(), true),
    }
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn is_in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '@')
}

fn closing_quote(rest: &str, has_escapes: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if has_escapes => at += 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// What stands in quotes that must close on the line; without its end it goes to the end of the line.
fn in_one_line(rest: &str, quote: char, kind: TokenKind) -> (TokenKind, usize, bool) {
    let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
    let mut quotes = line.match_indices(quote).map(|(at, _)| at).skip(1).peekable();
    while let Some(at) = quotes.next() {
        if quotes.next_if_eq(&(at + 1)).is_none() {
            return (kind, at + 1, true);
        }
    }
    (kind, line.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TokenKind::{
        BlockComment, DoubleQuoted, LineComment, QuotedIdentifier, Symbol, Text, Word,
    };

    fn significant(text: &str) -> Vec<(TokenKind, &str)> {
        let found = tokens(text).into_iter().filter(|token| token.kind != TokenKind::Space);
        found.map(|token| (token.kind, &text[token.span])).collect()
    }

    #[test]
    fn a_doubled_quote_stays_in_the_text() {
        assert_eq!(significant("'it''s;'x"), [(Text, "'it''s;'"), (Word, "x")]);
        assert_eq!(significant("`a``;b`"), [(QuotedIdentifier, "`a``;b`")]);
        assert_eq!(significant("''''"), [(Text, "''''")]);
    }

    #[test]
    fn a_backslash_escapes_only_after_e() {
        assert_eq!(significant(r"'a\'b"), [(Text, r"'a\'"), (Word, "b")]);
        assert_eq!(significant(r"E'a\'b'"), [(Word, "E"), (Text, r"'a\'b'")]);
        assert_eq!(significant(r"e 'a\'b"), [(Word, "e"), (Text, r"'a\'"), (Word, "b")]);
    }

    #[test]
    fn comments_do_not_nest_and_hints_are_none() {
        assert_eq!(
            significant("/* a /* b */ c // d"),
            [(BlockComment, "/* a /* b */"), (Word, "c"), (LineComment, "// d")]
        );
        assert_eq!(
            significant("/*+ X('*/') */"),
            [
                (Symbol, "/*+"),
                (Word, "X"),
                (Symbol, "("),
                (Text, "'*/'"),
                (Symbol, ")"),
                (Symbol, "*/")
            ]
        );
        assert_eq!(significant("/*/ x */"), [(BlockComment, "/*/ x */")]);
    }

    #[test]
    fn what_has_no_end_says_so() {
        for (text, kind) in [
            ("'a\nb", Text),
            ("`a", QuotedIdentifier),
            ("\"a", DoubleQuoted),
            ("/* a", BlockComment),
            (r"'\", Text),
        ] {
            let last = tokens(text).pop().expect("a token");
            assert_eq!((last.kind, last.is_closed), (kind, false), "{text}");
        }
        assert_eq!(significant("`a\n`b`").len(), 2);
        assert!(!tokens(r"E'\").pop().expect("a token").is_closed);
    }
}
