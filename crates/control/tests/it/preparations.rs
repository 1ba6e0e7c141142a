//! Releases that take their time: what becomes of them when something else is wanted, or the server ends.

use flumen_control::{
    ApplyJob, Applying, Error, Operation, OperationState, SavepointOrder, StepState, Terms,
};
use flumen_model::{Kind, OperationId};
use flumen_testkit::eventually_async;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    dependencies::{maven_repository, settings, with_maven},
    server::{
        JAR, PATIENCE, TestServer, application, changed_job, done, environment, job, name, refusal,
    },
};

impl TestServer {
    /// Applies a job file whose release has to be prepared, and names the operation.
    pub(crate) async fn prepare(&self, apply: ApplyJob) -> Result<OperationId, Error> {
        match Box::pin(self.control().apply_job(&self.principal, apply)).await? {
            Applying::Preparing(operation) => Ok(operation),
            Applying::Done(applied) => unreachable!("there was nothing to prepare: {applied:?}"),
        }
    }

    /// Waits until the release is made; the operation may go on.
    pub(crate) async fn released(&self, id: OperationId) -> Operation {
        let look = || async {
            let operation = self.operation(id).await;
            if operation.outcome.is_some() { Ok(operation) } else { Err(operation) }
        };
        eventually_async(PATIENCE, look).await
    }
}

/// A repository that takes connections and never answers.
struct Silent(TcpListener);

impl Silent {
    async fn start(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        settings(server, &format!("http://{}/", listener.local_addr().unwrap()));
        Self(listener)
    }

    /// Waits until it is asked something; whoever asks waits as long as the connection is kept.
    async fn asked(&self) -> TcpStream {
        let accepted = tokio::time::timeout(PATIENCE, self.0.accept()).await;
        accepted.expect("in time").unwrap().0
    }
}

fn file() -> ApplyJob {
    application(with_maven("lib", &json!(null)), &JAR)
}

async fn state(server: &TestServer, id: OperationId) -> OperationState {
    server.operation(id).await.state
}

async fn cancel(server: &TestServer, id: OperationId) -> Result<Operation, Error> {
    server.control().cancel_operation(&server.principal, id).await
}

#[tokio::test]
async fn what_is_being_prepared_can_be_cancelled_and_leaves_nothing() {
    let server = TestServer::start().await;
    let repository = Silent::start(&server).await;
    let id = server.prepare(file()).await.unwrap();
    let _connection = repository.asked().await;
    let underway = server.operation(id).await;
    let steps: Vec<_> = underway.steps.iter().map(|one| (&*one.name, one.state)).collect();
    assert_eq!(steps, [("resolve-dependencies", StepState::Running)]);
    let place = Some((&environment(), &name()));
    let listed = server.control().operations(&server.principal, place, 10).await.unwrap();
    assert_eq!(listed[0].id, id, "the job has operations before it is there");

    let canceled = cancel(&server, id).await.unwrap();
    assert_eq!(canceled.state, OperationState::Canceled);
    assert_eq!(canceled.steps[0].state, StepState::Skipped);
    assert_eq!(canceled.request, None, "what was asked for is forgotten");
    assert_eq!(cancel(&server, id).await.unwrap(), canceled, "once more is the same");
    assert!(server.view().await.is_err(), "no job was made");
    server.finish().await;
}

#[tokio::test]
async fn what_is_done_to_a_job_or_has_ended_is_not_cancelled_so() {
    let server = TestServer::start().await;
    maven_repository(&server);
    let id = server.prepare(file()).await.unwrap();
    server.released(id).await;
    let (kind, text) = refusal(cancel(&server, id).await);
    assert_eq!(kind, Kind::Conflict);
    assert!(text.contains("flumen job cancel word-count"), "{text}");
    let ended = server.cancel().await;
    server.operation_ended(ended).await;
    let (kind, text) = refusal(cancel(&server, ended).await);
    assert_eq!(kind, Kind::Conflict);
    assert!(text.contains("has ended already"), "{text}");
    server.finish().await;
}

