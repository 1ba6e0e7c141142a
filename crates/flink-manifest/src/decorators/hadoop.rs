//! The Hadoop configuration: a `ConfigMap` that exists, or one made of the client's files.

use k8s_openapi::api::core::v1::ConfigMap;

use crate::{
    Error, Object,
    render::{Render, some},
};

const VOLUME: &str = "hadoop-config-volume";
const PATH: &str = "/opt/hadoop/conf";
const FILES: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    if let Some(existing) = render.text("kubernetes.hadoop.conf.config-map.name")? {
        render.pod.add_config_map(VOLUME, existing.trim(), &[]);
    } else {
        let all = &render.spec.files.hadoop;
        let files: Vec<_> =
            FILES.iter().filter_map(|name| Some((*name, all.get(*name)?.as_str()))).collect();
        if files.is_empty() {
            return Ok(());
        }
        let name = render.names.hadoop();
        let items: Vec<_> = files.iter().map(|(file, _)| (*file, *file)).collect();
        render.pod.add_config_map(VOLUME, &name, &items);
        let data =
            files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let metadata = render.owned(name, render.names.labels());
        render.objects.push(Object::ConfigMap(ConfigMap {
            metadata,
            data: some(data),
            ..ConfigMap::default()
        }));
    }
    render.pod.mount(VOLUME, PATH);
    render.pod.set_variable("HADOOP_CONF_DIR", PATH);
    Ok(())
}
