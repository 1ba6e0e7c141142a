use std::{fs, net::TcpListener};

use flumen_image::{Client, Descriptor, Error, Reference};
use flumen_model::Kind;
use serde_json::json;

use crate::support::{Lie, Registry, Workshop, client, settings};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

async fn pushed(registry: &Registry) -> (Reference, Descriptor) {
    let reference = registry.reference("base:v1");
    Workshop::new().push_base(&reference).await;
    let image = client().pull_manifest(&reference).await.unwrap();
    (reference, image.manifest.layers()[0].clone())
}

#[tokio::test]
async fn an_image_is_read_by_tag_with_its_digest_and_its_layers() {
    let registry = Registry::start();
    let reference = registry.reference("base:v1");
    let built = Workshop::new().push_base(&reference).await;
    let image = client().pull_manifest(&reference).await.unwrap();
    assert_eq!((image.digest, &image.reference), (built.digest, &built.reference));
    assert_eq!(image.config.config().as_ref().unwrap().entrypoint().as_ref().unwrap(), &["/entry"]);
    let scratch = Workshop::new();
    client()
        .pull_blob_to(&reference, &image.manifest.layers()[0], &scratch.path("layer"))
        .await
        .unwrap();
    let mut archive = Vec::new();
    zstd::stream::copy_decode(fs::File::open(scratch.path("layer")).unwrap(), &mut archive)
        .unwrap();
    let mut archive = tar::Archive::new(archive.as_slice());
    let first = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(first.path().unwrap().to_str(), Some("base.txt"));
}

#[tokio::test]
async fn a_damaged_blob_is_an_error_and_no_file() {
    let registry = Registry::start();
    let (reference, layer) = pushed(&registry).await;
    registry.rules().lie = Some(Lie::Content);
    let scratch = Workshop::new();
    let error = client()
        .pull_blob_to(&reference, &layer, &scratch.path("layer"))
        .await
        .expect_err("forged");
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
    assert!(error.to_string().contains(layer.digest().as_ref()), "{error}");
    assert_eq!(fs::read_dir(scratch.directory.path()).unwrap().count(), 0);
    let error =
        client().pull_manifest(&reference).await.expect_err("the configuration is forged too");
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
}

#[tokio::test]
async fn a_blob_of_another_size_than_promised_is_an_error() {
    let registry = Registry::start();
    let (reference, mut layer) = pushed(&registry).await;
    let scratch = Workshop::new();
    for size in [layer.size() - 1, layer.size() + 1] {
        layer.set_size(size);
        let error = client()
            .pull_blob_to(&reference, &layer, &scratch.path("layer"))
            .await
            .expect_err("wrong size");
        assert!(error.to_string().contains(&format!("{size} bytes was promised")), "{error}");
    }
}

#[tokio::test]
async fn an_index_is_followed_to_the_image_for_our_platform() {
    let registry = Registry::start();
    let built = Workshop::new().push_base(&registry.reference("base:v1")).await;
    let entry = |os: &str, architecture: &str| {
        let platform = json!({ "os": os, "architecture": architecture });
        json!({ "mediaType": MANIFEST, "digest": built.digest.as_str(), "size": 1, "platform": platform })
    };
    let mut index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [entry("unknown", "unknown"), entry("linux", "arm64"), entry("linux", "amd64")],
    });
    let digest = registry.put_manifest("base", "all", &index).await;
    let image = client().pull_manifest(&registry.reference("base:all")).await.unwrap();
    assert_eq!(image.digest, built.digest);
    let found = client().manifest_digest(&registry.reference("base:all")).await.unwrap().unwrap();
    assert_eq!(found.as_str(), digest, "the name itself stands for the index");

    index["manifests"].as_array_mut().unwrap().pop();
    registry.put_manifest("base", "other", &index).await;
    let error =
        client().pull_manifest(&registry.reference("base:other")).await.expect_err("no amd64");
    assert!(
        error.to_string().ends_with("has nothing for linux/amd64; it has linux/arm64"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_busy_is_asked_again_and_what_is_not_there_is_not() {
    let registry = Registry::start();
    let (reference, _) = pushed(&registry).await;
    registry.rules().failures = vec![503, 429];
    registry.take_seen();
    client().pull_manifest(&reference).await.unwrap();
    assert_eq!(registry.take_seen().len(), 4, "two refusals, the manifest, the configuration");

    registry.rules().failures = vec![503; 3];
    let error = client().pull_manifest(&reference).await.expect_err("three tries are all");
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");

    registry.take_seen();
    let error =
        client().pull_manifest(&registry.reference("base:nothing")).await.expect_err("no such tag");
    assert_eq!((error.kind(), registry.take_seen().len()), (Kind::NotFound, 1));
    assert!(error.to_string().contains("MANIFEST_UNKNOWN"), "{error}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_unavailable() {
    let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = Client::new(settings()).unwrap().ping(&host).await.expect_err("nobody listens");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains(&host), "{error}");
}

#[tokio::test]
async fn tags_are_listed_over_all_pages_and_a_deleted_image_is_gone() {
    let registry = Registry::start();
    let reference = registry.reference("base:v1");
    let built = Workshop::new().push_base(&reference).await;
    Workshop::new().push_base(&reference.with_tag("v2").unwrap()).await;
    assert_eq!(client().tags(&reference).await.unwrap(), ["v1", "v2"]);
    client().delete_manifest(&built.reference).await.unwrap();
    assert_eq!(client().manifest_digest(&reference).await.unwrap(), None);
    assert_eq!(client().tags(&reference).await.unwrap(), [""; 0]);
    let error = client().delete_manifest(&built.reference).await.expect_err("it is gone");
    assert_eq!(error.kind(), Kind::NotFound);
}

/// A manifest with layers of these types, each of one byte.
async fn artifact(registry: &Registry, name: &str, layers: &[&str]) -> Reference {
    let blob = registry.put_blob("files", b"x").await;
    let layer = |media_type: &&str| json!({ "mediaType": media_type, "digest": blob, "size": 1 });
    let layers: Vec<_> = layers.iter().map(layer).collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": blob, "size": 1 },
    });
    registry.put_manifest("files", name, &manifest).await;
    registry.reference(&format!("files:{name}"))
}

#[tokio::test]
async fn a_file_in_a_registry_is_its_one_layer() {
    let registry = Registry::start();
    let jar = artifact(&registry, "jar", &["application/java-archive"]).await;
    let file = client().artifact_file(&jar).await.unwrap();
    assert_eq!((file.size, file.digest.as_str()), (1, file.descriptor.digest().as_ref()));
    let scratch = Workshop::new();
    client().pull_blob_to(&jar, &file.descriptor, &scratch.path("job.jar")).await.unwrap();
    assert_eq!(fs::read(scratch.path("job.jar")).unwrap(), b"x");

    let two = artifact(&registry, "two", &["application/java-archive", "text/plain"]).await;
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let image = artifact(&registry, "image", &[layer]).await;
    for (reference, words) in [(two, "it has 2 layers"), (image, "it is an image")] {
        let error = client().artifact_file(&reference).await.expect_err(words);
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = client().artifact_file(&registry.reference("files:none")).await.expect_err("none");
    assert_eq!(error.kind(), Kind::NotFound);
}
