use std::collections::BTreeMap;

use flumen_image::{Append, Image, Layer, Progress, Pushed, Reference};
use flumen_model::Kind;
use serde_json::json;

use crate::support::{Registry, Workshop, client, digest_of};

async fn append(base: &Reference, target: &Reference, layers: &[Layer]) -> Pushed {
    let labels = BTreeMap::from([("job".into(), "words".into()), ("who".into(), "job".into())]);
    let environment =
        BTreeMap::from([("PATH".into(), "/opt/bin:/bin".into()), ("X".into(), "a=b".into())]);
    let append = Append { base, target, layers, labels: &labels, environment: &environment };
    client().append(&append, &Progress::silent()).await.unwrap()
}

fn environment_of(image: &Image) -> Vec<String> {
    image.config.config().as_ref().unwrap().env().clone().unwrap()
}

#[tokio::test]
async fn layers_labels_and_variables_are_added_to_the_base() {
    let registry = Registry::start();
    let (base, target) = (registry.reference("base:v1"), registry.reference("team/job:v1"));
    let workshop = Workshop::new();
    workshop.push_base(&base).await;
    let layer = workshop.layer("opt/flink/usrlib/job.jar", b"job").await;
    registry.take_seen();
    let pushed = append(&base, &target, std::slice::from_ref(&layer)).await;
    let image = client().pull_manifest(&pushed.reference).await.unwrap();
    assert_eq!(image.manifest.layers().len(), 2);
    assert_eq!(image.manifest.layers()[1].digest().to_string(), layer.digest.to_string());
    assert_eq!(image.config.rootfs().diff_ids()[1], layer.diff_id.to_string());
    assert_eq!(environment_of(&image), ["HOME=/root", "PATH=/opt/bin:/bin", "X=a=b"]);
    let labels = image.config.labels_of_config().unwrap();
    assert_eq!((labels["who"].as_str(), labels["job"].as_str()), ("job", "words"));
    assert_eq!(image.config.config().as_ref().unwrap().entrypoint().as_ref().unwrap(), &["/entry"]);
    let config_size = image.manifest.config().size();
    assert_eq!(pushed.sent_bytes, layer.size + config_size, "the base layer was mounted");
}

#[tokio::test]
async fn the_same_again_sends_nothing_and_another_tag_sends_the_manifest_only() {
    let registry = Registry::start();
    let (base, target) = (registry.reference("base:v1"), registry.reference("job:v1"));
    let workshop = Workshop::new();
    workshop.push_base(&base).await;
    let layers = [workshop.layer("job.jar", b"job").await];
    let first = append(&base, &target, &layers).await;
    registry.take_seen();
    let untagged = registry.reference("job");
    for again in [&target, &untagged] {
        let second = append(&base, again, &layers).await;
        assert_eq!((&second.digest, second.sent_bytes), (&first.digest, 0));
    }
    let is_write = |method: &str| !matches!(method, "GET" | "HEAD");
    assert!(registry.take_seen().iter().all(|seen| !is_write(&seen.method)));
    append(&base, &registry.reference("job:v2"), &layers).await;
    let writes: Vec<String> = registry
        .take_seen()
        .iter()
        .filter(|seen| is_write(&seen.method))
        .map(|seen| seen.target.clone())
        .collect();
    assert_eq!(writes, ["/v2/job/manifests/v2"]);
}

#[tokio::test]
async fn another_registry_gets_a_copy_of_the_base_and_the_same_digest() {
    let (here, there) = (Registry::start(), Registry::start());
    let base = here.reference("base:v1");
    let workshop = Workshop::new();
    workshop.push_base(&base).await;
    let layers = [workshop.layer("job.jar", b"job").await];
    let near = append(&base, &here.reference("job:v1"), &layers).await;
    let far = append(&base, &there.reference("some/other:name"), &layers).await;
    assert_eq!(near.digest, far.digest);
    let image = client().pull_manifest(&far.reference).await.unwrap();
    let base_layer = &image.manifest.layers()[0];
    assert!(far.sent_bytes > near.sent_bytes);
    client().pull_blob_to(&far.reference, base_layer, &workshop.path("copy")).await.unwrap();
}

#[tokio::test]
async fn a_base_in_dockers_words_becomes_an_oci_image_and_keeps_what_we_do_not_know() {
    let registry = Registry::start();
    let layer = registry.put_blob("base", b"pretend gzip").await;
    let config = json!({
        "architecture": "amd64", "os": "linux", "docker_version": "20.10",
        "config": { "Env": null, "Healthcheck": { "Test": ["CMD", "true"] }, "Labels": null },
        "rootfs": { "type": "layers", "diff_ids": [digest_of(b"x")] },
    })
    .to_string();
    let config_digest = registry.put_blob("base", config.as_bytes()).await;
    let docker = |kind: &str| format!("application/vnd.docker.{kind}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": docker("distribution.manifest.v2+json"),
        "config": { "mediaType": docker("container.image.v1+json"), "digest": config_digest, "size": config.len() },
        "layers": [{ "mediaType": docker("image.rootfs.diff.tar.gzip"), "digest": layer, "size": 12 }],
    });
    registry.put_manifest("base", "v1", &manifest).await;
    let workshop = Workshop::new();
    let layers = [workshop.layer("job.jar", b"job").await];
    let pushed =
        append(&registry.reference("base:v1"), &registry.reference("job:v1"), &layers).await;
    let image = client().pull_manifest(&pushed.reference).await.unwrap();
    let types: Vec<String> =
        image.manifest.layers().iter().map(|layer| layer.media_type().to_string()).collect();
    assert_eq!(
        types,
        [
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd"
        ]
    );
    assert_eq!(environment_of(&image), ["PATH=/opt/bin:/bin", "X=a=b"]);
    client()
        .pull_blob_to(&pushed.reference, image.manifest.config(), &workshop.path("config"))
        .await
        .unwrap();
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(workshop.path("config")).unwrap()).unwrap();
    assert_eq!(config["config"]["Healthcheck"]["Test"][0], "CMD");
    assert_eq!(config["docker_version"], "20.10");
}

#[tokio::test]
async fn a_base_that_does_not_exist_is_named() {
    let registry = Registry::start();
    let (base, target) = (registry.reference("base:v9"), registry.reference("job:v1"));
    let nothing = BTreeMap::new();
    let append = Append {
        base: &base,
        target: &target,
        layers: &[],
        labels: &nothing,
        environment: &nothing,
    };
    let error = client().append(&append, &Progress::silent()).await.expect_err("no base");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("base:v9"), "{error}");
}
