use std::net::TcpListener;

use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::support::{Registry, assert_refused, digest_of, files_in};

#[tokio::test]
async fn images_outlive_the_registry_and_half_uploads_do_not() {
    let registry = Registry::start();
    let image = registry.push_image("job", "v1").await;
    let unused = registry.push_blob("job", b"to be deleted").await;
    let path = format!("/v2/job/blobs/{unused}");
    assert_eq!(
        registry.request("DELETE", &path).send().await.unwrap().status(),
        StatusCode::ACCEPTED
    );
    let directory = registry.stop().await;
    // What a registry that is killed leaves behind.
    std::fs::write(directory.path().join("uploads/torn"), "half a bl").unwrap();
    let orphan = digest_of(b"never told to anyone").replace("sha256:", "");
    let orphan = directory.path().join("blobs").join(&orphan[..2]).join(&orphan);
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "never told to anyone").unwrap();

    let registry = Registry::start_in(directory);
    assert_eq!(registry.json("/v2/job/manifests/v1").await, image);
    assert_eq!(files_in(&registry.directory.path().join("uploads")), 0);
    assert!(!orphan.exists());
    let deleted = unused.replace("sha256:", "");
    assert!(!registry.directory.path().join("blobs").join(&deleted[..2]).join(&deleted).exists());
    let layer = image["layers"][0]["digest"].as_str().unwrap();
    assert_eq!(registry.get(&format!("/v2/job/blobs/{layer}")).await.text().await.unwrap(), "v1");
}

#[tokio::test]
async fn a_second_registry_on_the_same_directory_is_refused() {
    let registry = Registry::start();
    registry.push_blob("job", b"x").await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let second = flumen_registry::serve(
        listener,
        registry.directory.path().to_owned(),
        CancellationToken::new(),
    )
    .await;
    let message = second.expect_err("it is in use").to_string();
    assert!(message.contains("is in use by another image registry"), "{message}");
}

#[tokio::test]
async fn paths_that_leave_the_directory_are_no_names() {
    let registry = Registry::start();
    assert_eq!(registry.get("/v2/").await.status(), StatusCode::OK);
    assert_eq!(registry.get("/v2").await.status(), StatusCode::OK);
    for (path, status, code) in [
        ("/v2/..%2F..%2Fetc/tags/list", StatusCode::BAD_REQUEST, "NAME_INVALID"),
        ("/v2/a%2Fb/tags/list", StatusCode::BAD_REQUEST, "NAME_INVALID"),
        ("/v2/UPPER/tags/list", StatusCode::BAD_REQUEST, "NAME_INVALID"),
        ("/v2/a/manifests/..%2Fx", StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
        ("/v2/a/blobs/sha256:..", StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
        ("/v1/", StatusCode::NOT_FOUND, "UNSUPPORTED"),
    ] {
        assert_refused(registry.get(path).await, status, code).await;
    }
    let refused = registry.request("POST", "/v2/a/tags/list").send().await.unwrap();
    assert_refused(refused, StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED").await;
}
