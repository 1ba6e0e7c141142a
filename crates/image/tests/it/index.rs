//! Images for several platforms.

use std::collections::BTreeMap;

use flumen_image::{Append, Client, Platform, Progress, Settings};
use serde_json::{Value, json};

use crate::support::{Registry, Workshop, client, digest_of, settings};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// An image in Docker's words for one architecture, and its entry of an index.
async fn entry(registry: &Registry, architecture: &str, variant: Option<&str>) -> Value {
    let content = format!("layer of {architecture} {variant:?}");
    let layer = registry.put_blob("base", content.as_bytes()).await;
    let config = json!({
        "architecture": architecture, "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [digest_of(content.as_bytes())] },
    });
    let config = config.to_string();
    let config_digest = registry.put_blob("base", config.as_bytes()).await;
    let docker = |kind: &str| format!("application/vnd.docker.{kind}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
        "config": { "mediaType": docker("container.image.v1+json"), "digest": config_digest, "size": config.len() },
        "layers": [{ "mediaType": docker("image.rootfs.diff.tar"), "digest": layer, "size": content.len() }],
    });
    let name = digest_of(manifest.to_string().as_bytes());
    registry.put_manifest("base", &name, &manifest).await;
    let mut platform = json!({ "architecture": architecture, "os": "linux" });
    if let Some(variant) = variant {
        platform["variant"] = variant.into();
    }
    json!({ "mediaType": DOCKER_MANIFEST, "digest": name, "size": manifest.to_string().len(), "platform": platform })
}

async fn base(registry: &Registry) -> Vec<Value> {
    let mut entries = vec![
        entry(registry, "arm", Some("v6")).await,
        entry(registry, "arm", Some("v7")).await,
        entry(registry, "amd64", None).await,
    ];
    let mut about = entries[0].clone();
    about["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
    entries.push(about);
    let index = json!({ "schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": entries });
    registry.put_manifest("base", "v1", &index).await;
    entries
}

fn client_for(platform: &str) -> Client {
    Client::new(Settings { platform: platform.parse().unwrap(), ..settings() }).unwrap()
}

#[tokio::test]
async fn a_docker_index_is_followed_to_the_variant_that_was_asked_for() {
    let registry = Registry::start();
    let entries = base(&registry).await;
    let name = registry.reference("base:v1");
    for (platform, expected) in [("linux/arm/v7", 1), ("linux/arm", 0), ("linux/amd64", 2)] {
        let image = client_for(platform).pull_manifest(&name).await.unwrap();
        assert_eq!(image.digest.as_str(), entries[expected]["digest"], "{platform}");
    }
    let error = client_for("linux/arm/v8").pull_manifest(&name).await.expect_err("no v8");
    let expected = "has nothing for linux/arm/v8; it has linux/arm/v6, linux/arm/v7, linux/amd64";
    assert!(error.to_string().ends_with(expected), "{error}");
    let found = client().inspect(&name).await.unwrap();
    let platforms: Vec<String> =
        found.platforms.iter().map(|image| image.platform.to_string()).collect();
    assert_eq!(platforms, ["linux/arm/v6", "linux/arm/v7", "linux/amd64"]);
    assert_eq!(
        (found.media_type.as_str(), found.image.media_type()),
        (DOCKER_INDEX, DOCKER_MANIFEST)
    );
    for wrong in ["linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/a b"] {
        assert!(wrong.parse::<Platform>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn layers_go_on_top_of_every_image_of_an_index() {
    let (here, there) = (Registry::start(), Registry::start());
    base(&here).await;
    let workshop = Workshop::new();
    let layers = [workshop.layer("job.jar", b"job").await];
    let title = "org.opencontainers.image.title";
    let labels = BTreeMap::from([(title.into(), "job".into()), ("mine".into(), "1".into())]);
    let environment = BTreeMap::new();
    let (base, target) = (here.reference("base:v1"), there.reference("job:v1"));
    let append = Append {
        base: &base,
        target: &target,
        layers: &layers,
        labels: &labels,
        environment: &environment,
    };
    let pushed = client().append_all(&append, &Progress::silent()).await.unwrap();
    assert!(pushed.index.sent_bytes > 0);
    let found = client().inspect(&target).await.unwrap();
    assert_eq!(found.digest, pushed.index.digest);
    let platforms: Vec<(String, &flumen_image::Digest)> =
        found.platforms.iter().map(|it| (it.platform.to_string(), &it.digest)).collect();
    let made: Vec<(String, &flumen_image::Digest)> =
        pushed.images.iter().map(|(platform, it)| (platform.to_string(), &it.digest)).collect();
    assert_eq!(platforms, made);
    assert_eq!(made.len(), 3, "what is about an image is left out");
    for platform in ["linux/arm/v6", "linux/arm/v7", "linux/amd64"] {
        let image = client_for(platform).pull_manifest(&target).await.unwrap();
        assert_eq!(image.manifest.layers().len(), 2, "{platform}");
        let annotations = image.manifest.annotations().as_ref().unwrap();
        assert_eq!(annotations[title], "job");
        assert!(!annotations.contains_key("mine"));
    }
    there.take_seen();
    let again = client().append_all(&append, &Progress::silent()).await.unwrap();
    assert_eq!((again.index.digest, again.index.sent_bytes), (pushed.index.digest, 0));
    assert!(there.take_seen().iter().all(|seen| matches!(seen.method.as_str(), "GET" | "HEAD")));
}

#[tokio::test]
async fn a_base_that_is_no_index_gives_an_image() {
    let registry = Registry::start();
    let base = registry.reference("base:v1");
    let workshop = Workshop::new();
    workshop.push_base(&base).await;
    let layers = [workshop.layer("job.jar", b"job").await];
    let nothing = BTreeMap::new();
    let target = registry.reference("job:v1");
    let append = Append {
        base: &base,
        target: &target,
        layers: &layers,
        labels: &nothing,
        environment: &nothing,
    };
    let all = client().append_all(&append, &Progress::silent()).await.unwrap();
    assert_eq!(all.images, []);
    let one = client().append(&append, &Progress::silent()).await.unwrap();
    assert_eq!(all.index.digest, one.digest);
}
