//! What the runner says of a script that it explains (`--explain --json`), in lines between those of Flink:
//!
//! ```text
//! flumen-sql-report {"what":"plan","line":3,"column":1,"text":"…"}
//! flumen-sql-report {"what":"error","line":4,"column":1,"atLine":4,"atColumn":22,"text":"…"}
//! flumen-sql-report {"what":"end"}
//! ```

use serde::Deserialize;

use crate::{FactoryKind, Position, Script, Statement};

const BEGINNING: &str = "flumen-sql-report ";

/// What came of explaining a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What there is to say, in no order.
    pub records: Vec<Record>,
    /// Whether the runner came to its end, so that nothing is missing.
    pub is_complete: bool,
}

/// One thing that the runner says of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line that the statement begins in, from 1.
    pub line: usize,
    /// The column that it begins in, in characters from 1.
    pub column: usize,
    /// What it is.
    pub outcome: Outcome,
}

/// What came of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The plan of Flink: of all INSERTs together with the first of them.
    Plan(String),
    /// Why it was passed over.
    Note(String),
    /// Flink refuses it.
    Error(Refused),
}

/// Why Flink refuses a statement, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What Flink says, on one line; places in it are places in the script.
    pub message: String,
}

/// A statement and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained<'s> {
    /// The statement.
    pub statement: &'s Statement,
    /// What came of it; nothing for one that was carried out, or that an error before it kept from that.
    pub outcome: Option<Outcome>,
}

/// A connector, format or catalog that Flink looked for and did not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFactory {
    /// What it is.
    pub kind: FactoryKind,
    /// Its identifier.
    pub identifier: String,
}

#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Line {
    Plan { line: usize, column: usize, text: String },
    Note { line: usize, column: usize, text: String },
    Error { line: usize, column: usize, at_line: usize, at_column: usize, text: String },
    End,
}

impl Report {
    /// Finds what the runner says in the log of its process. Other lines are passed over, and so are those that are
    /// cut off: the report is not complete then.
    pub fn read(log: &str) -> Self {
        let mut report = Self::default();
        for line in log.lines() {
            let Some(text) = line.strip_prefix(BEGINNING) else { continue };
            report.is_complete = false;
            let Ok(line) = serde_json::from_str::<Line>(text) else { return report };
            match line {
                Line::Plan { line, column, text } => {
                    report.add(line, column, Outcome::Plan(text));
                }
                Line::Note { line, column, text } => {
                    report.add(line, column, Outcome::Note(text));
                }
                Line::Error { line, column, at_line, at_column, text } => {
                    let refused = Refused { line: at_line, column: at_column, message: text };
                    report.add(line, column, Outcome::Error(refused));
                }
                Line::End => report.is_complete = true,
            }
        }
        report
    }

    fn add(&mut self, line: usize, column: usize, outcome: Outcome) {
        self.records.push(Record { line, column, outcome });
    }

    /// The statements of the script, those of a set after it, each with what came of it.
    pub fn of<'s>(&self, script: &'s Script<'_>) -> Vec<Explained<'s>> {
        let statements = script.statements().iter();
        let all = statements.flat_map(|one| std::iter::once(one).chain(&one.parts));
        let mut explained: Vec<_> =
            all.map(|statement| Explained { statement, outcome: None }).collect();
        for record in &self.records {
            // What EXECUTE executes begins within its statement, and a statement of a set within the set.
            let found = explained.iter_mut().rev().find(|one| holds(one.statement, record));
            if let Some(one) = found {
                one.outcome = Some(record.outcome.clone());
            }
        }
        explained
    }
}

fn holds(statement: &Statement, record: &Record) -> bool {
    let place = |position: Position| (position.line, position.column);
    let at = (record.line, record.column);
    place(statement.start) <= at && at <= place(statement.end)
}

