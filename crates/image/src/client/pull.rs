//! Blobs coming in. Nothing is kept under its final name before its digest was seen to be right.

use std::path::Path;

use bytes::Bytes;
use flumen_model::Kind;
use futures::StreamExt;
use oci_spec::image::Descriptor;
use tokio::io::{AsyncWriteExt, BufWriter};

use super::{
    Client,
    call::{Call, Scope},
    manifest::digest_from,
    transport::reach,
};
use crate::{
    Error, Progress, Reference,
    hashing::{Hasher, digest_of},
};

const LONGEST_SMALL_BLOB: u64 = 8 * 1024 * 1024;

impl Client {
    /// Reads the blob that `descriptor` names into the file `path`, which appears only when it is complete and right.
    ///
    /// # Errors
    /// `NotFound` if the repository lacks it, `Denied` if we may not read it, `Invalid` if what comes is not what was promised,
    /// `Unavailable` or `Timeout` if the registry does not answer or the file cannot be written.
    pub async fn pull_blob_to(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
        path: &Path,
    ) -> Result<(), Error> {
        self.pull_blob_with_progress(reference, descriptor, path, &Progress::silent()).await
    }

    /// [`Client::pull_blob_to`], telling how far it is.
    ///
    /// # Errors
    /// The same.
    pub async fn pull_blob_with_progress(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
        path: &Path,
        progress: &Progress,
    ) -> Result<(), Error> {
        progress.expect(descriptor.size());
        let retry = self.settings().retry;
        let mut attempt = 1;
        loop {
            let error = match self.try_pull(reference, descriptor, path, progress).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // What breaks off within the body comes here; the request itself is repeated below.
            let broke_off =
                matches!(error, Error::Reach { .. }) && error.kind() == Kind::Unavailable;
            if !broke_off || attempt >= retry.attempts {
                return Err(error);
            }
            tokio::time::sleep(retry.wait_after(attempt)).await;
            attempt += 1;
        }
    }

    async fn try_pull(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
        path: &Path,
        progress: &Progress,
    ) -> Result<(), Error> {
        let write_error = |source| Error::WriteFile { path: path.to_owned(), source };
        let expected = digest_from(descriptor.digest(), reference)?;
        let call = self.blob_call(reference, descriptor)?;
        let response = self.transport.run(&call).await?;
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (file, partial) = tempfile::NamedTempFile::with_prefix_in(".partial-", directory)
            .map_err(write_error)?
            .into_parts();
        let mut file = BufWriter::with_capacity(256 * 1024, tokio::fs::File::from_std(file));
        let mut hasher = Hasher::default();
        let mut received = 0;
        let moved = progress.attempt();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|source| {
                moved.undo();
                reach(&call, source)
            })?;
            hasher.update(&piece);
            received += piece.len() as u64;
            if received > descriptor.size() {
                return Err(Error::wrong_size(
                    format!("blob {expected} of {reference}"),
                    descriptor.size(),
                    received,
                ));
            }
            moved.advance(piece.len());
            file.write_all(&piece).await.map_err(write_error)?;
        }
        file.flush().await.map_err(write_error)?;
        let (digest, size) = hasher.finish();
        if size != descriptor.size() {
            return Err(Error::wrong_size(
                format!("blob {expected} of {reference}"),
                descriptor.size(),
                size,
            ));
        }
        if digest != expected {
            return Err(Error::wrong_digest(format!("a blob of {reference}"), &expected, &digest));
        }
        partial.persist(path).map_err(|error| write_error(error.error))
    }

    /// A blob that fits into memory, such as a configuration.
    pub(crate) async fn fetch_small_blob(
        &self,
        reference: &Reference,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        let expected = digest_from(descriptor.digest(), reference)?;
        if descriptor.size() > LONGEST_SMALL_BLOB {
            return Err(Error::UseDocument {
                what: format!("blob {expected} of {reference}"),
                problem: format!("it has {} bytes, and at most 8 MiB are read", descriptor.size()),
            });
        }
        let call = self.blob_call(reference, descriptor)?;
        let longest = usize::try_from(LONGEST_SMALL_BLOB).unwrap_or(usize::MAX);
        let (_, bytes) = self.transport.run_and_read(&call, longest).await?;
        let digest = digest_of(&bytes);
        if digest == expected {
            Ok(bytes)
        } else {
            Err(Error::wrong_digest(format!("a blob of {reference}"), &expected, &digest))
        }
    }

    pub(super) fn blob_call<'a>(
        &self,
        reference: &'a Reference,
        descriptor: &Descriptor,
    ) -> Result<Call<'a>, Error> {
        let repository = reference.repository();
        let url = self
            .transport
            .url(reference.registry(), &format!("{repository}/blobs/{}", descriptor.digest()))?;
        let step = format!("read blob {} of {repository}", descriptor.digest());
        Ok(Call::get(reference.registry(), url, step, Scope::pull(repository)))
    }
}
