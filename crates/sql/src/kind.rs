//! What a statement is, by its first words. Flink's parser is the judge: `tests/data` has what it says.

use std::fmt;

use flumen_model::FlinkMinor;

use crate::TokenKind;

/// What can be created, dropped and altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// A catalog.
    Catalog,
    /// A connection (Flink 2.3).
    Connection,
    /// A database.
    Database,
    /// A function, also temporary and system functions.
    Function,
    /// A materialized table (Flink 1.20).
    MaterializedTable,
    /// A model.
    Model,
    /// A table.
    Table,
    /// A view.
    View,
}

/// What a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// `CREATE …`
    Create(Object),
    /// `CREATE TABLE … AS SELECT …`
    CreateTableAs,
    /// `REPLACE TABLE … AS`, `CREATE OR REPLACE TABLE … AS`
    ReplaceTableAs,
    /// `DROP …`
    Drop(Object),
    /// `ALTER …`
    Alter(Object),
    /// `TRUNCATE TABLE`
    TruncateTable,
    /// `ANALYZE TABLE`
    AnalyzeTable,
    /// `INSERT INTO`, `INSERT OVERWRITE`, `UPSERT INTO`
    Insert,
    /// `DELETE FROM`
    Delete,
    /// `UPDATE`
    Update,
    /// `MERGE INTO`, which Flink parses and does not carry out.
    Merge,
    /// `SELECT`, `WITH`, `VALUES`, `TABLE t`, or one of these in parentheses
    Query,
    /// `BEGIN STATEMENT SET`, which the statements up to `END` follow
    BeginStatementSet,
    /// `END`
    EndStatementSet,
    /// `EXECUTE STATEMENT SET BEGIN …; END` as a whole
    StatementSet,
    /// `EXECUTE` before an `INSERT` or a query
    Execute,
    /// `EXECUTE PLAN`
    ExecutePlan,
    /// `COMPILE PLAN … FOR`
    CompilePlan,
    /// `COMPILE AND EXECUTE PLAN … FOR`
    CompileAndExecutePlan,
    /// `EXPLAIN`
    Explain,
    /// `DESCRIBE`, `DESC`
    Describe,
    /// `SHOW`
    Show,
    /// `USE`, `USE CATALOG`, `USE MODULES`
    Use,
    /// `LOAD MODULE`
    LoadModule,
    /// `UNLOAD MODULE`
    UnloadModule,
    /// `CALL`
    Call,
    /// `SET`
    Set,
    /// `RESET`
    Reset,
    /// `ADD JAR`
    AddJar,
    /// `REMOVE JAR`
    RemoveJar,
    /// `STOP JOB`
    StopJob,
    /// `QUIT`, `EXIT`, `HELP`, `CLEAR`: words for Flink's SQL client
    ClientCommand,
    /// Nothing that Flink knows.
    Unknown,
}

impl StatementKind {
    /// The oldest minor whose parser takes statements of this kind; 1.11 for all that 1.15 takes, since
    /// older ones were not asked.
    pub const fn since(self) -> FlinkMinor {
        match self {
            Self::Create(Object::Connection)
            | Self::Drop(Object::Connection)
            | Self::Alter(Object::Connection) => FlinkMinor::new(2, 3),
            Self::Create(Object::MaterializedTable | Object::Model)
            | Self::Drop(Object::MaterializedTable | Object::Model)
            | Self::Alter(Object::MaterializedTable | Object::Model | Object::Catalog) => {
                FlinkMinor::new(1, 20)
            }
            Self::TruncateTable => FlinkMinor::new(1, 18),
            Self::StopJob => FlinkMinor::new(1, 17),
            Self::CreateTableAs | Self::ReplaceTableAs | Self::AnalyzeTable => {
                FlinkMinor::new(1, 16)
            }
            _ => FlinkMinor::new(1, 11),
        }
    }

