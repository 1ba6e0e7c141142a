//! What Flink says of a script, for people and for programs.

use flumen_api_types::{SqlExplanation, SqlRefusal, SqlSeverity, SqlStatement};
use flumen_model::{EnvironmentName, FlinkVersion};
use serde::Serialize;

use super::Source;
use crate::{Error, Printer, commands::Context};

/// The answer for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    file: &'a str,
    flink_version: String,
    environment: &'a EnvironmentName,
    #[serde(flatten)]
    answer: &'a SqlExplanation,
}

pub(super) fn answer(
    context: &Context<'_>,
    source: &Source,
    (flink, environment): (FlinkVersion, &EnvironmentName),
    answer: &SqlExplanation,
) -> Result<(), Error> {
    let printer = &context.printer;
    let file = source.name.as_str();
    let errors = answer.errors();
    if printer.is_json() {
        let flink_version = flink.to_string();
        printer.json(&Report { file, flink_version, environment, answer })?;
    } else {
        for warning in &answer.warnings {
            printer.note(format!("warning: {warning}"));
        }
        print(printer, source, answer)?;
        if errors == 0 {
            let count = answer.statements.len();
            let ending = if count == 1 { "" } else { "s" };
            printer
                .line(format!("{file} is good for Flink {flink}: {count} statement{ending}."))?;
        }
    }
    if errors == 0 { Ok(()) } else { Err(Error::Script { file: file.to_owned(), errors }) }
}

/// What is wrong, in the order of the script; then plans.
fn print(printer: &Printer, source: &Source, answer: &SqlExplanation) -> Result<(), Error> {
    let mut problems = Vec::new();
    for finding in &answer.findings {
        let (line, column) = (finding.line, finding.column);
        let word = match finding.severity {
            SqlSeverity::Error => "error",
            SqlSeverity::Warning => "warning",
        };
        let marked = finding.severity == SqlSeverity::Error;
        let shown = if marked { mark(&source.text, line, column) } else { String::new() };
        problems.push(((line, column), format!("{word}: {}{shown}", finding.message)));
    }
    for SqlStatement { line, column, note, error, .. } in &answer.statements {
        if let Some(note) = note {
            problems.push(((*line, *column), format!("note: {note}")));
        }
        if let Some(SqlRefusal { line, column, message, remedy, .. }) = error {
            let shown = mark(&source.text, *line, *column);
            let remedy = remedy.as_ref().map(|remedy| format!("\n  what to do: {remedy}"));
            let remedy = remedy.unwrap_or_default();
            problems.push(((*line, *column), format!("error: {message}{shown}{remedy}")));
        }
    }
    problems.sort_by_key(|(place, _)| *place);
    for ((line, column), text) in problems {
        printer.line(format!("{}:{line}:{column}: {text}", source.name))?;
    }
    for SqlStatement { kind, line, column, plan, .. } in &answer.statements {
        if let Some(plan) = plan {
            printer.line(format!("{}:{line}:{column}: {kind}: the plan is", source.name))?;
            printer.line(plan.trim_end())?;
        }
    }
    Ok(())
}

/// The line of the script and below it a mark under the column, each on a line of its own.
fn mark(script: &str, line: usize, column: usize) -> String {
    let Some(text) = line.checked_sub(1).and_then(|before| script.lines().nth(before)) else {
        return String::new();
    };
    let before = text.chars().take(column.saturating_sub(1));
    // A tab is as wide as the one above it.
    let space: String = before.map(|one| if one == '\t' { '\t' } else { ' ' }).collect();
    format!("\n  {text}\n  {space}^")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_its_column() {
        assert_eq!(mark("a\n\tSELECT y", 2, 9), "\n  \tSELECT y\n  \t       ^");
        assert_eq!(mark("SELECT 'é', y", 1, 13), "\n  SELECT 'é', y\n              ^");
        assert_eq!(mark("a", 1, 2), "\n  a\n   ^");
        assert_eq!(mark("a", 7, 1), "");
    }
}
