use reqwest::{StatusCode, header};
use serde_json::json;

use crate::support::{INDEX, MANIFEST, Registry, assert_refused, digest_of, header_of};

#[tokio::test]
async fn a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest() {
    let registry = Registry::start();
    // Spaces that a JSON library would not keep.
    let text = registry.image("job", "a").await.to_string().replace("\":", "\"  :  ");
    let digest = digest_of(text.as_bytes());
    let put = registry
        .request("PUT", "/v2/job/manifests/v1")
        .header(header::CONTENT_TYPE, MANIFEST)
        .body(text.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(
        (put.status(), header_of(&put, "docker-content-digest")),
        (StatusCode::CREATED, digest.clone())
    );
    for name in ["v1", digest.as_str()] {
        let got = registry.get(&format!("/v2/job/manifests/{name}")).await;
        assert_eq!(header_of(&got, "content-type"), MANIFEST);
        assert_eq!(header_of(&got, "docker-content-digest"), digest);
        assert_eq!(got.text().await.unwrap(), text);
    }
    let head = registry.request("HEAD", "/v2/job/manifests/v1").send().await.unwrap();
    assert_eq!(header_of(&head, "content-length"), text.len().to_string());
}

#[tokio::test]
async fn a_manifest_is_refused_while_something_that_it_names_is_missing() {
    let registry = Registry::start();
    let mut manifest = registry.image("job", "a").await;
    let missing = digest_of(b"missing");
    manifest["layers"][0]["digest"] = missing.clone().into();
    let refused = registry.put_manifest("job", "v1", &manifest).await;
    assert_refused(refused, StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN").await;
    assert_refused(
        registry.get("/v2/job/manifests/v1").await,
        StatusCode::NOT_FOUND,
        "MANIFEST_UNKNOWN",
    )
    .await;

    let of_another_repository = registry.image("other", "a").await;
    let refused = registry.put_manifest("third", "v1", &of_another_repository).await;
    assert_refused(refused, StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN").await;

    let index =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [{ "digest": missing }] });
    let refused = registry.put_manifest("job", "all", &index).await;
    assert_refused(refused, StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN").await;
}

#[tokio::test]
async fn what_is_no_manifest_is_refused_with_what_is_wrong() {
    let registry = Registry::start();
    let image = registry.image("job", "a").await;
    let wrong_digest = registry.put_manifest("job", &digest_of(b"x"), &image).await;
    assert_refused(wrong_digest, StatusCode::BAD_REQUEST, "DIGEST_INVALID").await;
    for broken in [
        json!({}),
        json!({ "schemaVersion": 1 }),
        json!({ "schemaVersion": 2, "mediaType": MANIFEST }),
    ] {
        let refused = registry.put_manifest("job", "v1", &broken).await;
        assert_refused(refused, StatusCode::BAD_REQUEST, "MANIFEST_INVALID").await;
    }
    let put = registry.request("PUT", "/v2/job/manifests/v1").header(header::CONTENT_TYPE, INDEX);
    let refused = put.body(image.to_string()).send().await.unwrap();
    assert_refused(refused, StatusCode::BAD_REQUEST, "MANIFEST_INVALID").await;
    let put = registry.request("PUT", "/v2/job/manifests/v1").body(vec![b' '; 5 * 1024 * 1024]);
    let refused = put.send().await.unwrap();
    assert_refused(refused, StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID").await;
}

#[tokio::test]
async fn deleting_a_manifest_takes_its_tags_and_deleting_a_tag_leaves_the_manifest() {
    let registry = Registry::start();
    let image = registry.push_image("job", "v1").await;
    let digest = digest_of(image.to_string().as_bytes());
    registry.put_manifest("job", "v2", &image).await;
    let delete = async |name: &str| {
        registry
            .request("DELETE", &format!("/v2/job/manifests/{name}"))
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(delete("v1").await, StatusCode::ACCEPTED);
    assert_eq!(delete("v1").await, StatusCode::NOT_FOUND);
    assert_eq!(registry.get(&format!("/v2/job/manifests/{digest}")).await.status(), StatusCode::OK);
    assert_eq!(delete(&digest).await, StatusCode::ACCEPTED);
    assert_eq!(registry.json("/v2/job/tags/list").await["tags"], json!([]));
    assert_eq!(registry.get("/v2/job/manifests/v2").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_refers_to_an_image_is_listed_with_it_even_if_it_came_first() {
    let registry = Registry::start();
    let subject = registry.image("job", "subject").await;
    let subject_digest = digest_of(subject.to_string().as_bytes());
    let mut signature = registry.image("job", "signature").await;
    signature["artifactType"] = "application/x.signature".into();
    signature["annotations"] = json!({ "by": "us" });
    signature["subject"] = json!({ "mediaType": MANIFEST, "digest": subject_digest, "size": 1 });
    let put = registry.put_manifest("job", "signature", &signature).await;
    assert_eq!(header_of(&put, "oci-subject"), subject_digest);
    registry.put_manifest("job", "v1", &subject).await;

    let path = format!("/v2/job/referrers/{subject_digest}");
    let found = registry.json(&path).await;
    assert_eq!(found["mediaType"], INDEX);
    assert_eq!(found["manifests"][0]["artifactType"], "application/x.signature");
    assert_eq!(found["manifests"][0]["annotations"]["by"], "us");
    let none = registry.json(&format!("{path}?artifactType=application/x.other")).await;
    assert_eq!(none["manifests"], json!([]));
}
