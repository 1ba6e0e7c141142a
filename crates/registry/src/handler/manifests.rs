use axum::{extract::Request, response::IntoResponse};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::{Answer, CONTENT_DIGEST, blobs};
use crate::{
    digest::Digest,
    refusal::{Refusal, header_value},
    route::{self, ManifestName},
    storage::{Storage, StoredManifest},
};

const LONGEST_MANIFEST: usize = 4 * 1024 * 1024;

pub(super) async fn read(storage: &Storage, repository: &str, name: &ManifestName) -> Answer {
    let stored = storage.manifest(repository, name).await?.ok_or_else(|| unknown(name))?;
    let headers = [
        (header::CONTENT_TYPE, header_value(&stored.media_type)),
        (header::ETAG, header_value(format!("\"{}\"", stored.digest))),
        (CONTENT_DIGEST, header_value(stored.digest.to_string())),
    ];
    Ok((StatusCode::OK, headers, stored.bytes).into_response())
}

pub(super) async fn store(
    storage: &Storage,
    repository: &str,
    name: ManifestName,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LONGEST_MANIFEST)
        .await
        .map_err(|_| Refusal::manifest_too_long(LONGEST_MANIFEST))?;
    let digest = Digest::of(&bytes);
    let tag = match name {
        ManifestName::Tag(tag) => Some(tag),
        ManifestName::Digest(named) if named == digest => None,
        ManifestName::Digest(named) => {
            return Err(Refusal::digest_invalid(format!(
                "the manifest has digest {digest}, not {named}"
            )));
        }
    };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::manifest_invalid(format!("the manifest cannot be read: {error}"))
    })?;
    let media_type = document.checked_media_type(&parts.headers)?;
    document.check_content(storage, repository).await?;
    let subject =
        document.subject.as_ref().map(|subject| route::digest(&subject.digest)).transpose()?;
    let manifest = StoredManifest { digest, media_type, bytes: bytes.to_vec() };
    storage.keep_manifest(repository, &manifest, tag.as_deref(), subject.as_ref()).await?;
    let digest = manifest.digest.to_string();
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, header_value(format!("/v2/{repository}/manifests/{digest}")));
    headers.insert(CONTENT_DIGEST, header_value(digest));
    if let Some(subject) = subject {
        headers.insert("oci-subject", header_value(subject.to_string()));
    }
    Ok((StatusCode::CREATED, headers).into_response())
}

pub(super) async fn delete(storage: &Storage, repository: &str, name: &ManifestName) -> Answer {
    if storage.delete_manifest(repository, name).await? {
        Ok(blobs::accepted())
    } else {
        Err(unknown(name))
    }
}

fn unknown(name: &ManifestName) -> Refusal {
    match name {
        ManifestName::Tag(tag) => Refusal::manifest_unknown(tag),
        ManifestName::Digest(digest) => Refusal::manifest_unknown(&digest.to_string()),
    }
}

/// What a registry has to understand of an image manifest or an index.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    /// Where to get content from that is not kept in registries.
    #[serde(default)]
    urls: Vec<String>,
}

impl Document {
    fn checked_media_type(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        if self.schema_version != 2 {
            return Err(Refusal::manifest_invalid(format!(
                "schema version {} is not supported",
                self.schema_version
            )));
        }
        let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match (stated, &self.media_type) {
            (Some(header), Some(document)) if header != document => {
                Err(Refusal::manifest_invalid(format!(
                    "the manifest says that it is {document}, and the request that it is {header}"
                )))
            }
            (Some(header), _) => Ok(header.to_owned()),
            (None, Some(document)) => Ok(document.clone()),
            (None, None) => Err(Refusal::manifest_invalid(
                "the request does not say the media type of the manifest",
            )),
        }
    }

    /// Checks that the repository has all that the manifest names.
    async fn check_content(&self, storage: &Storage, repository: &str) -> Result<(), Refusal> {
        match (&self.config, &self.layers, &self.manifests) {
            (Some(config), Some(layers), None) => {
                for named in layers.iter().chain([config]).filter(|named| named.urls.is_empty()) {
                    if !storage.has_blob(repository, &route::digest(&named.digest)?).await? {
                        return Err(Refusal::manifest_blob_unknown(&named.digest));
                    }
                }
                Ok(())
            }
            (None, None, Some(manifests)) => {
                for named in manifests {
                    if !storage.has_manifest(repository, &route::digest(&named.digest)?).await? {
                        return Err(Refusal::manifest_blob_unknown(&named.digest));
                    }
                }
                Ok(())
            }
            _ => Err(Refusal::manifest_invalid("it is neither an image manifest nor an index")),
        }
    }
}
