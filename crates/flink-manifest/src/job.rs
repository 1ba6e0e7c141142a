//! The policy of Flumen's own jobs, on top of what Flink's client does: every run can be recovered,
//! keeps its directories apart from those of every other run, and is never started a second time.

mod access;
pub(crate) mod java;
pub(crate) mod labels;
pub(crate) mod logging;
mod owned_keys;
pub(crate) mod protections;
mod python;
mod resources;
mod secrets;
mod storage;
mod templates;

use std::collections::BTreeMap;

use flumen_flink_conf::{Configuration, ConfigurationFormat, Effective, Layer, Layers, Strictness};
use flumen_model::{
    ClusterId, EnvironmentName, FlinkVersion, JobName, JobSpec, Namespace, PodTemplates, Resources,
    RunId,
};

use crate::{Application, ClientFiles, DeploySpec, Error, Mode, Python, Restore, Warning, keys};

pub use access::{SecretVariable, StorageAccess, StoragePlugin};
pub use python::PythonFunctions;
pub use secrets::SCRIPT_SECRETS;
pub use storage::{StatePlan, Storage, StorageVolume, VolumeSource};

/// One application run of a job of Flumen.
#[derive(Debug, Clone)]
pub struct JobDeployment {
    /// The run, whose id Flink uses as the job's id.
    pub run: RunId,
    /// The job.
    pub job: JobName,
    /// Where it runs.
    pub environment: EnvironmentName,
    /// The job's cluster id, the same for all its runs.
    pub cluster_id: ClusterId,
    /// The Kubernetes namespace.
    pub namespace: Namespace,
    /// The Flink version in the image.
    pub version: FlinkVersion,
    /// The image, by digest.
    pub image: String,
    /// The jar: a path in the image, or a URI with a scheme. Default: none.
    pub jar: Option<String>,
    /// The class with `main`. Default: the one that the jar's manifest names.
    pub main_class: Option<String>,
    /// Arguments for `main`.
    pub arguments: Vec<String>,
    /// A Python program instead of a jar.
    pub python: Option<Python>,
    /// Secrets that the program reads from files below [`SCRIPT_SECRETS`].
    pub secrets: Vec<String>,
    /// What functions in Python need that the program calls. Default: it calls none.
    pub functions: Option<PythonFunctions>,
    /// `parallelism.default`. Default: what the layers say.
    pub parallelism: Option<u32>,
    /// CPU and memory, part of the job's layer. Default: what the layers say.
    pub resources: Resources,
    /// The configuration of all layers from Flink version to job, for the version's minor.
    pub layers: Layers,
    /// The job's pod templates.
    pub pod_templates: PodTemplates,
    /// The environment's storage.
    pub storage: Storage,
    /// What the run starts from.
    pub restore: Restore,
    /// Logging files by name. Default: Flumen's, which writes to the console and to the file that
    /// Flink's REST API serves.
    pub logging: BTreeMap<String, String>,
}

/// Where jars lie in the image of a release; Flink puts all of them on the user class path.
pub const USRLIB: &str = "/opt/flink/usrlib";

/// What the file of a job does not say of a run of it.
#[derive(Debug, Clone)]
pub struct RunPlace {
    /// The run.
    pub run: RunId,
    /// The job's cluster id.
    pub cluster_id: ClusterId,
    /// The Kubernetes namespace.
    pub namespace: Namespace,
    /// The image.
    pub image: String,
    /// What is started.
    pub program: Program,
    /// The configuration of all layers, the job's included.
    pub layers: Layers,
    /// The environment's storage.
    pub storage: Storage,
    /// What the run starts from.
    pub restore: Restore,
}

/// What Flink starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The jar: a path in the image, or a URI with a scheme. A Python program has none.
    pub jar: Option<String>,
    /// The class with `main`. Default: the one that the jar's manifest names.
    pub main_class: Option<String>,
    /// Arguments for `main` or the Python program.
    pub arguments: Vec<String>,
    /// A Python program instead of a jar.
    pub python: Option<Python>,
    /// Secrets that it reads from files below [`SCRIPT_SECRETS`].
    pub secrets: Vec<String>,
    /// What functions in Python need that it calls.
    pub functions: Option<PythonFunctions>,
}

impl Program {
    /// The program of a job whose jar is this.
    pub fn of_jar(spec: &JobSpec, jar: String) -> Self {
        let (main_class, arguments) = (spec.main_class.clone(), spec.arguments.clone());
        Self { jar: Some(jar), main_class, arguments, ..Self::default() }
    }

    /// A program that reads what it is to do from a file beside its jar, both by their names in [`USRLIB`], and these
    /// Secrets.
    pub fn of_file(jar: &str, main_class: &str, file: &str, secrets: Vec<String>) -> Self {
        let path = |name: &str| format!("{USRLIB}/{name}");
        Self {
            jar: Some(path(jar)),
            main_class: Some(main_class.to_owned()),
            arguments: vec![path(file)],
            secrets,
            ..Self::default()
        }
    }
}

