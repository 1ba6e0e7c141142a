use std::{fmt, path::Path as FilePath, time::Duration};

use bytes::Bytes;
use flumen_model::{S3Storage, Secret, StorageEndpoint};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart,
    aws::AmazonS3,
    path::Path,
    signer::{Method, Signer as _},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    Error,
    client::{builder, region},
};

/// How much of a file is sent at once.
const PART_BYTES: usize = 8 << 20;
/// How many parts are on their way.
const PARTS: usize = 2;

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
    /// The same by the address that pods know, which a signature holds for.
    seen_by_pods: AmazonS3,
    name: String,
    server: String,
}

impl Bucket {
    /// The bucket of this storage, or the one named instead. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Connect`] if the machine's certificates cannot be read.
    pub fn new(storage: &S3Storage, keys: &Keys, bucket: Option<&str>) -> Result<Self, Error> {
        let name = bucket.unwrap_or(storage.place.bucket()).to_owned();
        let pods = storage.endpoint.as_ref();
        let endpoint = storage.server_endpoint.as_ref().or(pods);
        let server = endpoint.map_or_else(
            || format!("https://s3.{}.amazonaws.com", region(storage)),
            StorageEndpoint::to_string,
        );
        let client = |endpoint| {
            builder(storage, keys, (&name, endpoint)).build().map_err(|error| Error::Connect {
                server: server.clone(),
                problem: innermost(&error),
            })
        };
        let store = client(endpoint)?;
        let seen_by_pods = if endpoint == pods { store.clone() } else { client(pods)? };
        Ok(Self { store, seen_by_pods, name, server })
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

    /// A link by which whoever has it reads an object for so long, at the address that pods know. Nothing is sent, so the
    /// object may not be there.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Connect`] if the address cannot be one.
    pub async fn link(&self, key: &str, valid: Duration) -> Result<Secret, Error> {
        let path = self.path("sign a link to", key)?;
        let signed = self.seen_by_pods.signed_url(Method::GET, &path, valid).await;
        let url = signed.map_err(|error| Error::Connect {
            server: self.server.clone(),
            problem: innermost(&error),
        })?;
        Ok(Secret::new(url.into()))
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

    #[tokio::test]
    async fn a_link_has_the_address_that_pods_know_in_the_style_of_the_storage() {
        let keys = Keys {
            access_key: Secret::new("AKIA".to_owned()),
            secret_key: Secret::new("hunter2".to_owned()),
        };
        let amazon = "https://flink.s3.eu-west-1.amazonaws.com/prod/a.jar";
        for (fields, start) in [
            (r#""region": "eu-west-1""#, amazon),
            (r#""region": "eu-west-1", "serverEndpoint": "http://127.0.0.1:9000""#, amazon),
            (
                r#""region": "eu-west-1", "pathStyleAccess": true"#,
                "https://s3.eu-west-1.amazonaws.com/flink/prod/a.jar",
            ),
            (r#""endpoint": "https://s3.example.com""#, "https://flink.s3.example.com/prod/a.jar"),
            (
                r#""endpoint": "http://store:9000", "serverEndpoint": "http://127.0.0.1:9000", "pathStyleAccess": true"#,
                "http://store:9000/flink/prod/a.jar",
            ),
        ] {
            let text = format!(r#"{{"kind": "s3", "place": "s3://flink/prod", {fields}}}"#);
            let Ok(flumen_model::Storage::S3(storage)) = serde_json::from_str(&text) else {
                panic!("{text}")
            };
            let bucket = Bucket::new(&storage, &keys, None).unwrap();
            let link = bucket.link("prod/a.jar", Duration::from_hours(1)).await.unwrap();
            let (place, query) = link.expose().split_once('?').unwrap();
            assert_eq!(place, start);
            let parts: Vec<_> = query.split('&').collect();
            assert!(parts.contains(&"X-Amz-Expires=3600"), "{query}");
            assert!(parts.contains(&"X-Amz-SignedHeaders=host"), "{query}");
            assert!(!query.contains("hunter2"), "{query}");
        }
    }
}
