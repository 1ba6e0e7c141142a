use flumen_sql::{Finding, Script, Severity, Target, check, resolve};
use serde::Serialize;

use super::Check;
use crate::{Error, Streams, jar::inspect_file, offline::load};

/// What a check found, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'f> {
    file: &'f str,
    flink_version: Option<String>,
    statements: usize,
    findings: Vec<Shown>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    severity: &'static str,
    code: &'static str,
    line: usize,
    column: usize,
    offset: usize,
    message: String,
}

pub(super) fn run(arguments: &Check, streams: &mut Streams<'_>) -> Result<(), Error> {
    let (file, text) = load(&arguments.file)?;
    let mut target = Target { version: arguments.flink_version, ..Target::default() };
    for jar in &arguments.jars {
        let jar = inspect_file(jar)?;
        target.provide(jar.factories.into_iter().filter_map(|factory| factory.identifier));
    }
    let resolved = resolve(&text, &arguments.variables.values());
    let script = Script::of(&resolved);
    let findings: Vec<Shown> = check(&script, &target).iter().map(shown).collect();
    let errors = findings.iter().filter(|finding| finding.severity == "error").count();
    let statements = script.statements().len();
    if streams.json {
        let flink_version = arguments.flink_version.map(|version| version.to_string());
        streams.print_json(&Report { file: &file, flink_version, statements, findings })?;
    } else {
        if target.version.is_none() {
            streams.note("note: connectors and what differs between Flink versions are checked with --flink-version only")?;
        }
        if findings.is_empty() {
            let ending = if statements == 1 { "" } else { "s" };
            streams.print(&format!("{file} is good: {statements} statement{ending}.\n"))?;
        }
        for Shown { severity, line, column, message, .. } in &findings {
            streams.print(&format!("{file}:{line}:{column}: {severity}: {message}\n"))?;
        }
    }
    if errors == 0 { Ok(()) } else { Err(Error::Script { file, errors }) }
}

fn shown(finding: &Finding) -> Shown {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    Shown {
        severity,
        code: finding.problem.code(),
        line: finding.at.line,
        column: finding.at.column,
        offset: finding.at.offset,
        message: finding.problem.to_string(),
    }
}
