use flumen_sql::{Script, Statement, resolve};
use serde::Serialize;

use super::Split;
use crate::{Error, Streams, offline::load};

/// Characters of a statement that fit on its line.
const WIDTH: usize = 60;

/// A statement for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'t> {
    kind: &'static str,
    line: usize,
    column: usize,
    offset: usize,
    end_line: usize,
    end_column: usize,
    end_offset: usize,
    text: &'t str,
    statements: Vec<Self>,
}

pub(super) fn run(arguments: &Split, streams: &mut Streams<'_>) -> Result<(), Error> {
    let (file, text) = load(&arguments.file)?;
    let resolved = resolve(&text, &arguments.variables.values());
    let script = Script::of(&resolved);
    if streams.json {
        let statements: Vec<_> = script.statements().iter().map(|it| shown(&script, it)).collect();
        return streams.print_json(&statements);
    }
    let statements = script.statements().iter();
    for statement in statements.flat_map(|it| std::iter::once(it).chain(&it.parts)) {
        let begins = shortened(script.text_of(statement));
        streams.print(&format!("{file}:{}: {}: {begins}\n", statement.start, statement.kind))?;
    }
    Ok(())
}

fn shown<'t>(script: &Script<'t>, statement: &Statement) -> Shown<'t> {
    let (start, end) = (statement.start, statement.end);
    Shown {
        kind: statement.kind.name(),
        line: start.line,
        column: start.column,
        offset: start.offset,
        end_line: end.line,
        end_column: end.column,
        end_offset: end.offset,
        text: script.text_of(statement),
        statements: statement.parts.iter().map(|part| shown(script, part)).collect(),
    }
}

/// The beginning of a statement on one line.
fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(WIDTH).collect();
    let line = words.join(" ");
    if line.chars().count() <= WIDTH {
        return line;
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}
