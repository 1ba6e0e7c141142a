//! Against a server that checks keys and signatures.

use std::{fs, time::Duration};

use bytes::Bytes;
use flumen_model::Kind;
use flumen_storage::{Bucket, Cause, Error};
use flumen_testkit::S3Server;

use crate::{bucket, keys, storage};

async fn write(bucket: &Bucket, keys: &[&str]) {
    for key in keys {
        bucket.write(key, Bytes::from_static(b"content")).await.unwrap();
    }
}

fn of(server: &S3Server) -> Bucket {
    let keys = keys(&server.keys.access_key, &server.keys.secret_key);
    bucket(&storage(S3Server::BUCKET, &server.endpoint()), &keys)
}

#[tokio::test]
async fn what_is_written_is_found_read_and_removed() {
    let server = S3Server::start();
    let bucket = of(&server);
    assert!(bucket.is_empty("prod").await.unwrap());
    assert_eq!(bucket.folders("prod").await.unwrap(), [""; 0]);
    write(&bucket, &["prod/s/b/_metadata", "prod/s/a/_metadata", "prod/s/a/x/1", "prod/s2/c"])
        .await;
    assert_eq!(bucket.folders("prod/s").await.unwrap(), ["a", "b"]);
    assert_eq!(bucket.folders("prod").await.unwrap(), ["s", "s2"]);
    assert_eq!(bucket.size("prod/s/a/_metadata").await.unwrap(), Some(7));
    assert_eq!(bucket.size("prod/s/a").await.unwrap(), None, "a folder is no object");
    let read = bucket.read("prod/s2/c", 7).await.unwrap();
    assert_eq!(read.as_deref(), Some(&b"content"[..]));
    assert_eq!(bucket.read("prod/none", 7).await.unwrap(), None);
    assert!(matches!(bucket.read("prod/s2/c", 6).await, Err(Error::TooLarge { size: 7, .. })));

    assert_eq!(bucket.remove_below("prod/s").await.unwrap(), 3);
    assert_eq!(bucket.remove_below("prod/s").await.unwrap(), 0, "it can be repeated");
    assert_eq!(bucket.size("prod/s2/c").await.unwrap(), Some(7), "a longer name is another folder");
    bucket.delete("prod/s2/c").await.unwrap();
    bucket.delete("prod/s2/c").await.unwrap();
    assert!(bucket.is_empty("").await.unwrap());
}

#[tokio::test]
async fn everything_below_is_removed_however_much_it_is() {
    let server = S3Server::start();
    let bucket = of(&server);
    let names: Vec<_> = (0..1100).map(|number| format!("prod/many/{number}")).collect();
    for chunk in names.chunks(50) {
        let writes = chunk.iter().map(|name| bucket.write(name, Bytes::from_static(b"x")));
        futures::future::try_join_all(writes).await.unwrap();
    }
    assert_eq!(bucket.remove_below("prod/many").await.unwrap(), 1100);
    assert!(bucket.is_empty("prod/many").await.unwrap());
}

