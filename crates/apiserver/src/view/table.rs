//! Tables, which `kubectl get` prints.

use serde_json::{Value, json};

use crate::resources::{Column, Resource};

/// A table with its rows.
pub(super) fn render(
    resource: &Resource,
    metadata: &Value,
    rows: &[Value],
    described: bool,
) -> Value {
    let columns =
        if described { resource.columns.iter().map(definition).collect() } else { Value::Null };
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

fn definition(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.kind,
        "format": if column.name == "Name" { "name" } else { "" },
        "description": "",
        "priority": column.priority,
    })
}

/// The cells of an object's row.
pub(super) fn cells(resource: &Resource, object: &Value) -> Value {
    resource.columns.iter().map(|column| (column.cell)(object)).collect()
}
