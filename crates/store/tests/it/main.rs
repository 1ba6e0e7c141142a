//! The store on a real SQLite file.

mod clusters;
mod deliveries;
mod explanations;
mod licenses;
mod owners;
mod preparations;
mod projects;
mod trouble;

use flumen_lifecycle::{Desired, EndStep, FlinkState, Intent, Outcome, StartStep, State, Status};
use flumen_model::{
    AccessKind, ClusterAccess, ClusterId, Digest, EventId, JobId, JobSpec, OperationId, ReleaseId,
    RunId, Storage, TeamId, Uuid,
};
use flumen_store::{
    ClusterChange, EnvironmentDocument, Error, Job, JobEvent, JobFilter, NewJob, Operation,
    OperationKind, OperationState, Run, RunStart, StepState, Store,
};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn team() -> TeamId {
    TeamId::from_uuid(id(7))
}

/// A store with a team and an environment, in a directory that goes with it.
async fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("flumen.db")).await.expect("opened");
    assert!(store.create_first_token(team(), "hash", at(0)).await.expect("saved"));
    let access = ClusterAccess::of(AccessKind::Kubeconfig);
    let cluster = ClusterChange { name: "local", access: &access, credentials: None };
    assert!(store.add_cluster(team(), cluster, at(0)).await.expect("saved"));
    let document = EnvironmentDocument {
        cluster: "local".into(),
        namespace: "default".parse().expect("valid"),
        registry: "127.0.0.1:5000".into(),
        storage: Storage::HostPath { host_path: "/a".into(), mount_path: "/b".into() },
        delivery: flumen_model::Delivery::Image,
        fetch_from: flumen_model::FetchFrom::Server,
        configuration: std::collections::BTreeMap::default(),
    };
    store
        .save_environment(team(), (&"local".parse().expect("valid"), &document), None, at(0))
        .await
        .expect("saved");
    (directory, store)
}

fn job(number: u128, name: &str) -> Job {
    let text = format!(
        r#"{{"name":"{name}","environment":"local","flinkVersion":"1.20.5","artifact":"a.jar"}}"#
    );
    let spec: JobSpec = serde_json::from_str(&text).expect("valid");
    Job {
        id: JobId::from_uuid(id(number)),
        team: team(),
        environment: spec.environment.clone(),
        name: spec.name.clone(),
        cluster: "local".into(),
        namespace: "default".parse().expect("valid"),
        cluster_id: ClusterId::for_job(&spec.name),
        spec,
        release: ReleaseId::new(Digest::from_sha256(&[1; 32])),
        desired: Desired::rest(),
        status: Status::new(),
        version: 1,
        status_version: 1,
        created_at: at(1),
        updated_at: at(1),
    }
}

fn operation(number: u128, job: &Job) -> Operation {
    Operation {
        id: OperationId::from_uuid(id(number)),
        team: team(),
        job: Some(job.id),
        environment: Some(job.environment.clone()),
        subject: job.name.to_string(),
        kind: OperationKind::Start,
        request: None,
        principal: "admin".into(),
        state: OperationState::Running,
        error: None,
        refusal: None,
        outcome: None,
        created_at: at(2),
        finished_at: None,
        steps: Vec::new(),
    }
}

fn run(number: u128, job: &Job) -> Run {
    Run {
        id: RunId::from_bits(number),
        job: job.id,
        number: 0,
        release: job.release.clone(),
        environment: job.environment.clone(),
        start: RunStart::default(),
        restored: None,
        plan: None,
        base: None,
        delivery: None,
        image: None,
        objects: None,
        outcome: None,
        reason: None,
        exceptions: None,
        created_at: at(2),
        running_at: None,
        ended_at: None,
    }
}

const fn only(job: &Job) -> NewJob<'_> {
    NewJob {
        job,
        release: None,
        run: None,
        operation: None,
        key: None,
        preparation: None,
        ends_preparation: false,
    }
}

#[tokio::test]
async fn a_job_reads_back_as_it_was_written() {
    let (_directory, store) = store().await;
    let job = job(1, "word-count");
    store.create_job(&only(&job)).await.expect("created");
    assert_eq!(store.job(job.id).await.expect("loaded"), Some(job.clone()));
    assert_eq!(store.job_named(&job.environment, &job.name).await.expect("loaded"), Some(job));
}

