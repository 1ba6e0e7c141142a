//! Flink versions of an environment: getting a distribution and making its base image.

use std::path::PathBuf;

use flumen_flink_dist::{BaseImage, Distribution, Java, PyFlink, find_java};
use flumen_image::{
    Attributes, Build, Compression, Content, Layer, LayerBuilder, Progress, Reference,
};
use flumen_model::{EnvironmentName, FlinkVersion, ImagePython, OperationId};
use flumen_store::{FlinkVersionRow, Operation, OperationKind, OperationState, Principal};
use serde::{Deserialize, Serialize};

use crate::{
    Control, Error, actions, clock,
    controller::AFTER_FAULT,
    identity,
    jobs::{IdempotencyKey, again_if_stale},
};

const DISTRIBUTION: &str = "prepare-distribution";
const LAYERS: &str = "build-layers";
const PUSH: &str = "push-image";

/// What stands in the place of a directory for a distribution out of Python packages.
pub(crate) const PYTHON_PACKAGES: &str = "pythonPackages";

/// The repository of base images in the environment's registry.
const REPOSITORY: &str = "flink";

/// Where a Flink distribution comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VersionSource {
    /// A Flink home on the server's machine.
    Directory(PathBuf),
    /// The packages `apache-flink` and `apache-flink-libraries` of the Python package index.
    PythonPackages,
}

/// What a base image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFiles {
    /// Flink itself.
    pub source: VersionSource,
    /// A directory on the server's machine into which `PyFlink` was installed. Default: none.
    pub pyflink: Option<PathBuf>,
}

impl From<VersionSource> for VersionFiles {
    fn from(source: VersionSource) -> Self {
        Self { source, pyflink: None }
    }
}

/// What `version add` asked for, as the operation keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    version: FlinkVersion,
    environment: EnvironmentName,
    source: VersionSource,
    #[serde(default)]
    pyflink: Option<PathBuf>,
}

impl Control {
    /// The versions that jobs can use, newest Flink first.
    pub async fn versions(&self) -> Result<Vec<FlinkVersionRow>, Error> {
        Ok(self.store().versions().await?)
    }

    /// A version that was added to the environment.
    pub(crate) async fn version_row(
        &self,
        version: FlinkVersion,
        environment: &EnvironmentName,
    ) -> Result<FlinkVersionRow, Error> {
        let rows = self.store().versions().await?;
        rows.into_iter()
            .find(|row| row.version == version && row.environment == *environment)
            .ok_or_else(|| Error::NotFound {
                what: format!("Flink version {version} in environment {environment}"),
                hint: format!("; add it with `flumen version add {version}`"),
            })
    }

    /// Adds a version to an environment: gets the distribution, makes the base image and pushes it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown environment; what goes wrong later is in the operation.
    pub async fn add_version(
        &self,
        principal: &Principal,
        version: FlinkVersion,
        environment: &EnvironmentName,
        files: impl Into<VersionFiles>,
        key: IdempotencyKey,
    ) -> Result<OperationId, Error> {
        let environment = self.environment(environment).await?.name;
        let VersionFiles { source, pyflink } = files.into();
        let request = Request { version, environment, source, pyflink };
        again_if_stale(|| self.try_add(principal, &request, &key)).await
    }

    async fn try_add(
        &self,
        principal: &Principal,
        request: &Request,
        key: &IdempotencyKey,
    ) -> Result<OperationId, Error> {
        if let Some(operation) = self.replayed(principal, key.as_ref()).await? {
            return Ok(operation);
        }
        let operation = Operation {
            id: identity::operation(),
            team: principal.team,
            job: None,
            environment: Some(request.environment.clone()),
            subject: request.version.to_string(),
            kind: OperationKind::AddVersion,
            request: serde_json::to_string(request).ok(),
            principal: principal.name.clone(),
            state: OperationState::Running,
            error: None,
            refusal: None,
            outcome: None,
            created_at: clock::now(),
            finished_at: None,
            steps: Vec::new(),
        };
        let key = key.as_ref().map(|(key, request)| (key.as_str(), request.as_str()));
        self.store().create_operation(&operation, key).await?;
        begin(self, operation.clone(), request.clone());
        Ok(operation.id)
    }

