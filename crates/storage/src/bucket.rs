use std::{fmt, path::Path as FilePath, time::Duration};

use bytes::Bytes;
use flumen_model::{S3Storage, Secret, StorageEndpoint};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
    WriteMultipart,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::Error;

/// The region that Amazon's own servers take for granted.
const REGION: &str = "us-east-1";
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a server may be silent.
const SILENT_FOR: Duration = Duration::from_secs(15);
/// How much of a file is sent at once.
const PART_BYTES: usize = 8 << 20;
/// How many parts are on their way.
const PARTS: usize = 2;
const RETRIES: usize = 2;
const RETRY_FOR: Duration = Duration::from_secs(10);

/// The keys of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The access key.
    pub access_key: Secret,
    /// The secret key.
    pub secret_key: Secret,
}

/// A bucket of S3 that Flumen can look into. Cheap to clone.
///
/// A key is a path below the bucket, without a slash at either end.
#[derive(Clone)]
pub struct Bucket {
    store: AmazonS3,
    name: String,
    server: String,
}

impl Bucket {
    /// The bucket of this storage, or the one named instead. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Connect`] if the machine's certificates cannot be read.
    pub fn new(storage: &S3Storage, keys: &Keys, bucket: Option<&str>) -> Result<Self, Error> {
        let S3Storage { place, region, path_style_access, .. } = storage;
        let endpoint = storage.server_endpoint.as_ref().or(storage.endpoint.as_ref());
        let name = bucket.unwrap_or(place.bucket()).to_owned();
        let region = region.as_ref().map_or(REGION, |region| region.as_str());
        let is_plain = endpoint.is_some_and(StorageEndpoint::is_plain);
        let options = ClientOptions::new()
            .with_allow_http(is_plain)
            .with_connect_timeout(CONNECT_WITHIN)
            .with_read_timeout(SILENT_FOR)
            // A large file takes as long as it takes.
            .with_timeout_disabled();
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: RETRIES,
            retry_timeout: RETRY_FOR,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&name)
            .with_region(region)
            .with_access_key_id(keys.access_key.expose())
            .with_secret_access_key(keys.secret_key.expose())
            .with_virtual_hosted_style_request(!path_style_access)
            .with_client_options(options)
            .with_retry(retry);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(address(endpoint, &name, *path_style_access));
        }
        let server = endpoint.map_or_else(
            || format!("https://s3.{region}.amazonaws.com"),
            StorageEndpoint::to_string,
        );
        let store = builder.build().map_err(|error| Error::Connect {
            server: server.clone(),
            problem: innermost(&error),
        })?;
        Ok(Self { store, name, server })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size of an object; none if it is not there.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        let path = self.path("look for", key)?;
        match self.store.head(&path).await {
            Ok(found) => Ok(Some(found.size)),
            // The answer has no body, so whether it is the bucket that is missing or the key has to be asked.
            Err(object_store::Error::NotFound { .. }) => self.is_empty(key).await.map(|_| None),
            Err(error @ object_store::Error::PermissionDenied { .. }) => {
                self.is_empty(key).await?;
                Err(self.failed("look for", key, &error))
            }
            Err(error) => Err(self.failed("look for", key, &error)),
        }
    }

    /// Whether nothing lies below a key.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub async fn is_empty(&self, key: &str) -> Result<bool, Error> {
        let path = self.path("list", key)?;
        let mut found = self.store.list(Some(&path));
        match found.next().await {
            None => Ok(true),
            Some(Ok(_)) => Ok(false),
            Some(Err(error)) => Err(self.failed("list", key, &error)),
        }
    }

    /// The names of what lies directly below a key and has something below itself, sorted.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub async fn folders(&self, key: &str) -> Result<Vec<String>, Error> {
        let path = self.path("list", key)?;
        let found = self.store.list_with_delimiter(Some(&path)).await;
        let found = found.map_err(|error| self.failed("list", key, &error))?;
        let name = |path: &Path| path.filename().map(str::to_owned);
        let mut names: Vec<_> = found.common_prefixes.iter().filter_map(name).collect();
        names.sort();
        Ok(names)
    }

    /// The content of an object of at most `limit` bytes; none if it is not there.
    ///
    /// # Errors
    /// [`Error::Call`], [`Error::TooLarge`].
    pub async fn read(&self, key: &str, limit: u64) -> Result<Option<Bytes>, Error> {
        let path = self.path("read", key)?;
        let found = match self.store.get(&path).await {
            Ok(found) => found,
            Err(error) => {
                let failed = self.failed("read", key, &error);
                return if failed.is_missing_object() { Ok(None) } else { Err(failed) };
            }
        };
        self.check_size(key, found.meta.size, limit)?;
        let content = found.bytes().await.map_err(|error| self.failed("read", key, &error))?;
        Ok(Some(content))
    }

    /// Writes an object into a file that is there, and says how many bytes it has; none if it is not there.
    ///
    /// # Errors
    /// [`Error::Call`], [`Error::TooLarge`], [`Error::Write`].
    pub async fn download(
        &self,
        key: &str,
        file: &FilePath,
        limit: u64,
    ) -> Result<Option<u64>, Error> {
        let path = self.path("read", key)?;
        let found = match self.store.get(&path).await {
            Ok(found) => found,
            Err(error) => {
                let failed = self.failed("read", key, &error);
                return if failed.is_missing_object() { Ok(None) } else { Err(failed) };
            }
        };
        let size = found.meta.size;
        self.check_size(key, size, limit)?;
        let write = |source| Error::Write { path: file.to_owned(), source };
        let mut target = tokio::fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(file)
            .await
            .map_err(write)?;
        let (mut chunks, mut written) = (found.into_stream(), 0_u64);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.failed("read", key, &error))?;
            written += chunk.len() as u64;
            target.write_all(&chunk).await.map_err(write)?;
        }
        target.flush().await.map_err(write)?;
        if written != size {
            return Err(Error::Short { place: self.place(key), size, written });
        }
        Ok(Some(written))
    }

    /// Writes an object, over one that is there.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub async fn write(&self, key: &str, content: Bytes) -> Result<(), Error> {
        let path = self.path("write", key)?;
        let written = self.store.put(&path, PutPayload::from_bytes(content)).await;
        written.map(drop).map_err(|error| self.failed("write", key, &error))
    }

    /// Writes an object from a file, in parts, over one that is there. It is there when it is whole.
    ///
    /// # Errors
    /// [`Error::Call`], [`Error::Read`].
    pub async fn upload(&self, key: &str, file: &FilePath) -> Result<(), Error> {
        let path = self.path("write", key)?;
        let failed = |error: object_store::Error| self.failed("write", key, &error);
        let read = |source| Error::Read { path: file.to_owned(), source };
        let mut source = tokio::fs::File::open(file).await.map_err(read)?;
        let upload = self.store.put_multipart(&path).await.map_err(failed)?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut buffer = vec![0; 1 << 20];
        let sent = loop {
            match source.read(&mut buffer).await.map_err(read) {
                Ok(0) => break Ok(()),
                Ok(count) => {
                    if let Err(error) = parts.wait_for_capacity(PARTS).await {
                        break Err(failed(error));
                    }
                    parts.write(&buffer[..count]);
                }
                Err(error) => break Err(error),
            }
        };
        match sent {
            Ok(()) => parts.finish().await.map(drop).map_err(failed),
            Err(error) => {
                // What a server keeps of it otherwise, nobody could see.
                let _ = parts.abort().await;
                Err(error)
            }
        }
    }

    /// Removes an object; one that is not there is as good as removed.
    ///
    /// # Errors
    /// [`Error::Call`].
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path("delete", key)?;
        match self.store.delete(&path).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let failed = self.failed("delete", key, &error);
                if failed.is_missing_object() { Ok(()) } else { Err(failed) }
            }
        }
    }

    /// Removes everything below a key, and says how many objects that were.
    ///
    /// # Errors
    /// [`Error::Call`]; what was removed until then stays removed.
    pub async fn remove_below(&self, key: &str) -> Result<u64, Error> {
        let path = self.path("delete", key)?;
        let found = self.store.list(Some(&path)).map_ok(|found| found.location).boxed();
        let mut removed = self.store.delete_stream(found);
        let mut count = 0;
        while let Some(result) = removed.next().await {
            match result {
                Ok(_) => count += 1,
                Err(object_store::Error::NotFound { .. }) if count > 0 => {}
                Err(error) => return Err(self.failed("delete", key, &error)),
            }
        }
        Ok(count)
    }

    fn check_size(&self, key: &str, size: u64, limit: u64) -> Result<(), Error> {
        if size > limit {
            return Err(Error::TooLarge { place: self.place(key), size, limit });
        }
        Ok(())
    }

    fn path(&self, what: &'static str, key: &str) -> Result<Path, Error> {
        Path::parse(key).map_err(|_| Error::Key { what, place: self.place(key) })
    }

    fn place(&self, key: &str) -> String {
        let slash = if key.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{key}", self.name)
    }

    fn failed(&self, what: &'static str, key: &str, error: &object_store::Error) -> Error {
        Error::call(what, self.place(key), &self.server, error)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Bucket")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// The address of the bucket: the library wants the bucket in the host name where it belongs there.
fn address(endpoint: &StorageEndpoint, bucket: &str, path_style: bool) -> String {
    match endpoint.as_str().split_once("://") {
        Some((scheme, host)) if !path_style => format!("{scheme}://{bucket}.{host}"),
        _ => endpoint.to_string(),
    }
}

/// The text of the deepest cause, which names no address and no header.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_stands_in_the_host_name_unless_in_the_path() {
        let endpoint: StorageEndpoint = "http://minio:9000".parse().unwrap();
        assert_eq!(address(&endpoint, "flink", false), "http://flink.minio:9000");
        assert_eq!(address(&endpoint, "flink", true), "http://minio:9000");
    }
}
