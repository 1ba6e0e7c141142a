use reqwest::{Client, StatusCode, header};

use crate::server::Server;

fn browser() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

#[tokio::test]
async fn nobody_sees_anything_without_having_opened_a_link() {
    let server = Server::start().await;
    for path in ["/", "/jobs/overview", "/open", "/api/v1/jobs"] {
        let url = format!("http://{}{path}", server.ui);
        let answer = browser().get(&url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        let forged = format!("flumen_ui_{}=forged", server.ui.port());
        let answer =
            browser().get(&url).header(header::COOKIE, forged).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_code_that_was_never_made_opens_nothing() {
    let server = Server::start().await;
    let url = format!("http://{}/open/0123456789abcdef", server.ui);
    let answer = browser().get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
    let text = answer.text().await.expect("text");
    assert!(text.contains("flumen job ui"), "{text}");
}

#[tokio::test]
async fn the_token_of_the_api_opens_nothing_here_and_the_ui_is_not_on_the_api() {
    let server = Server::start().await;
    let (status, _) = server.get("/open/0123456789abcdef").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = server.get("/jobs/overview").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
