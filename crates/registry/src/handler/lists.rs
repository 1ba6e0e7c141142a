use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Uri, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, query};
use crate::{
    digest::Digest,
    refusal::{Refusal, header_value},
    storage::{Referrer, Storage},
};

#[derive(Deserialize)]
struct Page {
    n: Option<usize>,
    last: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    artifact_type: Option<String>,
}

pub(super) async fn catalog(storage: &Storage, uri: &Uri) -> Answer {
    let (repositories, headers) = page(storage.catalog().await?, uri)?;
    Ok(json_answer(headers, &json!({ "repositories": repositories })))
}

pub(super) async fn tags(storage: &Storage, repository: &str, uri: &Uri) -> Answer {
    let tags = storage.tags(repository).await?.ok_or_else(|| Refusal::name_unknown(repository))?;
    let (tags, headers) = page(tags, uri)?;
    Ok(json_answer(headers, &json!({ "name": repository, "tags": tags })))
}

pub(super) async fn referrers(
    storage: &Storage,
    repository: &str,
    subject: &Digest,
    uri: &Uri,
) -> Answer {
    let filter: Filter = query(uri)?;
    let mut manifests: Vec<Value> =
        storage.referrers(repository, subject).await?.iter().filter_map(descriptor).collect();
    let mut headers = HeaderMap::new();
    if let Some(wanted) = filter.artifact_type {
        manifests.retain(|manifest| manifest["artifactType"] == wanted.as_str());
        headers.insert("oci-filters-applied", HeaderValue::from_static("artifactType"));
    }
    let media_type = "application/vnd.oci.image.index.v1+json";
    let mut response = json_answer(
        headers,
        &json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests }),
    );
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(response)
}

fn json_answer(headers: HeaderMap, body: &Value) -> Response {
    (headers, Json(body)).into_response()
}

/// The part of a sorted list that was asked for, and where to find the rest.
fn page(mut items: Vec<String>, uri: &Uri) -> Result<(Vec<String>, HeaderMap), Refusal> {
    let Page { n, last } = query(uri)?;
    if let Some(last) = last {
        items.retain(|item| *item > last);
    }
    let mut headers = HeaderMap::new();
    if let Some(n) = n.filter(|n| *n < items.len()) {
        items.truncate(n);
        if let Some(last) = items.last() {
            // Names and tags have no character that would need escaping, but for the slash, which may stand in a query.
            let next = format!("<{}?n={n}&last={last}>; rel=\"next\"", uri.path());
            headers.insert(header::LINK, header_value(next));
        }
    }
    Ok((items, headers))
}

/// A referrer as the index of them describes it.
fn descriptor(referrer: &Referrer) -> Option<Value> {
    let document: Value = serde_json::from_slice(&referrer.bytes).ok()?;
    let mut descriptor = json!({
        "mediaType": referrer.media_type,
        "digest": referrer.digest.to_string(),
        "size": referrer.bytes.len(),
    });
    // An image that states no type of its own has that of its configuration.
    let artifact_type =
        document.get("artifactType").or_else(|| document.pointer("/config/mediaType"));
    for (key, value) in
        [("artifactType", artifact_type), ("annotations", document.get("annotations"))]
    {
        if let Some(value) = value {
            descriptor[key] = value.clone();
        }
    }
    Some(descriptor)
}
