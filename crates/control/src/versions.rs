//! Flink versions of an environment: getting a distribution and making its base image.

mod made;
mod taken;

use std::{collections::HashMap, path::PathBuf};

use flumen_flink_dist::find_java;
use flumen_model::{EnvironmentName, FlinkVersion, ImagePython, JobName, OperationId};
use flumen_store::{FlinkVersionRow, Operation, OperationKind, Principal};
use serde::{Deserialize, Serialize};

use crate::{
    Control, Error, clock,
    controller::AFTER_FAULT,
    jobs::{IdempotencyKey, again_if_stale},
    operations::begun,
};

const DISTRIBUTION: &str = "prepare-distribution";
const LAYERS: &str = "build-layers";
const PUSH: &str = "push-image";
const CHECK: &str = "check-image";

/// What stands in the place of a directory for a distribution out of Python packages.
pub(crate) const PYTHON_PACKAGES: &str = "pythonPackages";

/// The repository of base images in the environment's registry.
pub(crate) const REPOSITORY: &str = "flink";

/// Where a Flink distribution comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VersionSource {
    /// A Flink home on the server's machine.
    Directory(PathBuf),
    /// An image of the environment's registry, by tag or by digest.
    Image(String),
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

    /// The jobs that stand on a base image of this version, and on which, by name.
    pub async fn jobs_of_version(
        &self,
        principal: &Principal,
        version: FlinkVersion,
        environment: &EnvironmentName,
    ) -> Result<Vec<(JobName, Option<String>)>, Error> {
        let filter = flumen_store::JobFilter {
            team: Some(principal.team),
            environment: Some(environment.clone()),
            ..flumen_store::JobFilter::default()
        };
        let jobs = self.store().jobs(&filter).await?;
        let mut bases: HashMap<_, _> = self.store().bases(environment).await?.into_iter().collect();
        let used = jobs.into_iter().filter(|job| job.spec.flink_version == version);
        Ok(used.map(|job| (job.name, bases.remove(&job.id))).collect())
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
        if let (VersionSource::Image(image), Some(_)) = (&source, &pyflink) {
            let message = format!(
                "the image {image} is taken as it is; PyFlink is put into a base image that is made from a distribution"
            );
            return Err(Error::Invalid { message });
        }
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
        let by = (principal.team, &*principal.name);
        let operation = Operation {
            request: serde_json::to_string(request).ok(),
            ..begun(by, OperationKind::AddVersion, (&request.environment, request.version))
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
    for operation in control.store().unfinished_versions().await? {
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
    if let VersionSource::Image(image) = &request.source {
        let found = taken::own_image(control, &registry, image, request.version);
        let taken = step(control, operation, CHECK, found).await?;
        return save(control, operation, request, taken, Vec::new()).await;
    }
    let distribution =
        step(control, operation, DISTRIBUTION, made::distribution(control, operation, request))
            .await?;
    let java = find_java(request.version.minor())?;
    let (base, python) = made::base_image(&distribution, &java, request.pyflink.clone()).await?;
    let layers = step(control, operation, LAYERS, made::layers(control, &base, request)).await?;
    let pushing = made::push(control, operation, &registry, &base, &layers, request);
    let image = step(control, operation, PUSH, pushing).await;
    for layer in &layers {
        tokio::fs::remove_file(&layer.path).await.map_err(Error::file("remove", &layer.path))?;
    }
    let built_in_plugins = distribution.built_in_plugins()?;
    save(control, operation, request, (image?, python), built_in_plugins).await
}

async fn save(
    control: &Control,
    operation: &Operation,
    request: &Request,
    (image, python): (String, Option<ImagePython>),
    built_in_plugins: Vec<String>,
) -> Result<(), Error> {
    let source = match &request.source {
        VersionSource::Directory(path) => path.display().to_string(),
        VersionSource::Image(image) => image.clone(),
        VersionSource::PythonPackages => PYTHON_PACKAGES.to_owned(),
    };
    let row = FlinkVersionRow {
        version: request.version,
        environment: request.environment.clone(),
        image,
        source,
        built_in_plugins,
        python,
        created_at: clock::now(),
    };
    Ok(control.store().save_version(operation.team, &row).await?)
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
