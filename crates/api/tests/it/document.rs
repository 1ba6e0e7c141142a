use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::server::{Server, answer};

#[test]
fn the_document_beside_the_crate_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = serde_json::to_string_pretty(&flumen_api::document()).expect("JSON") + "\n";
    if std::env::var_os("FLUMEN_UPDATE").is_some() {
        std::fs::write(&path, &document).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "openapi.json is not what the handlers say; write it with FLUMEN_UPDATE=1 cargo test -p flumen-api"
    );
}

pub(crate) fn operations() -> Vec<(Method, String, Value)> {
    let document = serde_json::to_value(flumen_api::document()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").clone();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            all.push((method, path.clone(), operation.clone()));
        }
    }
    all
}

#[tokio::test]
async fn nothing_but_health_the_document_and_signed_links_is_answered_without_a_token() {
    let server = Server::start().await;
    for (method, path, _) in operations() {
        let path = path.replace(['{', '}'], "");
        let status =
            server.anonymous(method.clone(), &path).send().await.expect("an answer").status();
        let expected = match path.as_str() {
            "/healthz" => StatusCode::OK,
            // A signed link opens it, and this is none.
            path if path.ends_with("/content") => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(status, expected, "{method} {path}");
        let wrong = server.anonymous(method.clone(), &path).bearer_auth("flumen_wrong");
        assert_eq!(wrong.send().await.expect("an answer").status(), expected, "{method} {path}");
    }
    let (status, document) = answer(server.anonymous(Method::GET, "/api/v1/openapi.json")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document, serde_json::to_value(flumen_api::document()).expect("JSON"));
}

#[test]
fn every_operation_has_an_id_and_says_what_it_answers_and_how_it_fails() {
    let mut ids = std::collections::BTreeSet::new();
    for (method, path, operation) in operations() {
        assert!(
            operation["summary"].is_string() || operation["description"].is_string(),
            "{method} {path}"
        );
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.contains_key("default") && responses.len() > 1, "{method} {path}");
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id.clone()), "{id} is the id of two operations");
    }
}

/// The codes as they stand in the places that give them out.
fn codes() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut codes = Vec::new();
    for file in [
        "src/error.rs",
        "../control/src/error/code.rs",
        "../control/src/explanations/failure.rs",
        "../project/src/failure.rs",
    ] {
        let source = std::fs::read_to_string(root.join(file)).expect("a source file");
        let begin = source.find("fn code(&self)").expect("the codes");
        let body = &source[begin..];
        let body = &body[..body.find("\n    }").expect("its end")];
        codes.extend(body.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    codes
}

#[test]
fn every_code_is_explained_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let page = std::fs::read_to_string(path).expect("the page of errors");
    let listed: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(code, _)| code)
        .collect();
    let codes = codes();
    assert!(codes.len() > 20, "{codes:?}");
    for code in &codes {
        assert!(listed.contains(&code.as_str()), "{code} is not in docs/errors.md");
    }
    for code in listed.iter().filter(|code| code.contains('.')) {
        assert!(
            codes.iter().any(|known| known == code),
            "{code} is in docs/errors.md and nowhere else"
        );
    }
}
