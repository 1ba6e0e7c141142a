//! What is done to a job, as data: a new operation is one more entry.

use flumen_control::{
    ApplyJob, Applying, Error, Principal, RestartOrder, SavepointOrder, StartOrder, Terms,
};
use flumen_model::{EnvironmentName, JobName, OperationId};
use futures::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};

use crate::{
    dependencies::maven_repository,
    server::{TestServer, changed_job, job},
    sql::{sql_application, sql_job},
};

pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) before: Before,
    /// What is asked for, of the server or of Flink; again with the same key until it is taken.
    pub(super) ask: Ask,
    /// The state at the end; none: the job is forgotten.
    pub(super) ends: Option<&'static str>,
    /// How many runs there were at the end, those before included, each with one Deployment.
    pub(super) runs: usize,
    /// How many savepoints Flink completed, likewise.
    pub(super) savepoints: usize,
}

/// How the job is before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Unknown; its artifact is uploaded.
    Unknown,
    /// Running, with a TaskManager and high-availability data.
    Running,
    /// Finished after one run.
    Finished,
    /// Stopped with a savepoint after one run.
    Stopped,
}

/// What a request needs.
pub(super) struct Request<'a> {
    pub(super) server: &'a TestServer,
    pub(super) environment: EnvironmentName,
    pub(super) name: JobName,
    pub(super) key: &'a str,
    pub(super) jar: &'a [u8],
}

pub(super) type Ask = for<'a> fn(&'a Request<'a>) -> BoxFuture<'a, Asked>;
type Asked = Result<Option<OperationId>, Error>;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "apply",
        before: Before::Unknown,
        ask: |request| request.apply(job()).boxed(),
        ends: Some("RUNNING"),
        runs: 1,
        savepoints: 0,
    },
    Scenario {
        name: "prepare and apply",
        before: Before::Unknown,
        ask: |request| request.prepare().boxed(),
        ends: Some("RUNNING"),
        runs: 1,
        savepoints: 0,
    },
    Scenario {
        name: "start",
        before: Before::Finished,
        ask: |request| request.start().boxed(),
        ends: Some("RUNNING"),
        runs: 2,
        savepoints: 0,
    },
    Scenario {
        name: "start from a savepoint",
        before: Before::Stopped,
        ask: |request| request.start().boxed(),
        ends: Some("RUNNING"),
        runs: 2,
        savepoints: 1,
    },
    Scenario {
        name: "savepoint",
        before: Before::Running,
        ask: |request| request.savepoint().boxed(),
        ends: Some("RUNNING"),
        runs: 1,
        savepoints: 1,
    },
    Scenario {
        name: "stop",
        before: Before::Running,
        ask: |request| request.stop().boxed(),
        ends: Some("STOPPED"),
        runs: 1,
        savepoints: 1,
    },
    Scenario {
        name: "restart",
        before: Before::Running,
        ask: |request| request.restart().boxed(),
        ends: Some("RUNNING"),
        runs: 2,
        savepoints: 1,
    },
    Scenario {
        name: "upgrade",
        before: Before::Running,
        ask: |request| request.apply(changed_job()).boxed(),
        ends: Some("RUNNING"),
        runs: 2,
        savepoints: 1,
    },
    Scenario {
        name: "cancel",
        before: Before::Running,
        ask: |request| request.cancel().boxed(),
        ends: Some("CANCELED"),
        runs: 1,
        savepoints: 0,
    },
    Scenario {
        name: "delete",
        before: Before::Running,
        ask: |request| request.delete().boxed(),
        ends: None,
        runs: 1,
        savepoints: 0,
    },
    Scenario {
        name: "finish",
        before: Before::Running,
        ask: |request| request.finish().boxed(),
        ends: Some("FINISHED"),
        runs: 1,
        savepoints: 0,
    },
];

const SCRIPT: &str = "CREATE TABLE a (n INT) WITH ('connector' = 'datagen');
CREATE TABLE b (n INT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT n FROM a;
";

impl Request<'_> {
    async fn apply(&self, file: Value) -> Asked {
        let applied = self.server.apply_with(file, self.jar, Some((self.key, "hash"))).await?;
        Ok(applied.operation)
    }

    /// A SQL job with Maven coordinates, whose script no other run has.
    async fn prepare(&self) -> Asked {
        maven_repository(self.server);
        let file = sql_job(&json!({"dependencies": [{"maven": "g:a:1", "role": "lib"}]}));
        let script = format!("{SCRIPT}-- {}", self.key);
        let digest = self.server.try_upload(script.as_bytes()).await?;
        let (principal, _, terms) = self.common();
        let apply = ApplyJob { terms, ..sql_application(file, digest) };
        Ok(match self.server.control().apply_job(principal, apply).await? {
            Applying::Preparing(operation) => Some(operation),
            Applying::Done(applied) => applied.operation,
        })
    }

    async fn start(&self) -> Asked {
        let (principal, place, terms) = self.common();
        let order = StartOrder::default();
        self.server.control().start_job(principal, place, order, terms).await.map(Some)
    }

    async fn savepoint(&self) -> Asked {
        let (principal, place, terms) = self.common();
        let order = SavepointOrder::default();
        self.server.control().savepoint_job(principal, place, order, terms).await.map(Some)
    }

    async fn stop(&self) -> Asked {
        let (principal, place, terms) = self.common();
        let order = SavepointOrder::default();
        self.server.control().stop_job(principal, place, order, terms).await.map(Some)
    }

    async fn restart(&self) -> Asked {
        let (principal, place, terms) = self.common();
        let order = RestartOrder::default();
        self.server.control().restart_job(principal, place, order, terms).await.map(Some)
    }

    async fn cancel(&self) -> Asked {
        let (principal, place, terms) = self.common();
        self.server.control().cancel_job(principal, place, terms).await.map(Some)
    }

    async fn delete(&self) -> Asked {
        let (principal, place, terms) = self.common();
        self.server.control().delete_job(principal, place, terms).await.map(Some)
    }

    /// It is Flink that is asked here.
    async fn finish(&self) -> Asked {
        let run = self.server.wished_run().await;
        self.server.world.flink.set_state(&run.to_string(), "FINISHED");
        Ok(None)
    }

    /// Who asks, about which job, under which key.
    fn common(&self) -> (&Principal, (&EnvironmentName, &JobName), Terms) {
        let key = (self.key.to_owned(), "hash".to_owned());
        let terms = Terms { key: Some(key), if_match: None };
        (&self.server.principal, (&self.environment, &self.name), terms)
    }
}
