//! A local cluster's API for targets that send requests.

use std::{cell::RefCell, time::Duration};

use bytes::Bytes;
use flumen_apiserver::{ApiServer, InProcess, Settings};
use futures::FutureExt as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::runtime::Runtime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

/// After so many inputs a server is replaced by an empty one, so that no input depends on many others.
const INPUTS: u32 = 500;
/// What asks for another server, which is not there, has no answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer of the API.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, or its beginning if it has no end.
    pub text: String,
}

/// A server in this process that keeps its state in a directory of its own.
pub struct Server {
    runtime: Runtime,
    api: InProcess,
    _stop: DropGuard,
    _directory: tempfile::TempDir,
}

thread_local! {
    static SERVER: RefCell<Option<(Server, u32)>> = const { RefCell::new(None) };
}

impl Server {
    /// Does something with the server that other inputs use, too.
    pub fn with(work: impl FnOnce(&Self)) {
        SERVER.with_borrow_mut(|server| {
            let (current, inputs) = server.get_or_insert_with(|| (Self::start(), 0));
            work(current);
            *inputs += 1;
            if *inputs == INPUTS {
                *server = None;
            }
        });
    }

    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let directory = tempfile::tempdir().expect("a directory");
        let settings = Settings {
            data_directory: directory.path().to_owned(),
            dialer: std::sync::Arc::new(|_| {
                async { Err(std::io::ErrorKind::ConnectionRefused.into()) }.boxed()
            }),
            wait_for_disk: false,
            ..Settings::default()
        };
        let stop = CancellationToken::new();
        let server =
            runtime.block_on(ApiServer::start(settings, stop.clone())).expect("a server");
        let api = server.in_process("fuzz", &["system:masters"]);
        let server = Self { runtime, api, _stop: stop.drop_guard(), _directory: directory };
        // Without its account a namespace takes no pods.
        server.json(
            "POST",
            "/api/v1/namespaces/default/serviceaccounts",
            r#"{"metadata":{"name":"default"}}"#,
        );
        server
    }

    /// A request with JSON and its answer.
    pub fn json(&self, method: &str, target: &str, body: &str) -> Option<Answer> {
        self.send(method, target, [("content-type", "application/json")].into_iter(), body.into())
    }

    /// A request and its answer; none if it is no request of HTTP.
    pub fn send<'a>(
        &self,
        method: &str,
        target: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: Vec<u8>,
    ) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).ok()?;
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, self.api.clone().oneshot(request)).await
        });
        let answer = answer.ok()?.expect("it never fails");
        let (status, mut body) = (answer.status().as_u16(), answer.into_body());
        let mut text = Vec::new();
        self.runtime.block_on(async {
            // What has to be waited for is a watch.
            while let Some(Some(Ok(frame))) = body.frame().now_or_never() {
                text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            }
        });
        Some(Answer { status, text: String::from_utf8_lossy(&text).into_owned() })
    }
}
