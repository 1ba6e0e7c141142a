//! What jobs need from Maven repositories: resolved together, fetched, and kept as artifacts.

use flumen_maven::{
    Artifact, Client, Coordinates, Environment, Exclusion, License, Request, SettingsFiles, Wanted,
    file_names, load_settings, platform_exclusions,
};
use flumen_model::{ArtifactRole, Dependency, Digest, JobSpec, MavenDependency};
use flumen_store::{ArtifactLicense, ReleaseArtifact};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::{Control, Error, StepProgress, jobs::policy, text};

/// The Java that profiles of POMs are asked about: that of Flink's images.
const JAVA: &str = "17";
const BUFFER: usize = 256 * 1024;

/// What Maven coordinates come to, and what fetches it.
pub(crate) struct Resolved {
    /// What is doubtful about them.
    pub(crate) warnings: Vec<String>,
    client: Client,
    artifacts: Vec<Artifact>,
    roles: Vec<ArtifactRole>,
    /// The bytes that went over the wire for the resolution.
    before: u64,
}

impl Resolved {
    pub(crate) fn describe(&self) -> String {
        text::count(self.artifacts.len(), "artifact")
    }

    /// How many of the files are on this machine.
    pub(crate) fn count_cached(&self) -> u64 {
        self.artifacts.iter().filter(|artifact| self.client.is_here(artifact)).count() as u64
    }

    /// How far the files are, of which so many were here before.
    pub(crate) fn progress(&self, cached: u64) -> StepProgress {
        let progress = self.client.progress();
        StepProgress {
            bytes: progress.bytes() - self.before,
            total_bytes: None,
            files: Some(progress.artifacts().0),
            total_files: Some(self.artifacts.len() as u64),
            cached_files: Some(cached),
        }
    }
}

/// The files of Maven coordinates.
pub(crate) struct Fetched {
    /// Each file with what it is for.
    pub(crate) artifacts: Vec<ReleaseArtifact>,
    /// How many of them were on this machine before.
    from_cache: usize,
}

impl Fetched {
    pub(crate) fn describe(&self) -> String {
        let size: u64 = self.artifacts.iter().map(|artifact| artifact.size).sum();
        let files = text::count(self.artifacts.len(), "file");
        format!("{files}, {}; {} from the cache", text::bytes(size), self.from_cache)
    }
}

impl Control {
    /// Finds out which files the job has by Maven coordinates.
    ///
    /// # Errors
    /// [`Error::Dependencies`] if they cannot be resolved; [`Error::Denied`] if the release policy denies one; [`Error::Invalid`] for what names none.
    pub(crate) async fn resolve_dependencies(&self, spec: &JobSpec) -> Result<Resolved, Error> {
        let wanted: Vec<&MavenDependency> = spec
            .dependencies
            .iter()
            .filter_map(|dependency| match dependency {
                Dependency::Maven(wanted) => Some(wanted),
                Dependency::File(_) | Dependency::Url(_) => None,
            })
            .collect();
        let failed = |source| failed(spec, source);
        let client = self.maven_client()?;
        let mut request = Request::default();
        for dependency in &wanted {
            request.wanted.push(parsed(dependency).map_err(failed)?);
        }
        let resolution =
            client.resolve(&request, Environment::linux(JAVA)).await.map_err(failed)?;
        let roles = roles(&resolution.artifacts, (&wanted, &request))?;
        let denied = || policy::resolved(&resolution.artifacts);
        let mut warnings = self.ask_policy(spec, denied)?;
        let unusable = resolution.unusable.iter().map(|unusable| {
            format!("{unusable}; what its artifact depends on is not known and left out")
        });
        warnings.extend(unusable);
        let progress = client.progress();
        Ok(Resolved {
            warnings,
            client,
            artifacts: resolution.artifacts,
            roles,
            before: progress.bytes(),
        })
    }

    /// Fetches what was resolved and keeps it as artifacts.
    ///
    /// # Errors
    /// [`Error::Dependencies`] if a file cannot be fetched.
    pub(crate) async fn fetch_dependencies(
        &self,
        spec: &JobSpec,
        resolved: &Resolved,
    ) -> Result<Fetched, Error> {
        let Resolved { client, artifacts, roles, .. } = resolved;
        let from_cache = artifacts.iter().filter(|artifact| client.is_here(artifact)).count();
        let paths = client.fetch(artifacts).await.map_err(|source| failed(spec, source))?;
        let names = file_names(artifacts);
        let (mut kept, mut licenses) = (Vec::with_capacity(paths.len()), Vec::new());
        for (((path, name), role), artifact) in paths.iter().zip(names).zip(roles).zip(artifacts) {
            let (digest, size) = self.keep(path).await?;
            let maven = Some(artifact.coordinates.to_string());
            licenses.push((digest.clone(), said(artifact)));
            kept.push(ReleaseArtifact { name, digest, size, role: *role, maven });
        }
        self.store().save_licenses(&licenses).await?;
        Ok(Fetched { artifacts: kept, from_cache })
    }

