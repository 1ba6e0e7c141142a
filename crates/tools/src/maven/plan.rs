//! From arguments to a resolution.

use std::path::PathBuf;

use flumen_maven::{
    Artifact, Client, Coordinates, Environment, Remote, Request, Resolution, Settings,
    SettingsFiles, installed_settings, load_settings, platform_exclusions,
};
use tokio::runtime::{Builder, Runtime};

use super::{Sources, Wanted};
use crate::{
    Error, Streams,
    progress::{self, megabytes},
};

/// A client and the runtime that it works in.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    pub(crate) fn start(sources: &Sources, streams: &Streams<'_>) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Start { source })?;
        Ok(Self { runtime, client: Client::new(settings(sources, streams)?) })
    }

    /// Resolves, and says which artifacts count as ones without dependencies.
    pub(super) fn resolve(
        &self,
        wanted: &Wanted,
        streams: &mut Streams<'_>,
    ) -> Result<Resolution, Error> {
        self.resolve_request(&Self::request(wanted)?, &wanted.sources.java, streams)
    }

    /// What is wanted, with the exclusions that hold for all of it.
    pub(super) fn request(wanted: &Wanted) -> Result<Request, Error> {
        let mut exclusions = wanted.exclude.clone();
        if wanted.platform_rules {
            exclusions.extend(platform_exclusions(&wanted.keep));
        }
        let mut request = Request::default();
        for named in &wanted.coordinates {
            let coordinates = named.coordinates(wanted.scala.as_ref())?;
            let exclusions = exclusions.clone();
            request.wanted.push(flumen_maven::Wanted { coordinates, exclusions });
        }
        Ok(request)
    }

    /// The file of something that is asked for, if it is here.
    pub(super) fn here(&self, of: &Coordinates) -> Option<PathBuf> {
        self.client.here(of)
    }

    /// As [`Session::resolve`], of what is wanted each with its own exclusions.
    pub(crate) fn resolve_request(
        &self,
        request: &Request,
        java: &str,
        streams: &mut Streams<'_>,
    ) -> Result<Resolution, Error> {
        let work = self.client.resolve(request, Environment::linux(java));
        let progress = self.client.progress();
        let line =
            || format!("resolving: {} files, {}", progress.files(), megabytes(progress.bytes()));
        let resolution = self.run(line, work, streams)?;
        for unusable in &resolution.unusable {
            let mut text = unusable.to_string();
            let mut cause = std::error::Error::source(unusable);
            while let Some(next) = cause {
                text = format!("{text}: {next}");
                cause = next.source();
            }
            streams.note(&format!(
                "warning: {text}; what its artifact depends on is not known and left out"
            ))?;
        }
        Ok(resolution)
    }

    pub(crate) fn fetch(
        &self,
        artifacts: &[Artifact],
        streams: &mut Streams<'_>,
    ) -> Result<Vec<PathBuf>, Error> {
        let progress = self.client.progress();
        let before = progress.bytes();
        let line = || {
            let (there, wanted) = progress.artifacts();
            let bytes = megabytes(progress.bytes().saturating_sub(before));
            format!("fetching: {there} of {wanted} artifacts, {bytes}")
        };
        self.run(line, self.client.fetch(artifacts), streams)
    }

    fn run<T>(
        &self,
        line: impl Fn() -> String,
        work: impl Future<Output = Result<T, flumen_maven::Error>>,
        streams: &mut Streams<'_>,
    ) -> Result<T, Error> {
        Ok(self.runtime.block_on(progress::show(line, work, streams))?)
    }
}

fn settings(sources: &Sources, streams: &Streams<'_>) -> Result<Settings, Error> {
    let home = (streams.variable)("HOME").filter(|home| !home.is_empty());
    let is_told = sources.settings.is_some() && sources.local_repository.is_some();
    let home = home.or_else(|| is_told.then(String::new)).ok_or(Error::NoHome)?;
    let remotes = sources.repository.iter().map(|text| remote(text));
    let files = SettingsFiles {
        home: PathBuf::from(home),
        user: sources.settings.clone(),
        installed: installed_settings(streams.variable).into_iter().collect(),
        variable: streams.variable,
    };
    let mut settings = load_settings(&files, remotes.collect::<Result<_, _>>()?)?;
    if let Some(directory) = &sources.local_repository {
        settings.local_repository.clone_from(directory);
    }
    settings.offline |= sources.offline;
    Ok(settings)
}

/// `URL` or `ID=URL`; without an id, the host is one.
fn remote(text: &str) -> Result<Remote, flumen_maven::Error> {
    match text.split_once('=') {
        Some((id, address)) if !id.contains([':', '/']) => Remote::new(id, address),
        _ => {
            let mut remote = Remote::new("--repository", text)?;
            remote.id = remote.url.host_str().unwrap_or("files").to_owned();
            Ok(remote)
        }
    }
}
