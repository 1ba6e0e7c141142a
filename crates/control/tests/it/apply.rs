use std::collections::BTreeSet;

use flumen_control::{Change, OperationState, StartOrder, Terms};
use flumen_model::Kind;

use crate::server::{
    JAR, TestServer, application, changed_job, done, environment, job, name, refusal,
};

#[tokio::test]
async fn the_same_request_under_one_key_is_done_once_and_another_one_is_refused() {
    let server = TestServer::start().await;
    let first = server.apply_with(job(), &JAR, Some(("k", "hash"))).await.unwrap();
    let again = server.apply_with(job(), &JAR, Some(("k", "hash"))).await.unwrap();
    assert_eq!((first.change, again.change), (Change::Created, Change::Unchanged));
    assert_eq!(first.operation, again.operation);
    let (kind, text) = refusal(server.apply_with(changed_job(), &JAR, Some(("k", "other"))).await);
    assert_eq!(kind, Kind::Conflict);
    assert!(text.contains("\"k\" was used for another request"), "{text}");
    assert_eq!(server.runs().await.len(), 1);

    let (environment, name) = (environment(), name());
    let key = || Some(("c".to_owned(), "hash".to_owned()));
    let terms = || Terms { key: key(), if_match: None };
    let cancel = || server.control().cancel_job(&server.principal, (&environment, &name), terms());
    assert_eq!(cancel().await.unwrap(), cancel().await.unwrap());
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn an_unchanged_file_changes_nothing_while_the_job_runs_and_after_its_end() {
    let server = TestServer::start().await;
    let run = server.running().await;
    let again = server.apply(job()).await.unwrap();
    assert_eq!((again.change, again.operation), (Change::Unchanged, None));
    server.world.flink.set_state(&run.to_string(), "FINISHED");
    server.until_state("FINISHED").await;
    let again = server.apply(job()).await.unwrap();
    assert_eq!((again.change, again.operation), (Change::Unchanged, None));
    assert_eq!((server.runs().await.len(), server.world.deployments_created()), (1, 1));
    server.finish().await;
}

#[tokio::test]
async fn a_changed_file_after_the_end_makes_the_second_release_and_the_second_run() {
    let server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    let applied = server.apply(changed_job()).await.unwrap();
    assert_eq!(applied.change, Change::Configured);
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    let releases =
        server.control().releases(&server.principal, &environment(), &name()).await.unwrap();
    let numbers: Vec<_> = releases.iter().map(|release| release.number).collect();
    assert_eq!(numbers, [2, 1]);
    let runs = server.runs().await;
    assert_eq!((runs[0].number, &runs[0].release), (2, &releases[0].id));
    assert_eq!(runs[1].release, releases[1].id);
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_second_change_takes_the_place_of_the_first_that_is_on_its_way() {
    let server = TestServer::start().await;
    server.apply_in("FINISHED").await;
    server.until_state("FINISHED").await;
    let second = server.apply(changed_job()).await.unwrap().operation.unwrap();
    let mut third = job();
    third["arguments"] = serde_json::json!(["--third"]);
    // At once: the controller may not have begun with the second run.
    server.apply(third).await.unwrap();
    assert_eq!(server.operation_ended(second).await.state, OperationState::Superseded);
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    let view = server.until_state("RUNNING").await;
    assert_eq!(view.job.status.run, Some(run));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn a_job_that_was_cancelled_before_it_ever_ran_can_be_started_by_its_unchanged_file() {
    let server = TestServer::start().await;
    let define = flumen_control::ApplyJob { start: false, ..application(job(), &JAR) };
    done(server.control().apply_job(&server.principal, define).await.unwrap());
    server.until_state("NEW").await;
    let operation = server.cancel().await;
    server.operation_ended(operation).await;
    let applied = server.apply(job()).await.unwrap();
    assert!(applied.operation.is_some(), "it is started");
    let cancel = server.cancel().await;
    server.operation_ended(cancel).await;
    server.finish().await;
}

#[tokio::test]
async fn a_job_that_is_being_deleted_can_neither_be_applied_nor_be_saved_by_a_cancel() {
    let server = TestServer::start().await;
    server.running().await;
    // Flink takes its time, so that the deletion is underway for a while.
    server.world.flink.script(
        "PATCH",
        &format!("/jobs/{}", server.wished_run().await),
        202,
        serde_json::json!({}),
    );
    let run = server.wished_run().await;
    let deletion = server.delete().await;
    let (kind, text) = refusal(server.apply(job()).await);
    assert_eq!(kind, Kind::Conflict);
    assert!(text.contains("is being deleted"), "{text}");
    let cancel = server
        .control()
        .cancel_job(&server.principal, (&environment(), &name()), Terms::default())
        .await;
    assert_eq!(refusal(cancel).0, Kind::Conflict);
    server.world.flink.set_state(&run.to_string(), "CANCELED");
    server.until_gone().await;
    assert_eq!(
        server.operation_ended(deletion).await.state,
        flumen_control::OperationState::Succeeded
    );
    server.finish().await;
}

#[tokio::test]
async fn of_two_orders_for_the_same_version_one_is_carried_out() {
    let server = TestServer::start().await;
    server.running().await;
    let (environment, name) = (environment(), name());
    let version = server.view().await.unwrap().job.version;
    let terms = || Terms { key: None, if_match: Some(version) };
    let cancel = || server.control().cancel_job(&server.principal, (&environment, &name), terms());
    let answers = futures::future::join_all((0..8).map(|_| cancel())).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 7, "{answers:?}");
    for error in refused {
        assert_eq!((error.kind(), error.code()), (Kind::Conflict, "request.precondition"));
    }
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn the_same_request_made_at_once_is_one_operation() {
    let server = TestServer::start().await;
    let apply = || server.apply_with(job(), &JAR, Some(("k", "hash")));
    let answers = futures::future::join_all((0..6).map(|_| apply())).await;
    let operations: BTreeSet<_> =
        answers.into_iter().map(|answer| answer.unwrap().operation.unwrap()).collect();
    assert_eq!((operations.len(), server.runs().await.len()), (1, 1));
    server.cancel().await;
    server.until_state("CANCELED").await;

    // None is refused for what another one of them began, or as it saw the job before that.
    let (environment, name) = (environment(), name());
    let version = Some(server.view().await.unwrap().job.version);
    let key = Some(("start".to_owned(), "hash".to_owned()));
    let start = || {
        let terms = Terms { key: key.clone(), if_match: version };
        let place = (&environment, &name);
        server.control().start_job(&server.principal, place, StartOrder::default(), terms)
    };
    let answers = futures::future::join_all((0..6).map(|_| start())).await;
    let operations: BTreeSet<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!((operations.len(), server.runs().await.len()), (1, 2));
    server.cancel().await;
    server.until_state("CANCELED").await;
    server.finish().await;
}
