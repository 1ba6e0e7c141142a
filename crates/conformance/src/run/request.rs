//! One request.

use anyhow::{Context, Result};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::Value;

use super::Run;
use crate::case::Step;

/// What a server answered.
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) media_type: String,
    pub(super) warnings: Vec<String>,
    /// JSON, or text, or null if there is nothing.
    pub(super) body: Value,
}

/// Kinds of other groups than the core group, by the names of their paths.
const GROUPS: [(&str, &str); 7] = [
    ("deployments", "apis/apps/v1"),
    ("replicasets", "apis/apps/v1"),
    ("leases", "apis/coordination.k8s.io/v1"),
    ("eventsv1", "apis/events.k8s.io/v1"),
    ("roles", "apis/rbac.authorization.k8s.io/v1"),
    ("rolebindings", "apis/rbac.authorization.k8s.io/v1"),
    ("endpointslices", "apis/discovery.k8s.io/v1"),
];

pub(super) async fn send(run: &Run<'_>, step: &Step, body: Option<Value>) -> Result<Answer> {
    let response = begin(run, step, body).await?;
    let code = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = header("content-type").unwrap_or_default().to_owned();
    let warnings = response.headers().get_all("warning").iter();
    let warnings = warnings.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
    let bytes = response.bytes().await.context("the answer broke off")?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
    };
    Ok(Answer { code, media_type, warnings, body })
}

/// Sends the request of a step and reads the head of the answer.
pub(super) async fn begin(
    run: &Run<'_>,
    step: &Step,
    body: Option<Value>,
) -> Result<reqwest::Response> {
    let (verb, path) = step.parts();
    let method = match verb {
        "WATCH" | "WAIT" => reqwest::Method::GET,
        verb => verb.parse().with_context(|| format!("{verb} is no method"))?,
    };
    let url = format!("{}{}", run.target.url, path_of(run, path));
    let token =
        step.token.as_ref().map_or_else(|| run.target.token.clone(), |token| run.fill(token));
    let mut request = run.client.request(method.clone(), url);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    for (name, value) in &step.headers {
        request = request.header(name, run.fill(value));
    }
    request = request.header(ACCEPT, accepted(step.accept.as_deref().unwrap_or("json")));
    let text = match (&step.text, body) {
        (Some(text), _) => Some(run.fill(text)),
        (None, Some(body)) => Some(run.fill_value(&body).to_string()),
        (None, None) => None,
    };
    if let Some(text) = text {
        let usual = if method == reqwest::Method::PATCH { "merge" } else { "json" };
        let media_type = media_type(step.media_type.as_deref().unwrap_or(usual));
        request = request.header(CONTENT_TYPE, media_type).body(text);
    }
    request.send().await.context("the request was not answered")
}

/// The path of a step, from the root and with its variables filled in.
pub(super) fn path_of(run: &Run<'_>, path: &str) -> String {
    let path = run.fill(path);
    if path.starts_with('/') {
        return path;
    }
    let plural = path.split(['/', '?']).next().unwrap_or_default();
    let group = GROUPS.iter().find(|(known, _)| *known == plural);
    let (root, path) = match group {
        Some(("eventsv1", root)) => (*root, path.replacen("eventsv1", "events", 1)),
        Some((_, root)) => (*root, path),
        None => ("api/v1", path),
    };
    format!("/{root}/namespaces/{}/{path}", run.namespace)
}

fn media_type(name: &str) -> &str {
    match name {
        "json" => "application/json",
        "yaml" => "application/yaml",
        "merge" => "application/merge-patch+json",
        "strategic" => "application/strategic-merge-patch+json",
        "jsonpatch" => "application/json-patch+json",
        "apply" => "application/apply-patch+yaml",
        other => other,
    }
}

fn accepted(name: &str) -> &str {
    match name {
        "json" => "application/json",
        "table" => "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        "metadata" => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        "metadata list" => "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        other => other,
    }
}
