//! What is done to a job, as data: a new operation is one more entry.

use flumen_control::{Error, StartOrder};
use flumen_model::OperationId;
use futures::{FutureExt as _, future::BoxFuture};

use crate::server::{TestServer, environment, job, name};

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) before: Before,
    /// What is asked for, of the server or of Flink; again with the same key until it is taken.
    pub(super) ask: Ask,
    /// What happens outside once it is taken. Again after each kill.
    pub(super) meanwhile: Meanwhile,
    /// The state at the end; none: the job is forgotten.
    pub(super) ends: Option<&'static str>,
    /// How many runs the job has at the end, if it is not forgotten.
    pub(super) runs: usize,
    /// How many Deployments are created for it, those before it included.
    pub(super) deployments: usize,
}

/// How the job is before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Unknown; its artifact is uploaded.
    Unknown,
    /// Running, with a TaskManager and high-availability data.
    Running,
    /// At rest after one run.
    Ended,
}

/// What each request of a run carries.
pub(super) struct Request {
    pub(super) key: String,
    pub(super) jar: Vec<u8>,
}

pub(super) type Ask =
    for<'a> fn(&'a TestServer, &'a Request) -> BoxFuture<'a, Result<Option<OperationId>, Error>>;
pub(super) type Meanwhile = for<'a> fn(&'a TestServer) -> BoxFuture<'a, ()>;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "apply",
        before: Before::Unknown,
        ask: |server, request| {
            let key = Some((request.key.as_str(), "hash"));
            let apply = server.apply_with(job(), &request.jar, key);
            async move { Ok(apply.await?.operation) }.boxed()
        },
        meanwhile: flink_has_the_newest_run,
        ends: Some("RUNNING"),
        runs: 1,
        deployments: 1,
    },
    Scenario {
        name: "start",
        before: Before::Ended,
        ask: |server, request| {
            async move {
                let (environment, name) = (environment(), name());
                let job = (&environment, &name);
                let control = server.control();
                control
                    .start_job(&server.principal, job, StartOrder::default(), request.key())
                    .await
                    .map(Some)
            }
            .boxed()
        },
        meanwhile: flink_has_the_newest_run,
        ends: Some("RUNNING"),
        runs: 2,
        deployments: 2,
    },
    Scenario {
        name: "cancel",
        before: Before::Running,
        ask: |server, request| {
            async move {
                let (environment, name) = (environment(), name());
                let job = (&environment, &name);
                let control = server.control();
                control.cancel_job(&server.principal, job, request.key()).await.map(Some)
            }
            .boxed()
        },
        meanwhile: nothing,
        ends: Some("CANCELED"),
        runs: 1,
        deployments: 1,
    },
    Scenario {
        name: "delete",
        before: Before::Running,
        ask: |server, request| {
            async move {
                let (environment, name) = (environment(), name());
                let job = (&environment, &name);
                let control = server.control();
                control.delete_job(&server.principal, job, request.key()).await.map(Some)
            }
            .boxed()
        },
        meanwhile: nothing,
        ends: None,
        runs: 0,
        deployments: 1,
    },
    Scenario {
        name: "finish",
        before: Before::Running,
        ask: |server, _| {
            async move {
                let run = server.wished_run().await;
                server.world.flink.set_state(&run.to_string(), "FINISHED");
                Ok(None)
            }
            .boxed()
        },
        meanwhile: nothing,
        ends: Some("FINISHED"),
        runs: 1,
        deployments: 1,
    },
];

impl Request {
    fn key(&self) -> Option<(String, String)> {
        Some((self.key.clone(), "hash".to_owned()))
    }
}

fn nothing(_: &TestServer) -> BoxFuture<'_, ()> {
    async {}.boxed()
}

fn flink_has_the_newest_run(server: &TestServer) -> BoxFuture<'_, ()> {
    async {
        let run = server.wished_run().await.to_string();
        if !server.world.flink.has_job(&run) {
            server.world.flink.add_job(&run, "word-count", "RUNNING");
        }
    }
    .boxed()
}
