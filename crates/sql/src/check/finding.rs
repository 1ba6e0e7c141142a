use std::fmt;

use flumen_flink_conf::Severity;
use flumen_model::FlinkMinor;

use crate::{FactoryKind, Position, StatementKind, VariableProblem};

/// Something wrong or doubtful, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub at: Position,
    /// What it is.
    pub problem: Problem,
}

/// What can be wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A text, quoted identifier or comment has no end; its name.
    NotClosed(&'static str),
    /// Something stands in double quotes.
    DoubleQuoted,
    /// No statement of Flink begins like this.
    UnknownStatement {
        /// How it begins.
        words: String,
        /// What may be meant.
        suggestion: Option<&'static str>,
    },
    /// The version has no such statement.
    TooNew {
        /// The statement.
        kind: StatementKind,
        /// The minor that is wanted.
        minor: FlinkMinor,
    },
    /// A statement begins within another.
    MissingSemicolon {
        /// The words that begin it.
        words: String,
    },
    /// The path of `ADD JAR` or `REMOVE JAR` is not in quotes.
    JarPath(StatementKind),
    /// Flink parses the statement and does not carry it out.
    NotSupported(StatementKind),
    /// The words of Flink's SQL client mean nothing in a job.
    ClientCommand,
    /// There is no statement at all.
    Empty,
    /// Nothing in it starts a job.
    NoJob,
    /// A job is started a second time.
    SecondJob {
        /// What starts it.
        kind: StatementKind,
        /// The line of the first.
        first_line: usize,
    },
    /// It stands below an `INSERT` and would be done before that.
    AfterInsert {
        /// What it is.
        kind: StatementKind,
        /// The line of the `INSERT`.
        insert_line: usize,
    },
    /// Nobody reads the result of a query.
    QueryResult,
    /// A statement set has no end.
    SetNotEnded {
        /// A statement of it ends in `END` without a semicolon before.
        lacks_semicolon: bool,
    },
    /// A statement set begins in a statement set.
    SetNested,
    /// `END` without a beginning.
    SetNotBegun,
    /// A statement set is empty.
    SetEmpty,
    /// A statement set holds something other than `INSERT`.
    SetContent(StatementKind),
    /// A `SET` that Flink does not read.
    MalformedSetting,
    /// The value has its quotes in it.
    QuotesInValue {
        /// The key.
        key: String,
        /// The value as Flink reads it.
        value: String,
    },
    /// Flink's own client refuses `SET key = value` beside a comment.
    SettingBesideComment {
        /// The key.
        key: String,
    },
    /// Something about a variable or a secret.
    Variable(VariableProblem),
    /// The option catalogue does not know the key or refuses the value.
    Setting(flumen_flink_conf::Finding),
    /// No option has this key or one like it, though others begin like it.
    UnknownKey {
        /// The key.
        key: String,
        /// The minor.
        minor: FlinkMinor,
    },
    /// The option is read when the cluster starts.
    ClusterOption {
        /// The key.
        key: String,
    },
    /// Flink does not bring the connector, format or catalog.
    Missing {
        /// What it is.
        kind: FactoryKind,
        /// Its identifier.
        identifier: String,
        /// The jar that brings it.
        coordinates: String,
    },
    /// No release for this version is known.
    NoRelease {
        /// What it is.
        kind: FactoryKind,
        /// Its identifier.
        identifier: String,
        /// The minor that is wanted.
        minor: FlinkMinor,
        /// The newest minor for which there is one.
        newest: FlinkMinor,
    },
    /// Nobody here knows the connector, format or catalog.
    UnknownFactory {
        /// What it is.
        kind: FactoryKind,
        /// Its identifier.
        identifier: String,
        /// What may be meant.
        suggestion: Option<&'static str>,
    },
}

