//! Manifests: by tag or by digest, always as the exact bytes that the registry holds.

use bytes::Bytes;
use flumen_model::Digest;
use http::{HeaderMap, HeaderValue, Method, header};
use oci_spec::image::{ImageConfiguration, ImageIndex, ImageManifest};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Client,
    call::{Body, Call, Scope},
    transport::understand,
};
use crate::{Error, Platform, Reference, hashing::digest_of, media_type};

const LONGEST_DOCUMENT: usize = 8 * 1024 * 1024;
const DIGEST_HEADER: &str = "docker-content-digest";

/// An image for one platform as a registry holds it.
#[derive(Debug, Clone)]
pub struct Image {
    /// Names the configuration and the layers.
    pub manifest: ImageManifest,
    /// How to run it, and the digests of the unpacked layers.
    pub config: ImageConfiguration,
    /// The digest of the manifest: the image's identity.
    pub digest: Digest,
    /// The image by that digest.
    pub reference: Reference,
    pub(crate) manifest_document: Document,
    pub(crate) config_document: Bytes,
}

impl Image {
    /// The media type of the manifest.
    pub fn media_type(&self) -> &str {
        &self.manifest_document.media_type
    }
}

/// A manifest's bytes and what they claim to be.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The digest of what the name itself stands for, which may be an index.
    pub digest: Digest,
    /// The media type of that.
    pub media_type: String,
    /// The images of the index; none if it is none.
    pub platforms: Vec<PlatformImage>,
    /// The image for our platform.
    pub image: Image,
}

impl Client {
    /// Reads what a name stands for: the index, if it is one, and the image for our platform.
    ///
    /// # Errors
    /// As [`Client::pull_manifest`].
    pub async fn inspect(&self, reference: &Reference) -> Result<Inspected, Error> {
        let document = self.fetch_document(reference).await?;
        let (digest, media_type) = (document.digest.clone(), document.media_type.clone());
        let platforms = if media_type::is_index(&media_type) {
            images_in(reference, &document)?
        } else {
            Vec::new()
        };
        let image = self.image_of(reference, document).await?;
        Ok(Inspected { digest, media_type, platforms, image })
    }

