//! Pod templates as Flink's client reads them.

use flumen_model::FlinkMinor;
use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Error, Warning,
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
pub(crate) fn job_manager_pod(render: &mut Render<'_>) -> Result<FlinkPod, Error> {
    if !POD_TEMPLATES.is_in(render.minor()) {
        return Ok(FlinkPod::default());
    }
    let Some(path) = render.text(JOB_MANAGER_TEMPLATE)? else { return Ok(FlinkPod::default()) };
    let text = find(render, &path)?;
    let pod = parse(&path, text)?;
    render.warnings.extend(unknown_fields(&path, text, &pod));
    Ok(FlinkPod::from_pod(pod, MAIN_CONTAINER))
}

/// The text of the template at a path that the configuration names.
pub(crate) fn find<'a>(render: &Render<'a>, path: &str) -> Result<&'a str, Error> {
    let text = render.spec.files.pod_templates.get(path);
    text.map(String::as_str).ok_or_else(|| Error::PodTemplateMissing { path: path.to_owned() })
}

/// Reads a template as one Pod.
pub(crate) fn parse(path: &str, text: &str) -> Result<Pod, Error> {
    read(text).map_err(|source| Error::ParsePodTemplate {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// A warning for every field of a template that no Pod has, which would be gone without a word.
pub(crate) fn unknown_fields(path: &str, text: &str, pod: &Pod) -> Vec<Warning> {
    let mut fields = Vec::new();
    if let (Ok(given), Ok(known)) = (read::<Value>(text), serde_json::to_value(pod)) {
        missing("", &given, &known, &mut fields);
    }
    let warning = |field| Warning::TemplateField { path: path.to_owned(), field };
    fields.into_iter().map(warning).collect()
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    // Words like `yes` are text, and a `defaultMode: 0644` is octal, as users of kubectl mean it.
    let options = serde_saphyr::options! { strict_booleans: true, legacy_octal_numbers: true };
    serde_saphyr::from_str_with_options(text, options)
}

/// The fields of `given` that `known` lacks. Empty ones are as good as none.
fn missing(at: &str, given: &Value, known: &Value, fields: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                match known.get(key) {
                    Some(known) => missing(&at, value, known, fields),
                    None if is_empty(value) => {}
                    None => fields.push(at),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                missing(&format!("{at}[{index}]"), given, known, fields);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
