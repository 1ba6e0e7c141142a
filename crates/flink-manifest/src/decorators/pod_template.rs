//! The TaskManagers' pod template, which the JobManager reads where it is mounted.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;

use crate::{Error, Object, keys::TASK_MANAGER_TEMPLATE, render::Render, template};

const VOLUME: &str = "pod-template-volume";
const PATH: &str = "/opt/flink/pod-template";
const FILE: &str = "taskmanager-pod-template.yaml";

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let Some(path) = render.text(TASK_MANAGER_TEMPLATE)? else { return Ok(()) };
    let text = template::find(render, &path)?.to_owned();
    let name = render.names.pod_template();
    render.pod.add_config_map(VOLUME, &name, &[(FILE, FILE)]);
    render.pod.mount(VOLUME, PATH);
    let metadata = render.owned(name, render.names.labels());
    render.objects.push(Object::ConfigMap(ConfigMap {
        metadata,
        data: Some(BTreeMap::from([(FILE.to_owned(), text)])),
        ..ConfigMap::default()
    }));
    Ok(())
}
