//! Files that a job names by URL: fetched here, and kept by their content as uploaded ones are.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use flumen_image::Reference;
use flumen_maven::{Client, Settings};
use flumen_model::{ArtifactRole, ArtifactUrl, Dependency, Digest, JobKind, JobSpec, Storage};
use flumen_store::ReleaseArtifact;
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncReadExt as _;

use crate::{
    Control, Error, StepProgress,
    artifacts::{check_jar, check_name},
};

const BUFFER: usize = 256 * 1024;

/// A file to fetch.
struct Wanted {
    url: ArtifactUrl,
    digest: Option<Digest>,
    role: ArtifactRole,
}

/// Where the content of a file is.
enum Content {
    /// Among the artifacts.
    Here { digest: Digest, size: u64 },
    /// In a file beside them, which vanishes unless it is taken in.
    Part(TempPath),
}

/// How far files are that a job names by URL.
#[derive(Debug, Default)]
pub(crate) struct Fetching {
    wanted: AtomicU64,
    there: AtomicU64,
    cached: AtomicU64,
    /// The bytes of those that are there and were fetched.
    bytes: AtomicU64,
    /// What counts those of the one that is being fetched.
    current: Mutex<Option<Arc<flumen_maven::Progress>>>,
}

impl Fetching {
    pub(crate) fn progress(&self) -> StepProgress {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        StepProgress {
            bytes: count(&self.bytes) + current.as_ref().map_or(0, |current| current.bytes()),
            total_bytes: None,
            files: Some(count(&self.there)),
            total_files: Some(count(&self.wanted)),
            cached_files: Some(count(&self.cached)),
        }
    }