    /// Whether carrying it out writes to a table, which takes a Flink job.
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Self::Insert
                | Self::Delete
                | Self::Update
                | Self::CreateTableAs
                | Self::ReplaceTableAs
                | Self::StatementSet
                | Self::Execute
                | Self::ExecutePlan
                | Self::CompileAndExecutePlan
        )
    }

    /// The words it begins with, for people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create(object) => object.words().0,
            Self::Drop(object) => object.words().1,
            Self::Alter(object) => object.words().2,
            Self::CreateTableAs => "CREATE TABLE AS",
            Self::ReplaceTableAs => "REPLACE TABLE AS",
            Self::TruncateTable => "TRUNCATE TABLE",
            Self::AnalyzeTable => "ANALYZE TABLE",
            Self::Insert => "INSERT",
            Self::Delete => "DELETE",
            Self::Update => "UPDATE",
            Self::Merge => "MERGE",
            Self::Query => "SELECT",
            Self::BeginStatementSet => "BEGIN STATEMENT SET",
            Self::EndStatementSet => "END",
            Self::StatementSet => "EXECUTE STATEMENT SET",
            Self::Execute => "EXECUTE",
            Self::ExecutePlan => "EXECUTE PLAN",
            Self::CompilePlan => "COMPILE PLAN",
            Self::CompileAndExecutePlan => "COMPILE AND EXECUTE PLAN",
            Self::Explain => "EXPLAIN",
            Self::Describe => "DESCRIBE",
            Self::Show => "SHOW",
            Self::Use => "USE",
            Self::LoadModule => "LOAD MODULE",
            Self::UnloadModule => "UNLOAD MODULE",
            Self::Call => "CALL",
            Self::Set => "SET",
            Self::Reset => "RESET",
            Self::AddJar => "ADD JAR",
            Self::RemoveJar => "REMOVE JAR",
            Self::StopJob => "STOP JOB",
            Self::ClientCommand => "client command",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Object {
    /// How it is created, dropped and altered.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Catalog => ("CREATE CATALOG", "DROP CATALOG", "ALTER CATALOG"),
            Self::Connection => ("CREATE CONNECTION", "DROP CONNECTION", "ALTER CONNECTION"),
            Self::Database => ("CREATE DATABASE", "DROP DATABASE", "ALTER DATABASE"),
            Self::Function => ("CREATE FUNCTION", "DROP FUNCTION", "ALTER FUNCTION"),
            Self::MaterializedTable => {
                ("CREATE MATERIALIZED TABLE", "DROP MATERIALIZED TABLE", "ALTER MATERIALIZED TABLE")
            }
            Self::Model => ("CREATE MODEL", "DROP MODEL", "ALTER MODEL"),
            Self::Table => ("CREATE TABLE", "DROP TABLE", "ALTER TABLE"),
            Self::View => ("CREATE VIEW", "DROP VIEW", "ALTER VIEW"),
        }
    }

    fn of(words: &[String]) -> Option<Self> {
        let rest = words.iter().skip_while(|word| {
            matches!(word.as_str(), "TEMPORARY" | "SYSTEM" | "OR" | "REPLACE" | "ALTER")
        });
        let rest: Vec<&str> = rest.map(String::as_str).collect();
        Some(match rest.first().copied()? {
            "CATALOG" => Self::Catalog,
            "CONNECTION" => Self::Connection,
            "DATABASE" => Self::Database,
            "FUNCTION" => Self::Function,
            "MATERIALIZED" if rest.get(1) == Some(&"TABLE") => Self::MaterializedTable,
            "MODEL" => Self::Model,
            "TABLE" => Self::Table,
            "VIEW" => Self::View,
            _ => return None,
        })
    }
}

/// How many leading words can matter: `CREATE OR REPLACE TEMPORARY SYSTEM FUNCTION`.
const WORDS: usize = 8;