impl Problem {
    /// A stable name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotClosed(_) => "notClosed",
            Self::DoubleQuoted => "doubleQuoted",
            Self::UnknownStatement { .. } => "unknownStatement",
            Self::TooNew { .. } => "tooNew",
            Self::MissingSemicolon { .. } => "missingSemicolon",
            Self::JarPath(_) => "jarPath",
            Self::NotSupported(_) => "notSupported",
            Self::ClientCommand => "clientCommand",
            Self::Empty => "empty",
            Self::NoJob => "noJob",
            Self::SecondJob { .. } => "secondJob",
            Self::AfterInsert { .. } => "afterInsert",
            Self::QueryResult => "queryResult",
            Self::SetNotEnded { .. } => "setNotEnded",
            Self::SetNested => "setNested",
            Self::SetNotBegun => "setNotBegun",
            Self::SetEmpty => "setEmpty",
            Self::SetContent(_) => "setContent",
            Self::MalformedSetting => "malformedSetting",
            Self::QuotesInValue { .. } => "quotesInValue",
            Self::SettingBesideComment { .. } => "settingBesideComment",
            Self::Variable(problem) => problem.code(),
            Self::Setting(finding) => match finding.problem {
                flumen_flink_conf::Problem::WrongValue { .. } => "wrongValue",
                flumen_flink_conf::Problem::Unwritable { .. } => "unwritable",
                flumen_flink_conf::Problem::UnknownKey { .. } => "unknownKey",
                flumen_flink_conf::Problem::OtherVersion { .. } => "otherVersion",
                flumen_flink_conf::Problem::Deprecated { .. } => "deprecatedKey",
            },
            Self::UnknownKey { .. } => "unknownKey",
            Self::ClusterOption { .. } => "clusterOption",
            Self::Missing { .. } => "missingFactory",
            Self::NoRelease { .. } => "noRelease",
            Self::UnknownFactory { .. } => "unknownFactory",
        }
    }

    /// Whether something is missing that a jar may bring.
    pub const fn is_about_a_factory(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NoRelease { .. } | Self::UnknownFactory { .. })
    }

    const fn severity(&self) -> Severity {
        match self {
            Self::ClientCommand
            | Self::QueryResult
            | Self::QuotesInValue { .. }
            | Self::SettingBesideComment { .. }
            | Self::UnknownKey { .. }
            | Self::ClusterOption { .. }
            | Self::Missing { .. }
            | Self::NoRelease { .. }
            | Self::UnknownFactory { .. } => Severity::Warning,
            Self::Variable(problem) => problem.severity(),
            Self::Setting(finding) => finding.severity,
            _ => Severity::Error,
        }
    }

    pub(crate) const fn at(self, at: Position) -> Finding {
        Finding { severity: self.severity(), at, problem: self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotClosed(what) => write!(out, "{what} has no end"),
            Self::DoubleQuoted => {
                out.write_str("Flink has no double quotes: a text stands in '…', a name in `…`")
            }
            Self::UnknownStatement { words, suggestion } => {
                write!(out, "no statement of Flink begins with {words}{}", Meant(*suggestion))
            }
            Self::TooNew { kind, minor } => {
                write!(out, "Flink {minor} has no {kind}: it came with Flink {}", kind.since())
            }
            Self::MissingSemicolon { words } => {
                write!(out, "a semicolon is missing before {words}, which begins a statement")
            }
            Self::JarPath(kind) => {
                write!(out, "{kind} takes one path in quotes: {kind} '/path/to.jar'")
            }
            Self::NotSupported(kind) => write!(out, "Flink does not carry out {kind}"),
            Self::ClientCommand => {
                out.write_str("this is a word for Flink's SQL client and does nothing in a job")
            }
            Self::Empty => out.write_str("the script has no statement"),
            Self::NoJob => out.write_str("nothing in the script starts a job: expected an INSERT"),
            Self::SecondJob { kind, first_line } => write!(
                out,
                "this {kind} starts a second job, after the one of line {first_line}, and a cluster runs one"
            ),
            Self::AfterInsert { kind, insert_line } => write!(
                out,
                "this {kind} would be done before the INSERT of line {insert_line}, as all INSERTs start together when the script ends: put it above that"
            ),
            Self::QueryResult => out.write_str(
                "nobody reads the result of a query in a job: write it to a table with INSERT INTO",
            ),
            Self::Variable(problem) => write!(out, "{problem}"),
            Self::SetNotEnded { .. }
            | Self::SetNested
            | Self::SetNotBegun
            | Self::SetEmpty
            | Self::SetContent(_) => self.write_set(out),
            Self::MalformedSetting
            | Self::QuotesInValue { .. }
            | Self::SettingBesideComment { .. }
            | Self::Setting(_)
            | Self::UnknownKey { .. }
            | Self::ClusterOption { .. } => self.write_setting(out),
            Self::Missing { kind, identifier, coordinates } => write!(
                out,
                "Flink does not bring the {} '{identifier}': add {coordinates}",
                kind.word()
            ),
            Self::NoRelease { kind, identifier, minor, newest } => write!(
                out,
                "no release of the {} '{identifier}' for Flink {minor} is known: the newest is for Flink {newest}",
                kind.word()
            ),
            Self::UnknownFactory { kind, identifier, suggestion } => write!(
                out,
                "Flink does not bring a {} '{identifier}', and it is none that Flumen knows{}",
                kind.word(),
                Meant(*suggestion)
            ),
        }
    }
}

impl Problem {
    fn write_set(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetNotEnded { lacks_semicolon: false } => out
                .write_str("the statement set has no end: expected END; after its last statement"),
            Self::SetNotEnded { .. } => {
                out.write_str("the statement set has no end: expected a semicolon before its END")
            }
            Self::SetNested => out.write_str("a statement set cannot hold a statement set"),
            Self::SetNotBegun => out.write_str("END ends a statement set, and none has begun"),
            Self::SetContent(kind) => {
                write!(out, "a statement set holds INSERT and CREATE TABLE AS only, no {kind}")
            }
            _ => out.write_str("the statement set is empty: expected an INSERT"),
        }
    }

    fn write_setting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuotesInValue { key, value } => write!(
                out,
                "Flink reads {value} with its quotes as the value of '{key}': write the key in quotes too"
            ),
            Self::SettingBesideComment { key } => write!(
                out,
                "Flink's own client refuses SET without quotes beside a comment: write SET '{key}' = '…'"
            ),
            Self::Setting(finding) => write!(out, "{finding}"),
            Self::UnknownKey { key, minor } => write!(out, "Flink {minor} has no option '{key}'"),
            Self::ClusterOption { key } => write!(
                out,
                "'{key}' is read when the cluster starts, before the script: it belongs in the configuration of the job"
            ),
            _ => out.write_str("Flink does not read this: expected SET 'key' = 'value'"),
        }
    }
}

struct Meant(Option<&'static str>);

impl fmt::Display for Meant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(meant) => write!(out, "; did you mean {meant}?"),
            None => Ok(()),
        }
    }
}
