//! Every recorded script: Flink's parser and this crate must see the same statements.

use flumen_model::{FlinkMinor, FlinkVersion};
use flumen_sql::{Object, Script, Statement, StatementKind as Kind, Target, check};

const SCRIPTS: &str = include_str!("../data/scripts.txt");
const RECORDED: [(&str, &str); 10] = [
    ("1.15.4", include_str!("../data/recorded/1.15.4.txt")),
    ("1.16.3", include_str!("../data/recorded/1.16.3.txt")),
    ("1.17.2", include_str!("../data/recorded/1.17.2.txt")),
    ("1.18.1", include_str!("../data/recorded/1.18.1.txt")),
    ("1.19.3", include_str!("../data/recorded/1.19.3.txt")),
    ("1.20.5", include_str!("../data/recorded/1.20.5.txt")),
    ("2.0.2", include_str!("../data/recorded/2.0.2.txt")),
    ("2.1.3", include_str!("../data/recorded/2.1.3.txt")),
    ("2.2.1", include_str!("../data/recorded/2.2.1.txt")),
    ("2.3.0", include_str!("../data/recorded/2.3.0.txt")),
];

/// A statement as Flink's parser describes it.
struct Node {
    class: String,
    kind: String,
    start: (usize, usize),
    end: (usize, usize),
}

fn minor(version: &str) -> FlinkMinor {
    version.parse::<FlinkVersion>().expect("a version").minor()
}

fn cases() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    RECORDED.into_iter().flat_map(|(version, recorded)| {
        let scripts: Vec<&str> = SCRIPTS.split("%%\n").collect();
        assert_eq!(scripts.len(), recorded.lines().count(), "{version}: record again");
        scripts.into_iter().zip(recorded.lines()).map(move |(script, said)| (version, script, said))
    })
}

fn nodes(said: &str) -> Option<Vec<Node>> {
    let words: Vec<&str> = said.strip_prefix("statements ")?.split(' ').collect();
    let place = |text: &str| {
        let (line, column) = text.split_once(':').expect("a place");
        (line.parse().expect("a line"), column.parse().expect("a column"))
    };
    let node = |node: &[&str]| {
        let (start, end) = node[2].split_once('-').expect("a span");
        Node {
            class: node[0].to_owned(),
            kind: node[1].to_owned(),
            start: place(start),
            end: place(end),
        }
    };
    Some(words.chunks(3).map(node).collect())
}

#[test]
fn flink_sees_the_same_statements() {
    for (version, text, said) in cases() {
        let script = Script::parse(text);
        let statements = script.statements();
        let Some(nodes) = nodes(said) else { continue };
        let context = format!("Flink {version}: {text}");
        assert_eq!(statements.len(), nodes.len(), "{context}");
        for (statement, node) in statements.iter().zip(&nodes) {
            // Flink has one node for `EXECUTE STATEMENT SET` and for `EXECUTE` of a single statement.
            let is_execute = matches!(statement.kind, Kind::Execute | Kind::StatementSet);
            let expected = match statement.kind {
                _ if is_execute => None,
                // Up to 1.17 there is one node for both.
                Kind::ReplaceTableAs if minor(version) < FlinkMinor::new(1, 18) => {
                    Some(Kind::CreateTableAs)
                }
                kind => Some(kind),
            };
            assert_eq!(kind_of(node), expected, "{context}");
            assert_eq!(node.class == "SqlExecute", is_execute, "{context}");
            assert!(statement.is_complete, "{context}");
            assert!(is_within(text, statement, node), "{context}");
        }
    }
}

#[test]
fn a_command_of_the_extended_parser_is_one_statement() {
    for (version, text, said) in cases() {
        let Some(operation) = said.strip_prefix("extended ") else { continue };
        let script = Script::parse(text);
        let [statement] = script.statements() else { panic!("Flink {version}: {text}") };
        let kind = match operation {
            "SetOperation" => Kind::Set,
            "ResetOperation" => Kind::Reset,
            _ => Kind::ClientCommand,
        };
        assert_eq!(statement.kind, kind, "Flink {version}: {text}");
    }
}

#[test]
fn what_is_incomplete_for_flink_is_cut_to_the_end_of_the_text() {
    for (version, text, said) in cases() {
        if said.starts_with("incomplete") {
            let script = Script::parse(text);
            let last = script.statements().last().expect("a statement");
            let end = text.trim_end().trim_end_matches(';').len();
            assert_eq!(last.end.offset.min(end), end, "Flink {version}: {text}");
        }
    }
}

/// What Flink's parser takes is not called wrong here, but for what Flink does not carry out.
#[test]
fn the_checks_refuse_nothing_that_flink_parses() {
    const OF_THE_PARSER: [&str; 7] = [
        "notClosed",
        "doubleQuoted",
        "unknownStatement",
        "tooNew",
        "missingSemicolon",
        "jarPath",
        "malformedSetting",
    ];
    for (version, text, said) in cases() {
        let is_taken = said.starts_with("statements") || said.starts_with("extended");
        if is_taken && !said.contains("SqlSetOption") {
            let version = Some(version.parse().expect("a version"));
            let target = Target { version, ..Target::default() };
            let findings = check(&Script::parse(text), &target);
            let refused = findings.iter().find(|it| OF_THE_PARSER.contains(&it.problem.code()));
            assert_eq!(refused, None, "Flink {version:?}: {text}");
        }
    }
}