/// What Flink did not find, where its message is about that.
pub fn missing_factory(message: &str) -> Option<MissingFactory> {
    // "Could not find any factory for identifier 'kafka' that implements '…DynamicTableFactory' in the classpath."
    let (_, rest) = message.split_once("Could not find any ")?;
    let (what, rest) = rest.split_once("for identifier '")?;
    let (identifier, rest) = rest.split_once('\'')?;
    let interface = rest
        .strip_prefix(" that implements '")
        .and_then(|rest| rest.split('\'').next())
        .unwrap_or_default();
    let kind = if interface.ends_with("CatalogFactory") {
        FactoryKind::Catalog
    } else if interface.ends_with("FormatFactory") || what.contains("format") {
        FactoryKind::Format
    } else {
        FactoryKind::Connector
    };
    Some(MissingFactory { kind, identifier: identifier.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "SET 'a' = 'b';\nEXECUTE STATEMENT SET BEGIN\n  INSERT INTO t SELECT 1;\n  INSERT INTO t SELECT y;\nEND;\nEXECUTE SELECT 1;";

    fn outcomes(log: &str) -> Vec<Option<Outcome>> {
        let script = Script::parse(SCRIPT);
        Report::read(log).of(&script).into_iter().map(|one| one.outcome).collect()
    }

    #[test]
    fn each_statement_gets_what_was_said_of_it() {
        let log = r#"
2026 INFO Flink says something
flumen-sql-report {"what":"plan","line":3,"column":3,"text":"== A \u65e5 ==\n"}
flumen-sql-report {"what":"error","line":4,"column":3,"atLine":4,"atColumn":24,"text":"Column 'y' not found"}
flumen-sql-report {"what":"note","line":6,"column":9,"text":"not carried out"}
flumen-sql-report {"what":"end"}
"#;
        assert!(Report::read(log).is_complete);
        let refused = Refused { line: 4, column: 24, message: "Column 'y' not found".to_owned() };
        assert_eq!(
            outcomes(log),
            [
                None,
                None,
                Some(Outcome::Plan("== A 日 ==\n".to_owned())),
                Some(Outcome::Error(refused)),
                Some(Outcome::Note("not carried out".to_owned())),
            ]
        );
    }

    #[test]
    fn a_report_that_is_cut_off_is_not_complete() {
        let note = "flumen-sql-report {\"what\":\"note\",\"line\":1,\"column\":1,\"text\":\"a\"}\n";
        for log in [
            String::new(),
            note.to_owned(),
            format!("{note}flumen-sql-report {{\"what\":\"pl"),
            format!(
                "{note}flumen-sql-report {{\"what\":\"other\"}}\nflumen-sql-report {{\"what\":\"end\"}}\n"
            ),
        ] {
            assert!(!Report::read(&log).is_complete, "{log}");
        }
        assert_eq!(Report::read(note).records.len(), 1);
    }

    #[test]
    fn what_flink_did_not_find_is_named() {
        let found = |message: &str| {
            missing_factory(message).map(|missing| (missing.kind, missing.identifier))
        };
        let named = |kind, identifier: &str| Some((kind, identifier.to_owned()));
        assert_eq!(
            found(
                "Cannot discover a connector using option: 'connector'='kafka': Could not find any factory for identifier 'kafka' that implements 'org.apache.flink.table.factories.DynamicTableFactory' in the classpath. Available factory identifiers are: blackhole"
            ),
            named(FactoryKind::Connector, "kafka")
        );
        assert_eq!(
            found(
                "Could not find any factory for identifier 'avro' that implements 'org.apache.flink.table.factories.DeserializationFormatFactory' in the classpath."
            ),
            named(FactoryKind::Format, "avro")
        );
        assert_eq!(
            found("Could not find any format factory for identifier 'parquet' in the classpath."),
            named(FactoryKind::Format, "parquet")
        );
        assert_eq!(
            found(
                "Could not find any factory for identifier 'paimon' that implements 'org.apache.flink.table.factories.CatalogFactory' in the classpath."
            ),
            named(FactoryKind::Catalog, "paimon")
        );
        assert_eq!(found("Column 'y' not found in any table"), None);
    }
}