    /// Settings are read anew each time, as whoever keeps them does not start servers again.
    pub(crate) fn maven_client(&self) -> Result<Client, Error> {
        let Some(files) = &self.settings().maven else {
            let message = "this server has no settings for Maven repositories".to_owned();
            return Err(Error::Invalid { message });
        };
        let failed = |source| Error::Maven { source: Box::new(source) };
        let settings = load_settings(
            &SettingsFiles {
                home: files.home.clone(),
                user: files.user.clone(),
                installed: files.installed.clone(),
                variable: &files.variable,
            },
            Vec::new(),
        );
        Ok(Client::new(settings.map_err(failed)?))
    }

    /// Takes a file into the store of artifacts.
    pub(crate) async fn keep(&self, path: &std::path::Path) -> Result<(Digest, u64), Error> {
        let open = || tokio::fs::File::open(path);
        let mut file = open().await.map_err(Error::file("open", path))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = file.read(&mut buffer).await.map_err(Error::file("read", path))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
        }
        let digest = Digest::from_sha256(&hash.finalize().into());
        if let Some(size) = self.artifact(&digest).await? {
            return Ok((digest, size));
        }
        let file = open().await.map_err(Error::file("open", path))?;
        let size = self.put_artifact(&digest, ReaderStream::with_capacity(file, BUFFER)).await?;
        Ok((digest, size))
    }
}

/// What its POM says of its licences, which is noted with the file: the POM may be gone when it is asked for.
pub(crate) fn said(artifact: &Artifact) -> Vec<ArtifactLicense> {
    let one = |said: &License| ArtifactLicense { name: said.name.clone(), url: said.url.clone() };
    artifact.licenses.iter().map(one).collect()
}

fn failed(spec: &JobSpec, source: flumen_maven::Error) -> Error {
    Error::Dependencies { job: spec.name.to_string(), source: Box::new(source) }
}

fn parsed(dependency: &MavenDependency) -> Result<Wanted, flumen_maven::Error> {
    let mut exclusions = platform_exclusions(&[]);
    for text in &dependency.exclude {
        exclusions.push(text.parse::<Exclusion>()?);
    }
    Ok(Wanted { coordinates: dependency.maven.parse::<Coordinates>()?, exclusions })
}

/// What each file is for: the same as what it is there for. Of two that name one artifact only one is there, so they
/// are told apart by their names and not by their order.
fn roles(
    artifacts: &[Artifact],
    (wanted, request): (&[&MavenDependency], &Request),
) -> Result<Vec<ArtifactRole>, Error> {
    let mut present: Option<&MavenDependency> = None;
    let mut roles = Vec::with_capacity(artifacts.len());
    for Artifact { coordinates, depth, .. } in artifacts {
        if *depth == 1 {
            let is_it = |one: &Wanted| is_same(&one.coordinates, coordinates);
            let place = request.wanted.iter().position(is_it);
            present = place.and_then(|place| wanted.get(place).copied());
            if present.is_none() {
                let message = format!(
                    "one of the dependencies is called {coordinates} today; name it so in the job file"
                );
                return Err(Error::Invalid { message });
            }
        } else if let Some(plugin) = present.filter(|one| one.role == ArtifactRole::Plugin) {
            let message = format!(
                "{} depends on {coordinates}, and a plugin by coordinates is one jar that brings all it needs: exclude that, or add a jar that holds both",
                plugin.maven
            );
            return Err(Error::Invalid { message });
        }
        roles.push(present.map(|one| one.role).unwrap_or_default());
    }
    Ok(roles)
}

/// Whether both name one artifact, in whatever version.
fn is_same(one: &Coordinates, other: &Coordinates) -> bool {
    let name = |of: &Coordinates| {
        (of.gav.group.clone(), of.gav.artifact.clone(), of.extension.clone(), of.classifier.clone())
    };
    name(one) == name(other)
}
