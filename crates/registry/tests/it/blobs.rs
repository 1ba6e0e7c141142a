use reqwest::{StatusCode, header};

use crate::support::{Registry, assert_refused, digest_of, files_in, header_of};

#[tokio::test]
async fn a_blob_comes_back_as_it_was_sent_whole_and_in_part() {
    let registry = Registry::start();
    let content: Vec<u8> =
        (0..600_000_u32).map(|index| u8::try_from(index % 251).unwrap()).collect();
    let digest = registry.push_blob("team/job", &content).await;
    let path = format!("/v2/team/job/blobs/{digest}");

    let whole = registry.get(&path).await;
    assert_eq!(header_of(&whole, "docker-content-digest"), digest);
    assert_eq!(header_of(&whole, "docker-distribution-api-version"), "registry/2.0");
    assert_eq!(whole.bytes().await.unwrap(), content);

    let part =
        registry.request("GET", &path).header(header::RANGE, "bytes=599990-").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header_of(&part, "content-range"), "bytes 599990-599999/600000");
    assert_eq!(part.bytes().await.unwrap(), content[599_990..]);

    let head = registry.request("HEAD", &path).send().await.unwrap();
    assert_eq!(
        (head.status(), header_of(&head, "content-length")),
        (StatusCode::OK, "600000".into())
    );
}

#[tokio::test]
async fn a_blob_of_another_digest_is_refused_and_nothing_of_it_is_kept() {
    let registry = Registry::start();
    let location = registry.start_upload("job").await;
    let claimed = digest_of(b"what was promised");
    let put =
        registry.request("PUT", &format!("{location}?digest={claimed}")).body("something else");
    assert_refused(put.send().await.unwrap(), StatusCode::BAD_REQUEST, "DIGEST_INVALID").await;
    let blob = registry.get(&format!("/v2/job/blobs/{claimed}")).await;
    assert_refused(blob, StatusCode::NOT_FOUND, "BLOB_UNKNOWN").await;
    assert_eq!(files_in(&registry.directory.path().join("uploads")), 0);
    assert_eq!(files_in(&registry.directory.path().join("blobs")), 0);
    let again =
        registry.request("PUT", &format!("{location}?digest={claimed}")).send().await.unwrap();
    assert_refused(again, StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN").await;
}

#[tokio::test]
async fn pieces_are_taken_in_order_only_and_the_status_says_where_to_go_on() {
    let registry = Registry::start();
    let location = registry.start_upload("job").await;
    let patch = |location: String, range: &str, body: &'static str| {
        registry.request("PATCH", &location).header(header::CONTENT_RANGE, range).body(body).send()
    };
    let first = patch(location, "0-4", "hello").await.unwrap();
    assert_eq!((first.status(), header_of(&first, "range")), (StatusCode::ACCEPTED, "0-4".into()));
    let location = header_of(&first, "location");

    let gap = patch(location.clone(), "7-8", "xx").await.unwrap();
    assert_eq!(header_of(&gap, "range"), "0-4");
    assert_refused(gap, StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID").await;

    let status = registry.get(&location).await;
    assert_eq!(
        (status.status(), header_of(&status, "range")),
        (StatusCode::NO_CONTENT, "0-4".into())
    );
    let second = patch(location, "5-10", " world").await.unwrap();
    let digest = digest_of(b"hello world!");
    let put = format!("{}?digest={digest}", header_of(&second, "location"));
    let done = registry.request("PUT", &put).body("!").send().await.unwrap();
    assert_eq!(done.status(), StatusCode::CREATED);
    let blob = registry.get(&header_of(&done, "location")).await;
    assert_eq!(blob.text().await.unwrap(), "hello world!");
}

#[tokio::test]
async fn a_whole_blob_may_come_with_the_first_request() {
    let registry = Registry::start();
    let digest = digest_of(b"small");
    let post =
        registry.request("POST", &format!("/v2/job/blobs/uploads/?digest={digest}")).body("small");
    assert_eq!(post.send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(
        registry.get(&format!("/v2/job/blobs/{digest}")).await.text().await.unwrap(),
        "small"
    );
}

#[tokio::test]
async fn a_blob_is_seen_in_its_own_repository_until_another_one_mounts_it() {
    let registry = Registry::start();
    let digest = registry.push_blob("base", b"layer").await;
    let elsewhere = registry.get(&format!("/v2/job/blobs/{digest}")).await;
    assert_refused(elsewhere, StatusCode::NOT_FOUND, "BLOB_UNKNOWN").await;

    let missing = digest_of(b"never pushed");
    let miss = format!("/v2/job/blobs/uploads/?mount={missing}&from=base");
    let miss = registry.request("POST", &miss).send().await.unwrap();
    assert_eq!(
        miss.status(),
        StatusCode::ACCEPTED,
        "a mount that is not possible becomes an upload"
    );
    assert!(header_of(&miss, "location").contains("/v2/job/blobs/uploads/"));
    let wrong = format!("/v2/job/blobs/uploads/?mount={digest}&from=other");
    assert_eq!(
        registry.request("POST", &wrong).send().await.unwrap().status(),
        StatusCode::ACCEPTED
    );

    let mount = format!("/v2/job/blobs/uploads/?mount={digest}&from=base");
    let mounted = registry.request("POST", &mount).send().await.unwrap();
    assert_eq!(mounted.status(), StatusCode::CREATED);
    assert_eq!(registry.get(&header_of(&mounted, "location")).await.text().await.unwrap(), "layer");
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository_and_can_be_given_up() {
    let registry = Registry::start();
    let location = registry.start_upload("mine").await;
    let stolen = location.replace("/v2/mine/", "/v2/yours/");
    let patch = registry.request("PATCH", &stolen).body("x").send().await.unwrap();
    assert_refused(patch, StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN").await;
    assert_eq!(
        registry.request("DELETE", &location).send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_refused(registry.get(&location).await, StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN")
        .await;
    assert_eq!(files_in(&registry.directory.path().join("uploads")), 0);
}
