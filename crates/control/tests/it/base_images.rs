//! Base images of one's own, and which jobs stand on them.

use flumen_control::{Change, OperationState, VersionSource};
use flumen_image::{Client, Settings};
use serde_json::json;

use crate::server::{JAR, TestServer, application, environment, job};

pub(crate) async fn add_image(server: &TestServer, image: &str) -> Result<(), String> {
    let source = VersionSource::Image(image.to_owned());
    let (version, environment) = ("1.20.5".parse().unwrap(), environment());
    let added =
        server.control().add_version(&server.principal, version, &environment, source, None);
    let ended = server.operation_ended(added.await.unwrap()).await;
    if ended.state == OperationState::Succeeded { Ok(()) } else { Err(ended.error.unwrap()) }
}

async fn base_image(server: &TestServer) -> String {
    server.control().versions().await.unwrap()[0].image.clone()
}

pub(crate) fn own_image(server: &TestServer) -> String {
    format!("{}/flink:own", server.world.registry)
}

/// Puts a file on the base image, as a company does.
pub(crate) async fn build_own(server: &TestServer, flink: &str) -> Result<(), flumen_image::Error> {
    use flumen_image::{Append, Attributes, Compression, Content, LayerBuilder, Progress};

    let base = format!("{}/{}", server.world.registry, base_image(server).await);
    let mut layer = LayerBuilder::new();
    layer.add("/opt/flink/lib/own.jar", Content::Bytes(flink.into()), Attributes::mode(0o644))?;
    let layers = [layer.write(Compression::Zstd, server.world.directory.join("own.layer")).await?];
    let labels = [("flumen.dev/flink-version".to_owned(), flink.to_owned())].into();
    let append = Append {
        base: &base.parse().unwrap(),
        target: &own_image(server).parse().unwrap(),
        layers: &layers,
        labels: &labels,
        environment: &std::collections::BTreeMap::new(),
    };
    Client::new(Settings::default())?.append(&append, &Progress::silent()).await.map(drop)
}

#[tokio::test]
async fn a_job_stands_on_its_base_image_until_it_is_applied_again() {
    let server = TestServer::start().await;
    // No savepoint is taken before another run takes its place.
    let mut file = job();
    file["upgradeMode"] = json!("stateless");
    server.apply(file.clone()).await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let first = base_image(&server).await;
    build_own(&server, "1.20.5").await.unwrap();
    add_image(&server, &own_image(&server)).await.unwrap();
    let second = base_image(&server).await;
    assert_ne!(first, second);
    let on = async || {
        let (version, environment) = ("1.20.5".parse().unwrap(), environment());
        let jobs = server.control().jobs_of_version(&server.principal, version, &environment);
        jobs.await.unwrap()[0].1.clone().expect("it has one")
    };
    assert_eq!(on().await, first);

    // A restart is no release.
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.start_again().await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!(on().await, first);

    let spec = serde_json::from_value::<flumen_model::JobSpec>(file.clone()).unwrap();
    let files = application(file.clone(), &JAR).artifacts;
    let diff = server.control().diff_job(&server.principal, &spec, &files).await.unwrap();
    let fields: Vec<_> = diff.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["baseImage"]);
    assert_eq!(server.apply(file.clone()).await.unwrap().change, Change::Restart);
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server
        .until(|view| {
            view.run.as_ref().is_some_and(|it| it.id == run) && view.state.as_str() == "RUNNING"
        })
        .await;
    assert_eq!(on().await, second);
    assert_eq!(server.apply(file).await.unwrap().change, Change::Unchanged);
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_a_base_is_refused_with_why() {
    let server = TestServer::start().await;
    let before = base_image(&server).await;
    let missing = format!("{}/flink:nowhere", server.world.registry);
    let wrong = format!("{}/flink@sha256:{}", server.world.registry, "0".repeat(64));
    build_own(&server, "1.19.1").await.unwrap();
    for (image, said) in [
        (missing.as_str(), "nowhere"),
        (&wrong, "sha256:000"),
        ("registry.example/flink:1.20.5", "is not in the registry"),
        ("no image", "no image"),
        (&own_image(&server), "was built for Flink 1.19.1"),
    ] {
        let error = add_image(&server, image).await.expect_err(image);
        assert!(error.contains(said), "{image}: {error}");
    }
    assert_eq!(base_image(&server).await, before);
    server.finish().await;
}
