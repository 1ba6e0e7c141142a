use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;

use crate::{Error, Warning, render::Render};

const KEY: &str = "kubernetes.jobmanager.tolerations";

pub(super) fn read(render: &mut Render<'_>) -> Result<Vec<Toleration>, Error> {
    let entries = render.configuration.list_of_maps(KEY)?.unwrap_or_default();
    entries.iter().map(|entry| toleration(entry, &mut render.warnings)).collect()
}

fn toleration(
    entry: &BTreeMap<String, String>,
    warnings: &mut Vec<Warning>,
) -> Result<Toleration, Error> {
    let mut toleration = Toleration::default();
    for (name, value) in entry {
        let text = Some(value.clone());
        match name.to_ascii_lowercase().as_str() {
            "key" => toleration.key = text,
            "operator" => toleration.operator = text,
            "value" => toleration.value = text,
            "effect" => toleration.effect = text,
            "tolerationseconds" => toleration.toleration_seconds = Some(seconds(value)?),
            _ => warnings.push(Warning::IgnoredEntry { key: KEY.to_owned(), entry: name.clone() }),
        }
    }
    Ok(toleration)
}

fn seconds(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::Part {
        key: KEY,
        part: "tolerationSeconds".to_owned(),
        value: text.to_owned(),
        allowed: "a whole number of seconds",
    })
}
