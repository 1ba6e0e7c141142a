use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use flumen_image::{Client, Progress, Settings};
use flumen_model::Kind;

use crate::support::{Registry, Workshop, client, settings};

/// Content that compression does not shrink.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

#[tokio::test]
async fn a_layer_is_sent_once_in_one_request_and_progress_reaches_its_size() {
    let registry = Registry::start();
    let layer = Workshop::new();
    let layer = (layer.layer("x", &noise(300_000)).await, layer);
    let (layer, _keep) = (&layer.0, &layer.1);
    let (moved, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (moved_copy, total_copy) = (moved.clone(), total.clone());
    let progress = Progress::new(move |now, all| {
        moved_copy.store(now, Ordering::Relaxed);
        total_copy.store(all, Ordering::Relaxed);
    });
    let repository = registry.reference("job");
    let sent = client().push_layer(&repository, layer, &progress).await.unwrap();
    assert_eq!(
        (sent, moved.load(Ordering::Relaxed), total.load(Ordering::Relaxed)),
        (layer.size, layer.size, layer.size)
    );
    let seen = registry.take_seen();
    let methods: Vec<&str> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["HEAD", "POST", "PUT"]);
    assert_eq!(seen[2].body_bytes as u64, layer.size);

    assert_eq!(client().push_layer(&repository, layer, &progress).await.unwrap(), 0);
    assert_eq!(registry.take_seen().len(), 1, "the look whether it is there");
    assert!(client().has_blob(&repository, &layer.digest).await.unwrap());
}

#[tokio::test]
async fn a_registry_that_limits_requests_gets_the_layer_in_pieces() {
    let registry = Registry::start();
    registry.rules().largest_body = Some(100_000);
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(250_000)).await;
    let client = Client::new(Settings { chunk_bytes: 100_000, ..settings() }).unwrap();
    let repository = registry.reference("job");
    client.push_layer(&repository, &layer, &Progress::silent()).await.unwrap();
    let pieces: Vec<usize> = registry
        .take_seen()
        .iter()
        .filter(|seen| seen.method == "PATCH")
        .map(|seen| seen.body_bytes)
        .collect();
    assert_eq!((pieces.len(), pieces.iter().sum::<usize>() as u64), (3, layer.size));
    assert!(client.has_blob(&repository, &layer.digest).await.unwrap());
}

#[tokio::test]
async fn an_upload_that_a_busy_registry_drops_starts_anew() {
    let registry = Registry::start();
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(1000)).await;
    {
        let mut rules = registry.rules();
        (rules.failures, rules.failing_method) = (vec![502, 503], Some("PUT"));
    }
    let sent =
        client().push_layer(&registry.reference("job"), &layer, &Progress::silent()).await.unwrap();
    assert_eq!(sent, layer.size);
    let posts = registry.take_seen().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(posts, 3, "each try begins an upload of its own");
}

#[tokio::test]
async fn an_upload_that_the_registry_forgot_starts_anew() {
    let registry = Registry::start();
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(250_000)).await;
    let client = Client::new(Settings { chunk_bytes: 100_000, ..settings() }).unwrap();
    {
        let mut rules = registry.rules();
        (rules.largest_body, rules.failures) = (Some(100_000), vec![404]);
        rules.failing_method = Some("PATCH");
    }
    client.push_layer(&registry.reference("job"), &layer, &Progress::silent()).await.unwrap();
    let seen = registry.take_seen();
    let patches = seen.iter().filter(|seen| seen.method == "PATCH").count();
    assert_eq!(patches, 1 + 3, "the one that was answered so, then all pieces");
    assert!(client.has_blob(&registry.reference("job"), &layer.digest).await.unwrap());
}

#[tokio::test]
async fn a_layer_file_that_was_changed_is_refused_by_its_digest() {
    let registry = Registry::start();
    let workshop = Workshop::new();
    let layer = workshop.layer("x", &noise(1000)).await;
    std::fs::write(&layer.path, noise(usize::try_from(layer.size).unwrap())).unwrap();
    let error = client()
        .push_layer(&registry.reference("job"), &layer, &Progress::silent())
        .await
        .expect_err("another content");
    assert_eq!(error.kind(), Kind::Invalid, "{error}");
    assert!(error.to_string().contains("DIGEST_INVALID"), "{error}");
}
