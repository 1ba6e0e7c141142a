//! A server with one file, which answers one request after the other as it is told, and 503 after that.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode, header},
};
use futures::StreamExt as _;

use crate::CONTENT;

/// What it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// All of the file, whatever was asked for.
    All,
    /// The part that was asked for.
    Part,
    /// The beginning, as of all of it.
    Truncated(usize),
    /// This status.
    Status(u16),
}

pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    ranges: Mutex<Vec<Option<String>>>,
}

impl Server {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        let shared = Arc::new(Shared { answers, ranges: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/job.jar", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// What each request asked for.
    pub(crate) fn ranges(&self) -> Vec<Option<String>> {
        self.shared.ranges.lock().expect("unbroken").clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let range = headers.get(header::RANGE).map(|it| it.to_str().expect("a text").to_owned());
    let from = range.as_ref().and_then(|it| it.strip_prefix("bytes=")?.strip_suffix('-'));
    let from: usize = from.map_or(0, |from| from.parse().expect("a number"));
    shared.ranges.lock().expect("unbroken").push(range);
    let next = shared.answers.lock().expect("unbroken").pop_front();
    let response = Response::builder();
    let whole = CONTENT.len();
    let response = match next.unwrap_or(Answer::Status(503)) {
        Answer::All => response.body(Body::from(CONTENT)),
        Answer::Part => response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, format!("bytes {from}-{}/{whole}", whole - 1))
            .body(Body::from(&CONTENT[from..])),
        // The connection ends before the length that was announced.
        Answer::Truncated(length) => {
            // What a body has given is sent when it has nothing more at the moment.
            let broken = async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("broken"))
            };
            let sent = futures::stream::iter([Ok(&CONTENT[..length])]);
            response
                .header(header::CONTENT_LENGTH, whole)
                .body(Body::from_stream(sent.chain(futures::stream::once(broken))))
        }
        Answer::Status(status) => response.status(status).body(Body::empty()),
    };
    response.expect("a response")
}
