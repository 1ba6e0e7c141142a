//! Documents about an image, such as a list of what it is made of, which a registry finds by the image's digest.

use bytes::Bytes;
use flumen_model::{Digest, Kind};
use oci_spec::image::{Descriptor, ImageManifest};
use serde_json::{Map, Value, json};

use super::{
    Client, Outgoing, Source,
    call::{Call, Scope},
    manifest::{Document, digest_from, parse},
};
use crate::{
    Error, Progress, Pushed, Reference, SBOM_MEDIA_TYPE, SBOM_TITLE,
    compose::canonical,
    hashing::digest_of,
    media_type::{OCI_INDEX, OCI_MANIFEST},
};

const LONGEST_LIST: usize = 8 * 1024 * 1024;
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const TITLE: &str = "org.opencontainers.image.title";
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

impl Attachment<'static> {
    /// A list of what is in an image.
    pub fn sbom(document: &Value) -> Self {
        let content = document.to_string().into();
        Self { media_type: SBOM_MEDIA_TYPE, title: SBOM_TITLE, content }
    }
}

/// A document that is in the registry now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The document by its own digest.
    pub reference: Reference,
    /// Bytes of blobs that were sent.
    pub sent_bytes: u64,
}

/// The documents about an image.
struct Listed {
    documents: Vec<Descriptor>,
    /// The index that stands for the list where the registry keeps none.
    index: Option<(Reference, Document)>,
}

impl Client {
    /// Stores a document about an image in its repository. The same document is stored once.
    ///
    /// # Errors
    /// `Denied` if we may not write, `Invalid` if the registry takes no such documents, `Unavailable` or `Timeout` if it does
    /// not answer.
    pub async fn attach(
        &self,
        pushed: &Pushed,
        attachment: &Attachment<'_>,
    ) -> Result<Attached, Error> {
        let (image, silent) = (&pushed.reference, Progress::silent());
        let outgoing = [Bytes::from_static(b"{}"), attachment.content.clone()]
            .map(|content| (digest_of(&content), content));
        let [empty, content] = &outgoing;
        // To look for a document costs as much as to send it; the empty one is there after the first time.
        let (of_empty, of_content) = futures::try_join!(
            self.ensure_blob(image, blob(empty), &silent),
            self.push_blob(image, blob(content), &silent),
        )?;
        let annotations = json!({ TITLE: attachment.title });
        let subject = json!({
            "mediaType": OCI_MANIFEST,
            "digest": pushed.digest.as_str(),
            "size": pushed.manifest_bytes,
        });
        let manifest = canonical(json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": attachment.media_type,
            "config": descriptor(EMPTY, &empty.1),
            "layers": [descriptor(attachment.media_type, &content.1)],
            "subject": subject,
            "annotations": annotations,
        }));
        let reference = image.with_digest(digest_of(&manifest));
        let headers = self.put_manifest(&reference, OCI_MANIFEST, manifest.clone()).await?;
        if !headers.contains_key(SUBJECT_HEADER) {
            let mut entry = descriptor(OCI_MANIFEST, &manifest);
            entry["artifactType"] = attachment.media_type.into();
            entry["annotations"] = annotations;
            self.list_by_tag(image, &pushed.digest, entry).await?;
        }
        Ok(Attached { reference, sent_bytes: of_empty + of_content })
    }

    /// Deletes the documents of this media type and title about an image, which is named by its digest.
    ///
    /// # Errors
    /// `Denied` or `Invalid` if the registry does not allow it, `Unavailable` or `Timeout` if it does not answer.
    pub async fn detach(
        &self,
        image: &Reference,
        (media_type, title): (&str, &str),
    ) -> Result<(), Error> {
        let Listed { documents, index } = self.listed(image).await?;
        let is_meant = |one: &Descriptor| {
            let known = one.annotations().as_ref().and_then(|all| all.get(TITLE));
            one.artifact_type().as_ref().is_some_and(|it| it.to_string() == media_type)
                && known.is_some_and(|known| known == title)
        };
        let (meant, rest): (Vec<_>, Vec<_>) = documents.into_iter().partition(is_meant);
        for document in &meant {
            let digest = digest_from(document.digest(), image)?;
            self.delete_if_there(&image.with_digest(digest)).await?;
        }
        // Last, so that what is broken off in the middle is found again.
        match index {
            Some((_, index)) if rest.is_empty() => {
                self.delete_if_there(&image.with_digest(index.digest)).await
            }
            Some((tag, index)) if !meant.is_empty() => {
                let mut list: Map<String, Value> = parse(&index.bytes, format!("the index {tag}"))?;
                list.insert("manifests".to_owned(), json!(rest));
                self.push_manifest(&tag, OCI_INDEX, canonical(list.into())).await.map(drop)
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn delete_if_there(&self, reference: &Reference) -> Result<(), Error> {
        match self.delete_manifest(reference).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            result => result,
        }
    }

    /// The documents about an image.
    ///
    /// # Errors
    /// `Denied` if we may not read, `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn referrers(&self, image: &Reference) -> Result<Vec<Descriptor>, Error> {
        Ok(self.listed(image).await?.documents)
    }

    async fn listed(&self, image: &Reference) -> Result<Listed, Error> {
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
        let (list, index) = match self.transport.run_and_read(&call, LONGEST_LIST).await {
            Ok((_, list)) => (list, None),
            // Not every registry that knows no such list says so with 404.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Invalid) => {
                let tag = Self::tag_of_list(image, digest.hex())?;
                match self.fetch_document(&tag).await {
                    Ok(list) => (list.bytes.clone(), Some((tag, list))),
                    Err(error) if error.kind() == Kind::NotFound => {
                        return Ok(Listed { documents: Vec::new(), index: None });
                    }
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        let list: oci_spec::image::ImageIndex = parse(&list, what)?;
        Ok(Listed { documents: list.manifests().clone(), index })
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
        subject: &Digest,
        entry: Value,
    ) -> Result<(), Error> {
        let tag = Self::tag_of_list(image, subject.hex())?;
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

fn blob((digest, content): &(Digest, Bytes)) -> Outgoing<'_> {
    Outgoing { digest, size: content.len() as u64, source: Source::Bytes(content) }
}

fn descriptor(media_type: &str, content: &Bytes) -> Value {
    json!({ "mediaType": media_type, "digest": digest_of(content).as_str(), "size": content.len() })
}
