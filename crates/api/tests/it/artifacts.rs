use std::time::Duration;

use flumen_testkit::{SmallDisk, eventually_async};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Body, Method, StatusCode, header};
use serde_json::Value;

use crate::server::{LIMIT, Server, answer};

/// Of `abc`.
const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn path() -> String {
    format!("/api/v1/artifacts/{DIGEST}?name=a.jar")
}

async fn has(server: &Server) -> StatusCode {
    let path = format!("/api/v1/artifacts/{DIGEST}");
    server.request(Method::HEAD, &path).send().await.expect("an answer").status()
}

#[tokio::test]
async fn an_artifact_is_taken_once() {
    let server = Server::start().await;
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(has(&server).await, StatusCode::OK);
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn other_bytes_than_announced_are_refused_and_not_kept() {
    let server = Server::start().await;
    let (status, problem) = answer(server.request(Method::PUT, &path()).body("abd")).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("artifact.digest"))
    );
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_too_large_is_refused_whether_announced_or_not() {
    let server = Server::start().await;
    let large = vec![0; usize::try_from(LIMIT).expect("small") + 1];
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(large.clone())]);
    for body in [Body::from(large), Body::wrap_stream(chunks)] {
        let (status, problem) = answer(server.request(Method::PUT, &path()).body(body)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");
        assert_eq!(problem["code"], "request.too_large");
    }
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
}

/// A server with the artifact.
async fn with_artifact() -> Server {
    let server = Server::start().await;
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::CREATED);
    server
}

fn hours(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn a_link_opens_its_artifact_without_a_token() {
    let server = with_artifact().await;
    let link = server.link(DIGEST, hours(1));
    let whole = server.anonymous(Method::GET, &link).send().await.expect("an answer");
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.headers()[header::ACCEPT_RANGES], "bytes");
    assert_eq!(whole.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(whole.text().await.expect("a body"), "abc");
}

#[tokio::test]
async fn a_part_of_an_artifact_is_sent_as_asked_for() {
    let server = with_artifact().await;
    let link = server.link(DIGEST, hours(1));
    let ask = async |range: &str| {
        let request = server.anonymous(Method::GET, &link).header(header::RANGE, range);
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let told = response.headers().get(header::CONTENT_RANGE);
        let told = told.map(|told| told.to_str().expect("a text").to_owned());
        (status, told, response.text().await.expect("a body"))
    };
    let part = |range: &str, text: &str| (206, Some(range.to_owned()), text.to_owned());
    assert_eq!(ask("bytes=1-").await, part("bytes 1-2/3", "bc"));
    assert_eq!(ask("bytes=0-0").await, part("bytes 0-0/3", "a"));
    assert_eq!(ask("bytes=1-99").await, part("bytes 1-2/3", "bc"));
    for all in ["bytes=-1", "bytes=2-1", "lines=1-", "bytes=0-0,2-2"] {
        assert_eq!(ask(all).await, (200, None, "abc".to_owned()), "{all}");
    }
    for beyond in ["bytes=3-", "bytes=18446744073709551615-"] {
        let (status, _, problem) = ask(beyond).await;
        assert_eq!(status, 416, "{beyond}: {problem}");
        assert!(problem.contains("request.range"), "{problem}");
    }
}

#[tokio::test]
async fn a_link_that_has_ended_or_was_changed_opens_nothing() {
    let server = with_artifact().await;
    let good = server.link(DIGEST, hours(1));
    let other = DIGEST.replace("ba78", "ba79");
    let ended = server.link(DIGEST, hours(-1));
    let (start, signature) = good.rsplit_once('=').expect("a signature");
    let turned: String = signature.chars().rev().collect();
    for (link, why) in [
        (ended, "its time is over"),
        (good.replace(DIGEST, &other), "its signature is wrong"),
        (good.replace("expires=", "expires=9"), "its signature is wrong"),
        (format!("{start}={turned}"), "its signature is wrong"),
        (format!("{start}=x"), "its signature is not a signature"),
    ] {
        let (status, problem) = answer(server.anonymous(Method::GET, &link)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{link}: {problem}");
        assert_eq!(problem["code"], "artifact.link");
        assert!(problem["detail"].as_str().is_some_and(|it| it.contains(why)), "{problem}");
    }
    // A token is no link, and a good link leads nowhere where there is nothing.
    let bare = format!("/api/v1/artifacts/{DIGEST}/content");
    assert_eq!(answer(server.request(Method::GET, &bare)).await.0, StatusCode::BAD_REQUEST);
    let (status, problem) =
        answer(server.anonymous(Method::GET, &server.link(&other, hours(1)))).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (404, Some("artifact.not_found")));
}

/// What lies in the directory of the artifacts.
fn files(server: &Server) -> Vec<String> {
    let entries = std::fs::read_dir(server.directory.join("artifacts")).expect("read");
    entries.map(|entry| entry.expect("read").file_name().into_string().expect("text")).collect()
}

/// Sends these bytes and breaks off; returns when the server is done with it.
async fn break_off(server: &Server, bytes: &'static str) {
    let directory = server.directory.join("artifacts");
    let begun = move || {
        let first = std::fs::read_dir(&directory).expect("read").next();
        std::future::ready(first.map(drop).ok_or("nothing has arrived"))
    };
    let end = stream::once(async move {
        eventually_async(Duration::from_secs(10), begun).await;
        Err(std::io::Error::other("broken"))
    });
    let broken = Body::wrap_stream(stream::iter([Ok(bytes)]).chain(end));
    let request = server.request(Method::PUT, &path()).body(broken);
    let answered = request.send().await;
    assert!(answered.is_err() || answered.is_ok_and(|answer| answer.status().is_client_error()));
    // The server hears of it when it reads on.
    let is_there = async || match offset(server).await {
        (_, Some(length)) if length == bytes.len().to_string() => Ok(()),
        other => Err(other),
    };
    eventually_async(Duration::from_secs(10), is_there).await;
}

/// What the server says that it has.
async fn offset(server: &Server) -> (StatusCode, Option<String>) {
    let path = format!("/api/v1/artifacts/{DIGEST}");
    let response = server.request(Method::HEAD, &path).send().await.expect("an answer");
    let offset = response.headers().get("upload-offset");
    let offset = offset.map(|offset| offset.to_str().expect("text").to_owned());
    (response.status(), offset)
}

/// Sends the rest from there on.
async fn go_on(server: &Server, offset: &str, rest: impl Into<Body>) -> (StatusCode, Value) {
    let request = server.request(Method::PATCH, &path()).header("upload-offset", offset);
    answer(request.body(rest)).await
}

#[tokio::test]
async fn an_upload_that_breaks_off_goes_on_where_it_was() {
    let server = Server::start().await;
    assert_eq!(offset(&server).await, (StatusCode::NOT_FOUND, None));
    break_off(&server, "ab").await;
    let (status, problem) = go_on(&server, "1", "bc").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("artifact.offset")));
    assert!(problem["detail"].as_str().is_some_and(|it| it.contains("2 bytes")), "{problem}");
    assert_eq!(go_on(&server, "2", "c").await.0, StatusCode::CREATED);
    assert_eq!(offset(&server).await, (StatusCode::OK, None));
    let whole = server.anonymous(Method::GET, &server.link(DIGEST, hours(1)));
    assert_eq!(whole.send().await.expect("an answer").text().await.expect("a body"), "abc");
    assert_eq!(files(&server).len(), 1, "no part is left");
    assert_eq!(go_on(&server, "2", "c").await.0, StatusCode::OK, "it is here already");
}

