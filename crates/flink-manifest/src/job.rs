//! The policy of Flumen's own jobs, on top of what Flink's client does: every run can be recovered,
//! keeps its directories apart from those of every other run, and is never started a second time.

mod java;
pub(crate) mod labels;
mod logging;
mod owned_keys;
pub(crate) mod protections;
mod resources;
mod storage;
mod templates;

use std::collections::BTreeMap;

use flumen_flink_conf::Configuration;
use flumen_model::{
    ClusterId, EnvironmentName, FlinkVersion, JobName, Namespace, PodTemplates, Resources, RunId,
};

use crate::{
    Application, ClientFiles, DeploySpec, Error, Mode, Python, Restore, Warning, feature, keys,
};

pub use storage::{Storage, StorageVolume, VolumeSource};

/// One application run of a job of Flumen.
#[derive(Debug, Clone, PartialEq)]
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
    /// `parallelism.default`. Default: what the configuration says.
    pub parallelism: Option<u32>,
    /// CPU and memory; over the configuration.
    pub resources: Resources,
    /// The merged configuration of all layers.
    pub configuration: Configuration,
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

/// Turns a run into what is to be deployed, with a warning for every protection that the user's
/// configuration takes away.
///
/// # Errors
/// If the configuration sets what Flumen sets itself, the version has no pod templates but one is
/// needed, or a pod template is no Pod.
pub fn job_deployment(deployment: &JobDeployment) -> Result<(DeploySpec, Vec<Warning>), Error> {
    let minor = deployment.version.minor();
    owned_keys::check(&deployment.configuration)?;
    let mut configuration = deployment.configuration.clone();
    let mut warnings = Vec::new();
    identity(deployment, &mut configuration);
    resources::write(&deployment.resources, &mut configuration);
    java::write(&mut configuration)?;
    protections::write(&mut configuration, &mut warnings);
    storage::write(deployment, &mut configuration, &mut warnings);
    labels::write_task_manager(deployment, &mut configuration)?;
    let pod_templates = templates::write(deployment, &mut configuration)?;
    let logging = if deployment.logging.is_empty() {
        logging::default_files(minor)
    } else {
        deployment.logging.clone()
    };
    let spec = DeploySpec {
        version: deployment.version,
        mode: Mode::Application(Box::new(application(deployment))),
        configuration,
        files: ClientFiles { logging, pod_templates, ..ClientFiles::default() },
        marks: labels::marks(deployment),
    };
    Ok((spec, warnings))
}

fn identity(deployment: &JobDeployment, configuration: &mut Configuration) {
    let minor = deployment.version.minor();
    configuration.set_text(keys::CLUSTER_ID, deployment.cluster_id.as_str());
    configuration.set_text(keys::NAMESPACE, deployment.namespace.as_str());
    configuration.set_text(keys::IMAGE.key(minor), deployment.image.as_str());
    configuration.set_text(keys::FIXED_JOB_ID, deployment.run.to_string());
    if !configuration.is_set("pipeline.name") {
        configuration.set_text("pipeline.name", deployment.job.as_str());
    }
}

fn application(deployment: &JobDeployment) -> Application {
    let parallelism =
        deployment.parallelism.map(|number| i32::try_from(number).unwrap_or(i32::MAX));
    Application {
        jar: deployment.jar.as_deref().map(jar_uri),
        main_class: deployment.main_class.clone(),
        arguments: deployment.arguments.clone(),
        python: deployment.python.clone(),
        parallelism,
        // A job of Flumen has no client that waits for it.
        attached: false,
        restore: deployment.restore.clone(),
        ..Application::default()
    }
}

/// A path in the image as Flink names it.
fn jar_uri(jar: &str) -> String {
    if jar.starts_with('/') { format!("local://{jar}") } else { jar.to_owned() }
}

/// The environment's high availability, where the version has one by Kubernetes.
fn high_availability(minor: flumen_model::FlinkMinor) -> Option<&'static str> {
    const FACTORY: &str =
        "org.apache.flink.kubernetes.highavailability.KubernetesHaServicesFactory";
    if !feature::KUBERNETES_HA.is_in(minor) {
        None
    } else if feature::FACTORY_CLASS_ONLY_HA.is_in(minor) {
        Some(FACTORY)
    } else {
        Some("kubernetes")
    }
}

#[cfg(test)]
mod tests;
