use std::time::Duration;

use axum::{body::Body, response::Response};
use serde_json::Value;

use super::{Received, World};

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It takes effect, but the connection breaks before the answer is through.
    CutAnswer,
    /// It takes effect, and the answer comes after this time.
    Delay(Duration),
    /// It has no effect: 503, as while a leader is elected.
    Unavailable,
    /// It has no effect: this status, with this text as Flink's error.
    Refuse(u16, String),
    /// It takes effect, but the answer is this.
    Garble(String),
}

/// A fault that waits for its request.
#[derive(Debug)]
pub(super) struct Planned {
    method: String,
    path: String,
    fault: Fault,
}

impl Planned {
    pub(super) fn new(method: &str, path: &str, fault: Fault) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), fault }
    }
}

impl World {
    pub(super) fn take_fault(&mut self, received: &Received) -> Option<Fault> {
        let meets = |planned: &Planned| {
            planned.method == received.method && received.path.starts_with(&planned.path)
        };
        let index = self.faults.iter().position(meets)?;
        Some(self.faults.remove(index).fault)
    }
}

impl Fault {
    /// The answer instead of any effect.
    pub(super) fn refusal(&self) -> Option<Response<Body>> {
        let (status, text) = match self {
            Self::Unavailable => (503, super::answers::LEADER_ELECTION),
            Self::Refuse(status, text) => (*status, text.as_str()),
            Self::CutAnswer | Self::Delay(_) | Self::Garble(_) => return None,
        };
        Some(whole(&(status, serde_json::json!({ "errors": [text] }))))
    }

    /// The answer to a request that took effect.
    pub(super) async fn spoil(self, answer: (u16, Value)) -> Response<Body> {
        match self {
            Self::Delay(time) => {
                tokio::time::sleep(time).await;
                whole(&answer)
            }
            Self::Garble(text) => {
                let body = Body::from(text);
                Response::builder().status(answer.0).body(body).unwrap()
            }
            Self::CutAnswer | Self::Unavailable | Self::Refuse(..) => {
                let cut = futures::stream::once(async {
                    Err::<bytes::Bytes, _>(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
                });
                let head = Response::builder().status(answer.0).header("content-length", "1000");
                head.body(Body::from_stream(cut)).unwrap()
            }
        }
    }
}

pub(super) fn whole((status, body): &(u16, Value)) -> Response<Body> {
    let head = Response::builder()
        .status(*status)
        .header("content-type", "application/json; charset=UTF-8");
    head.body(Body::from(body.to_string())).unwrap()
}
