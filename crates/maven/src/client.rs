//! Carries out what resolution asks for, and fetches files: the local repository first, then the others in their order.

mod answers;
mod by_url;
mod snapshot;

use std::{path::PathBuf, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, stream};

pub use crate::progress::Progress;
use crate::{
    coordinates::{Coordinates, Gav},
    effective::Unusable,
    environment::Environment,
    error::Error,
    local::Local,
    resolver::{Artifact, Request, Resolution, Resolver, Step},
    settings::{Remote, Settings},
    transport::{Fetched, Transport},
};
use answers::Answers;

/// The largest file that is fetched.
const MAX_FILE: u64 = 8 << 30;
/// The largest POM or list of versions.
const MAX_TEXT: u64 = crate::xml::MAX_BYTES as u64;

/// Resolves and fetches.
pub struct Client {
    settings: Settings,
    transport: Transport,
    local: Local,
}

impl Client {
    /// A client that has not connected to anything yet.
    pub fn new(settings: Settings) -> Self {
        let transport = Transport::new(&settings);
        let local = Local::new(settings.local_repository.clone());
        Self { settings, transport, local }
    }

    /// What went over the wire so far.
    pub fn progress(&self) -> Arc<Progress> {
        self.transport.progress.clone()
    }

    /// Works out which artifacts are needed.
    ///
    /// # Errors
    /// `NotFound` if something that is asked for is in no repository, `Invalid` if its POM cannot be used or wishes
    /// contradict each other, `Denied`, `Unavailable` or `Timeout` if a repository does not answer.
    pub async fn resolve(
        &self,
        request: &Request,
        environment: Environment,
    ) -> Result<Resolution, Error> {
        let mut resolver = Resolver::new(environment);
        let mut answers = Answers::new(&self.local);
        let resolution = loop {
            match resolver.step(request, &answers)? {
                Step::Done(resolution) => break resolution,
                Step::Wants(wants) => self.answer(wants, &mut answers).await?,
            }
        };
        for unusable in &resolution.unusable {
            self.is_bearable(unusable, request)?;
        }
        Ok(resolution)
    }

    /// Below what is asked for, an unusable POM counts as one without dependencies; what is asked for must be right.
    fn is_bearable(&self, unusable: &Unusable, request: &Request) -> Result<(), Error> {
        let is_asked_for = |gav: &Gav| request.wanted.iter().any(|one| one.coordinates.gav == *gav);
        match unusable.pom().filter(|gav| is_asked_for(gav)) {
            None => Ok(()),
            Some(gav) if matches!(unusable, Unusable::Missing { .. }) => {
                Err(self.not_found(&gav.to_string()))
            }
            Some(gav) => {
                Err(Error::UsePom { artifact: gav.to_string(), source: Box::new(unusable.clone()) })
            }
        }
    }

    fn not_found(&self, artifact: &str) -> Error {
        let artifact = artifact.to_owned();
        if self.settings.offline {
            return Error::Offline { artifact, directory: self.local.root().to_owned() };
        }
        let repositories = self.settings.repositories.iter().map(ToString::to_string).collect();
        Error::NotFound { artifact, repositories }
    }

    /// Fetches the files of artifacts into the local repository, several at a time; the paths are in the same order.
    ///
    /// # Errors
    /// `NotFound` if a file is in no repository, otherwise as [`Client::resolve`].
    pub async fn fetch(&self, artifacts: &[Artifact]) -> Result<Vec<PathBuf>, Error> {
        self.transport.progress.artifacts_are_wanted(artifacts.len());
        // Collected, as a closure in the stream would keep the whole from being sent between threads.
        let places = artifacts.iter().enumerate();
        let fetches: Vec<_> =
            places.map(|(place, artifact)| self.fetch_one(place, &artifact.coordinates)).collect();
        let limit = self.settings.parallel.max(1);
        let mut paths: Vec<_> = stream::iter(fetches).buffer_unordered(limit).try_collect().await?;
        paths.sort_unstable_by_key(|(place, _)| *place);
        Ok(paths.into_iter().map(|(_, path)| path).collect())
    }

    /// Whether the file of an artifact is here, so that nothing is fetched for it; of a snapshot that is never said.
    pub fn is_here(&self, artifact: &Artifact) -> bool {
        self.here(&artifact.coordinates).is_some()
    }

    /// One of several files, with its place among them.
    async fn fetch_one(&self, place: usize, of: &Coordinates) -> Result<(usize, PathBuf), Error> {
        let found = self.file(of, MAX_FILE).await?;
        let path = found.ok_or_else(|| self.not_found(&of.to_string()))?;
        self.transport.progress.artifact_is_there();
        Ok((place, path))
    }

    /// The file of something that is asked for, if it is here under these coordinates; of a snapshot that is never said.
    pub fn here(&self, of: &Coordinates) -> Option<PathBuf> {
        let is_told = of.is_sound() && !of.gav.is_snapshot();
        is_told.then(|| self.local.find(&of.path())).flatten()
    }

    /// The file in the local repository, fetched if it is not there; none if nobody has it.
    async fn file(&self, of: &Coordinates, limit: u64) -> Result<Option<PathBuf>, Error> {
        if !of.is_sound() {
            return Ok(None);
        }
        if of.gav.is_snapshot() {
            return self.snapshot(of, limit).await;
        }
        let path = of.path();
        if let Some(found) = self.local.find(&path) {
            return Ok(Some(found));
        }
        self.fetch_from_any(&path, limit, |remote| remote.releases).await
    }

    /// Asks one repository after the other. One that fails does not hide one that has the file.
    async fn fetch_from_any(
        &self,
        path: &str,
        limit: u64,
        is_asked: impl Fn(&Remote) -> bool,
    ) -> Result<Option<PathBuf>, Error> {
        let mut failure = None;
        for remote in self.remotes().filter(|remote| is_asked(remote)) {
            match self.fetch_from(remote, path, path, limit).await {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// The repositories that may be asked: none offline.
    fn remotes(&self) -> impl Iterator<Item = &Remote> {
        self.settings.repositories.iter().filter(|_| !self.settings.offline)
    }

    /// Fetches `path` of a repository to `target` of the local one.
    async fn fetch_from(
        &self,
        remote: &Remote,
        path: &str,
        target: &str,
        limit: u64,
    ) -> Result<Option<PathBuf>, Error> {
        if let Some(mirror) = &remote.blocked_by {
            let (path, repository) = (path.to_owned(), remote.id.clone());
            return Err(Error::Blocked { path, repository, mirror: mirror.clone() });
        }
        let part = self.local.begin(target)?;
        let Some(Fetched { part, checksum }) =
            self.transport.fetch(remote, path, part, limit).await?
        else {
            self.local.forget_empty(target);
            return Ok(None);
        };
        if let Some((algorithm, digest)) = checksum {
            let beside = format!("{target}.{}", algorithm.extension());
            self.local.write(&beside, digest.as_bytes())?;
        }
        self.local.store(part, target, &remote.id).await.map(Some)
    }
}
