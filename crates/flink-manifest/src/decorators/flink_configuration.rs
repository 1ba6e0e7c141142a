//! The `ConfigMap` with Flink's configuration and logging files.

use std::collections::BTreeMap;

use flumen_flink_conf::render_configuration_file;
use k8s_openapi::api::core::v1::ConfigMap;

use crate::{
    Error, Object, Warning,
    feature::{ALL_LOGGING_FILES, CONSOLE_LOGGING_FILES},
    keys,
    render::Render,
};

/// The volume of the main container with Flink's configuration.
pub(crate) const VOLUME: &str = "flink-config-volume";

const FIRST_FILES: &[&str] = &["logback.xml", "log4j.properties"];
const CONSOLE_FILES: &[&str] = &["logback-console.xml", "log4j-console.properties"];
const ALL_FILES: &[&str] = &[
    "logback.xml",
    "log4j.properties",
    "logback-console.xml",
    "log4j-console.properties",
    "logback-session.xml",
    "log4j-session.properties",
    "log4j-cli.properties",
];

pub(super) fn decorate(render: &mut Render<'_>) -> Result<(), Error> {
    let file = render_configuration_file(&render.configuration);
    let lost = |loss: flumen_flink_conf::Loss| Warning::Lost { key: loss.key, what: loss.what };
    render.warnings.extend(file.losses.into_iter().map(lost));

    let files: Vec<_> = logging_files(render).chain([(file.name, file.text.as_str())]).collect();
    let items: Vec<_> = files.iter().map(|(name, _)| (*name, *name)).collect();
    let data: BTreeMap<_, _> =
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();

    let name = render.names.configuration();
    render.pod.add_config_map(VOLUME, &name, &items);
    let directory = render.text_or_empty(keys::CONFIG_DIRECTORY)?;
    render.pod.mount(VOLUME, &directory);
    let metadata = render.owned(name, render.names.labels());
    render.objects.push(Object::ConfigMap(ConfigMap {
        metadata,
        data: Some(data),
        ..ConfigMap::default()
    }));
    Ok(())
}

/// The logging files that the client ships, in its order.
pub(super) fn logging_files<'a>(
    render: &Render<'a>,
) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
    let names = if render.has(ALL_LOGGING_FILES) {
        ALL_FILES
    } else if render.has(CONSOLE_LOGGING_FILES) {
        CONSOLE_FILES
    } else {
        FIRST_FILES
    };
    let files = &render.spec.files.logging;
    names.iter().filter_map(|name| Some((*name, files.get(*name)?.as_str())))
}
