//! Applies whose release is not made yet.

use flumen_model::{Kind, OperationId};
use flumen_store::{
    ApplyOutcome, Change, Error, MadeRelease, NewJob, Operation, OperationKind, OperationState,
    PreparationEnd, Refusal, StepState, Store,
};

use crate::{at, job, only, operation, store, team};

fn preparation(number: u128) -> Operation {
    Operation {
        job: None,
        kind: OperationKind::Apply,
        request: Some("{}".to_owned()),
        ..operation(number, &job(1, "word-count"))
    }
}

async fn begun(store: &Store, number: u128) -> OperationId {
    let operation = preparation(number);
    store.create_preparation(&operation, None).await.expect("saved");
    let begun = store.begin_preparation_step(operation.id, "resolve", at(3)).await;
    assert!(begun.expect("saved"));
    operation.id
}

async fn shown(store: &Store, id: OperationId) -> Operation {
    store.operation(id).await.expect("loaded").expect("there")
}

fn outcome() -> ApplyOutcome {
    ApplyOutcome { change: Change::Created, warnings: vec!["doubtful".to_owned()] }
}

#[tokio::test]
async fn a_step_that_is_taken_up_again_is_the_same_also_when_it_had_ended() {
    let (_directory, store) = store().await;
    let id = begun(&store, 11).await;
    store.finish_step(id, "resolve", None, at(4)).await.expect("saved");
    for second in [5, 6] {
        assert!(store.begin_preparation_step(id, "resolve", at(second)).await.expect("saved"));
    }
    assert!(store.begin_preparation_step(id, "fetch", at(7)).await.expect("saved"));
    let steps = shown(&store, id).await.steps;
    let steps: Vec<_> =
        steps.iter().map(|step| (&*step.name, step.state, step.started_at)).collect();
    let expected = [("resolve", StepState::Running, at(3)), ("fetch", StepState::Running, at(7))];
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn a_preparation_becomes_the_operation_of_the_job_that_it_made() {
    let (_directory, store) = store().await;
    let id = begun(&store, 11).await;
    let job = job(1, "word-count");
    let operation = operation(11, &job);
    let outcome = outcome();
    let new = NewJob {
        operation: Some(&operation),
        preparation: Some(MadeRelease { operation: id, outcome: &outcome }),
        ends_preparation: true,
        ..only(&job)
    };
    store.create_job(&new).await.expect("created");
    let known = shown(&store, id).await;
    assert_eq!((known.job, known.state), (Some(job.id), OperationState::Running));
    assert_eq!((known.outcome, known.request), (Some(outcome.clone()), None));
    assert_eq!(known.steps[0].state, StepState::Succeeded);
    assert!(!store.is_preparing(id).await.expect("loaded"));
    assert!(!store.end_preparation(id, PreparationEnd::Canceled, at(9)).await.expect("saved"));
    assert!(!store.begin_preparation_step(id, "fetch", at(9)).await.expect("saved"));

    // Another server has the same release ready.
    let error = store.update_job(&new).await.expect_err("made already");
    assert!(matches!(error, Error::NotUnderway { .. }), "{error}");
    assert_eq!(store.job(job.id).await.expect("loaded").expect("there").version, 1);
}

#[tokio::test]
async fn where_nothing_is_left_to_do_a_preparation_ends_with_its_release() {
    let (_directory, store) = store().await;
    let job = job(1, "word-count");
    let start = operation(10, &job);
    store.create_job(&NewJob { operation: Some(&start), ..only(&job) }).await.expect("created");
    let id = begun(&store, 11).await;
    let outcome = outcome();
    let made = Some(MadeRelease { operation: id, outcome: &outcome });
    let new = NewJob { preparation: made, ends_preparation: true, ..only(&job) };
    store.update_job(&new).await.expect("updated");
    assert_eq!(shown(&store, id).await.state, OperationState::Succeeded);
    assert_eq!(shown(&store, start.id).await.state, OperationState::Running, "it goes on");
}

#[tokio::test]
async fn what_ended_otherwise_makes_no_release() {
    let (_directory, store) = store().await;
    let id = begun(&store, 11).await;
    assert!(store.end_preparation(id, PreparationEnd::Canceled, at(4)).await.expect("saved"));
    let (job, outcome) = (job(1, "word-count"), outcome());
    let made = Some(MadeRelease { operation: id, outcome: &outcome });
    let new = NewJob { preparation: made, ..only(&job) };
    let error = store.create_job(&new).await.expect_err("cancelled");
    assert!(matches!(error, Error::NotUnderway { .. }), "{error}");
    assert_eq!(store.job(job.id).await.expect("loaded"), None, "nothing of it is written");
    let known = shown(&store, id).await;
    assert_eq!((known.state, known.steps[0].state), (OperationState::Canceled, StepState::Skipped));
}

#[tokio::test]
async fn a_later_change_takes_its_place_and_what_is_done_meanwhile_does_not() {
    let (_directory, store) = store().await;
    let first = begun(&store, 11).await;
    let second = begun(&store, 12).await;
    assert_eq!(shown(&store, first).await.state, OperationState::Superseded);
    let job = job(1, "word-count");
    let start = operation(13, &job);
    store.create_job(&NewJob { operation: Some(&start), ..only(&job) }).await.expect("created");
    let place = (&job.environment, &job.name);
    let known = store.preparation_of(team(), place.0, place.1).await.expect("loaded");
    assert_eq!(known, Some(second));
    let change = NewJob { ends_preparation: true, ..only(&job) };
    store.update_job(&change).await.expect("updated");
    assert_eq!(store.preparation_of(team(), place.0, place.1).await.expect("loaded"), None);
    let all = store.operations(team(), Some(place), 10).await.expect("loaded");
    let states: Vec<_> = all.iter().map(|one| (one.id, one.state)).collect();
    let superseded = OperationState::Superseded;
    let expected = [(start.id, OperationState::Running), (second, superseded), (first, superseded)];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn a_refusal_is_told_as_a_request_would_be_told() {
    let (_directory, store) = store().await;
    let id = begun(&store, 11).await;
    let refusal = Refusal {
        kind: Kind::NotFound,
        code: "job.dependencies".to_owned(),
        message: "it cannot be had".to_owned(),
        causes: vec!["nobody has it".to_owned()],
        hint: Some("Look.".to_owned()),
    };
    let end = PreparationEnd::Refused(&refusal);
    assert!(store.end_preparation(id, end, at(5)).await.expect("saved"));
    let known = shown(&store, id).await;
    assert_eq!((known.state, known.refusal), (OperationState::Failed, Some(refusal)));
    let text = Some("it cannot be had: nobody has it".to_owned());
    assert_eq!((&known.error, known.request), (&text, None));
    assert_eq!((known.steps[0].state, &known.steps[0].error), (StepState::Failed, &text));
    assert_eq!(store.preparations().await.expect("loaded"), []);
}

#[tokio::test]
async fn what_a_server_left_is_found_by_what_it_is() {
    let (_directory, store) = store().await;
    let kept = begun(&store, 11).await;
    let version = Operation { kind: OperationKind::AddVersion, ..preparation(12) };
    store.create_operation(&version, None).await.expect("saved");
    assert_eq!(store.preparations().await.expect("loaded"), [kept]);
    let versions = store.unfinished_versions().await.expect("loaded");
    assert_eq!(versions.iter().map(|one| one.id).collect::<Vec<_>>(), [version.id]);
}
