use flumen_sql::{Explained, Finding, Outcome, Refused, Severity, missing_factory};

use super::prepare::Prepared;

/// What Flink says of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlExplanation {
    /// Whether Flink was asked: not where something is known to be wrong without it.
    pub explained: bool,
    /// What is wrong or doubtful as far as Flink is not needed.
    pub findings: Vec<SqlFinding>,
    /// What is doubtful about the jars.
    pub warnings: Vec<String>,
    /// What Flink says of each statement, those of a set after it; none where Flink was not asked.
    pub statements: Vec<SqlStatement>,
}

/// Something wrong or doubtful that is found without Flink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFinding {
    /// Whether Flink would refuse the script for it.
    pub is_error: bool,
    /// A stable name.
    pub code: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What it is.
    pub message: String,
}

/// A statement and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlStatement {
    /// What it is, by its first words.
    pub kind: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The column that it begins in, in characters from 1.
    pub column: usize,
    /// Flink's plan; that of the job is with its first `INSERT`.
    pub plan: Option<String>,
    /// Why it was passed over.
    pub note: Option<String>,
    /// Why Flink refuses it.
    pub error: Option<SqlRefusal>,
}

/// Why Flink refuses a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRefusal {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What Flink says, on one line.
    pub message: String,
    /// What to do about it, as a whole sentence.
    pub remedy: Option<String>,
    /// Maven coordinates of the jar that is missing, with its version where that is known.
    pub coordinates: Option<String>,
}

impl SqlFinding {
    pub(super) fn of(finding: &Finding) -> Self {
        Self {
            is_error: finding.severity == Severity::Error,
            code: finding.problem.code().to_owned(),
            line: finding.at.line,
            column: finding.at.column,
            message: finding.problem.to_string(),
        }
    }
}

/// What Flink says of a script that was prepared like this.
pub(super) fn explained(prepared: &Prepared, statements: &[Explained<'_>]) -> SqlExplanation {
    SqlExplanation {
        explained: true,
        findings: prepared.findings.iter().map(SqlFinding::of).collect(),
        warnings: prepared.warnings.clone(),
        statements: statements.iter().map(|one| statement(prepared, one)).collect(),
    }
}

fn statement(prepared: &Prepared, explained: &Explained<'_>) -> SqlStatement {
    let mut shown = SqlStatement {
        kind: explained.statement.kind.name().to_owned(),
        line: explained.statement.start.line,
        column: explained.statement.start.column,
        plan: None,
        note: None,
        error: None,
    };
    match &explained.outcome {
        None => {}
        Some(Outcome::Plan(plan)) => shown.plan = Some(plan.clone()),
        Some(Outcome::Note(note)) => shown.note = Some(note.clone()),
        Some(Outcome::Error(refused)) => shown.error = Some(refusal(prepared, refused)),
    }
    shown
}

fn refusal(prepared: &Prepared, refused: &Refused) -> SqlRefusal {
    let Refused { line, column, message } = refused.clone();
    let missing = missing_factory(&message);
    let (coordinates, remedy) = match &missing {
        None => (None, None),
        Some(missing) => {
            let coordinates = prepared.jar_of(missing);
            let remedy = match &coordinates {
                Some(jar) if jar.split(':').count() == 3 => {
                    format!(
                        "Add {jar} to the dependencies of the job; `--dependency {jar}` checks the script with it."
                    )
                }
                Some(jar) => format!(
                    "Add the release of {jar} for Flink {} to the dependencies of the job; `--dependency {jar}:VERSION` checks the script with it.",
                    prepared.spec.flink_version
                ),
                None => format!(
                    "Add the jar that brings the {} '{}' to the dependencies of the job.",
                    missing.kind.word(),
                    missing.identifier
                ),
            };
            (coordinates, Some(remedy))
        }
    };
    SqlRefusal { line, column, message, remedy, coordinates }
}
