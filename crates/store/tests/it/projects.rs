//! Projects and their builds.

use flumen_model::{Digest, Kind, OperationId, ProjectName, ProjectSpec};
use flumen_store::{
    BuildEnd, BuiltArtifact, Error, Operation, OperationKind, OperationState, Refusal, Removal,
    RemovalKind, StepState, Store,
};

use crate::{at, id, job, operation, store, team};

fn spec(name: &str, more: &str) -> ProjectSpec {
    let text = format!(
        r#"{{"name":"{name}","environment":"local","repository":"https://h/{name}","builder":"maven"{more}}}"#
    );
    serde_json::from_str(&text).expect("valid")
}

fn orders() -> ProjectName {
    "orders".parse().expect("valid")
}

fn build(number: u128) -> Operation {
    Operation {
        job: None,
        kind: OperationKind::BuildProject,
        subject: "orders".to_owned(),
        request: Some("{}".to_owned()),
        ..operation(number, &job(1, "word-count"))
    }
}

async fn with_project() -> (tempfile::TempDir, Store) {
    let (directory, store) = store().await;
    assert!(store.save_project(team(), &spec("orders", ""), None, at(1)).await.expect("saved"));
    (directory, store)
}

async fn begun(store: &Store, number: u128) -> OperationId {
    let operation = build(number);
    assert!(store.create_build(&operation, (&orders(), "main"), None).await.expect("saved"));
    operation.id
}

fn digest(byte: u8) -> Digest {
    Digest::from_sha256(&[byte; 32])
}

fn made(byte: u8) -> BuiltArtifact {
    let commit = "0123456789abcdef0123456789abcdef01234567".to_owned();
    BuiltArtifact { commit, digest: digest(byte), size: 5, path: "target/a.jar".to_owned() }
}

fn refused() -> Refusal {
    Refusal {
        kind: Kind::Invalid,
        code: "project.build".to_owned(),
        message: "could not build".to_owned(),
        causes: vec!["because".to_owned()],
        hint: None,
    }
}

/// A build that made this and of which nothing is left.
async fn built(store: &Store, number: u128, byte: u8) -> OperationId {
    let id = begun(store, number).await;
    store.save_artifact(&digest(byte), 5, at(3)).await.expect("saved");
    assert!(store.end_build(id, BuildEnd::Built(&made(byte)), at(4)).await.expect("saved"));
    store.build_removed(id, at(5)).await.expect("saved");
    id
}