    /// Reads an image's manifest and configuration. An index of several images is followed to the one for our platform.
    ///
    /// # Errors
    /// `NotFound` if there is no such image, `Denied` if we may not read it, `Invalid` if it is damaged, no image or not for our platform,
    /// `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn pull_manifest(&self, reference: &Reference) -> Result<Image, Error> {
        let document = self.fetch_document(reference).await?;
        self.image_of(reference, document).await
    }

    /// The image that a document is or, if it is an index, names for our platform.
    pub(crate) async fn image_of(
        &self,
        reference: &Reference,
        mut document: Document,
    ) -> Result<Image, Error> {
        if media_type::is_index(&document.media_type) {
            let chosen = self.choose_platform(reference, &document)?;
            document = self.fetch_document(&reference.with_digest(chosen)).await?;
        }
        let what = format!("the manifest of {reference}");
        if !media_type::is_manifest(&document.media_type) {
            let problem =
                format!("its type is {}, which is no image manifest", document.media_type);
            return Err(Error::UseDocument { what, problem });
        }
        let manifest: ImageManifest = parse(&document.bytes, what)?;
        let config_document = self.fetch_small_blob(reference, manifest.config()).await?;
        let config: ImageConfiguration =
            parse(&config_document, format!("the configuration of {reference}"))?;
        let (layers, diff_ids) = (manifest.layers().len(), config.rootfs().diff_ids().len());
        if layers != diff_ids {
            return Err(Error::UseDocument {
                what: format!("the configuration of {reference}"),
                problem: format!("it describes {diff_ids} layers and the manifest {layers}"),
            });
        }
        let digest = document.digest.clone();
        let reference = reference.with_digest(digest.clone());
        Ok(Image {
            manifest,
            config,
            digest,
            reference,
            manifest_document: document,
            config_document,
        })
    }

    /// The digest of the manifest under this name (an index's own), or `None` if there is none.
    ///
    /// # Errors
    /// As [`Client::pull_manifest`], without `NotFound`.
    pub async fn manifest_digest(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let call = self.manifest_call(reference, &Method::HEAD, "look for", Scope::pull)?;
        let response = match self.transport.run(&call).await {
            Err(error) if error.kind() == flumen_model::Kind::NotFound => return Ok(None),
            other => other?,
        };
        if let Some(digest) = reference.digest() {
            return Ok(Some(digest.clone()));
        }
        match response
            .headers()
            .get(DIGEST_HEADER)
            .and_then(|value| value.to_str().ok())
            .map(str::parse)
        {
            Some(Ok(digest)) => Ok(Some(digest)),
            // The header is optional for a tag.
            _ => self.fetch_document(reference).await.map(|document| Some(document.digest)),
        }
    }

    /// Stores these bytes as the manifest under the reference's digest or tag, and returns their digest.
    ///
    /// # Errors
    /// `Invalid` if the registry lacks something that the manifest names or the digest is another, `Denied` if we may not write,
    /// `Unavailable` or `Timeout` if the registry does not answer.
    pub async fn push_manifest(
        &self,
        reference: &Reference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, Error> {
        let digest = digest_of(&bytes);
        self.put_manifest(reference, media_type, bytes).await.map(|_| digest)
    }

    /// [`Client::push_manifest`], returning what the registry says of it.
    pub(crate) async fn put_manifest(
        &self,
        reference: &Reference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<HeaderMap, Error> {
        let digest = digest_of(&bytes);
        if let Some(expected) = reference.digest()
            && *expected != digest
        {
            return Err(Error::wrong_digest(
                format!("the manifest for {reference}"),
                expected,
                &digest,
            ));
        }
        let call = self.manifest_call(reference, &Method::PUT, "store", Scope::push)?;
        let content_type = HeaderValue::from_str(media_type)
            .map_err(|_| understand(&call, format!("{media_type:?} is no media type")))?;
        let call = call.header(header::CONTENT_TYPE, content_type).body(Body::Bytes(bytes));
        let response = self.transport.run(&call).await?;
        check_digest(&call, &response, &digest)?;
        Ok(response.headers().clone())
    }

    /// Deletes the manifest under the reference's digest, or its tag where the registry can do that.
    ///
    /// # Errors
    /// `NotFound` if there is none, `Denied` or `Invalid` if the registry does not allow it, `Unavailable` or `Timeout` if it does not answer.
    pub async fn delete_manifest(&self, reference: &Reference) -> Result<(), Error> {
        let call = self.manifest_call(reference, &Method::DELETE, "delete", Scope::delete)?;
        self.transport.run(&call).await.map(drop)
    }

    /// The manifest under a name, checked against the digest if that is the name.
    pub(crate) async fn fetch_document(&self, reference: &Reference) -> Result<Document, Error> {
        let mut call = self.manifest_call(reference, &Method::GET, "read", Scope::pull)?;
        for accepted in media_type::MANIFESTS {
            call.headers.append(header::ACCEPT, HeaderValue::from_static(accepted));
        }
        let (headers, bytes) = self.transport.run_and_read(&call, LONGEST_DOCUMENT).await?;
        let header_text =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (content_type, promised) = (header_text("content-type"), header_text(DIGEST_HEADER));
        let digest = digest_of(&bytes);
        let promised = promised.and_then(|text| text.parse::<Digest>().ok());
        if let Some(expected) = reference.digest().or(promised.as_ref())
            && *expected != digest
        {
            return Err(Error::wrong_digest(
                format!("the manifest of {reference}"),
                expected,
                &digest,
            ));
        }
        let media_type = stated_media_type(&bytes, content_type, reference)?;
        Ok(Document { media_type, bytes, digest })
    }

    fn manifest_call<'a>(
        &self,
        reference: &'a Reference,
        method: &Method,
        verb: &str,
        scope: impl Fn(&str) -> Scope,
    ) -> Result<Call<'a>, Error> {
        let path = format!("{}/manifests/{}", reference.repository(), reference.manifest_name());
        let url = self.transport.url(reference.registry(), &path)?;
        let step = format!(
            "{verb} the manifest of {}:{}",
            reference.repository(),
            reference.manifest_name()
        );
        let scope = scope(reference.repository());
        let mut call = Call::new(reference.registry(), method.clone(), url, step, scope);
        if *method == Method::HEAD {
            for accepted in media_type::MANIFESTS {
                call.headers.append(header::ACCEPT, HeaderValue::from_static(accepted));
            }
        }
        Ok(call)
    }

    fn choose_platform(&self, reference: &Reference, document: &Document) -> Result<Digest, Error> {
        let images = images_in(reference, document)?;
        let wanted = &self.settings().platform;
        if let Some(chosen) = images.iter().find(|image| wanted.takes(&image.platform)) {
            return Ok(chosen.digest.clone());
        }
        let available: Vec<String> =
            images.iter().map(|image| image.platform.to_string()).collect();
        let available =
            if available.is_empty() { "no platforms".to_owned() } else { available.join(", ") };
        Err(Error::ChoosePlatform {
            reference: reference.to_string(),
            platform: wanted.to_string(),
            available,
        })
    }
}