#[tokio::test]
async fn every_state_can_be_stored() {
    let (_directory, store) = store().await;
    let mut job = job(1, "word-count");
    store.create_job(&only(&job)).await.expect("created");
    let states = [
        State::Starting { step: StartStep::Image, since: at(3) },
        State::Live { flink: FlinkState::Running, since: at(4) },
        State::Ending { outcome: Outcome::Failed, step: EndStep::Save, since: at(5) },
        State::Ended { outcome: Outcome::Unknown, at: at(6) },
        State::Deleted,
        State::New,
    ];
    for state in states {
        job.status = Status::of(state, Some(RunId::from_bits(9)));
        store.save_status(&job, None, at(4)).await.expect("saved");
        job.status_version += 1;
        assert_eq!(store.job(job.id).await.expect("loaded"), Some(job.clone()));
    }
}

#[tokio::test]
async fn a_status_is_stored_with_its_entry_in_the_timeline_or_not_at_all() {
    let (_directory, store) = store().await;
    let mut job = job(1, "word-count");
    store.create_job(&only(&job)).await.expect("created");
    let event = |number| JobEvent {
        id: EventId::from_uuid(id(number)),
        at: at(3),
        kind: "state".into(),
        message: "RUNNING".into(),
    };
    store.save_status(&job, Some(&event(1)), at(4)).await.expect("saved");
    let stale = store.save_status(&job, Some(&event(2)), at(4)).await.expect_err("stale");
    assert!(matches!(stale, Error::Stale { version: 1, .. }), "{stale}");
    job.status_version += 1;
    assert_eq!(store.events(job.id, None, 10).await.expect("loaded"), [event(1)]);
}

#[tokio::test]
async fn the_first_word_on_the_end_of_a_run_stands_unless_its_savepoint_is_found() {
    let (_directory, store) = store().await;
    let mut job = job(1, "word-count");
    let run = run(5, &job);
    store.create_job(&NewJob { run: Some(&run), ..only(&job) }).await.expect("created");
    for (told, stands) in [
        (Outcome::Unknown, Outcome::Unknown),
        (Outcome::Failed, Outcome::Unknown),
        (Outcome::Stopped, Outcome::Stopped),
        (Outcome::Unknown, Outcome::Stopped),
    ] {
        let ending = State::Ending { outcome: told, step: EndStep::Delete, since: at(4) };
        job.status = Status::of(ending, Some(run.id));
        store.save_status(&job, None, at(4)).await.expect("saved");
        job.status_version += 1;
        let known = store.run(run.id).await.expect("loaded").expect("there");
        assert_eq!(known.outcome, Some(stands), "after {told:?}");
    }
}

#[tokio::test]
async fn who_saw_an_older_version_changes_nothing() {
    let (_directory, store) = store().await;
    let mut job = job(1, "word-count");
    store.create_job(&only(&job)).await.expect("created");
    job.desired.intent = Intent::Cancel;
    store.update_job(&only(&job)).await.expect("first");
    job.desired.intent = Intent::Delete;
    let error = store.update_job(&only(&job)).await.expect_err("stale");
    assert!(matches!(error, Error::Stale { version: 1, .. }), "{error}");
    let known = store.job(job.id).await.expect("loaded").expect("there");
    assert_eq!((known.desired.intent, known.version), (Intent::Cancel, 2));
}

#[tokio::test]
async fn two_jobs_of_one_name_in_one_environment_are_refused() {
    let (_directory, store) = store().await;
    store.create_job(&only(&job(1, "word-count"))).await.expect("created");
    let error = store.create_job(&only(&job(2, "word-count"))).await.expect_err("taken");
    let refusal = "a job word-count in namespace default of cluster local exists already";
    assert_eq!(error.to_string(), refusal);
    let elsewhere = Job { environment: "prod".parse().expect("valid"), ..job(3, "word-count") };
    let error = store.create_job(&only(&elsewhere)).await.expect_err("taken");
    assert_eq!(error.to_string(), refusal);
}

#[tokio::test]
async fn an_environment_is_changed_only_in_the_version_that_was_seen() {
    let (_directory, store) = store().await;
    let name = "local".parse().expect("valid");
    let known = store.environment(&name).await.expect("loaded").expect("there");
    let namespaced = |namespace: &str| EnvironmentDocument {
        namespace: namespace.parse().expect("valid"),
        ..known.document.clone()
    };
    let save = async |namespace: &str, version| {
        let document = namespaced(namespace);
        store.save_environment(team(), (&name, &document), Some(version), at(1)).await
    };
    assert!(save("one", known.version).await.expect("saved"));
    assert!(!save("two", known.version).await.expect("nothing is written"));
    let now = store.environment(&name).await.expect("loaded").expect("there");
    assert_eq!((now.document, now.version), (namespaced("one"), known.version + 1));
}