/// What a minor's parser does not take at all is what [`Kind::since`] says of it.
#[test]
fn statements_of_newer_versions_are_known_by_version() {
    for (version, text, said) in cases() {
        let script = Script::parse(text);
        for statement in script.statements() {
            let takes = statement.kind.since() <= minor(version);
            let is_refused = said.starts_with("error");
            assert!(takes || is_refused, "Flink {version} takes {text}");
        }
        let [statement] = script.statements() else { continue };
        let newest = RECORDED.last().expect("a version");
        let is_taken_by_newest = newest
            .1
            .lines()
            .zip(SCRIPTS.split("%%\n"))
            .any(|(said, other)| other == text && said.starts_with("statements"));
        // Only whole kinds have their versions here; parts of a kind that came later are Flink's to refuse.
        let varies = matches!(
            statement.kind,
            Kind::Create(Object::Model | Object::Connection)
                | Kind::Drop(_)
                | Kind::TruncateTable
                | Kind::StopJob
        );
        if varies && is_taken_by_newest && said.starts_with("error") {
            assert!(statement.kind.since() > minor(version), "Flink {version} refuses {text}");
        }
    }
}

/// The place that Flink gives, which is often only a part of the statement, lies in the statement.
fn is_within(text: &str, statement: &Statement, node: &Node) -> bool {
    let start = utf16(text, statement.start.line, statement.start.offset);
    let end = utf16(text, statement.end.line, statement.end.offset);
    // `TABLE t` has no start.
    let is_after_start = start <= node.start || node.start == (0, 0);
    is_after_start && node.end <= (end.0, end.1 - 1)
}

/// Line and column as Flink counts them.
fn utf16(text: &str, line: usize, offset: usize) -> (usize, usize) {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    (line, text[start..offset].encode_utf16().count() + 1)
}

fn kind_of(node: &Node) -> Option<Kind> {
    let class = node.class.strip_prefix("SqlRich").or(node.class.strip_prefix("RichSql"));
    let class = class.or(node.class.strip_prefix("Sql")).unwrap_or(&node.class);
    let object = |name: &str| {
        [
            ("Catalog", Object::Catalog),
            ("Connection", Object::Connection),
            ("Database", Object::Database),
            ("Function", Object::Function),
            ("OrAlterMaterializedTable", Object::MaterializedTable),
            ("MaterializedTable", Object::MaterializedTable),
            ("Model", Object::Model),
            ("Table", Object::Table),
            ("View", Object::View),
        ]
        .into_iter()
        .find(|(prefix, _)| name.starts_with(prefix))
        .map(|(_, object)| object)
    };
    Some(match (class, node.kind.as_str()) {
        ("CreateTableAs", _) => Kind::CreateTableAs,
        ("ReplaceTableAs", _) => Kind::ReplaceTableAs,
        ("TruncateTable", _) => Kind::TruncateTable,
        ("AnalyzeTable", _) => Kind::AnalyzeTable,
        ("Insert", _) => Kind::Insert,
        ("Delete", _) => Kind::Delete,
        ("Update", _) => Kind::Update,
        // `ALTER SESSION`: Calcite's grammar has it, and Flink nothing that carries it out.
        ("SetOption", _) => Kind::Unknown,
        ("Merge", _) => Kind::Merge,
        ("Select" | "With" | "OrderBy", _) | (_, "VALUES" | "UNION" | "EXPLICIT_TABLE") => {
            Kind::Query
        }
        (_, "PROCEDURE_CALL") => Kind::Call,
        ("BeginStatementSet", _) => Kind::BeginStatementSet,
        ("EndStatementSet", _) => Kind::EndStatementSet,
        ("ExecutePlan", _) => Kind::ExecutePlan,
        ("CompilePlan", _) => Kind::CompilePlan,
        ("CompileAndExecutePlan", _) => Kind::CompileAndExecutePlan,
        ("Explain", _) => Kind::Explain,
        ("LoadModule", _) => Kind::LoadModule,
        ("UnloadModule", _) => Kind::UnloadModule,
        ("Set", _) => Kind::Set,
        ("Reset", _) => Kind::Reset,
        ("AddJar", _) => Kind::AddJar,
        ("RemoveJar", _) => Kind::RemoveJar,
        ("StopJob", _) => Kind::StopJob,
        _ if class.starts_with("Describe") => Kind::Describe,
        _ if class.starts_with("Show") => Kind::Show,
        _ if class.starts_with("Use") => Kind::Use,
        _ => match class.split_at_checked(class.len().min(6)) {
            Some(("Create", rest)) => Kind::Create(object(rest)?),
            _ if class.starts_with("Drop") => Kind::Drop(object(&class[4..])?),
            _ if class.starts_with("Alter") => Kind::Alter(object(&class[5..])?),
            _ => return None,
        },
    })
}
