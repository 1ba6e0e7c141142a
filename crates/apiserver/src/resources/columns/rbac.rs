//! Roles and their bindings.

use serde_json::Value;

use super::{AGE, Column, NAME, list, string, text, wide};

pub(super) const ROLE: &[Column] = &[
    NAME,
    Column {
        name: "Created At",
        kind: "date",
        priority: 0,
        cell: |role| string(role, "/metadata/creationTimestamp").into(),
    },
];
pub(super) const BINDING: &[Column] = &[
    NAME,
    text("Role", |binding| {
        format!("{}/{}", string(binding, "/roleRef/kind"), string(binding, "/roleRef/name")).into()
    }),
    AGE,
    wide("Users", |binding| subjects(binding, "User")),
    wide("Groups", |binding| subjects(binding, "Group")),
    wide("ServiceAccounts", |binding| subjects(binding, "ServiceAccount")),
];

fn subjects(binding: &Value, kind: &str) -> Value {
    let own = list(binding, "/subjects").filter(|subject| string(subject, "/kind") == kind);
    let names = own.map(|subject| match kind {
        "ServiceAccount" => {
            format!("{}/{}", string(subject, "/namespace"), string(subject, "/name"))
        }
        _ => string(subject, "/name").to_owned(),
    });
    names.collect::<Vec<_>>().join(", ").into()
}
