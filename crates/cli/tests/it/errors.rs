use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::json;

use crate::fake::{Fake, ended, run};

fn refusing(status: u16, kind: &'static str) -> Fake {
    let problem = json!({
        "type": "urn:flumen:error:test", "title": "Test", "status": status, "code": "test", "kind": kind,
        "detail": "there is no job word-count in the environment local",
        "causes": ["the first cause", "the one behind it"],
        "hint": "`flumen job list` shows those that there are.",
    });
    let status = StatusCode::from_u16(status).expect("a status");
    Fake::serve(Router::new().fallback(get(move || async move { (status, Json(problem)) })))
}

#[test]
fn an_error_is_one_paragraph_with_causes_and_what_to_do() {
    let answer = refusing(404, "notFound").run(&["job", "show", "word-count"]);
    insta::assert_snapshot!(answer.errors);
    assert_eq!(answer.output, "");
}

#[test]
fn the_exit_status_follows_from_the_kind() {
    for (status, kind, code) in [
        (500, "bug", 1),
        (400, "invalid", 2),
        (404, "notFound", 3),
        (409, "conflict", 4),
        (403, "denied", 5),
        (503, "unavailable", 6),
        (504, "timeout", 7),
    ] {
        assert_eq!(refusing(status, kind).run(&["job", "list"]).code, ended(code), "{kind}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_said_with_how_to_start_one() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let answer = run(&url, &["job", "list"]);
    assert_eq!(answer.code, ended(6));
    for part in [url.as_str(), "flumen up", "Connection refused"] {
        assert!(answer.errors.contains(part), "{part} in {}", answer.errors);
    }
}

#[test]
fn something_else_that_answers_is_no_flumen_server() {
    let fake =
        Fake::serve(Router::new().fallback(get(|| async { (StatusCode::BAD_GATEWAY, "<html>") })));
    let answer = fake.run(&["job", "list"]);
    assert_eq!(answer.code, ended(6));
    assert!(answer.errors.contains("502"), "{}", answer.errors);
}

#[test]
fn the_token_is_in_no_message() {
    let fake = refusing(401, "denied");
    let answer = run(&fake.url, &["job", "list", "--token", "very-secret"]);
    assert!(!format!("{answer:?}").contains("very-secret"));
}
