//! Documents about an image, such as a list of what it is made of, which a registry finds by the image's digest.

use bytes::Bytes;
use flumen_model::Kind;
use oci_spec::image::{Descriptor, ImageManifest};
use serde_json::{Map, Value, json};

use super::{
    Client, Outgoing, Source,
    call::{Call, Scope},
    manifest::{Document, parse},
};
use crate::{
    Error, Progress, Reference,
    compose::canonical,
    hashing::digest_of,
    media_type::{OCI_INDEX, OCI_MANIFEST},
};

const LONGEST_LIST: usize = 8 * 1024 * 1024;
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// With what a registry says that it keeps the list of referrers itself.
const SUBJECT_HEADER: &str = "oci-subject";

/// A document about an image.
#[derive(Debug, Clone)]
pub struct Attachment<'a> {
    /// The media type of the document, by which it is asked for.
    pub media_type: &'a str,
    /// The name of a file that it would be kept in.
    pub title: &'a str,
    /// The document.
    pub content: Bytes,
}

impl Client {
    /// Stores a document about the image in its repository and returns the document's own reference. The same
    /// document is stored once.
    ///
    /// # Errors
    /// `NotFound` if there is no such image, `Denied` if we may not write, `Invalid` if the registry takes no such documents,
    /// `Unavailable` or `Timeout` if it does not answer.
    pub async fn attach(
        &self,
        image: &Reference,
        attachment: &Attachment<'_>,
    ) -> Result<Reference, Error> {
        let subject = self.fetch_document(image).await?;
        let empty = Bytes::from_static(b"{}");
        for content in [&empty, &attachment.content] {
            let (digest, size) = (digest_of(content), content.len() as u64);
            let blob = Outgoing { digest: &digest, size, source: Source::Bytes(content) };
            self.ensure_blob(image, blob, &Progress::silent()).await?;
        }
        let annotations = json!({ "org.opencontainers.image.title": attachment.title });
        let manifest = canonical(json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": attachment.media_type,
            "config": descriptor(EMPTY, &empty),
            "layers": [descriptor(attachment.media_type, &attachment.content)],
            "subject": descriptor(&subject.media_type, &subject.bytes),
            "annotations": annotations,
        }));
        let reference = image.with_digest(digest_of(&manifest));
        let headers = self.put_manifest(&reference, OCI_MANIFEST, manifest.clone()).await?;
        if !headers.contains_key(SUBJECT_HEADER) {
            let mut entry = descriptor(OCI_MANIFEST, &manifest);
            entry["artifactType"] = attachment.media_type.into();
            entry["annotations"] = annotations;
            self.list_by_tag(image, &subject, entry).await?;
        }
        Ok(reference)
    }

    /// The documents about an image.
    ///
    /// # Errors
    /// `Denied` if we may not read, `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn referrers(&self, image: &Reference) -> Result<Vec<Descriptor>, Error> {
        let digest = match image.digest() {
            Some(digest) => digest.clone(),
            None => self.fetch_document(image).await?.digest,
        };
        let repository = image.repository();
        let url =
            self.transport.url(image.registry(), &format!("{repository}/referrers/{digest}"))?;
        let step = format!("list the documents about {digest} of {repository}");
        let call = Call::get(image.registry(), url, step, Scope::pull(repository));
        let what = format!("the list of documents about {image}");
        let list = match self.transport.run_and_read(&call, LONGEST_LIST).await {
            Ok((_, list)) => list,
            Err(error) if error.kind() == Kind::NotFound => {
                let tag = Self::tag_of_list(image, digest.hex())?;
                match self.fetch_document(&tag).await {
                    Ok(list) => list.bytes,
                    Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        let list: oci_spec::image::ImageIndex = parse(&list, what)?;
        Ok(list.manifests().clone())
    }

    /// Reads a document that was attached to an image, by its own reference.
    ///
    /// # Errors
    /// `NotFound` if there is none, `Denied` if we may not read, `Invalid` if it is no such document or longer than 8 MiB,
    /// `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn attachment(&self, reference: &Reference) -> Result<Bytes, Error> {
        let what = format!("the manifest of {reference}");
        let document = self.fetch_document(reference).await?;
        let manifest: ImageManifest = parse(&document.bytes, what.clone())?;
        let content = manifest.layers().first().ok_or_else(|| Error::UseDocument {
            what,
            problem: "it names no content".to_owned(),
        })?;
        self.fetch_small_blob(reference, content).await
    }

    /// Adds to the list under the tag that stands for a registry's own list where it keeps none, as the
    /// specification of distribution wants it. Two that do so at the same time may lose one of the entries there.
    async fn list_by_tag(
        &self,
        image: &Reference,
        subject: &Document,
        entry: Value,
    ) -> Result<(), Error> {
        let tag = Self::tag_of_list(image, subject.digest.hex())?;
        let mut list: Map<String, Value> = match self.fetch_document(&tag).await {
            Ok(list) => parse(&list.bytes, format!("the index {tag}"))?,
            Err(error) if error.kind() == Kind::NotFound => Map::new(),
            Err(error) => return Err(error),
        };
        list.insert("schemaVersion".to_owned(), 2.into());
        list.insert("mediaType".to_owned(), OCI_INDEX.into());
        let entries = list.entry("manifests").or_insert_with(|| Value::Array(Vec::new()));
        let entries = entries.as_array_mut().ok_or_else(|| Error::UseDocument {
            what: format!("the index {tag}"),
            problem: "its manifests are no list".to_owned(),
        })?;
        if entries.iter().any(|known| known["digest"] == entry["digest"]) {
            return Ok(());
        }
        entries.push(entry);
        self.push_manifest(&tag, OCI_INDEX, canonical(list.into())).await.map(drop)
    }

    fn tag_of_list(image: &Reference, hex: &str) -> Result<Reference, Error> {
        image.with_tag(&format!("sha256-{hex}")).map_err(|error| Error::UseDocument {
            what: image.to_string(),
            problem: error.to_string(),
        })
    }
}

fn descriptor(media_type: &str, content: &Bytes) -> Value {
    json!({ "mediaType": media_type, "digest": digest_of(content).as_str(), "size": content.len() })
}
