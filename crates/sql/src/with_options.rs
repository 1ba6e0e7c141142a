//! The options of `WITH ('key' = 'value', …)`.

use crate::{Position, Script, Statement, Token, TokenKind, text::unquoted};

/// An option of a table, catalog or model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithOption {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where the value stands.
    pub at: Position,
}

/// The options of a statement, in order; none if it has no `WITH (…)` outside of parentheses.
pub fn with_options(script: &Script<'_>, statement: &Statement) -> Vec<WithOption> {
    let tokens = script.significant(statement);
    let Some(start) = list_start(script, &tokens) else { return Vec::new() };
    let mut options = Vec::new();
    let mut at = start;
    while let [key, equals, value, after, ..] = &tokens[at..] {
        let is_pair = key.kind == TokenKind::Text
            && script.token_text(equals) == "="
            && value.kind == TokenKind::Text;
        if !is_pair {
            break;
        }
        options.push(WithOption {
            key: unquoted(script.token_text(key)),
            value: unquoted(script.token_text(value)),
            at: script.position(value.span.start),
        });
        if script.token_text(after) != "," {
            break;
        }
        at += 4;
    }
    options
}

/// The first token after `WITH (`.
fn list_start(script: &Script<'_>, tokens: &[&Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match script.token_text(token) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            word if depth == 0 && word.eq_ignore_ascii_case("WITH") => {
                let next = tokens.get(at + 1)?;
                if script.token_text(next) == "(" {
                    return Some(at + 2);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Vec<(String, String)> {
        let script = Script::parse(text);
        let options = with_options(&script, &script.statements()[0]);
        options.into_iter().map(|option| (option.key, option.value)).collect()
    }

    #[test]
    fn options_stand_in_the_list_after_with() {
        let text = "CREATE TABLE t (a INT COMMENT 'WITH (') /* WITH ('x'='y') */ WITH (
            'connector' = 'kafka', -- the topic
            'topic' = 'it''s') AS WITH q AS (SELECT 1) SELECT * FROM q";
        let expected = [("connector", "kafka"), ("topic", "it's")];
        assert_eq!(options(text), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_list_that_breaks_off_gives_what_it_has() {
        assert_eq!(options("CREATE TABLE t WITH ('a' = 'b', 'c'").len(), 1);
        assert_eq!(options("CREATE TABLE t WITH (").len(), 0);
        assert_eq!(options("CREATE TABLE t AS WITH q AS (SELECT 1) SELECT 2").len(), 0);
    }
}
