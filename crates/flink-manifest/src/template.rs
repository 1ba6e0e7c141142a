//! Pod templates as Flink's client reads them.

use flumen_model::FlinkMinor;
use k8s_openapi::api::core::v1::Pod;

use crate::{
    Error,
    feature::{MAIN_CONTAINER_BY_ROLE, POD_TEMPLATES},
    keys::JOB_MANAGER_TEMPLATE,
    pod::FlinkPod,
    render::Render,
};

/// The name of the container that runs Flink; in a template, of the one that Flink fills in.
pub(crate) const MAIN_CONTAINER: &str = "flink-main-container";

/// What the JobManager's main container is called.
pub(crate) fn main_container(minor: FlinkMinor) -> &'static str {
    if MAIN_CONTAINER_BY_ROLE.is_in(minor) { "flink-job-manager" } else { MAIN_CONTAINER }
}

/// The JobManager's pod before any decorator: the template, or an empty pod.
pub(crate) fn job_manager_pod(render: &Render<'_>) -> Result<FlinkPod, Error> {
    if !POD_TEMPLATES.is_in(render.minor()) {
        return Ok(FlinkPod::default());
    }
    match render.text(JOB_MANAGER_TEMPLATE)? {
        None => Ok(FlinkPod::default()),
        Some(path) => {
            let pod = parse(&path, find(render, &path)?)?;
            Ok(FlinkPod::from_pod(pod, MAIN_CONTAINER))
        }
    }
}

/// The text of the template at a path that the configuration names.
pub(crate) fn find<'a>(render: &Render<'a>, path: &str) -> Result<&'a str, Error> {
    let text = render.spec.files.pod_templates.get(path);
    text.map(String::as_str).ok_or_else(|| Error::PodTemplateMissing { path: path.to_owned() })
}

/// Reads a template as one Pod.
pub(crate) fn parse(path: &str, text: &str) -> Result<Pod, Error> {
    // Words like `yes` are text in YAML 1.2, which is what Kubernetes users mean in a label.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|source| Error::ParsePodTemplate {
        path: path.to_owned(),
        source: Box::new(source),
    })
}
