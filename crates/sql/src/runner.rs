//! What the runner (`java/sql-runner`) gets of a script, so that nothing is cut or classified a second time:
//!
//! ```text
//! flumen-sql 1 COUNT
//! KIND LINE COLUMN LENGTH
//! TEXT
//! set LINE COLUMN LENGTH-OF-KEY LENGTH-OF-VALUE
//! KEY
//! VALUE
//! ```
//!
//! Lengths count bytes of UTF-8; each text has a line break behind it, which does not count. Where a text has values of
//! variables or secrets in it, its pieces stand behind the length, `LETTER:LENGTH:LINE:COLUMN` each: `t` what the user's
//! file has there, `v` a value, `s` a reference to a secret.

use std::{fmt::Write as _, ops::Range};

use flumen_flink_conf::Severity;

use crate::{
    Finding, Object, Position, Problem, Resolved, Script, Setting, Statement, StatementKind, Token,
    check::{jobs, secrets},
    kind::classify,
    piece::{Piece, PieceKind},
};

/// The first words of the file; the number changes with the format.
const BEGINNING: &str = "flumen-sql 1";

/// The file from which the runner carries out or explains the script. It holds all of the script's text, and
/// with it whatever secrets were written into that.
///
/// # Errors
/// What makes that impossible: sets without an end, a second job, a statement that would be done before an
/// `INSERT` above it, a `SET` that cannot be read. Everything else that [`check`](crate::check) finds is for
/// the caller to judge, or for Flink.
pub fn runner_file(script: &Script<'_>) -> Result<String, Vec<Finding>> {
    let is_in_the_way = |finding: &Finding| {
        finding.severity == Severity::Error
            && !matches!(finding.problem, Problem::Empty | Problem::NoJob)
    };
    let mut findings: Vec<Finding> =
        jobs::check(script).into_iter().filter(is_in_the_way).collect();
    findings.extend(secrets::check(script).into_iter().filter(is_in_the_way));
    let variables = script.resolved().into_iter().flat_map(super::variables::Resolved::findings);
    findings.extend(variables.filter(|it| is_in_the_way(it)).cloned());
    let mut records = Records { text: String::new(), count: 0 };
    for statement in script.statements() {
        if let Err(problem) = records.add(script, statement) {
            findings.push(problem.at(statement.start));
        }
    }
    findings.sort_by_key(|finding| finding.at.offset);
    if findings.is_empty() {
        Ok(format!("{BEGINNING} {}\n{}", records.count, records.text))
    } else {
        Err(findings)
    }
}

struct Records {
    text: String,
    count: usize,
}

impl Records {
    fn add(&mut self, script: &Script<'_>, statement: &Statement) -> Result<(), Problem> {
        match statement.kind {
            StatementKind::Set => match Setting::of(script, statement) {
                // Whoever would read the list is not there.
                Setting::List => {}
                Setting::Malformed => return Err(Problem::MalformedSetting),
                Setting::Pair { key, value, .. } => {
                    self.record("set", statement.start, &[&key, &value]);
                }
            },
            StatementKind::Reset => {
                let key = reset_key(script, statement).ok_or(Problem::MalformedSetting)?;
                self.record("reset", statement.start, &[&key]);
            }
            StatementKind::StatementSet => {
                for part in &statement.parts {
                    self.statement(script, "insert", script.span(part));
                }
            }
            StatementKind::Execute => {
                let (start, kind) = executed(script, statement);
                let end = script.span(statement).end;
                self.statement(script, word(script, statement, kind), start..end);
            }
            StatementKind::BeginStatementSet
            | StatementKind::EndStatementSet
            | StatementKind::ClientCommand => {}
            kind => {
                let word = word(script, statement, kind);
                self.statement(script, word, script.span(statement));
            }
        }
        Ok(())
    }

    /// A statement, or the part of one that Flink gets.
    fn statement(&mut self, script: &Script<'_>, word: &str, span: Range<usize>) {
        let text = &script.text()[span.clone()];
        let pieces = pieces(script, &span);
        self.write(word, script.position(span.start), &[text], &pieces);
    }