/// What the statement of these tokens, of which each means something, is.
pub(crate) fn classify(tokens: &[(TokenKind, &str)]) -> StatementKind {
    use StatementKind as It;

    let unparenthesized = tokens.iter().skip_while(|(_, text)| *text == "(");
    let words: Vec<String> = unparenthesized
        .take_while(|(kind, _)| *kind == TokenKind::Word)
        .take(WORDS)
        .map(|(_, text)| text.to_ascii_uppercase())
        .collect();
    let is_parenthesized = tokens.first().is_some_and(|(_, text)| *text == "(");
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match (word(0), word(1), word(2)) {
        ("SELECT" | "WITH" | "VALUES" | "TABLE", ..) => It::Query,
        _ if is_parenthesized => It::Unknown,
        ("CREATE", ..) => create(tokens, &words),
        ("REPLACE", "TABLE", _) => It::ReplaceTableAs,
        ("DROP", ..) => Object::of(&words[1..]).map_or(It::Unknown, It::Drop),
        ("ALTER", ..) => Object::of(&words[1..]).map_or(It::Unknown, It::Alter),
        ("TRUNCATE", "TABLE", _) => It::TruncateTable,
        ("ANALYZE", "TABLE", _) => It::AnalyzeTable,
        ("INSERT", "INTO" | "OVERWRITE", _) | ("UPSERT", "INTO", _) => It::Insert,
        ("DELETE", "FROM", _) => It::Delete,
        ("UPDATE", ..) => It::Update,
        ("MERGE", "INTO", _) => It::Merge,
        ("BEGIN", "STATEMENT", "SET") => It::BeginStatementSet,
        ("END", ..) => It::EndStatementSet,
        ("EXECUTE", "STATEMENT", "SET") => It::StatementSet,
        ("EXECUTE", "PLAN", _) => It::ExecutePlan,
        ("EXECUTE", ..) => It::Execute,
        ("COMPILE", "PLAN", _) => It::CompilePlan,
        ("COMPILE", "AND", "EXECUTE") => It::CompileAndExecutePlan,
        ("EXPLAIN", ..) => It::Explain,
        ("DESCRIBE" | "DESC", ..) => It::Describe,
        ("SHOW", ..) => It::Show,
        ("USE", ..) => It::Use,
        ("LOAD", "MODULE", _) => It::LoadModule,
        ("UNLOAD", "MODULE", _) => It::UnloadModule,
        ("CALL", ..) => It::Call,
        ("SET", ..) => It::Set,
        ("RESET", ..) => It::Reset,
        ("ADD", "JAR", _) => It::AddJar,
        ("REMOVE", "JAR", _) => It::RemoveJar,
        ("STOP", "JOB", _) => It::StopJob,
        ("QUIT" | "EXIT" | "HELP" | "CLEAR", "", _) if tokens.len() == 1 => It::ClientCommand,
        _ => It::Unknown,
    }
}

fn create(tokens: &[(TokenKind, &str)], words: &[String]) -> StatementKind {
    let object = Object::of(&words[1..]);
    if object != Some(Object::Table) || !has_query(tokens) {
        return object.map_or(StatementKind::Unknown, StatementKind::Create);
    }
    let replaces = words[1..].starts_with(&["OR".to_owned(), "REPLACE".to_owned()]);
    if replaces { StatementKind::ReplaceTableAs } else { StatementKind::CreateTableAs }
}

/// Whether a `CREATE TABLE` has an `AS` outside of parentheses.
fn has_query(tokens: &[(TokenKind, &str)]) -> bool {
    let mut depth = 0_usize;
    tokens.iter().any(|(kind, text)| {
        match *text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *kind == TokenKind::Word && text.eq_ignore_ascii_case("AS")
    })
}

/// Whether a statement that begins with the first word can hold statements up to an `END`, after
/// `STATEMENT SET BEGIN`.
pub(crate) fn may_hold_set(first: &str) -> bool {
    ["EXECUTE", "EXPLAIN", "COMPILE"].iter().any(|it| first.eq_ignore_ascii_case(it))
}
