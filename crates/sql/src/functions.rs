//! Functions that a script makes.

use crate::{Object, Script, StatementKind};

/// Whether the script makes a function that is written in Python.
pub fn uses_python(script: &Script<'_>) -> bool {
    let functions = script.statements().iter().filter(|one| {
        let kind = one.kind;
        kind == StatementKind::Create(Object::Function)
            || kind == StatementKind::Alter(Object::Function)
    });
    let mut words = functions.map(|one| {
        let tokens = script.significant(one);
        tokens.into_iter().map(|token| script.token_text(token)).collect::<Vec<_>>()
    });
    words.any(|words| {
        words.windows(2).any(|pair| {
            pair[0].eq_ignore_ascii_case("LANGUAGE") && pair[1].eq_ignore_ascii_case("PYTHON")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_language_of_a_function_counts() {
        for (text, expected) in [
            (
                "SET 'a'='b'; CREATE TEMPORARY SYSTEM FUNCTION f AS 'm.f' language /* c */ python;",
                true,
            ),
            ("CREATE FUNCTION IF NOT EXISTS f AS 'm.f' LANGUAGE PYTHON", true),
            ("ALTER FUNCTION f AS 'm.g' LANGUAGE PYTHON", true),
            ("CREATE FUNCTION f AS 'LANGUAGE PYTHON' LANGUAGE JAVA", false),
            ("INSERT INTO t SELECT language python FROM s", false),
        ] {
            assert_eq!(uses_python(&Script::parse(text)), expected, "{text}");
        }
    }
}
