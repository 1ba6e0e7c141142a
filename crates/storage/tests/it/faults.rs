//! Against answers that a healthy server does not give.

use axum::{Router, http::StatusCode, routing::any};
use bytes::Bytes;
use flumen_model::Kind;
use flumen_storage::{Bucket, Cause, Error};

use crate::{bucket, keys, storage};

/// A server that answers everything in the same way, and ends with the test.
async fn answering(status: u16, body: &'static str) -> Bucket {
    let status = StatusCode::from_u16(status).unwrap();
    let routes = Router::new().fallback(any(move || async move { (status, body) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    bucket(&storage("flink", &endpoint), &keys("AKIA", "hunter2"))
}

async fn told(status: u16, body: &'static str) -> Error {
    answering(status, body).await.write("prod/a", Bytes::new()).await.unwrap_err()
}

#[tokio::test]
async fn each_answer_is_understood_by_the_word_that_s3_has_for_it() {
    for (status, body, kind, said) in [
        (
            403,
            "<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>",
            Kind::Denied,
            "differ by too much",
        ),
        (
            400,
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
            Kind::Invalid,
            "another region",
        ),
        (301, "<Error><Code>PermanentRedirect</Code></Error>", Kind::Invalid, "another region"),
        (403, "<Error><Code>AccessDenied</Code></Error>", Kind::Denied, "may not do that"),
        (403, "", Kind::Denied, "may not do that"),
        (
            507,
            "<Error><Code>XMinioStorageFull</Code></Error>",
            Kind::Unavailable,
            "507 XMinioStorageFull",
        ),
        (400, "<Error><Code>EntityTooLarge</Code></Error>", Kind::Invalid, "400 EntityTooLarge"),
        (
            400,
            "<html>hunter2 AKIA <Code>not a word of S3</Code></html>",
            Kind::Invalid,
            "answered 400",
        ),
    ] {
        let error = told(status, body).await;
        assert_eq!(error.kind(), kind, "{status} {body}: {error:?}");
        let Error::Call { cause, .. } = &error else { panic!("{error:?}") };
        assert!(cause.to_string().contains(said), "{status} {body}: {cause}");
        let text = format!("{error:?}");
        assert!(!text.contains("hunter2") && !text.contains("AKIA"), "{text}");
    }
}

#[tokio::test]
async fn what_does_not_speak_s3_is_found_out() {
    let bucket = answering(200, "<html><title>Console</title></html>").await;
    let error = bucket.write("prod/a", Bytes::new()).await.unwrap_err();
    assert!(matches!(&error, Error::Call { cause: Cause::NotS3 { .. }, .. }), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("console")));
}

#[tokio::test]
async fn a_key_that_leads_out_of_the_bucket_is_refused() {
    let bucket = bucket(&storage("flink", "http://127.0.0.1:1"), &keys("a", "b"));
    for key in ["../other/a", "a/../b", "a//b", "./a"] {
        let refused = bucket.remove_below(key).await;
        assert!(matches!(refused, Err(Error::Key { .. })), "{key}: {refused:?}");
    }
}