#[tokio::test]
async fn the_newest_file_of_a_job_is_the_one_that_counts() {
    let server = TestServer::start().await;
    let _repository = Silent::start(&server).await;
    let first = server.prepare(file()).await.unwrap();
    let second = server.prepare(file()).await.unwrap();
    assert_eq!(state(&server, first).await, OperationState::Superseded);
    assert_eq!(state(&server, second).await, OperationState::Running);
    let run = server.running().await;
    assert_eq!(state(&server, second).await, OperationState::Superseded);

    // An unchanged file says what the job shall be just as well.
    let third = server.prepare(file()).await.unwrap();
    let unchanged = server.apply(job()).await.unwrap();
    assert_eq!(unchanged.operation, None);
    assert_eq!(state(&server, third).await, OperationState::Superseded);
    assert_eq!(server.view().await.unwrap().job.status.run, Some(run), "it runs on");
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn a_job_that_shall_not_run_gets_no_release_later_and_a_savepoint_is_no_reason() {
    let server = TestServer::start().await;
    server
        .world
        .flink
        .map_directory("file:/opt/flink/storage", &server.world.directory.join("storage"));
    server.world.flink.auto_savepoints(true);
    server.running().await;
    let _repository = Silent::start(&server).await;
    let prepared = server.prepare(file()).await.unwrap();
    let (environment, name) = (environment(), name());
    let place = (&environment, &name);
    let savepoint = server
        .control()
        .savepoint_job(&server.principal, place, SavepointOrder::default(), Terms::default())
        .await
        .unwrap();
    assert_eq!(server.operation_ended(savepoint).await.state, OperationState::Succeeded);
    assert_eq!(state(&server, prepared).await, OperationState::Running);
    let canceled = server.cancel().await;
    assert_eq!(state(&server, prepared).await, OperationState::Superseded);
    server.operation_ended(canceled).await;

    let prepared = server.prepare(file()).await.unwrap();
    server.delete().await;
    assert_eq!(state(&server, prepared).await, OperationState::Superseded);
    server.until_gone().await;
    server.finish().await;
}

#[tokio::test]
async fn a_running_job_runs_on_until_its_next_release_is_made() {
    let server = TestServer::start().await;
    let first = server.running().await;
    let repository = Silent::start(&server).await;
    let define = ApplyJob { start: false, ..file() };
    let id = server.prepare(define).await.unwrap();
    let _connection = repository.asked().await;
    assert_eq!(server.view().await.unwrap().state.as_str(), "RUNNING");
    cancel(&server, id).await.unwrap();

    maven_repository(&server);
    let define = ApplyJob { start: false, ..file() };
    let ended = server.operation_ended(server.prepare(define).await.unwrap()).await;
    assert_eq!(ended.state, OperationState::Succeeded, "there is nothing more to do: {ended:?}");
    let view = server.view().await.unwrap();
    assert_eq!((view.job.status.run, view.state.as_str()), (Some(first), "RUNNING"));
    let releases = server.control().releases(&server.principal, &environment(), &name()).await;
    assert_eq!(releases.unwrap().len(), 2);
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn what_can_be_said_at_once_is_said_at_once() {
    let server = TestServer::start().await;
    let _repository = Silent::start(&server).await;
    let prepare = async |file| refusal(server.prepare(application(file, &JAR)).await);
    let mut unknown = with_maven("lib", &json!(null));
    unknown["flinkVersion"] = json!("2.3.0");
    assert_eq!(prepare(unknown).await.0, Kind::NotFound);
    let mut wrong = with_maven("lib", &json!(null));
    wrong["configuration"] = json!({"taskmanager.memory.process.size": "much"});
    assert_eq!(prepare(wrong).await.0, Kind::Invalid);
    let missing = application(with_maven("lib", &json!(null)), b"PK\x03\x04 not uploaded");
    assert_eq!(refusal(server.prepare(missing).await).0, Kind::NotFound);
    let seen = Terms { if_match: Some(1), key: None };
    let absent = ApplyJob { terms: seen, ..file() };
    assert_eq!(refusal(server.prepare(absent).await).0, Kind::NotFound);
    let all = server.control().operations(&server.principal, None, 10).await.unwrap();
    assert_eq!(all.len(), 1, "but for the Flink version nothing was begun: {all:?}");
    server.finish().await;
}

#[tokio::test]
async fn the_same_request_under_one_key_is_one_preparation_to_its_end() {
    let server = TestServer::start().await;
    maven_repository(&server);
    let terms = Terms { key: Some(("k".to_owned(), "hash".to_owned())), if_match: None };
    let apply = || ApplyJob { terms: terms.clone(), ..file() };
    let answers = futures::future::join_all(
        (0..4).map(|_| server.control().apply_job(&server.principal, apply())),
    )
    .await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let (environment, name) = (environment(), name());
    let place = Some((&environment, &name));
    let all = server.control().operations(&server.principal, place, 10).await.unwrap();
    let [only] = &all[..] else { panic!("one operation: {all:?}") };
    let released = server.released(only.id).await;
    let again = server.control().apply_job(&server.principal, apply()).await.unwrap();
    let again = done(again);
    assert_eq!(again.operation, Some(released.id));
    assert_eq!(Some(again.change), released.outcome.map(|outcome| outcome.change));
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn a_server_that_died_meanwhile_goes_on_and_its_release_is_made_once() {
    let mut server = TestServer::start().await;
    let repository = Silent::start(&server).await;
    let id = server.prepare(file()).await.unwrap();
    let _connection = repository.asked().await;
    server.kill().await;
    maven_repository(&server);
    server.open().await;
    let released = server.released(id).await;
    let names: Vec<_> = released.steps.iter().map(|step| step.name.as_str()).collect();
    let expected = ["resolve-dependencies", "fetch-dependencies", "check-jars", "make-release"];
    assert_eq!(names[..4], expected, "a step that is taken up again is the same step");
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!(server.operation_ended(id).await.state, OperationState::Succeeded);
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (1, 1));
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn what_was_cancelled_stays_so_after_a_restart_of_the_server() {
    let mut server = TestServer::start().await;
    let _repository = Silent::start(&server).await;
    let id = server.prepare(file()).await.unwrap();
    cancel(&server, id).await.unwrap();
    server.restart().await;
    maven_repository(&server);
    // What comes later is done, so what was not to be done would have been, too.
    let later = ApplyJob { start: false, ..application(changed_job(), &JAR) };
    server.control().apply_job(&server.principal, later).await.unwrap();
    assert_eq!(state(&server, id).await, OperationState::Canceled);
    assert_eq!(server.view().await.unwrap().job.spec.dependencies, []);
    server.finish().await;
}