#[tokio::test]
async fn a_new_operation_takes_the_place_of_the_one_underway() {
    let (_directory, store) = store().await;
    let job = job(1, "word-count");
    let (first, second) = (operation(11, &job), operation(12, &job));
    store.create_job(&NewJob { operation: Some(&first), ..only(&job) }).await.expect("created");
    store.begin_step(first.id, "await-running", at(2)).await.expect("saved");
    store.update_job(&NewJob { operation: Some(&second), ..only(&job) }).await.expect("updated");
    store.begin_step(first.id, "create-objects", at(3)).await.expect("nothing is begun");
    let steps = store.operation(first.id).await.expect("loaded").expect("there").steps;
    let steps: Vec<_> = steps.iter().map(|step| (step.name.as_str(), step.state)).collect();
    assert_eq!(steps, [("await-running", StepState::Skipped)]);
    let state = |operation: Option<Operation>| operation.map(|operation| operation.state);
    assert_eq!(
        state(store.operation(first.id).await.expect("loaded")),
        Some(OperationState::Superseded)
    );
    assert_eq!(
        state(store.operation(second.id).await.expect("loaded")),
        Some(OperationState::Running)
    );
}

#[tokio::test]
async fn a_step_that_is_begun_again_is_the_same_step() {
    let (_directory, store) = store().await;
    let job = job(1, "word-count");
    let operation = operation(11, &job);
    store.create_job(&NewJob { operation: Some(&operation), ..only(&job) }).await.expect("created");
    store.begin_step(operation.id, "build-image", at(3)).await.expect("saved");
    store.note_step(operation.id, "build-image", None, Some("no answer")).await.expect("saved");
    store.begin_step(operation.id, "build-image", at(4)).await.expect("saved");
    store.finish_step(operation.id, "build-image", None, at(5)).await.expect("saved");
    store.begin_step(operation.id, "create-objects", at(6)).await.expect("saved");
    store.finish_operation(operation.id, Some("refused"), at(7)).await.expect("saved");
    let known = store.operation(operation.id).await.expect("loaded").expect("there");
    let steps: Vec<_> =
        known.steps.iter().map(|step| (step.name.as_str(), step.state, step.started_at)).collect();
    let expected = [
        ("build-image", StepState::Succeeded, at(3)),
        ("create-objects", StepState::Failed, at(6)),
    ];
    assert_eq!(steps, expected);
    assert_eq!((known.state, known.error.as_deref()), (OperationState::Failed, Some("refused")));
}

#[tokio::test]
async fn a_deleted_job_takes_all_with_it_but_its_operations() {
    let (_directory, store) = store().await;
    let job = job(1, "word-count");
    let operation = operation(11, &job);
    store.create_job(&NewJob { operation: Some(&operation), ..only(&job) }).await.expect("created");
    store.begin_step(operation.id, "forget", at(1)).await.expect("begun");
    store.delete_job(job.id, at(2)).await.expect("deleted");
    assert_eq!(store.jobs(&JobFilter::default()).await.expect("loaded"), []);
    let known = store.operation(operation.id).await.expect("loaded").expect("there");
    assert_eq!((known.job, known.subject.as_str()), (None, "word-count"));
    // Nobody could end it any more.
    assert_eq!((known.state, known.finished_at), (OperationState::Succeeded, Some(at(2))));
    assert_eq!(known.steps[0].state, StepState::Succeeded);
}

#[tokio::test]
async fn pages_of_jobs_go_on_after_the_last_name() {
    let (_directory, store) = store().await;
    for (number, name) in [(1, "b"), (2, "a"), (3, "c")] {
        store.create_job(&only(&job(number, name))).await.expect("created");
    }
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let filter = JobFilter { after: after.clone(), limit: Some(2), ..JobFilter::default() };
        let page = store.jobs(&filter).await.expect("loaded");
        let Some(last) = page.last() else { break };
        after = Some((last.environment.to_string(), last.name.to_string()));
        names.extend(page.into_iter().map(|job| job.name.to_string()));
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_key_that_was_used_names_its_operation() {
    let (_directory, store) = store().await;
    let job = job(1, "word-count");
    let operation = operation(11, &job);
    let new = NewJob { operation: Some(&operation), key: Some(("key", "hash")), ..only(&job) };
    store.create_job(&new).await.expect("created");
    let principal = store.principal("hash").await.expect("loaded").expect("known");
    assert_eq!(
        store.idempotent(&principal, "key").await.expect("loaded"),
        Some(("hash".into(), operation.id))
    );
    assert_eq!(store.idempotent(&principal, "other").await.expect("loaded"), None);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let (directory, store) = store().await;
    store.close().await;
    let path = directory.path().join("flumen.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opened");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'later', 1, x'00', 0)",
    )
    .execute(&pool)
    .await
    .expect("saved");
    pool.close().await;
    let error = Store::open(&path).await.expect_err("newer");
    assert!(matches!(error, Error::Newer { version: 999, .. }), "{error}");
}
