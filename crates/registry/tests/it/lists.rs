use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Registry, assert_refused, header_of};

#[tokio::test]
async fn tags_are_sorted_and_paged() {
    let registry = Registry::start();
    for tag in ["v3", "v1", "v10", "v2"] {
        registry.push_image("team/job", tag).await;
    }
    let first = registry.get("/v2/team/job/tags/list?n=3").await;
    let next = header_of(&first, "link");
    assert_eq!(next, "</v2/team/job/tags/list?n=3&last=v2>; rel=\"next\"");
    let body: serde_json::Value = serde_json::from_slice(&first.bytes().await.unwrap()).unwrap();
    assert_eq!(body, json!({ "name": "team/job", "tags": ["v1", "v10", "v2"] }));
    let last = registry.get("/v2/team/job/tags/list?n=3&last=v2").await;
    assert!(!last.headers().contains_key("link"), "there is no more");
    let body: serde_json::Value = serde_json::from_slice(&last.bytes().await.unwrap()).unwrap();
    assert_eq!(body["tags"], json!(["v3"]));
}

#[tokio::test]
async fn the_catalog_has_repositories_with_images_also_those_within_others() {
    let registry = Registry::start();
    registry.push_image("team", "v1").await;
    registry.push_image("team/job", "v1").await;
    registry.push_blob("only-blobs", b"x").await;
    assert_eq!(
        registry.json("/v2/_catalog").await,
        json!({ "repositories": ["team", "team/job"] })
    );
    let unknown = registry.get("/v2/only-blobs/tags/list").await;
    assert_refused(unknown, StatusCode::NOT_FOUND, "NAME_UNKNOWN").await;
}