    /// Forgets a version; its image stays in the registry.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was not added, [`Error::Conflict`] if jobs use it.
    pub async fn remove_version(
        &self,
        version: FlinkVersion,
        environment: &EnvironmentName,
    ) -> Result<(), Error> {
        let filter = flumen_store::JobFilter {
            environment: Some(environment.clone()),
            ..flumen_store::JobFilter::default()
        };
        let jobs = self.store().jobs(&filter).await?;
        if let Some(job) = jobs.iter().find(|job| job.spec.flink_version == version) {
            let message = format!(
                "Flink version {version} is used by job {}; delete or change the job first",
                job.name
            );
            return Err(Error::Conflict { message });
        }
        if self.store().delete_version(version, environment).await? {
            return Ok(());
        }
        Err(Error::not_found(format!("Flink version {version} in environment {environment}")))
    }
}

/// Goes on with what a server that died had begun; every step can be repeated.
pub(crate) async fn resume(control: &Control) -> Result<(), Error> {
    for operation in control.store().unfinished_without_job().await? {
        let request = operation.request.as_deref().and_then(|text| serde_json::from_str(text).ok());
        if let Some(request) = request {
            begin(control, operation, request);
        } else {
            let reason = "this version of Flumen cannot read what the operation asked for";
            control.store().finish_operation(operation.id, Some(reason), clock::now()).await?;
        }
    }
    Ok(())
}

fn begin(control: &Control, operation: Operation, request: Request) {
    let control = control.clone();
    control.tasks().clone().spawn("add version", |stop| async move {
        tokio::select! {
            // Left as it is: the next server goes on with it.
            () = stop.cancelled() => {}
            () = carry_through(&control, &operation, &request) => {}
        }
    });
}

/// Adds the version and writes down how that ended; begins anew while the database is away.
async fn carry_through(control: &Control, operation: &Operation, request: &Request) {
    let store = control.store();
    loop {
        let ended = match add(control, operation, request).await {
            Err(error) if error.is_database_away() => Err(error),
            result => {
                let failure = result.err().map(|error| error.paragraph());
                let ended = store.finish_operation(operation.id, failure.as_deref(), clock::now());
                ended.await.map_err(Error::from)
            }
        };
        let Err(error) = ended else { return };
        tracing::warn!(operation.id = %operation.id, error = error.paragraph(), "an operation could not be written down and is begun anew");
        tokio::time::sleep(AFTER_FAULT).await;
    }
}

async fn add(control: &Control, operation: &Operation, request: &Request) -> Result<(), Error> {
    let registry = control.environment(&request.environment).await?.document.registry;
    let distribution =
        step(control, operation, DISTRIBUTION, distribution(control, operation, request)).await?;
    let java = find_java(request.version.minor())?;
    let (base, python) = base_image(&distribution, &java, request.pyflink.clone()).await?;
    let layers = step(control, operation, LAYERS, layers(control, &base, request)).await?;
    let image =
        step(control, operation, PUSH, push(control, &registry, &base, &layers, request)).await;
    for layer in &layers {
        tokio::fs::remove_file(&layer.path).await.map_err(Error::file("remove", &layer.path))?;
    }
    let image = image?;
    let source = match &request.source {
        VersionSource::Directory(path) => path.display().to_string(),
        VersionSource::PythonPackages => PYTHON_PACKAGES.to_owned(),
    };
    let row = FlinkVersionRow {
        version: request.version,
        environment: request.environment.clone(),
        image,
        source,
        python,
        created_at: clock::now(),
    };
    Ok(control.store().save_version(operation.team, &row).await?)
}