#[tokio::test]
async fn an_upload_that_breaks_off_can_be_made_again_as_a_whole() {
    let server = Server::start().await;
    break_off(&server, "ab").await;
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!((status, files(&server).len()), (StatusCode::CREATED, 1));
}

#[tokio::test]
async fn what_goes_on_otherwise_than_it_began_is_refused_and_forgotten() {
    let server = Server::start().await;
    let long = vec![0; usize::try_from(LIMIT).expect("small") - 1];
    let chunks = stream::iter([Ok::<_, std::io::Error>(long.clone())]);
    for (rest, status, code) in [
        (Body::from("x"), 400, "artifact.digest"),
        (Body::wrap_stream(chunks), 413, "request.too_large"),
    ] {
        break_off(&server, "ab").await;
        let (answered, problem) = go_on(&server, "2", rest).await;
        assert_eq!((answered.as_u16(), problem["code"].as_str()), (status, Some(code)));
        assert_eq!(offset(&server).await, (StatusCode::NOT_FOUND, None), "{code}");
    }
    break_off(&server, "ab").await;
    let (announced, _) = go_on(&server, "2", long).await;
    assert_eq!(announced, StatusCode::PAYLOAD_TOO_LARGE);
    for wrong in ["", "-1", "two"] {
        let (status, problem) = go_on(&server, wrong, "c").await;
        assert_eq!((status.as_u16(), problem["code"].as_str()), (400, Some("request.header")));
    }
}

#[tokio::test]
async fn two_uploads_of_one_file_do_not_disturb_each_other() {
    let server = Server::start().await;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let last = async move {
        ended.await.expect("it goes on");
        Ok::<_, std::io::Error>("c")
    };
    let slow = stream::iter([Ok("ab")]).chain(stream::once(last));
    let slow = server.request(Method::PUT, &path()).body(Body::wrap_stream(slow));
    let slow = tokio::spawn(answer(slow));
    let begun = || if files(&server).is_empty() { Err("nothing") } else { Ok(()) };
    eventually_async(Duration::from_secs(10), async || begun()).await;
    let (status, problem) = go_on(&server, "1", "bc").await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("artifact.offset")));
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::CREATED);
    end.send(()).expect("it is waited for");
    assert_eq!(slow.await.expect("no panic").0, StatusCode::CREATED);
    assert_eq!((offset(&server).await.0, files(&server).len()), (StatusCode::OK, 1));
}

#[tokio::test]
async fn a_disk_that_is_full_is_said_and_leaves_nothing_half() {
    let directory = tempfile::tempdir().expect("a directory");
    let artifacts = directory.path().join("artifacts");
    let Some(disk) = SmallDisk::mount(&artifacts, 1) else { return };
    let server = Server::start_in(directory).await;
    disk.fill();
    let (status, problem) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(problem["code"], "server.file");
    assert!(problem.to_string().contains("No space left on device"), "{problem}");
    assert_eq!(files(&server), ["ballast"]);
    assert_eq!(has(&server).await, StatusCode::NOT_FOUND);
    disk.make_room();
    let (status, _) = answer(server.request(Method::PUT, &path()).body("abc")).await;
    assert_eq!(status, StatusCode::CREATED);
}
