use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::IntoResponse as _,
    routing::put,
};
use serde_json::json;

use crate::{
    apply::{folder, text},
    fake::{Fake, done},
    tables::job,
};

/// A server that breaks off the first uploads behind so many bytes each, says what it has, and forgets what is not the content.
fn shaky(breaks: &[usize], content: &'static [u8]) -> (Fake, Arc<Mutex<Shaky>>) {
    let shaky = Shaky { breaks: breaks.iter().copied().collect(), ..Shaky::default() };
    let shaky = Arc::new(Mutex::new(shaky));
    let state = Arc::clone(&shaky);
    let take = async move |State(shaky): State<Arc<Mutex<Shaky>>>, request: Request| {
        let offset = request.headers().get("upload-offset");
        let offset = offset.map_or(0, |it| it.to_str().expect("text").parse().expect("a number"));
        let method = request.method().clone();
        let body = to_bytes(request.into_body(), usize::MAX).await.expect("a body");
        let mut shaky = shaky.lock().expect("no panic");
        shaky.requests.push(format!("{method} {offset}"));
        shaky.has.truncate(offset);
        match shaky.breaks.pop_front() {
            Some(arrived) => {
                shaky.has.extend_from_slice(&body[..arrived]);
                drop(shaky);
                // The connection ends without an answer.
                std::panic::resume_unwind(Box::new("the server dies"));
            }
            None => shaky.has.extend_from_slice(&body),
        }
        if shaky.has == content {
            shaky.is_whole = true;
            return StatusCode::CREATED.into_response();
        }
        shaky.has.clear();
        let problem = json!({
            "type": "urn:flumen:error:artifact.digest", "title": "", "status": 400, "code": "artifact.digest",
            "kind": "invalid", "detail": "it is another",
        });
        (StatusCode::BAD_REQUEST, Json(problem)).into_response()
    };
    let tell = async |State(shaky): State<Arc<Mutex<Shaky>>>| {
        let shaky = shaky.lock().expect("no panic");
        match (shaky.is_whole, shaky.has.len()) {
            (true, _) => StatusCode::OK.into_response(),
            (false, length) => {
                (StatusCode::NOT_FOUND, [("upload-offset", length.to_string())]).into_response()
            }
        }
    };
    let apply = async || {
        Json(json!({"job": job("STARTING", &json!({})), "change": "created", "operation": null}))
    };
    let routes = Router::new()
        .route("/api/v1/artifacts/{digest}", put(take).patch(take).head(tell))
        .route("/api/v1/environments/local/jobs/word-count", put(apply))
        .with_state(state);
    (Fake::serve(routes), shaky)
}

#[derive(Default)]
struct Shaky {
    breaks: VecDeque<usize>,
    has: Vec<u8>,
    is_whole: bool,
    requests: Vec<String>,
}

#[test]
fn an_upload_that_breaks_off_goes_on_where_it_was() {
    let (_folder, file) = folder();
    let (fake, shaky) = shaky(&[4, 3], b"PK the jar");
    let answer = fake.run(&["apply", "-f", text(&file)]);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    assert!(answer.errors.contains("uploaded word-count.jar (10 B)"), "{}", answer.errors);
    assert_eq!(shaky.lock().expect("no panic").requests, ["PUT 0", "PATCH 4", "PATCH 7"]);
}

#[test]
fn what_an_earlier_command_sent_is_not_sent_again() {
    let (_folder, file) = folder();
    let (fake, shaky) = shaky(&[], b"PK the jar");
    shaky.lock().expect("no panic").has = b"PK t".to_vec();
    let answer = fake.run(&["apply", "-f", text(&file)]);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    let told = "uploaded word-count.jar (10 B, 4 B of it before)";
    assert!(answer.errors.contains(told), "{}", answer.errors);
    assert_eq!(shaky.lock().expect("no panic").requests, ["PATCH 4"]);
}

#[test]
fn an_upload_whose_beginning_is_of_other_content_is_made_anew() {
    let (_folder, file) = folder();
    let (fake, shaky) = shaky(&[], b"PK the jar");
    shaky.lock().expect("no panic").has = b"PX t".to_vec();
    let answer = fake.run(&["apply", "-f", text(&file)]);
    assert_eq!(answer.code, done(), "{}", answer.errors);
    assert_eq!(shaky.lock().expect("no panic").requests, ["PATCH 4", "PUT 0"]);
}
