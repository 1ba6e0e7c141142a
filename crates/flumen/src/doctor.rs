//! Checks this machine, the server and its clusters, and says what to do.

use anyhow::{Result, bail};
use flumen_cli::{Cell, GlobalArguments, Printer, Table, Tone};
use serde::Serialize;

use crate::{
    arguments::{FileArguments, Flags},
    config,
};

mod java;
mod kernel;
mod python;
mod server;
mod space;

pub(crate) use kernel::probe;

/// The hidden command by which a process of one thread tries what pods need.
pub(crate) const PROBE: &str = "__probe";

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    outcome: Outcome,
    /// What was seen.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Ok, detail: detail.into(), remedy: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Warn, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    fn fail(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Fail, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

pub(crate) fn run(
    arguments: &FileArguments,
    global: &GlobalArguments,
    printer: &Printer,
) -> Result<()> {
    let settings = config::resolve(Flags::new(), arguments, global)?.settings;
    let mut findings = vec![kernel::user(), kernel::namespaces(), kernel::overlay()];
    findings.extend(java::check());
    findings.push(python::check());
    findings.push(space::memory());
    findings.push(space::disk(&settings.data_directory));
    findings.push(space::data_directory(&settings.data_directory));
    findings.extend(server::check(&settings, global));
    if printer.is_json() {
        printer.json(&serde_json::json!({ "items": findings }))?;
    } else {
        printer.table(&table(&findings))?;
    }
    let failed = findings.iter().filter(|finding| finding.outcome == Outcome::Fail).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed", findings.len());
    }
    Ok(())
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["CHECK", "RESULT", "SEEN", "WHAT TO DO"]);
    for finding in findings {
        let (word, tone) = match finding.outcome {
            Outcome::Ok => ("ok", Tone::Good),
            Outcome::Warn => ("warn", Tone::Notice),
            Outcome::Fail => ("fail", Tone::Bad),
        };
        table.row(vec![
            finding.name.into(),
            Cell::new(word, tone),
            finding.detail.as_str().into(),
            finding.remedy.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