    fn follow(&self, progress: Option<Arc<flumen_maven::Progress>>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    fn is_there(&self, size: u64, was_there: bool) {
        self.follow(None);
        self.there.fetch_add(1, Ordering::Relaxed);
        let (counter, more) = if was_there { (&self.cached, 1) } else { (&self.bytes, size) };
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

impl Control {
    /// Fetches what the job names by URL and is not here yet: its main artifact, which comes first, and dependencies.
    ///
    /// # Errors
    /// [`Error::Fetch`] or [`Error::Registry`] for what cannot be had, [`Error::OtherContent`] for what is not what the job
    /// file says, [`Error::Invalid`] for what is too large or no jar.
    pub(crate) async fn add_artifacts_by_url(
        &self,
        spec: &JobSpec,
        artifacts: &mut Vec<ReleaseArtifact>,
        fetching: &Fetching,
    ) -> Result<(), Error> {
        let main = main(spec)?;
        let mut more = Vec::new();
        for dependency in &spec.dependencies {
            if let Dependency::Url(file) = dependency
                && file.url.in_project().is_none()
            {
                let (url, digest) = (file.url.clone(), file.digest().cloned());
                more.push(Wanted { url, digest, role: file.role });
            }
        }
        let wanted = u64::from(main.is_some()) + more.len() as u64;
        fetching.wanted.store(wanted, Ordering::Relaxed);
        if let Some(main) = main {
            artifacts.insert(0, self.by_url(spec, main, fetching).await?);
        }
        for wanted in more {
            artifacts.push(self.by_url(spec, wanted, fetching).await?);
        }
        Ok(())
    }

    async fn by_url(
        &self,
        spec: &JobSpec,
        wanted: Wanted,
        fetching: &Fetching,
    ) -> Result<ReleaseArtifact, Error> {
        let Wanted { url, digest, role } = wanted;
        let name = url.file_name();
        check_name(name)?;
        let content = match (self.known(digest.as_ref()).await?, url.in_registry()) {
            (Some(content), _) => content,
            (None, Some(reference)) => self.pull_file(&url, reference).await?,
            (None, None) => match url.in_bucket() {
                Some(place) => self.download_file(spec, &url, place).await?,
                None => self.fetch_file(spec, &url, fetching).await?,
            },
        };
        let (actual, size) = match &content {
            Content::Here { digest, size } => (digest.clone(), *size),
            Content::Part(part) => measure(part).await?,
        };
        fetching.is_there(size, matches!(content, Content::Here { .. }));
        if let Some(expected) = digest.filter(|expected| *expected != actual) {
            return Err(Error::OtherContent { url: url.shown().to_owned(), expected, actual });
        }
        match content {
            Content::Here { .. } => check_jar(&self.artifact_path(&actual), name).await?,
            Content::Part(part) => {
                check_jar(&part, name).await?;
                if self.artifact(&actual).await?.is_none() {
                    self.settle(&part, &actual, size).await?;
                }
            }
        }
        Ok(ReleaseArtifact { name: name.to_owned(), digest: actual, size, role, maven: None })
    }

    /// What is here already.
    async fn known(&self, digest: Option<&Digest>) -> Result<Option<Content>, Error> {
        let Some(digest) = digest else { return Ok(None) };
        let here = |size| Content::Here { digest: digest.clone(), size };
        Ok(self.artifact(digest).await?.map(here))
    }

    async fn fetch_file(
        &self,
        spec: &JobSpec,
        url: &ArtifactUrl,
        fetching: &Fetching,
    ) -> Result<Content, Error> {
        tracing::info!(job = %spec.name, url = url.shown(), "fetching a file of a job");
        let failed = |source| Error::Fetch {
            job: spec.name.to_string(),
            url: url.shown().to_owned(),
            source: Box::new(source),
        };
        let client = match &self.settings().maven {
            Some(_) => self.maven_client()?,
            None => Client::new(no_settings()),
        };
        let (directory, limit) = (self.artifacts_directory(), self.settings().artifact_limit);
        fetching.follow(Some(client.progress()));
        let part = client.fetch_url(url.address(), &directory, limit).await.map_err(failed)?;
        Ok(Content::Part(part.into_temp_path()))
    }

    /// By the access to the storage of the job's environment: a bucket there, whatever it is called.
    async fn download_file(
        &self,
        spec: &JobSpec,
        url: &ArtifactUrl,
        (bucket, key): (&str, &str),
    ) -> Result<Content, Error> {
        let environment = self.environment(&spec.environment).await?;
        let Storage::S3(storage) = &environment.document.storage else {
            let message = format!(
                "{} lies in S3, and the storage of environment {} is none, so that there is no access to it; name the file by https, or upload it",
                url.shown(),
                spec.environment
            );
            return Err(Error::Invalid { message });
        };
        tracing::info!(job = %spec.name, url = url.shown(), "fetching a file of a job");
        let bucket = self.storages().other_bucket(&environment, storage, bucket).await?;
        let directory = self.artifacts_directory();
        let part = tempfile::Builder::new().suffix(".part").tempfile_in(&directory);
        let part = part.map_err(Error::file("create a file in", &directory))?.into_temp_path();
        let failed = |source| Error::FetchFromStorage {
            job: spec.name.to_string(),
            url: url.shown().to_owned(),
            source: Box::new(source),
        };
        let limit = self.settings().artifact_limit;
        match bucket.download(key, &part, limit).await.map_err(failed)? {
            Some(_) => Ok(Content::Part(part)),
            None => Err(Error::NotFound { what: url.shown().to_owned(), hint: String::new() }),
        }
    }

    async fn pull_file(&self, url: &ArtifactUrl, name: &str) -> Result<Content, Error> {
        let reference: Reference = name.parse()?;
        let client = self.registries().client(reference.registry()).await?;
        let file = client.artifact_file(&reference).await?;
        if let Some(here) = self.known(Some(&file.digest)).await? {
            return Ok(here);
        }
        let limit = self.settings().artifact_limit;
        if file.size > limit {
            let message = format!(
                "{} has {} bytes, and a file of a job may have {limit}; `flumen serve --artifact-limit` sets that",
                url.shown(),
                file.size
            );
            return Err(Error::Invalid { message });
        }
        let directory = self.artifacts_directory();
        let part = tempfile::Builder::new().suffix(".part").tempfile_in(&directory);
        let part = part.map_err(Error::file("create a file in", &directory))?.into_temp_path();
        client.pull_blob_to(&reference, &file.descriptor, &part).await?;
        Ok(Content::Part(part))
    }
}

/// Refuses a main artifact that is no URL that may be used.
pub(crate) fn check_urls(spec: &JobSpec) -> Result<(), Error> {
    main(spec).map(drop)
}

/// Whether the file of this name comes from a URL of the job file.
pub(crate) fn is_by_url(spec: &JobSpec, name: &str) -> bool {
    let main = main(spec).ok().flatten().map(|main| main.url);
    let dependencies = spec.dependencies.iter().filter_map(|dependency| match dependency {
        Dependency::Url(file) if file.url.in_project().is_none() => Some(&file.url),
        Dependency::File(_) | Dependency::Maven(_) | Dependency::Url(_) => None,
    });
    main.iter().chain(dependencies).any(|url| url.file_name() == name)
}

/// The main artifact, if it is named by URL and no project's.
fn main(spec: &JobSpec) -> Result<Option<Wanted>, Error> {
    if !ArtifactUrl::is_meant(&spec.artifact) {
        return Ok(None);
    }
    let url: ArtifactUrl = spec.artifact.parse().map_err(|error: flumen_model::InvalidValue| {
        Error::Invalid { message: error.to_string() }
    })?;
    if url.in_project().is_some() {
        return Ok(None);
    }
    let role = match spec.kind {
        JobKind::Jar => ArtifactRole::Usrlib,
        JobKind::Sql => ArtifactRole::Script,
        JobKind::Python => ArtifactRole::Python,
    };
    let digest = url.digest().cloned();
    Ok(Some(Wanted { url, digest, role }))
}

/// Nothing but the web: no repository is known.
fn no_settings() -> Settings {
    Settings {
        local_repository: PathBuf::new(),
        repositories: Vec::new(),
        offline: false,
        proxies: Vec::new(),
        parallel: 1,
    }
}

/// The digest and size of a file, which is on the disk then.
async fn measure(path: &Path) -> Result<(Digest, u64), Error> {
    let mut file = tokio::fs::File::open(path).await.map_err(Error::file("open", path))?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; BUFFER]);
    loop {
        let read = file.read(&mut buffer).await.map_err(Error::file("read", path))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
    file.sync_all().await.map_err(Error::file("write", path))?;
    Ok((Digest::from_sha256(&hash.finalize().into()), size))
}
