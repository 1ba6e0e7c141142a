#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod checks;
mod client_keys;
mod decorators;
mod deployment;
mod error;
pub mod feature;
mod job;
mod keys;
mod manifests;
mod names;
mod pod;
mod render;
mod spec;
mod template;
mod warning;

pub use client_keys::client_keys;
pub use error::Error;
pub use job::{
    JobDeployment, JobPlan, Program, PythonFunctions, RunPlace, SCRIPT_SECRETS, SecretVariable,
    StatePlan, Storage, StorageAccess, StoragePlugin, StorageVolume, USRLIB, VolumeSource,
    java::java_options_of_distribution,
    job_deployment,
    labels::{ENVIRONMENT_LABEL, JOB_LABEL, MANAGED_BY_LABEL, MANAGER},
    logging::default_logging_files,
    protections::{Protection, protections},
};
pub use manifests::{Manifests, Object};
pub use names::{Names, TYPE_LABEL, TYPE_LABEL_VALUE, generated_cluster_id};
pub use render::render;
pub use spec::{
    Application, ClientFiles, DeploySpec, Marks, Mode, NamedFile, Python, PythonEntry, Restore,
};
pub use warning::Warning;