#[tokio::test]
async fn a_file_is_downloaded_whole_or_not_at_all() {
    let server = S3Server::start();
    let bucket = of(&server);
    let content: Vec<u8> =
        (0..3_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    bucket.write("jars/a.jar", Bytes::from(content.clone())).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let limit = content.len() as u64;
    let size = bucket.download("jars/a.jar", file.path(), limit).await.unwrap();
    assert_eq!(size, Some(limit));
    assert!(fs::read(file.path()).unwrap() == content);
    assert_eq!(bucket.download("jars/b.jar", file.path(), limit).await.unwrap(), None);
    let refused = bucket.download("jars/a.jar", file.path(), limit - 1).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_file_of_several_parts_is_uploaded_whole() {
    let server = S3Server::start();
    let bucket = of(&server);
    let (file, copy) =
        (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    for length in [0, 3, (17 << 20) + 1] {
        let content: Vec<u8> =
            (0..length).map(|number: u32| u8::try_from(number % 251).unwrap()).collect();
        fs::write(file.path(), &content).unwrap();
        bucket.upload("artifacts/a.jar", file.path()).await.unwrap();
        let size = bucket.download("artifacts/a.jar", copy.path(), u64::MAX).await.unwrap();
        assert_eq!(size, Some(u64::from(length)));
        assert!(fs::read(copy.path()).unwrap() == content, "{length} bytes");
    }
    let missing = bucket.upload("artifacts/b.jar", "/nowhere/b.jar".as_ref()).await.unwrap_err();
    assert!(matches!(missing, Error::Read { .. }), "{missing}");
    assert_eq!(bucket.size("artifacts/b.jar").await.unwrap(), None);
}

async fn fetch(link: &str) -> (u16, Bytes) {
    let answer = reqwest::get(link).await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap())
}

#[tokio::test]
async fn a_link_opens_one_object_for_its_time_to_whoever_has_it() {
    let server = S3Server::start();
    let here = storage(S3Server::BUCKET, &server.endpoint());
    let valid = Duration::from_mins(1);
    let opened = of(&server);
    for key in ["prod/a.jar", "prod/b.jar", "prod/a b+c=d&e?f%20g~ü.jar"] {
        opened.write(key, Bytes::from(key.to_owned())).await.unwrap();
        let link = opened.link(key, valid).await.unwrap();
        assert_eq!(fetch(link.expose()).await, (200, Bytes::from(key.to_owned())), "{key}");
        let text = format!("{link:?} {opened:?}");
        assert!(!text.contains("X-Amz-Signature"), "{text}");
    }
    let link = opened.link("prod/a.jar", valid).await.unwrap();
    let link = link.expose();
    for changed in [
        link.replace("a.jar", "b.jar"),
        link.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
        link.replace("X-Amz-Signature=", "X-Amz-Signature=0"),
        link.split_once('?').unwrap().0.to_owned(),
    ] {
        assert_ne!(changed, link);
        assert_eq!(fetch(&changed).await.0, 403, "{changed}");
    }
    let put = reqwest::Client::new().put(link).body("x").send().await.unwrap();
    assert_eq!(put.status().as_u16(), 403, "a link is to read");
    let ended = opened.link("prod/a.jar", Duration::ZERO).await.unwrap();
    assert_eq!(fetch(ended.expose()).await.0, 403, "it has ended");
    for wrong in [keys(&server.keys.access_key, "hunter2"), keys("AKIAHUNTER2", "hunter2")] {
        let link = bucket(&here, &wrong).link("prod/a.jar", valid).await.unwrap();
        assert_eq!(fetch(link.expose()).await.0, 403);
    }
}

#[tokio::test]
async fn what_is_wrong_with_keys_and_bucket_is_told_apart() {
    let server = S3Server::start();
    let here = storage(S3Server::BUCKET, &server.endpoint());
    let elsewhere = storage("no-such-bucket", &server.endpoint());
    let good = keys(&server.keys.access_key, &server.keys.secret_key);
    let wrong_secret = keys(&server.keys.access_key, "hunter2hunter2hunter2");
    let unknown = keys("AKIAHUNTER2HUNTER2", &server.keys.secret_key);
    let reader = keys(&server.reader.access_key, &server.reader.secret_key);
    let cause = |result: Result<(), Error>| match result {
        Err(Error::Call { cause, .. }) => cause,
        other => panic!("{other:?}"),
    };
    let put = |storage, keys| async move {
        cause(bucket(storage, keys).write("prod/a", Bytes::new()).await)
    };
    assert_eq!(put(&here, &wrong_secret).await, Cause::WrongSecret);
    assert!(matches!(put(&here, &unknown).await, Cause::UnknownKey { .. }));
    assert!(matches!(put(&elsewhere, &good).await, Cause::NoBucket { .. }));
    assert_eq!(put(&here, &reader).await, Cause::Denied);
    // Answers to HEAD have no body that says what is wrong.
    let head =
        |storage, keys| async move { cause(bucket(storage, keys).size("prod/a").await.map(drop)) };
    assert_eq!(head(&here, &wrong_secret).await, Cause::WrongSecret);
    assert!(matches!(head(&elsewhere, &good).await, Cause::NoBucket { .. }));

    let reading = bucket(&here, &reader);
    assert_eq!(reading.size("prod/a").await.unwrap(), None);
    let denied = reading.remove_below("prod").await;
    assert_eq!(denied.unwrap(), 0, "nothing is there that could be denied");
    let denied = reading.write("prod/a", Bytes::new()).await.unwrap_err();
    assert_eq!(denied.kind(), Kind::Denied);
    assert!(denied.hint().is_some_and(|hint| hint.contains("s3:PutObject")));
}

#[tokio::test]
async fn no_message_has_a_key_in_it() {
    let server = S3Server::start();
    let here = storage(S3Server::BUCKET, &server.endpoint());
    for keys in [keys(&server.keys.access_key, "hunter2hunter2"), keys("AKIAHUNTER2", "hunter2")] {
        let bucket = bucket(&here, &keys);
        for error in [
            bucket.write("prod/a", Bytes::new()).await.unwrap_err(),
            bucket.read("prod/a", 1).await.unwrap_err(),
            bucket.folders("prod").await.unwrap_err(),
            bucket.remove_below("prod").await.unwrap_err(),
        ] {
            let text = format!("{error} {error:?} {bucket:?} {keys:?}");
            for secret in ["hunter2", "AKIAHUNTER2", server.keys.access_key.as_str(), "Signature="]
            {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be() {
    let server = S3Server::start();
    let endpoint = server.endpoint();
    drop(server);
    let bucket = bucket(&storage("flink", &endpoint), &keys("a", "b"));
    let error = bucket.folders("prod").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    let Error::Call { cause, .. } = error else { panic!("{error:?}") };
    assert!(cause.to_string().contains("efused"), "{cause}");
}
