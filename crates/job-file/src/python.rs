//! What only Python jobs have.

use flumen_model::{ArtifactUrl, JobKind};

use crate::{
    fields::{Field, Fields, Report},
    job::owned,
};

/// Roles of files that only Python programs and functions read.
const ROLES: [&str; 2] = ["archive", "requirements"];

/// Refuses what only a Python job can have elsewhere, and what it cannot have there.
pub(crate) fn check(kind: JobKind, fields: &Fields<'_>, report: &mut Report) {
    let mut refuse = |key: &str, message: &str| {
        if let Some(field) = fields.get(key) {
            report.add(field.node.at, &field.key, message);
        }
    };
    if kind == JobKind::Python {
        refuse("mainClass", "is given, but Python has none; write module:, or leave it out");
        artifact(fields, report);
        return;
    }
    refuse("module", "is given, but only kind: python runs a module; leave it out");
    if kind == JobKind::Sql {
        return;
    }
    let Some(dependencies) = fields.get("dependencies") else { return };
    for item in dependencies.items("a list", &mut Report::default()) {
        let Some(one) = Fields::new(&item, &["role"], &mut Report::default()) else { continue };
        let Some(role) = one.get("role") else { continue };
        if role.text(&mut Report::default()).is_some_and(|role| ROLES.contains(&role)) {
            report.add(role.node.at, &role.key, "is for kind: python and kind: sql only");
        }
    }
}

/// Without a module it is the file that is run; with one it holds the module.
fn artifact(fields: &Fields<'_>, report: &mut Report) {
    let Some(field) = fields.get("artifact") else { return };
    let Some(text) = field.text(&mut Report::default()) else { return };
    let url = ArtifactUrl::is_meant(text).then(|| text.parse::<ArtifactUrl>());
    let name = match &url {
        Some(Ok(url)) => url.file_name(),
        Some(Err(_)) => return,
        None => text,
    };
    let is_file = std::path::Path::new(name).extension().is_some_and(|extension| extension == "py");
    if fields.get("module").is_none() && !is_file {
        let message = format!(
            "is {text:?}: expected a file whose name ends in .py; for a module in an archive write module: too"
        );
        report.add(field.node.at, &field.key, message);
    }
}

/// A dotted name, as `python -m` takes it.
pub(crate) fn module(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = owned(field, report)?;
    let is_name = |part: &str| {
        part.chars().all(|one| one.is_alphanumeric() || one == '_')
            && part.chars().next().is_some_and(|first| !first.is_numeric())
    };
    if !text.split('.').all(is_name) {
        field.refuse("the name of a module, such as jobs.word_count", report);
        return None;
    }
    Some(text)
}
