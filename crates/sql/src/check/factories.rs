//! Connectors, formats and catalogs that Flink does not bring.

use flumen_model::FlinkVersion;

use super::{Finding, Problem, Target};
use crate::{
    FactoryKind, Object, Origin, Script, Statement, StatementKind, WithOption,
    factories::{origin, with_scala},
    with_options,
};

pub(super) fn check(script: &Script<'_>, target: &Target) -> Vec<Finding> {
    // Without a version it is unknown which jar would do.
    let Some(version) = target.version else { return Vec::new() };
    // What a jar brings that the script itself adds is not known here.
    if script.statements().iter().any(|statement| statement.kind == StatementKind::AddJar) {
        return Vec::new();
    }
    let statements = script.statements().iter();
    let all = statements.flat_map(|statement| std::iter::once(statement).chain(&statement.parts));
    all.flat_map(|statement| of_statement(script, statement))
        .filter(|(kind, option)| !target.provided.contains(&(*kind, option.value.clone())))
        .filter_map(|(kind, option)| Some(problem(kind, &option, (version, target))?.at(option.at)))
        .collect()
}

/// The options of a statement that name a factory.
fn of_statement(script: &Script<'_>, statement: &Statement) -> Vec<(FactoryKind, WithOption)> {
    let of_key: fn(&str) -> Option<FactoryKind> = match statement.kind {
        StatementKind::Create(Object::Table | Object::MaterializedTable)
        | StatementKind::CreateTableAs
        | StatementKind::ReplaceTableAs => |key| match key {
            "connector" => Some(FactoryKind::Connector),
            "format" | "key.format" | "value.format" => Some(FactoryKind::Format),
            _ => None,
        },
        StatementKind::Create(Object::Catalog) => {
            |key| (key == "type").then_some(FactoryKind::Catalog)
        }
        _ => return Vec::new(),
    };
    let options = with_options(script, statement);
    options.into_iter().filter_map(|option| Some((of_key(&option.key)?, option))).collect()
}

fn problem(
    kind: FactoryKind,
    option: &WithOption,
    (version, target): (FlinkVersion, &Target),
) -> Option<Problem> {
    let identifier = option.value.clone();
    match origin(kind, &identifier, version) {
        Origin::Flink => None,
        Origin::Maven { coordinates } => {
            let coordinates = match &target.scala {
                Some(scala) => with_scala(&coordinates, scala),
                None => coordinates,
            };
            Some(Problem::Missing { kind, identifier, coordinates })
        }
        Origin::OtherMinors { newest } => {
            let minor = version.minor();
            Some(Problem::NoRelease { kind, identifier, minor, newest })
        }
        Origin::Unknown { suggestion } => {
            Some(Problem::UnknownFactory { kind, identifier, suggestion })
        }
    }
}
