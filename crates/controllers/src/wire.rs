//! An API server for tests that notes what it is asked.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use crate::Settings;
use crate::hub::Hub;
use crate::kinds::Kinds;

/// What was asked so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Vec<String>>>);

impl Wire {
    /// `answer` gets method and path, and says status and body; without any, the request is never answered.
    pub(crate) fn client(
        &self,
        answer: impl Fn(&str) -> Option<(u16, Value)> + Send + 'static,
    ) -> Client {
        let wire = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let asked = format!("{} {}", request.method(), request.uri().path());
            let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
            let answer = answer(&asked).filter(|_| !is_watch);
            wire.0.lock().expect("lock").push(asked);
            async move {
                let Some((status, body)) = answer else { return std::future::pending().await };
                let response = Response::builder().status(status);
                response.body(Body::from(serde_json::to_vec(&body).expect("body")))
            }
        });
        Client::new(service, "default")
    }

    /// The same for a whole hub, whose API server has no kinds.
    pub(crate) fn hub(
        &self,
        answer: impl Fn(&str) -> Option<(u16, Value)> + Send + 'static,
    ) -> Hub {
        Hub::new(self.client(answer), Kinds::new(std::iter::empty()), Settings::default())
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().expect("lock").clone()
    }
}
