//! Python in jobs: whether the image can run them, what their files are, and the wheels of their requirements.

use std::{path::Path, sync::Arc};

use flumen_model::{ArtifactRole, Dependency, Digest, ImagePython, JobKind, JobSpec};
use flumen_python::{
    Client, PUBLIC_INDEX, Progress, Wheel, is_archive, parse_requirements, read_archive,
};
use flumen_store::{FlinkVersionRow, ReleaseArtifact};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Control, Error, release::is_in_image, text};

/// The largest file of requirements that is read, and the largest program that is looked at, in bytes.
const MAX_TEXT: u64 = 4 << 20;
/// Wheels that are fetched at the same time.
const AT_ONCE: usize = 4;
/// Whoever sets both brings a Python of his own, with what it needs.
const INTERPRETERS: [&str; 2] = ["python.executable", "python.client.executable"];

/// What the requirements of a job come to.
pub(crate) struct Packages {
    /// What is doubtful about them.
    pub(crate) warnings: Vec<String>,
    client: Client,
    wheels: Vec<Wheel>,
    progress: Arc<Progress>,
    /// What went over the wire for the resolution: files, bytes.
    before: (u64, u64),
}

impl Packages {
    pub(crate) fn describe(&self) -> String {
        text::count(self.wheels.len(), "package")
    }

    /// How far the wheels are.
    pub(crate) fn progress(&self) -> String {
        let files = self.progress.files() - self.before.0;
        let bytes = text::bytes(self.progress.bytes() - self.before.1);
        format!("{files} of {} fetched, {bytes}", text::count(self.wheels.len(), "wheel"))
    }
}

/// Refuses a job with Python whose image cannot run it, as far as Flumen knows the image.
pub(super) fn check_python(spec: &JobSpec, version: &FlinkVersionRow) -> Result<(), Error> {
    let mut roles = spec.dependencies.iter().map(Dependency::role);
    match spec.kind {
        JobKind::Python => check_image(spec, version),
        JobKind::Sql if roles.any(is_for_python) => check_image(spec, version),
        JobKind::Sql => Ok(()),
        JobKind::Jar => {
            let python = [ArtifactRole::Archive, ArtifactRole::Requirements];
            let Some(role) = roles.find(|role| python.contains(role)) else { return Ok(()) };
            let message =
                format!("a dependency with role: {} needs kind: python or sql", role.as_str());
            Err(Error::Invalid { message })
        }
    }
}

/// Whether files of this role are for Python alone.
pub(super) fn is_for_python(role: ArtifactRole) -> bool {
    matches!(
        role,
        ArtifactRole::Python
            | ArtifactRole::Archive
            | ArtifactRole::Requirements
            | ArtifactRole::Wheel
    )
}

/// Refuses an image that has no Python with `PyFlink`, unless the job brings its own.
pub(super) fn check_image(spec: &JobSpec, version: &FlinkVersionRow) -> Result<(), Error> {
    if brings_python(spec) {
        return Ok(());
    }
    image_python(spec, version).map(drop)
}

fn brings_python(spec: &JobSpec) -> bool {
    INTERPRETERS.iter().all(|key| spec.configuration.contains_key(*key))
}

fn image_python<'v>(
    spec: &JobSpec,
    version: &'v FlinkVersionRow,
) -> Result<&'v ImagePython, Error> {
    let flink = spec.flink_version;
    let what = format!("the base image of Flink {flink} in the environment {}", spec.environment);
    let remedy = format!(
        "install PyFlink into a directory on the server's machine with `/usr/bin/python3 -m pip install --target DIRECTORY apache-flink=={flink}`, and make the base image with it: `flumen version add {flink} --pyflink DIRECTORY`"
    );
    let why = match version.python.as_ref().map(|python| (python, python.pyflink())) {
        Some((python, Some(pyflink))) if pyflink == flink.to_string() => return Ok(python),
        Some((_, Some(pyflink))) => format!("has PyFlink {pyflink}"),
        Some((_, None)) => "has a Python without PyFlink".to_owned(),
        None => "has no Python with PyFlink".to_owned(),
    };
    Err(Error::Invalid {
        message: format!(
            "the job {} needs Python with PyFlink {flink}, and {what} {why}; {remedy}",
            spec.name
        ),
    })
}

