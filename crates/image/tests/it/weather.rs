//! Registries and lines that fail in the middle, put off, forget and lie.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use flumen_image::{Append, Client, Credential, Error, Progress, Retry, Settings};
use flumen_model::Kind;

use crate::{
    network::{Cut, Line},
    push::noise,
    support::{Lie, Registry, Workshop, client, digest_of, settings},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn in_pieces() -> Client {
    Client::new(Settings { chunk_bytes: 100_000, ..settings() }).unwrap()
}

#[tokio::test]
async fn an_upload_that_broke_off_goes_on_where_it_stopped() {
    let registry = Registry::start();
    let line = Line::to(&registry.backend, &[Cut::Sent(300_000), Cut::Sent(450_000)]).await;
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(1_000_000)).await;
    let repository = line.reference("job");
    let sent = in_pieces().push_layer(&repository, &layer, &Progress::silent()).await.unwrap();
    assert_eq!(sent, layer.size);
    assert!(client().has_blob(&registry.reference("job"), &layer.digest).await.unwrap());
    assert!(line.is_done());
    // The first try in vain, then all of it, and at most one piece again.
    let most = 450_000 + layer.size + 100_000 + 50_000;
    assert!(line.sent() < most, "{} bytes were sent", line.sent());
}

#[tokio::test]
async fn progress_stands_at_the_size_after_an_upload_that_broke_off() {
    let registry = Registry::start();
    let line = Line::to(&registry.backend, &[Cut::Sent(300_000), Cut::Sent(450_000)]).await;
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(1_000_000)).await;
    let told = std::sync::Arc::new(std::sync::Mutex::new((0, 0)));
    let copy = told.clone();
    let progress = Progress::new(move |moved, total| *copy.lock().unwrap() = (moved, total));
    in_pieces().push_layer(&line.reference("job"), &layer, &progress).await.unwrap();
    assert_eq!(*told.lock().unwrap(), (layer.size, layer.size));
}

#[tokio::test]
async fn a_blob_whose_answer_was_lost_is_not_sent_again() {
    let registry = Registry::start();
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(1_000_000)).await;
    let line = Line::to(&registry.backend, &[Cut::Answer(layer.size)]).await;
    client().push_layer(&line.reference("job"), &layer, &Progress::silent()).await.unwrap();
    assert!(line.is_done());
    assert!(line.sent() < layer.size + 50_000, "{} bytes were sent", line.sent());
}

#[tokio::test]
async fn downloads_that_break_off_are_begun_again() {
    let registry = Registry::start();
    let workshop = Workshop::new();
    let base = registry.reference("base:v1");
    let layers = [workshop.layer("x", &noise(1_000_000)).await];
    let configuration = flumen_image::Configuration {
        labels: BTreeMap::from([("long".into(), "x".repeat(100_000))]),
        ..flumen_image::Configuration::default()
    };
    let build =
        flumen_image::Build { target: &base, layers: &layers, configuration: &configuration };
    client().build(&build, &Progress::silent()).await.unwrap();
    // Within the image's configuration, then within its layer.
    let cuts = [Cut::Received(50_000), Cut::Received(600_000)];
    let line = Line::to(&registry.backend, &cuts).await;
    let base = line.reference("base:v1");
    let client = client();
    let image = client.pull_manifest(&base).await.unwrap();
    let copy = workshop.path("copy");
    client.pull_blob_to(&base, &image.manifest.layers()[0], &copy).await.unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), std::fs::read(&layers[0].path).unwrap());
    assert!(line.is_done());
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_fetched_anew() {
    let (here, there) = (Registry::start(), Registry::start());
    let workshop = Workshop::new();
    let base = here.reference("base:v1");
    workshop.push_base(&base).await;
    let layers = [workshop.layer("job.jar", &noise(300_000)).await];
    for registry in [&here, &there] {
        let mut rules = registry.rules();
        (rules.wants_token, rules.forgets_tokens) = (true, true);
        rules.user = Some(("ann".into(), "secret".into()));
    }
    let ann = || Credential::basic("ann", "secret");
    let credentials = BTreeMap::from([(here.host.clone(), ann()), (there.host.clone(), ann())]);
    let client = Client::new(Settings { credentials, ..settings() }).unwrap();
    let target = there.reference("job:v1");
    let nothing = BTreeMap::new();
    let append = Append {
        base: &base,
        target: &target,
        layers: &layers,
        labels: &nothing,
        environment: &nothing,
    };
    let pushed = client.append(&append, &Progress::silent()).await.unwrap();
    assert_eq!(client.pull_manifest(&target).await.unwrap().digest, pushed.digest);
    let refused = there.take_seen();
    let puts = refused.iter().filter(|seen| seen.method == "PUT" && seen.body_bytes > 0).count();
    assert!(puts > 4, "layers, configuration and manifest came with spent tokens too: {puts}");
}

#[tokio::test]
async fn a_registry_that_puts_off_is_waited_for_and_the_upload_goes_on() {
    let registry = Registry::start();
    {
        let mut rules = registry.rules();
        (rules.failures, rules.failing_method) = (vec![429, 503], Some("PUT"));
        rules.retry_after = Some("1");
    }
    let retry = Retry { longest_wait: Duration::from_secs(5), ..settings().retry };
    let client = Client::new(Settings { retry, ..settings() }).unwrap();
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(1000)).await;
    let begun = Instant::now();
    client.push_layer(&registry.reference("job"), &layer, &Progress::silent()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
    let posts = registry.take_seen().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(posts, 1, "the upload that was begun is the one that ends");
}

#[tokio::test]
async fn a_busy_token_server_is_asked_again() {
    let registry = Registry::start();
    {
        let mut rules = registry.rules();
        (rules.wants_token, rules.user) = (true, Some(("ann".into(), "secret".into())));
        (rules.failures, rules.failing_path) = (vec![503, 429], Some("/token"));
    }
    let credentials = BTreeMap::from([(registry.host.clone(), Credential::basic("ann", "secret"))]);
    let client = Client::new(Settings { credentials, ..settings() }).unwrap();
    client.ping(&registry.host).await.unwrap();
    assert_eq!(registry.rules().failures, [0; 0]);
}

#[tokio::test]
async fn a_gateway_that_waited_in_vain_is_asked_again() {
    let registry = Registry::start();
    registry.rules().failures = vec![504, 502];
    client().ping(&registry.host).await.unwrap();
}

#[tokio::test]
async fn a_registry_that_lies_about_digests_is_found_out() {
    let registry = Registry::start();
    let workshop = Workshop::new();
    let base = registry.reference("base:v1");
    workshop.push_base(&base).await;
    registry.rules().lie = Some(Lie::Digest);
    let error = client().pull_manifest(&base).await.expect_err("another digest by tag");
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
    let layer = workshop.layer("x", b"content").await;
    let error = client().push_layer(&base, &layer, &Progress::silent()).await;
    let error = error.expect_err("it says that it stored another blob");
    assert!(matches!(error, Error::Understand { .. }) && error.kind() == Kind::Invalid, "{error}");
    let config = registry.put_blob("base", b"{}").await;
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"x/y","digest":"{config}","size":2}},"layers":[]}}"#
    );
    let pushed = client().push_manifest(&base, MANIFEST, Bytes::from(manifest.clone())).await;
    let text = pushed.expect_err("it says that it stored another manifest").to_string();
    assert!(text.contains(&digest_of(manifest.as_bytes())), "{text}");
}
