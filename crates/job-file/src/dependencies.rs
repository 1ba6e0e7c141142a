//! What a job needs beside its main artifact.

use flumen_model::{
    ArtifactRole, ArtifactUrl, Dependency, Digest, FileDependency, MavenDependency, UrlDependency,
};

use crate::{
    fields::{Field, Fields, Report},
    job::{ROLES, owned},
};

pub(crate) fn read(field: &Field<'_>, report: &mut Report) -> Vec<Dependency> {
    let items = field.items("a list, each item with path, url or maven, and with role", report);
    items.iter().filter_map(|item| dependency(item, report)).collect()
}

fn dependency(field: &Field<'_>, report: &mut Report) -> Option<Dependency> {
    let known = ["path", "url", "sha256", "maven", "exclude", "role"];
    let fields = Fields::new(field, &known, report)?;
    let role = fields.get("role").and_then(|field| field.choice(&ROLES, report));
    let role = role.unwrap_or_default();
    if let Some(url) = fields.get("url") {
        return by_url(&url, &fields, role, report);
    }
    refuse(&fields, "sha256", "it is for a file with url; leave it out", report);
    let Some(maven) = fields.get("maven") else {
        let path = fields.required("path", report).and_then(|field| path(&field, report));
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

fn path(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = owned(field, report)?;
    if ArtifactUrl::is_meant(&text) {
        let message = "is a URL and no path; write url: in the place of path:";
        report.add(field.node.at, &field.key, message);
        return None;
    }
    Some(text)
}

fn by_url(
    url: &Field<'_>,
    fields: &Fields<'_>,
    role: ArtifactRole,
    report: &mut Report,
) -> Option<Dependency> {
    for key in ["path", "maven"] {
        refuse(fields, key, "the file comes from a URL; leave one of them out", report);
    }
    refuse(fields, "exclude", "a file has no dependencies; leave it out", report);
    let sha256 = fields.get("sha256").map(|field| digest(&field, report));
    Some(Dependency::Url(UrlDependency {
        url: url.parsed(report)?,
        sha256: sha256.map_or(Some(None), |digest| digest.map(Some))?,
        role,
    }))
}

/// As `sha256sum` prints it, or as Flumen does.
fn digest(field: &Field<'_>, report: &mut Report) -> Option<Digest> {
    let text = field.text(report)?;
    let digest = format!("sha256:{}", text.trim_start_matches("sha256:")).parse().ok();
    if digest.is_none() {
        field.refuse("64 lower-case hex digits", report);
    }
    digest
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