impl Control {
    /// Refuses files that Python, or Flink for Python, could not take.
    pub(super) async fn check_python_files(
        &self,
        spec: &JobSpec,
        artifacts: &[ReleaseArtifact],
    ) -> Result<(), Error> {
        if spec.kind == JobKind::Jar {
            return Ok(());
        }
        for (place, artifact) in artifacts.iter().enumerate() {
            let is_main = place == 0 && !is_in_image(&spec.artifact);
            let module = spec.module.as_deref().filter(|_| is_main);
            match artifact.role {
                ArtifactRole::Python if ends_with(&artifact.name, "py") => {
                    self.check_program(artifact).await?;
                }
                ArtifactRole::Python if is_package_archive(&artifact.name) => {
                    self.check_archive(spec, artifact, module).await?;
                }
                ArtifactRole::Archive if is_archive(&artifact.name) => {
                    self.check_archive(spec, artifact, None).await?;
                }
                ArtifactRole::Python => {
                    return Err(unknown(artifact, "Python reads .py, .zip, .egg and .whl files"));
                }
                ArtifactRole::Archive => {
                    return Err(unknown(
                        artifact,
                        "Flink unpacks .zip, .jar, .tar, .tar.gz and .tgz archives",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a program that is none at all; whether Python takes it is said by Python.
    async fn check_program(&self, artifact: &ReleaseArtifact) -> Result<(), Error> {
        let refuse = |why: &str| {
            let message = format!("the Python file {} {why}; is it the right file?", artifact.name);
            Err(Error::Invalid { message })
        };
        if artifact.size == 0 {
            return refuse("is empty");
        }
        if artifact.size > MAX_TEXT {
            return refuse(&format!("has {} bytes, which no program has", artifact.size));
        }
        let bytes = self.content(&artifact.digest).await?;
        if bytes.contains(&0) {
            return refuse("is no text");
        }
        Ok(())
    }

    async fn check_archive(
        &self,
        spec: &JobSpec,
        artifact: &ReleaseArtifact,
        module: Option<&str>,
    ) -> Result<(), Error> {
        let (path, name) = (self.artifact_path(&artifact.digest), artifact.name.clone());
        let read = tokio::task::spawn_blocking(move || read_archive(&path, &name)).await;
        let read =
            read.unwrap_or(Err(flumen_python::Error::Interrupted { step: "reading an archive" }));
        let contents = read.map_err(|source| failed(spec, source))?;
        if let Some(module) = module.filter(|module| !contents.has_module(module)) {
            let path = module.replace('.', "/");
            let message = format!(
                "{} has no module {module}: it has neither {path}.py nor {path}/__main__.py",
                artifact.name
            );
            return Err(Error::Invalid { message });
        }
        Ok(())
    }

    async fn content(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let path = self.artifact_path(digest);
        tokio::fs::read(&path).await.map_err(Error::file("read", &path))
    }

    /// Finds out which wheels the requirements of the job come to, for the Python of its image.
    ///
    /// # Errors
    /// [`Error::Python`] if they come to none, [`Error::Invalid`] if the image has no Python they could be for.
    pub(crate) async fn resolve_requirements(
        &self,
        spec: &JobSpec,
        artifacts: &[ReleaseArtifact],
    ) -> Result<Packages, Error> {
        if brings_python(spec) {
            let message = format!(
                "the job {} has requirements, which are resolved for the Python of the image, and {} names another; put its packages into the archive that brings it",
                spec.name, INTERPRETERS[0]
            );
            return Err(Error::Invalid { message });
        }
        let version = self.version_row(spec.flink_version, &spec.environment).await?;
        let python = image_python(spec, &version)?;
        let failed = |source| failed(spec, source);
        let mut wanted = Vec::new();
        for file in artifacts.iter().filter(|one| one.role == ArtifactRole::Requirements) {
            let refuse = |why| Error::Invalid {
                message: format!("the requirements {} cannot be read: {why}", file.name),
            };
            if file.size > MAX_TEXT {
                return Err(refuse(format!(
                    "they have {} bytes, at most {MAX_TEXT} are",
                    file.size
                )));
            }
            let text = String::from_utf8(self.content(&file.digest).await?);
            let text = text.map_err(|_| refuse("they are not UTF-8".to_owned()))?;
            wanted.extend(parse_requirements(&file.name, &text).map_err(failed)?);
        }
        let index = self.settings().python_index.clone();
        let index = index.map_or_else(|| PUBLIC_INDEX.parse(), Ok);
        let index = index
            .map_err(|_| Error::Invalid { message: format!("{PUBLIC_INDEX} is no address") })?;
        let (directory, limit) = (self.artifacts_directory(), self.settings().artifact_limit);
        let client = Client::new(index, directory, limit).map_err(failed)?;
        let resolution = client.resolve(&wanted, python).await.map_err(failed)?;
        let progress = client.progress();
        let before = (progress.files(), progress.bytes());
        let (wheels, warnings) = (resolution.wheels, resolution.warnings);
        Ok(Packages { warnings, client, wheels, progress, before })
    }

    /// Fetches what was resolved and is not here yet, and keeps it as artifacts.
    ///
    /// # Errors
    /// [`Error::Python`] if a wheel cannot be fetched.
    pub(crate) async fn fetch_wheels(
        &self,
        spec: &JobSpec,
        packages: &Packages,
    ) -> Result<Vec<ReleaseArtifact>, Error> {
        let each = packages.wheels.iter().map(|wheel| self.fetch_wheel(spec, packages, wheel));
        let each = stream::iter(each.collect::<Vec<_>>());
        let mut wheels: Vec<_> = each.buffer_unordered(AT_ONCE).try_collect().await?;
        // The same release whichever came first.
        wheels.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(wheels)
    }

    async fn fetch_wheel(
        &self,
        spec: &JobSpec,
        packages: &Packages,
        wheel: &Wheel,
    ) -> Result<ReleaseArtifact, Error> {
        let kept = |digest, size| ReleaseArtifact {
            name: wheel.name().to_owned(),
            digest,
            size,
            role: ArtifactRole::Wheel,
            maven: None,
        };
        if let Some(digest) = wheel.digest()
            && let Some(size) = self.artifact(digest).await?
        {
            return Ok(kept(digest.clone(), size));
        }
        let fetched = packages.client.fetch(wheel).await;
        let (part, digest) = fetched.map_err(|source| failed(spec, source))?;
        let size = tokio::fs::metadata(&part).await.map_err(Error::file("read", &*part))?.len();
        if self.artifact(&digest).await?.is_none() {
            self.settle(&part, &digest, size).await?;
        }
        Ok(kept(digest, size))
    }
}

/// Whether Python can import from a file of this name, as Flink hands it over.
fn is_package_archive(name: &str) -> bool {
    ["zip", "egg", "whl"].iter().any(|extension| ends_with(name, extension))
}

fn ends_with(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

fn unknown(artifact: &ReleaseArtifact, known: &str) -> Error {
    let role = artifact.role.as_str();
    Error::Invalid {
        message: format!(
            "{} has the role {role} and is none that it can be: {known}",
            artifact.name
        ),
    }
}

fn failed(spec: &JobSpec, source: flumen_python::Error) -> Error {
    Error::Python { job: spec.name.to_string(), source: Box::new(source) }
}
