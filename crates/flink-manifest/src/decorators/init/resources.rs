//! CPU and memory of the JobManager.

use std::collections::BTreeMap;

use flumen_flink_conf::{java::double_text, job_manager_memory, task_manager_memory};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::{
    Error,
    feature::LIMIT_FACTORS,
    keys,
    render::{Render, some},
};

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let memory = job_manager_memory(&render.configuration)?.process_mebibytes();
    // The TaskManagers' memory is computed only to fail before anything is created.
    task_manager_memory(&render.configuration)?;
    let cpu =
        render.configuration.double(keys::JOB_MANAGER_CPU.key(render.minor()))?.unwrap_or(1.0);
    let cpu_limit = cpu * factor(render, "kubernetes.jobmanager.cpu.limit-factor")?;
    let memory_factor = factor(render, "kubernetes.jobmanager.memory.limit-factor")?;
    let memory_limit = scaled(memory, memory_factor);

    let resources = render.pod.main.resources.get_or_insert_default();
    set(&mut resources.requests, cpu, memory);
    set(&mut resources.limits, cpu_limit, memory_limit);
    Ok(())
}

fn factor(render: &Render<'_>, key: &str) -> Result<f64, Error> {
    if !render.has(LIMIT_FACTORS) {
        return Ok(1.0);
    }
    Ok(render.configuration.double(key)?.unwrap_or(1.0))
}

/// A number of mebibytes times a factor, cut to whole ones as Java casts a double to an int.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a pod has far less than 2^52 MiB, and the factor is at least 1"
)]
fn scaled(mebibytes: u64, factor: f64) -> u64 {
    (mebibytes as f64 * factor) as u64
}

/// Over the template's CPU and memory; what else it asks for stays.
fn set(resources: &mut Option<BTreeMap<String, Quantity>>, cpu: f64, mebibytes: u64) {
    let mut all = resources.take().unwrap_or_default();
    all.insert("cpu".to_owned(), Quantity(double_text(cpu)));
    all.insert("memory".to_owned(), Quantity(format!("{mebibytes}Mi")));
    *resources = some(all);
}
