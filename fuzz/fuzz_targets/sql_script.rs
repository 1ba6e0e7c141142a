//! A script in Flink SQL: its statements, what lies between them, and what is wrong with it.
#![no_main]

use flumen_sql::{Script, Target, TokenKind, check, resolve, runner_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let script = Script::parse(text);
    let tokens: String = script.tokens().iter().map(|token| &text[token.span.clone()]).collect();
    assert_eq!(tokens, text);
    let mut end = 0;
    for statement in script.statements() {
        let between = Script::parse(&text[end..statement.start.offset]);
        let is_nothing = |kind| kind == TokenKind::Semicolon;
        assert!(between.tokens().iter().all(|it| !it.is_significant() || is_nothing(it.kind)));
        end = statement.end.offset;
    }
    if let Ok(file) = runner_file(&script) {
        assert!(file.starts_with("flumen-sql 1 ") && file.ends_with('\n'));
    }
    let values = [("a", "it's\n"), ("b", "")];
    let values =
        values.map(|(name, value)| (name.parse().expect("a name"), value.to_owned())).into();
    let resolved = resolve(text, &values);
    let script = Script::of(&resolved);
    for statement in script.statements() {
        assert!(statement.start <= statement.end && statement.end.offset <= text.len());
    }
    for finding in check(&script, &Target::default()) {
        assert!(finding.at.offset <= text.len());
    }
    if let Ok(file) = runner_file(&script) {
        assert!(file.starts_with("flumen-sql 1 ") && file.ends_with('\n'));
    }
    let script = Script::parse(text);
    let version = Some("1.20.5".parse().expect("a version"));
    for finding in check(&script, &Target { version, ..Target::default() }) {
        assert!(finding.at.offset <= text.len());
        assert!(!finding.problem.to_string().is_empty());
    }
});