    fn record(&mut self, word: &str, start: Position, texts: &[&str]) {
        self.write(word, start, texts, "");
    }

    fn write(&mut self, word: &str, start: Position, texts: &[&str], pieces: &str) {
        self.count += 1;
        let (text, (line, column)) = (&mut self.text, (start.line, start.column));
        // Writing to a text cannot fail.
        let _ = write!(text, "{word} {line} {column}");
        for one in texts {
            let _ = write!(text, " {}", one.len());
        }
        text.push_str(pieces);
        for one in texts {
            text.push('\n');
            text.push_str(one);
        }
        text.push('\n');
    }
}

/// The pieces of this part of the script, each with a blank before it; nothing where it stands so in the user's file.
fn pieces(script: &Script<'_>, span: &Range<usize>) -> String {
    let all = script.resolved().map_or(&[][..], Resolved::pieces);
    let ends = all.iter().skip(1).map(|next| next.at).chain([script.text().len()]);
    let within = |(piece, end): (&Piece, usize)| {
        let (start, end) = (piece.at.max(span.start), end.min(span.end));
        (start < end).then(|| (piece.kind, start, end - start))
    };
    let pieces: Vec<_> = all.iter().zip(ends).filter_map(within).collect();
    if matches!(pieces[..], [] | [(PieceKind::Text, ..)]) {
        return String::new();
    }
    let mut written = String::new();
    for (kind, start, length) in pieces {
        let Position { line, column, .. } = script.position(start);
        let _ = write!(written, " {}:{length}:{line}:{column}", kind.letter());
    }
    written
}

/// What the runner does with a statement, in one word.
fn word(script: &Script<'_>, statement: &Statement, kind: StatementKind) -> &'static str {
    use StatementKind as It;
    match kind {
        It::Insert | It::CreateTableAs | It::ReplaceTableAs => "insert",
        It::Query => "query",
        It::Show | It::Describe | It::Explain => "show",
        It::Use | It::LoadModule | It::UnloadModule | It::AddJar | It::RemoveJar => "session",
        It::Create(object) | It::Drop(object) | It::Alter(object) => match object {
            Object::Catalog => "session",
            // It comes with jobs that keep it up to date.
            Object::MaterializedTable => "call",
            _ if is_temporary(script, statement) => "session",
            _ => "catalog",
        },
        It::Update | It::Delete | It::Merge | It::Unknown => "change",
        _ => "call",
    }
}

fn is_temporary(script: &Script<'_>, statement: &Statement) -> bool {
    // CREATE OR REPLACE TEMPORARY
    let leading = script.significant(statement).into_iter().take(4);
    leading.into_iter().any(|token| script.token_text(token).eq_ignore_ascii_case("TEMPORARY"))
}

/// Where what `EXECUTE` executes begins, and what it is.
pub(crate) fn executed(script: &Script<'_>, statement: &Statement) -> (usize, StatementKind) {
    let tokens = script.significant(statement);
    let rest = tokens.get(1..).unwrap_or_default();
    let start = rest.first().map_or(script.span(statement).end, |token| token.span.start);
    let words: Vec<_> = rest.iter().map(|token| (token.kind, script.token_text(token))).collect();
    (start, classify(&words))
}

/// The key of `RESET 'key'` or `RESET key`, empty for `RESET` alone.
fn reset_key(script: &Script<'_>, statement: &Statement) -> Option<String> {
    let tokens = script.significant(statement);
    let rest: &[&Token] = tokens.get(1..).unwrap_or_default();
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
        return Some(String::new());
    };
    let text = &script.text()[first.span.start..last.span.end];
    if text.starts_with('\'') {
        return (rest.len() == 1 && first.is_closed).then(|| crate::text::unquoted(text));
    }
    (!text.contains([' ', '\t', '\r', '\n', '\''])).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