impl JobDeployment {
    /// A run of a job file.
    pub fn new(spec: &JobSpec, place: RunPlace) -> Self {
        let RunPlace { run, cluster_id, namespace, image, program, layers, storage, restore } =
            place;
        Self {
            run,
            job: spec.name.clone(),
            environment: spec.environment.clone(),
            cluster_id,
            namespace,
            version: spec.flink_version,
            image,
            jar: program.jar,
            main_class: program.main_class,
            arguments: program.arguments,
            python: program.python,
            secrets: program.secrets,
            functions: program.functions,
            parallelism: spec.parallelism,
            resources: spec.resources.clone(),
            layers,
            pod_templates: spec.pod_templates.clone(),
            storage,
            restore,
            logging: BTreeMap::new(),
        }
    }
}

/// What a run comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// What is to be rendered.
    pub spec: DeploySpec,
    /// Every key with the layer that set it, Flumen's own layers included.
    pub effective: Effective,
    /// What the user should know: protections taken away, values that are doubtful.
    pub warnings: Vec<Warning>,
    /// Where the run keeps its state, and how much of it.
    pub state: StatePlan,
}

/// Turns a run into what is to be deployed.
///
/// # Errors
/// If the configuration sets what Flumen sets itself or has wrong values, or a pod template is no
/// Pod or more than the version can do.
pub fn job_deployment(deployment: &JobDeployment) -> Result<JobPlan, Error> {
    owned_keys::check(&deployment.layers.resolve())?;
    let mut layers = deployment.layers.clone();
    let minor = deployment.version.minor();
    layers.add(Layer::FlinkVersion, resources::defaults(&deployment.layers));
    layers.add(Layer::Platform, protections::entries(minor));
    layers.add(Layer::Platform, storage::entries(deployment));
    layers.add(Layer::Platform, deployment.storage.access.options.clone());
    layers.add(Layer::Platform, [("pipeline.name", deployment.job.as_str())]);
    layers.add(Layer::Platform, python::entries(deployment));
    layers.add(Layer::Job, resources::entries(deployment));
    layers.add(Layer::Run, identity(deployment));
    // What extends a value of the user's needs the value first.
    let settled = layers.resolve().configuration();
    layers.add(Layer::Run, labels::entries(deployment, &settled)?);
    layers.add(Layer::Run, java::entries(&settled)?);
    layers.add(Layer::Run, access::additions(deployment, &settled)?);
    layers.add(Layer::Run, secrets::additions(deployment, &settled)?);
    layers.add(Layer::Run, python::additions(deployment, &settled)?);
    let (templates, paths) = templates::build(deployment)?;
    layers.add(Layer::Run, paths);

    let effective = layers.resolve();
    let (configuration, findings) = effective.checked(Strictness::JobFile)?;
    arguments(deployment, configuration.format())?;
    let mut warnings: Vec<_> = findings.into_iter().map(Warning::Doubtful).collect();
    warnings.extend(protections::taken_away(&effective));
    warnings.extend(storage::taken_away(deployment, &effective));
    let logging = if deployment.logging.is_empty() {
        logging::default_logging_files(minor)
    } else {
        deployment.logging.clone()
    };
    let spec = DeploySpec {
        version: deployment.version,
        mode: Mode::Application(Box::new(application(deployment, &configuration)?)),
        configuration,
        files: ClientFiles { logging, pod_templates: templates, ..ClientFiles::default() },
        marks: labels::marks(deployment),
    };
    let state = storage::plan(&spec.configuration)?;
    Ok(JobPlan { spec, effective, warnings, state })
}

/// Arguments travel in the configuration file, and one that is cut there is not the user's.
fn arguments(deployment: &JobDeployment, format: ConfigurationFormat) -> Result<(), Error> {
    for (at, argument) in deployment.arguments.iter().enumerate() {
        if let Some(what) = format.cuts(argument) {
            let minor = deployment.version.minor();
            return Err(Error::Argument { number: at + 1, minor, what });
        }
    }
    Ok(())
}

fn identity(deployment: &JobDeployment) -> [(&'static str, String); 5] {
    let minor = deployment.version.minor();
    [
        (keys::CLUSTER_ID, deployment.cluster_id.to_string()),
        (keys::NAMESPACE, deployment.namespace.to_string()),
        (keys::IMAGE.key(minor), deployment.image.clone()),
        (keys::FIXED_JOB_ID, deployment.run.to_string()),
        (keys::TARGET, "kubernetes-application".to_owned()),
    ]
}

fn application(
    deployment: &JobDeployment,
    configuration: &Configuration,
) -> Result<Application, Error> {
    let python = deployment.python.as_ref();
    Ok(Application {
        jar: deployment.jar.as_deref().map(jar_uri),
        main_class: deployment.main_class.clone(),
        arguments: deployment.arguments.clone(),
        python: python.map(|it| python::joined(it, configuration)).transpose()?,
        // A job of Flumen has no client that waits for it.
        attached: false,
        restore: deployment.restore.clone(),
        class_paths: python::class_paths(deployment),
        ..Application::default()
    })
}

/// A path in the image as Flink names it.
fn jar_uri(jar: &str) -> String {
    if jar.starts_with('/') { format!("local://{jar}") } else { jar.to_owned() }
}

#[cfg(test)]
mod tests;