/// One of the images of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformImage {
    /// What it runs on.
    pub platform: Platform,
    /// The digest of its manifest.
    pub digest: Digest,
    /// All that the index says of the platform, such as the version of its system.
    pub(crate) written: Value,
}

/// The images of an index that run somewhere, in its order.
pub(crate) fn images_in(
    reference: &Reference,
    document: &Document,
) -> Result<Vec<PlatformImage>, Error> {
    let index: ImageIndex = parse(&document.bytes, format!("the index of {reference}"))?;
    let mut images = Vec::new();
    for entry in index.manifests() {
        let Some(platform) = entry.platform() else { continue };
        let written = serde_json::to_value(platform).map_err(|source| Error::ParseDocument {
            what: format!("the index of {reference}"),
            source,
        })?;
        let platform = Platform {
            os: platform.os().to_string(),
            architecture: platform.architecture().to_string(),
            variant: platform.variant().clone(),
        };
        // What a build tool adds about the build has no platform that anyone runs.
        if (platform.os.as_str(), platform.architecture.as_str()) != ("unknown", "unknown") {
            let digest = digest_from(entry.digest(), reference)?;
            images.push(PlatformImage { platform, digest, written });
        }
    }
    Ok(images)
}

/// Refuses the answer to a PUT that says that something else is stored.
pub(crate) fn check_digest(
    call: &Call<'_>,
    response: &reqwest::Response,
    digest: &Digest,
) -> Result<(), Error> {
    let stored = response.headers().get(DIGEST_HEADER).and_then(|value| value.to_str().ok());
    match stored {
        Some(stored) if stored.starts_with("sha256:") && stored != digest.as_str() => {
            Err(understand(call, format!("it stored {stored} when it was sent {digest}")))
        }
        _ => Ok(()),
    }
}

/// Reads a JSON document of an image.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8], what: String) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::ParseDocument { what, source })
}

/// The one digest algorithm that is in use, as our own type.
pub(crate) fn digest_from(
    digest: &oci_spec::image::Digest,
    reference: &Reference,
) -> Result<Digest, Error> {
    digest.as_ref().parse().map_err(|_| Error::UseDocument {
        what: format!("the manifest of {reference}"),
        problem: format!("it names {digest}, and only sha256 digests are supported"),
    })
}

/// The document's own word, else the header's.
fn stated_media_type(
    bytes: &[u8],
    header: Option<String>,
    reference: &Reference,
) -> Result<String, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Stated {
        media_type: Option<String>,
    }
    let stated: Stated = parse(bytes, format!("the manifest of {reference}"))?;
    let header = header.map(|text| text.split(';').next().unwrap_or_default().trim().to_owned());
    Ok(stated.media_type.or(header).unwrap_or_else(|| media_type::OCI_MANIFEST.to_owned()))
}
