//! Values of the variables of a SQL script.

use std::collections::BTreeMap;

use flumen_model::{InvalidValue, JobKind, VariableName};

use crate::{
    fields::{Field, Fields, Report, join},
    node::{Entry, Value},
};

pub(crate) fn read(
    kind: JobKind,
    fields: &Fields<'_>,
    report: &mut Report,
) -> BTreeMap<VariableName, String> {
    let mut variables = BTreeMap::new();
    let Some(field) = fields.get("variables") else { return variables };
    if kind != JobKind::Sql {
        let message = "is given, but only the script of kind: sql has variables; leave it out";
        report.add(field.node.at, &field.key, message);
        return variables;
    }
    let Value::Map(entries) = &field.node.value else {
        field.refuse("a map of names and values", report);
        return variables;
    };
    for Entry { at, key, node } in entries {
        let full = join(&field.key, key);
        let value = Field { key: full.clone(), node };
        let Value::Scalar(scalar) = &node.value else {
            value.refuse("a text, a number, true or false", report);
            continue;
        };
        if scalar.is_null() {
            value.refuse("a value; write '' for an empty text", report);
            continue;
        }
        match key.parse::<VariableName>() {
            Err(InvalidValue { allowed, .. }) => {
                report.add(*at, &full, format!("is no name of a variable; {allowed}"));
            }
            Ok(name) => {
                if variables.insert(name, scalar.text.clone()).is_some() {
                    report.add(*at, &full, "is there twice; leave one of them out");
                }
            }
        }
    }
    variables
}