/// What the base image holds, and its Python, if it gets `PyFlink`.
async fn base_image(
    distribution: &Distribution,
    java: &Java,
    pyflink: Option<PathBuf>,
) -> Result<(BaseImage, Option<ImagePython>), Error> {
    let base = BaseImage::of(distribution, java)?;
    let Some(directory) = pyflink else { return Ok((base, None)) };
    let version = distribution.version();
    let made = tokio::task::spawn_blocking(move || {
        let pyflink = PyFlink::open(&directory, version)?;
        let python = pyflink.python().clone();
        Ok::<_, flumen_flink_dist::Error>((base.with_pyflink(&pyflink)?, Some(python)))
    });
    let interrupted = |_| flumen_flink_dist::Error::Interrupted { step: "looking at PyFlink" };
    Ok(made.await.map_err(interrupted)??)
}

async fn step<T>(
    control: &Control,
    operation: &Operation,
    name: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    control.store().begin_step(operation.id, name, clock::now()).await?;
    let result = work.await;
    let failure = result.as_ref().err().map(Error::paragraph);
    control.store().finish_step(operation.id, name, failure.as_deref(), clock::now()).await?;
    result
}

async fn distribution(
    control: &Control,
    operation: &Operation,
    request: &Request,
) -> Result<Distribution, Error> {
    match &request.source {
        VersionSource::Directory(path) => Ok(Distribution::open(path, request.version)?),
        VersionSource::PythonPackages => {
            let settings =
                flumen_flink_dist::Settings::new(control.settings().cache_directory.clone());
            let (control, id) = (control.clone(), operation.id);
            let (lines, mut said) = tokio::sync::mpsc::unbounded_channel::<String>();
            let note = async move {
                while let Some(line) = said.recv().await {
                    if let Err(error) =
                        control.store().note_step(id, DISTRIBUTION, Some(&line), None).await
                    {
                        tracing::debug!(error = %error, "a progress line was not written down");
                    }
                }
            };
            let work = async move {
                // The listener ends when the sender is dropped with this closure.
                let say = move |line: &str| drop(lines.send(line.to_owned()));
                flumen_flink_dist::download(request.version, &settings, &say).await
            };
            let (distribution, ()) = tokio::join!(work, note);
            Ok(distribution?)
        }
    }
}

async fn layers(
    control: &Control,
    base: &BaseImage,
    request: &Request,
) -> Result<Vec<Layer>, Error> {
    use flumen_flink_dist::Content as From;

    let mut layers = Vec::new();
    for (place, files) in base.layers.iter().enumerate() {
        let mut builder = LayerBuilder::new();
        for file in files {
            let content = match &file.content {
                From::File(path) => Content::File(path.clone()),
                From::Text(text) => Content::Bytes(text.as_bytes().to_vec()),
                From::Directory => Content::Directory,
            };
            builder.add(&file.path, content, Attributes::mode(file.mode))?;
        }
        let path = actions::scratch(control, &format!("flink-{}-{place}", request.version)).await?;
        layers.push(builder.write(Compression::Zstd, path).await?);
    }
    Ok(layers)
}

/// Pushes the image and returns it by digest, without the registry's address.
async fn push(
    control: &Control,
    registry: &str,
    base: &BaseImage,
    layers: &[Layer],
    request: &Request,
) -> Result<String, Error> {
    let target: Reference =
        format!("{registry}/{REPOSITORY}:{}", request.version).parse().map_err(Error::from)?;
    let flumen_flink_dist::Configuration {
        environment,
        entrypoint,
        command,
        working_directory,
        labels,
        exposed_ports,
    } = base.configuration.clone();
    let configuration = flumen_image::Configuration {
        environment,
        entrypoint,
        command,
        working_directory: Some(working_directory),
        user: None,
        labels,
        exposed_ports,
    };
    let build = Build { target: &target, layers, configuration: &configuration };
    let silent = Progress::silent();
    let building = control.registries().build(&build, &silent);
    let pushed = actions::push(control, registry, building).await?;
    Ok(format!("{REPOSITORY}@{}", pushed.digest))
}
