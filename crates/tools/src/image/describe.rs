//! An image for people and as JSON.

use flumen_image::{Image, Inspected};
use serde_json::{Value, json};

use crate::{progress::megabytes, rows::Rows};

pub(super) fn text(found: &Inspected) -> String {
    let image = &found.image;
    let mut rows = Rows::default();
    rows.add("image", &[image.reference.to_string()]);
    rows.add("type", &[image.media_type().to_owned()]);
    rows.add("platform", &[platform(image)]);
    if !found.platforms.is_empty() {
        rows.add("index", &[found.digest.to_string()]);
    }
    let others = found.platforms.iter().map(|it| format!("{}  {}", it.platform, it.digest));
    rows.add("platforms", &others.collect::<Vec<_>>());
    rows.add("created", &one(image.config.created().as_ref()));
    if let Some(run) = image.config.config() {
        rows.add("user", &one(run.user().as_ref().filter(|user| !user.is_empty())));
        rows.add("entrypoint", &words(run.entrypoint().as_ref()));
        rows.add("command", &words(run.cmd().as_ref()));
        rows.add("directory", &one(run.working_dir().as_ref().filter(|it| !it.is_empty())));
        rows.add("ports", run.exposed_ports().as_deref().unwrap_or_default());
        rows.add("environment", run.env().as_deref().unwrap_or_default());
    }
    rows.add("labels", &pairs(image.config.labels_of_config()));
    rows.add("annotations", &pairs(image.manifest.annotations().as_ref()));
    let layers = image.manifest.layers().iter();
    let layer = layers.map(|layer| format!("{}  {}", layer.digest(), megabytes(layer.size())));
    rows.add("layers", &layer.collect::<Vec<_>>());
    rows.add("size", &[megabytes(size(image))]);
    rows.into_text()
}

pub(super) fn json(found: &Inspected) -> Value {
    let image = &found.image;
    let platforms = found
        .platforms
        .iter()
        .map(|it| json!({ "platform": it.platform.to_string(), "digest": it.digest }));
    let diff_ids = image.config.rootfs().diff_ids();
    let layers = image.manifest.layers().iter().zip(diff_ids).map(|(layer, diff_id)| {
        json!({
            "digest": layer.digest().to_string(),
            "diffId": diff_id,
            "mediaType": layer.media_type().to_string(),
            "size": layer.size(),
        })
    });
    let run = image.config.config().as_ref();
    json!({
        "digest": found.digest,
        "mediaType": found.media_type,
        "platforms": platforms.collect::<Vec<_>>(),
        "image": {
            "reference": image.reference.to_string(),
            "digest": image.digest,
            "mediaType": image.media_type(),
            "platform": platform(image),
            "created": image.config.created(),
            "user": run.and_then(|run| run.user().as_ref()),
            "entrypoint": run.and_then(|run| run.entrypoint().as_ref()),
            "command": run.and_then(|run| run.cmd().as_ref()),
            "workingDirectory": run.and_then(|run| run.working_dir().as_ref()),
            "exposedPorts": run.and_then(|run| run.exposed_ports().as_ref()),
            "environment": run.and_then(|run| run.env().as_ref()),
            "labels": sorted(image.config.labels_of_config()),
            "annotations": sorted(image.manifest.annotations().as_ref()),
            "layers": layers.collect::<Vec<_>>(),
            "size": size(image),
        },
    })
}

type Pairs = std::collections::HashMap<String, String>;

fn sorted(pairs: Option<&Pairs>) -> std::collections::BTreeMap<&String, &String> {
    pairs.into_iter().flatten().collect()
}

fn pairs(pairs: Option<&Pairs>) -> Vec<String> {
    sorted(pairs).into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn platform(image: &Image) -> String {
    let (os, architecture) = (image.config.os(), image.config.architecture());
    let variant = image.config.variant().as_ref();
    format!("{os}/{architecture}{}", variant.map(|it| format!("/{it}")).unwrap_or_default())
}

/// What is transferred to a machine that has nothing of the image.
fn size(image: &Image) -> u64 {
    image.manifest.layers().iter().map(flumen_image::Descriptor::size).sum()
}

fn one(value: Option<&String>) -> Vec<String> {
    value.cloned().into_iter().collect()
}

/// Arguments as JSON has them, so that it is seen where one ends.
fn words(words: Option<&Vec<String>>) -> Vec<String> {
    words
        .filter(|words| !words.is_empty())
        .map(|words| json!(words).to_string())
        .into_iter()
        .collect()
}