#[tokio::test]
async fn a_project_is_changed_in_the_version_that_was_seen() {
    let (_directory, store) = with_project().await;
    let changed = spec("orders", r#","ref":"v1""#);
    assert!(!store.save_project(team(), &changed, Some(7), at(2)).await.expect("asked"));
    assert!(store.save_project(team(), &changed, Some(1), at(2)).await.expect("saved"));
    // What it says already is not written.
    assert!(!store.save_project(team(), &changed, None, at(3)).await.expect("asked"));
    let project = store.project(&orders()).await.expect("loaded").expect("there");
    assert_eq!((project.version, &project.spec), (2, &changed));
    assert_eq!((project.created_at, project.updated_at), (at(1), at(2)));
    assert_eq!(store.projects(team()).await.expect("loaded"), [project]);
}

#[tokio::test]
async fn a_build_ends_once_and_stands_until_nothing_is_left() {
    let (_directory, store) = with_project().await;
    let id = begun(&store, 11).await;
    assert!(store.begin_preparation_step(id, "fetch-commit", at(3)).await.expect("saved"));
    let other = build(12);
    assert!(!store.create_build(&other, (&orders(), "main"), None).await.expect("asked"));
    assert!(store.operation(other.id).await.expect("loaded").is_none());
    assert!(store.end_build(id, BuildEnd::Refused(&refused()), at(4)).await.expect("saved"));
    for end in [BuildEnd::Canceled, BuildEnd::Built(&made(1))] {
        assert!(!store.end_build(id, end, at(5)).await.expect("asked"));
    }
    let build = store.build(id).await.expect("loaded").expect("there");
    assert_eq!((build.number, build.state), (1, OperationState::Failed));
    assert_eq!(
        (build.error.as_deref(), &build.artifact),
        (Some("could not build: because"), &None)
    );
    let steps = store.operation(id).await.expect("loaded").expect("there").steps;
    assert_eq!(steps[0].state, StepState::Failed);
    assert_eq!(store.standing_builds().await.expect("loaded"), [id]);
    assert!(!store.delete_project(&orders()).await.expect("asked"));
    store.build_removed(id, at(6)).await.expect("saved");
    assert_eq!(store.standing_builds().await.expect("loaded"), []);
    assert!(store.delete_project(&orders()).await.expect("deleted"));
    assert!(store.project(&orders()).await.expect("loaded").is_none());
    assert!(store.build(id).await.expect("loaded").is_none());
}

#[tokio::test]
async fn the_newest_jar_is_that_of_the_newest_build_that_made_one() {
    let (_directory, store) = with_project().await;
    assert!(store.newest_good_build(&orders()).await.expect("loaded").is_none());
    let good = built(&store, 11, 1).await;
    let bad = begun(&store, 12).await;
    assert!(store.end_build(bad, BuildEnd::Canceled, at(4)).await.expect("saved"));
    let newest = store.newest_good_build(&orders()).await.expect("loaded").expect("there");
    assert_eq!((newest.operation, newest.artifact), (good, Some(made(1))));
    let builds = store.builds(&orders(), 10).await.expect("loaded");
    let numbers: Vec<_> = builds.iter().map(|build| (build.number, build.state)).collect();
    assert_eq!(numbers, [(2, OperationState::Canceled), (1, OperationState::Succeeded)]);
    assert_eq!(store.builds(&orders(), 1).await.expect("loaded").len(), 1);
}

#[tokio::test]
async fn the_jar_of_a_build_stays_as_long_as_the_build() {
    let (_directory, store) = with_project().await;
    let first = built(&store, 11, 1).await;
    let second = built(&store, 12, 2).await;
    store.mark_unused(at(10)).await.expect("marked");
    assert_eq!(store.unused_artifacts().await.expect("loaded"), []);
    assert_eq!(store.surplus_builds(2).await.expect("loaded"), []);
    assert_eq!(store.surplus_builds(1).await.expect("loaded"), [first]);
    // The newest that made a jar is kept, however many came after it.
    for number in [13, 14] {
        let id = begun(&store, number).await;
        assert!(store.end_build(id, BuildEnd::Canceled, at(20)).await.expect("saved"));
        store.build_removed(id, at(21)).await.expect("saved");
    }
    let surplus = store.surplus_builds(1).await.expect("loaded");
    assert!(!surplus.contains(&second) && surplus.len() == 2, "{surplus:?}");
    store.forget_build(first).await.expect("forgotten");
    store.mark_unused(at(30)).await.expect("marked");
    let removal = Removal {
        id: id(99),
        at: at(40),
        kind: RemovalKind::Artifact,
        name: digest(1).to_string(),
        bytes: 5,
    };
    assert!(store.remove_artifact(&digest(1), at(40), &removal).await.expect("removed"));
    assert!(!store.remove_artifact(&digest(2), at(40), &removal).await.expect("asked"));
}

#[tokio::test]
async fn a_request_for_a_build_is_one_by_its_key() {
    let (_directory, store) = with_project().await;
    let key = Some(("key", "request"));
    let operation = build(11);
    assert!(store.create_build(&operation, (&orders(), "main"), key).await.expect("saved"));
    assert!(store.end_build(operation.id, BuildEnd::Canceled, at(3)).await.expect("saved"));
    let again = store.create_build(&build(12), (&orders(), "main"), key).await;
    assert!(matches!(again, Err(Error::Exists { .. })), "{again:?}");
    assert_eq!(store.builds(&orders(), 10).await.expect("loaded").len(), 1);
}

#[tokio::test]
async fn builds_are_no_operations_of_a_job_of_the_same_name() {
    let (_directory, store) = with_project().await;
    begun(&store, 11).await;
    let environment = "local".parse().expect("valid");
    let name = "orders".parse().expect("valid");
    let of_job = store.operations(team(), Some((&environment, &name)), 10).await.expect("loaded");
    assert_eq!(of_job, []);
    assert_eq!(store.operations(team(), None, 10).await.expect("loaded").len(), 1);
    assert_eq!(store.unfinished_versions().await.expect("loaded"), []);
    assert_eq!(store.preparations().await.expect("loaded"), []);
}
