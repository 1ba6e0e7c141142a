//! The TaskManagers' pod template, which the JobManager reads where it is mounted.

use std::{collections::BTreeMap, error::Error as _};

use k8s_openapi::api::core::v1::ConfigMap;

use crate::{Error, Object, Warning, keys::TASK_MANAGER_TEMPLATE, render::Render, template};

const VOLUME: &str = "pod-template-volume";
const PATH: &str = "/opt/flink/pod-template";
const FILE: &str = "taskmanager-pod-template.yaml";

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let Some(path) = render.text(TASK_MANAGER_TEMPLATE)? else { return Ok(()) };
    let text = template::find(render, &path)?;
    match template::parse(&path, text) {
        Ok(pod) => render.warnings.extend(template::unknown_fields(&path, text, &pod)),
        Err(error) => {
            let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            render.warnings.push(Warning::TaskManagerTemplate { path: path.clone(), reason });
        }
    }
    let name = render.names.pod_template();
    render.pod.add_config_map(VOLUME, &name, &[(FILE, FILE)]);
    render.pod.mount(VOLUME, PATH);
    let metadata = render.owned(name, render.names.labels());
    render.objects.push(Object::ConfigMap(ConfigMap {
        metadata,
        data: Some(BTreeMap::from([(FILE.to_owned(), text.to_owned())])),
        ..ConfigMap::default()
    }));
    Ok(())
}
