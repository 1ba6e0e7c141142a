use flumen_sql::{Script, Statement, Target, TokenKind, check, runner_file};
use proptest::prelude::*;

/// Pieces that scripts are made of, and halves of them.
const PIECES: [&str; 36] = [
    "SELECT",
    "INSERT INTO t",
    "EXECUTE",
    "STATEMENT",
    "SET",
    "BEGIN",
    "END",
    "CASE",
    ";",
    ";",
    " ",
    "\n",
    "\r\n",
    "\t",
    "'",
    "''",
    "'a;b'",
    "`",
    "`x``;`",
    "\"",
    "\"y;\"",
    "--",
    "// ;",
    "/*",
    "*/",
    "/*+",
    "/",
    "*",
    "E",
    "\\",
    "(",
    ")",
    "é",
    "日本",
    "😀",
    "=",
];

fn scripts() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40);
    prop_oneof![pieces.prop_map(|pieces| pieces.concat()), any::<String>()]
}

/// Statements in order, the gaps between them, and all of it together the text.
fn gaps_hold_nothing(script: &Script<'_>, statements: &[Statement]) {
    let mut put_together = String::new();
    let mut end = 0;
    for statement in statements {
        let gap = &script.text()[end..statement.start.offset];
        holds_nothing(gap);
        put_together += gap;
        put_together += script.text_of(statement);
        end = statement.end.offset;
    }
    let rest = &script.text()[end..];
    holds_nothing(rest);
    assert_eq!(put_together + rest, script.text());
}

fn holds_nothing(gap: &str) {
    for token in Script::parse(gap).tokens() {
        assert!(!token.is_significant() || token.kind == TokenKind::Semicolon, "{gap:?}");
    }
}

proptest! {
    #[test]
    fn statements_and_what_lies_between_them_are_the_text(text in scripts()) {
        let script = Script::parse(&text);
        gaps_hold_nothing(&script, script.statements());
        let tokens: String = script.tokens().iter().map(|token| &text[token.span.clone()]).collect();
        prop_assert_eq!(tokens, text);
    }

    #[test]
    fn a_statement_alone_is_the_same_statement(text in scripts()) {
        let script = Script::parse(&text);
        for statement in script.statements() {
            let alone = script.text_of(statement).to_owned() + ";";
            let again = Script::parse(&alone);
            // What has no end swallows the semicolon, which does not change what it is.
            prop_assert_eq!(again.statements().len(), 1);
            prop_assert_eq!(again.statements()[0].kind, statement.kind);
            prop_assert_eq!(again.statements()[0].parts.len(), statement.parts.len());
        }
    }

    #[test]
    fn bytes_of_any_kind_are_no_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let script = Script::parse(&text);
        gaps_hold_nothing(&script, script.statements());
        for finding in check(&script, &Target::default()) {
            prop_assert!(!finding.problem.to_string().is_empty());
        }
    }

    #[test]
    fn every_script_can_be_checked(text in scripts()) {
        let target = Target { version: Some("1.20.5".parse().expect("a version")), ..Target::default() };
        for finding in check(&Script::parse(&text), &target) {
            prop_assert!(finding.at.offset <= text.len());
            prop_assert!(!finding.problem.to_string().contains('\n'));
        }
    }

    #[test]
    fn the_runner_can_read_what_is_written_for_it(text in scripts()) {
        let Ok(file) = runner_file(&Script::parse(&text)) else { return Ok(()) };
        let (head, mut rest) = file.split_once('\n').expect("a first line");
        let mut count = 0;
        while !rest.is_empty() {
            let (head, after) = rest.split_once('\n').expect("a line for a statement");
            let words: Vec<&str> = head.split(' ').collect();
            prop_assert_eq!(words.len(), if words[0] == "set" { 5 } else { 4 });
            rest = after;
            for length in &words[3..] {
                let (one, after) = rest.split_at(length.parse().expect("a length"));
                prop_assert!(words[0].ends_with("set") || text.contains(one));
                rest = after.strip_prefix('\n').expect("a line break");
            }
            count += 1;
        }
        prop_assert_eq!(head, format!("flumen-sql 1 {count}"));
    }
}
