//! Each statement for itself, and what has no end.

use flumen_model::FlinkVersion;

use super::{Finding, Problem, Target};
use crate::{Object, Script, Statement, StatementKind, Token, TokenKind, text::nearest};

/// How statements begin, and how they go on where one word is not enough.
const BEGINNINGS: [(&str, &str); 32] = [
    ("ADD", "ADD JAR"),
    ("ALTER", "ALTER TABLE"),
    ("ANALYZE", "ANALYZE TABLE"),
    ("BEGIN", "BEGIN STATEMENT SET"),
    ("CALL", "CALL"),
    ("COMPILE", "COMPILE PLAN"),
    ("CREATE", "CREATE TABLE"),
    ("DELETE", "DELETE FROM"),
    ("DESC", "DESC"),
    ("DESCRIBE", "DESCRIBE"),
    ("DROP", "DROP TABLE"),
    ("END", "END"),
    ("EXECUTE", "EXECUTE"),
    ("EXPLAIN", "EXPLAIN"),
    ("FROM", "SELECT … FROM"),
    ("INSERT", "INSERT INTO"),
    ("LOAD", "LOAD MODULE"),
    ("MERGE", "MERGE INTO"),
    ("REMOVE", "REMOVE JAR"),
    ("REPLACE", "REPLACE TABLE"),
    ("RESET", "RESET"),
    ("SELECT", "SELECT"),
    ("SET", "SET"),
    ("SHOW", "SHOW"),
    ("STOP", "STOP JOB"),
    ("TABLE", "TABLE"),
    ("TRUNCATE", "TRUNCATE TABLE"),
    ("UNLOAD", "UNLOAD MODULE"),
    ("UPDATE", "UPDATE"),
    ("USE", "USE"),
    ("VALUES", "VALUES"),
    ("WITH", "WITH"),
];

pub(super) fn check(script: &Script<'_>, target: &Target) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        script.tokens().iter().filter_map(|token| token_problem(script, token)).collect();
    for statement in script.statements() {
        findings.extend(of_statement(script, statement, target));
        for part in &statement.parts {
            findings.extend(of_statement(script, part, target));
        }
    }
    findings
}

fn token_problem(script: &Script<'_>, token: &Token) -> Option<Finding> {
    let problem = match token.kind {
        TokenKind::DoubleQuoted => Problem::DoubleQuoted,
        _ if token.is_closed => return None,
        TokenKind::Text => Problem::NotClosed("the text"),
        TokenKind::QuotedIdentifier => Problem::NotClosed("the name in backticks"),
        _ => Problem::NotClosed("the comment"),
    };
    Some(problem.at(script.position(token.span.start)))
}

fn of_statement(script: &Script<'_>, statement: &Statement, target: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tokens = script.significant(statement);
    let minor = target.version.map(FlinkVersion::minor);
    let problem = match statement.kind {
        StatementKind::Unknown => Some(unknown(script, &tokens)),
        StatementKind::Merge => Some(Problem::NotSupported(StatementKind::Merge)),
        StatementKind::ClientCommand => Some(Problem::ClientCommand),
        kind @ (StatementKind::AddJar | StatementKind::RemoveJar) => {
            let is_path = matches!(tokens[..], [_, _, path] if path.kind == TokenKind::Text);
            (!is_path).then_some(Problem::JarPath(kind))
        }
        kind => {
            minor.filter(|minor| kind.since() > *minor).map(|minor| Problem::TooNew { kind, minor })
        }
    };
    findings.extend(problem.map(|problem| problem.at(statement.start)));
    if statement.parts.is_empty() {
        findings.extend(swallowed(script, statement, &tokens));
    }
    findings
}

fn unknown(script: &Script<'_>, tokens: &[&Token]) -> Problem {
    let text = |at: usize| tokens.get(at).map_or("", |token| script.token_text(token));
    let first = text(0).to_ascii_uppercase();
    let exact = BEGINNINGS.iter().find(|(word, _)| *word == first);
    if let Some((_, whole)) = exact {
        let words = format!("{first} {}", shortened(text(1)));
        return Problem::UnknownStatement {
            words: words.trim().to_owned(),
            suggestion: Some(whole),
        };
    }
    let suggestion = nearest(&first, BEGINNINGS.iter().map(|(word, _)| *word));
    Problem::UnknownStatement { words: shortened(text(0)), suggestion }
}

/// A text that fits into a message.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(30).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

/// A statement that begins within this one: `INSERT INTO` and `CREATE TABLE` stand in no other place.
fn swallowed(script: &Script<'_>, statement: &Statement, tokens: &[&Token]) -> Option<Finding> {
    let holds_another = matches!(
        statement.kind,
        StatementKind::Explain
            | StatementKind::Execute
            | StatementKind::StatementSet
            | StatementKind::CompilePlan
            | StatementKind::CompileAndExecutePlan
    );
    let mut pairs = tokens.windows(2).skip(1).filter_map(|pair| {
        let [first, second] = pair else { return None };
        let is_word = first.kind == TokenKind::Word && second.kind == TokenKind::Word;
        let words = (script.token_text(first), script.token_text(second));
        let words = format!("{} {}", words.0, words.1).to_ascii_uppercase();
        let begins = matches!(
            words.as_str(),
            "INSERT INTO"
                | "INSERT OVERWRITE"
                | "CREATE TABLE"
                | "CREATE VIEW"
                | "CREATE TEMPORARY"
        );
        (is_word && begins).then_some((first.span.start, words))
    });
    let (at, words) = if holds_another { pairs.nth(1)? } else { pairs.next()? };
    // `SHOW CREATE TABLE`.
    let shows = statement.kind == StatementKind::Show;
    let of_view = matches!(statement.kind, StatementKind::Create(Object::Function));
    (!shows && !of_view).then(|| Problem::MissingSemicolon { words }.at(script.position(at)))
}
