//! What a job needs beside its main artifact.

use flumen_model::{Dependency, FileDependency, MavenDependency};

use crate::{
    fields::{Field, Fields, Report},
    job::{ROLES, owned},
};

pub(crate) fn read(field: &Field<'_>, report: &mut Report) -> Vec<Dependency> {
    let items = field.items("a list, each item with path or maven, and with role", report);
    items.iter().filter_map(|item| dependency(item, report)).collect()
}

fn dependency(field: &Field<'_>, report: &mut Report) -> Option<Dependency> {
    let fields = Fields::new(field, &["path", "maven", "exclude", "role"], report)?;
    let role = fields.get("role").and_then(|field| field.choice(&ROLES, report));
    let role = role.unwrap_or_default();
    let Some(maven) = fields.get("maven") else {
        let path = fields.required("path", report).and_then(|field| owned(&field, report));
        refuse(&fields, "exclude", "a file has no dependencies; leave it out", report);
        return Some(Dependency::File(FileDependency { path: path?, role }));
    };
    refuse(
        &fields,
        "path",
        "the artifact comes from a Maven repository; leave path or maven out",
        report,
    );
    let exclude = fields.get("exclude").map(|field| exclusions(&field, report));
    let maven = coordinates(&maven, report)?;
    Some(Dependency::Maven(MavenDependency { maven, exclude: exclude.unwrap_or_default(), role }))
}

fn refuse(fields: &Fields<'_>, key: &str, why: &str, report: &mut Report) {
    if let Some(field) = fields.get(key) {
        report.add(field.node.at, &field.key, format!("is given, but {why}"));
    }
}

fn coordinates(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = owned(field, report)?;
    let parts: Vec<&str> = text.split(':').collect();
    let is_whole = (3..=5).contains(&parts.len()) && parts.iter().all(|part| is_part(part));
    if !is_whole {
        field.refuse("GROUP:ARTIFACT:VERSION or GROUP:ARTIFACT:TYPE[:CLASSIFIER]:VERSION", report);
    }
    is_whole.then_some(text)
}

fn exclusions(field: &Field<'_>, report: &mut Report) -> Vec<String> {
    let expected = "a list of GROUP:ARTIFACT, where either may be *";
    let mut read = Vec::new();
    for item in field.items(expected, report) {
        let Some(text) = item.text(report) else { continue };
        match text.split_once(':') {
            Some((group, artifact)) if is_part(group) && is_part(artifact) => {
                read.push(text.to_owned());
            }
            _ => item.refuse("GROUP:ARTIFACT, where either may be *", report),
        }
    }
    read
}

fn is_part(text: &str) -> bool {
    !text.is_empty() && !text.contains(|one: char| one.is_whitespace() || one == ':')
}
