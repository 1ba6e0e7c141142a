//! A fake JobManager that remembers checkpoints and savepoints as a real one does.

use std::collections::BTreeSet;

use flumen_flink_rest::{
    self as rest, Checkpoint, CheckpointStatus, Checkpoints, Error, JobState, SavepointRequest,
    SavepointStatus, StopRequest, TriggerId,
};
use flumen_testkit::{FakeFlink, TempDirectory, VERSIONS, samples};
use serde_json::Value;

use crate::{ID, JOB, MINOR, TRIGGER, ask};

const OVER: &str = "0000000000000000000000000000002b";

async fn running(version: &str) -> FakeFlink {
    let flink = FakeFlink::start(version).await;
    flink.add_job(ID, "word-count", "RUNNING");
    flink
}

async fn checkpoints(flink: &FakeFlink) -> Checkpoints {
    ask(flink, &rest::checkpoints(JOB)).await.unwrap()
}

async fn state(flink: &FakeFlink) -> JobState {
    ask(flink, &rest::jobs_overview()).await.unwrap().remove(0).state
}

async fn trigger(flink: &FakeFlink, directory: &str) -> TriggerId {
    let request = SavepointRequest {
        target_directory: Some(directory.to_owned()),
        ..SavepointRequest::default()
    };
    let minor = flink_minor(flink).await;
    ask(flink, &rest::trigger_savepoint(minor, JOB, &request).unwrap()).await.unwrap()
}

async fn stop(flink: &FakeFlink) -> TriggerId {
    let request = StopRequest {
        target_directory: Some("file:///sp/of-op".to_owned()),
        trigger_id: Some(TRIGGER),
        ..StopRequest::default()
    };
    ask(flink, &rest::stop_with_savepoint(MINOR, JOB, &request).unwrap()).await.unwrap()
}

async fn flink_minor(flink: &FakeFlink) -> flumen_model::FlinkMinor {
    let version = ask(flink, &rest::overview()).await.unwrap().flink_version;
    version.parse::<flumen_model::FlinkVersion>().unwrap().minor()
}

async fn status(flink: &FakeFlink, trigger: TriggerId) -> Result<SavepointStatus, Error> {
    ask(flink, &rest::savepoint_status(JOB, trigger)).await
}

fn path(of: Option<&Checkpoint>) -> Option<&str> {
    of.and_then(|one| one.external_path.as_deref())
}

fn is_savepoint_of_job(path: &str, directory: &str) -> bool {
    let name =
        path.strip_prefix(directory).and_then(|rest| rest.strip_prefix("/savepoint-000000-"));
    name.is_some_and(|digits| {
        digits.len() == 12 && digits.bytes().all(|one| b"0123456789abcdef".contains(&one))
    })
}

#[tokio::test]
async fn the_history_of_every_version_is_the_jobs_own() {
    for version in VERSIONS {
        let flink = running(version).await;
        let none = checkpoints(&flink).await;
        assert_eq!((none.counts.total, none.history.len()), (0, 0), "{version}");
        let first = flink.complete_checkpoint(ID);
        flink.fail_checkpoint(ID, "Checkpoint expired before completing.");
        let second = flink.complete_checkpoint(ID);
        assert_eq!(second, format!("file:/flink/checkpoints/{ID}/chk-3"));
        let seen = checkpoints(&flink).await;
        let counts = seen.counts;
        assert_eq!((counts.total, counts.completed, counts.failed), (3, 2, 1), "{version}");
        let ids: Vec<_> = seen.history.iter().map(|one| one.id).collect();
        assert_eq!(ids, [3, 2, 1], "newest first");
        assert_eq!(path(seen.latest.completed.as_ref()), Some(second.as_str()));
        assert_eq!(path(seen.history.last()), Some(first.as_str()));
        assert_eq!((seen.history[0].discarded, seen.history[2].discarded), (false, true));
        let failed = seen.latest.failed.unwrap();
        assert_eq!(
            failed.failure_message.as_deref(),
            Some("Checkpoint expired before completing.")
        );
        assert_eq!((seen.latest.savepoint, seen.latest.restored), (None, None));
    }
}

#[tokio::test]
async fn answers_have_the_fields_of_recorded_ones() {
    let fields = |of: &Value| {
        let object = of.as_object().unwrap_or_else(|| panic!("{of} is no object"));
        object.keys().cloned().collect::<BTreeSet<_>>()
    };
    for version in VERSIONS {
        let flink = running(version).await;
        flink.restore(ID, "file:/sp/savepoint-000000-59010bb00013", true);
        flink.complete_checkpoint(ID);
        let savepoint = trigger(&flink, "file:///sp").await;
        flink.complete(&savepoint.to_string());
        flink.fail_checkpoint(ID, "Checkpoint expired before completing.");
        let call = rest::checkpoints(JOB);
        let url = format!("{}{}", flink.url(), call.request().uri());
        let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let mut compared = 0;
        for sample in samples(version) {
            if sample.status != 200 || !sample.path.ends_with("/checkpoints") {
                continue;
            }
            assert_eq!(fields(&answer), fields(&sample.body), "{version}");
            assert_eq!(fields(&answer["counts"]), fields(&sample.body["counts"]));
            for sort in ["completed", "savepoint", "failed", "restored"] {
                let recorded = &sample.body["latest"][sort];
                if recorded.is_object() {
                    assert_eq!(fields(&answer["latest"][sort]), fields(recorded), "{version}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 0, "nothing was recorded of {version}");
    }
}

#[tokio::test]
async fn a_savepoint_is_under_way_and_then_lies_where_it_was_asked_to() {
    for version in VERSIONS {
        let flink = running(version).await;
        let trigger = trigger(&flink, "file:///sp/of-op").await;
        let seen = checkpoints(&flink).await;
        assert_eq!((seen.counts.in_progress, seen.counts.completed), (1, 0), "{version}");
        assert_eq!(seen.history[0].status, CheckpointStatus::InProgress);
        assert_eq!(seen.history[0].external_path, None);
        let location = flink.complete(&trigger.to_string());
        assert!(is_savepoint_of_job(&location, "file:/sp/of-op"), "{location}");
        let done = SavepointStatus::Completed { location: location.clone() };
        assert_eq!(status(&flink, trigger).await.unwrap(), done);
        let seen = checkpoints(&flink).await;
        let savepoint = seen.latest.savepoint.unwrap();
        assert_eq!(savepoint.external_path, Some(location));
        assert_eq!(savepoint.checkpoint_type.as_deref(), Some("SAVEPOINT"));
        assert!(savepoint.is_savepoint && seen.latest.completed.is_none());
        assert_eq!(flink.state(ID), "RUNNING");
    }
}

#[tokio::test]
async fn in_automatic_mode_a_savepoint_completes_at_the_second_look() {
    let flink = running("1.20.5").await;
    flink.auto_savepoints(true);
    let first = trigger(&flink, "file:///sp").await;
    assert_eq!(status(&flink, first).await.unwrap(), SavepointStatus::InProgress);
    let SavepointStatus::Completed { location } = status(&flink, first).await.unwrap() else {
        panic!("it is the second look")
    };
    // Who lost the id looks at the checkpoints.
    trigger(&flink, "file:///sp").await;
    assert_eq!(checkpoints(&flink).await.counts.in_progress, 1);
    let newest = checkpoints(&flink).await.latest.savepoint.unwrap().external_path.unwrap();
    assert_ne!(newest, location);
    assert!(is_savepoint_of_job(&newest, "file:/sp"), "{newest}");
}

#[tokio::test]
async fn a_stop_with_savepoint_finishes_the_job_and_its_status_is_still_answered() {
    let flink = running("2.3.0").await;
    flink.auto_savepoints(true);
    flink.complete_checkpoint(ID);
    stop(&flink).await;
    assert_eq!(status(&flink, TRIGGER).await.unwrap(), SavepointStatus::InProgress);
    assert_eq!(state(&flink).await, JobState::Running);
    let done = status(&flink, TRIGGER).await.unwrap();
    assert!(matches!(done, SavepointStatus::Completed { .. }), "{done:?}");
    assert_eq!(state(&flink).await, JobState::Finished);
    assert_eq!(status(&flink, TRIGGER).await.unwrap(), done);
    let seen = checkpoints(&flink).await;
    let savepoint = seen.latest.savepoint.unwrap();
    assert_eq!(savepoint.checkpoint_type.as_deref(), Some("SYNC_SAVEPOINT"));
    assert!(!savepoint.discarded && seen.latest.completed.unwrap().discarded);
}

#[tokio::test]
async fn a_stop_whose_savepoint_fails_leaves_the_job_running() {
    let flink = running("1.20.5").await;
    stop(&flink).await;
    flink.fail_savepoint(&TRIGGER.to_string(), "The disk is full.");
    let SavepointStatus::Failed(failure) = status(&flink, TRIGGER).await.unwrap() else {
        panic!("it failed")
    };
    assert_eq!(failure.message(), "The disk is full.");
    assert_eq!(checkpoints(&flink).await.counts.failed, 1);
    assert_eq!(flink.state(ID), "RUNNING");
}

#[tokio::test]
async fn a_savepoint_of_a_job_that_does_not_run_is_accepted_and_fails() {
    let flink = running("1.20.5").await;
    flink.auto_savepoints(true);
    for (state, words) in [
        ("RESTARTING", "Not all required tasks are currently running."),
        ("FINISHED", &*format!("Could not find Flink job ({ID})")),
    ] {
        flink.set_state(ID, state);
        let trigger = trigger(&flink, "file:///sp").await;
        let SavepointStatus::Failed(failure) = status(&flink, trigger).await.unwrap() else {
            panic!("{state}")
        };
        assert_eq!(failure.message(), words);
    }
    assert_eq!(checkpoints(&flink).await.counts.total, 0);
}

#[tokio::test]
async fn what_a_job_was_restored_from_is_told() {
    let flink = running("1.20.5").await;
    flink.restore(ID, "file:/sp/savepoint-000000-59010bb00013", true);
    let seen = checkpoints(&flink).await;
    assert_eq!((seen.counts.restored, seen.counts.total), (1, 0));
    let restored = seen.latest.restored.unwrap();
    assert!(restored.is_savepoint);
    assert_eq!(restored.external_path.as_deref(), Some("file:/sp/savepoint-000000-59010bb00013"));
}

#[tokio::test]
async fn a_job_manager_that_restarts_forgets_and_goes_on_from_the_newest_checkpoint() {
    let flink = running("1.20.5").await;
    flink.add_job(OVER, "over", "FAILED");
    flink.restore(ID, "file:/sp/savepoint-000000-59010bb00013", true);
    flink.restart();
    assert!(checkpoints(&flink).await.latest.restored.unwrap().is_savepoint, "there was no other");
    assert_eq!(state(&flink).await, JobState::Running);
    flink.complete_checkpoint(ID);
    let newest = flink.complete_checkpoint(ID);
    let trigger = trigger(&flink, "file:///sp").await;
    flink.restart();
    assert_eq!((flink.state(ID), flink.state(OVER)), ("RESTARTING".into(), "FAILED".into()));
    assert!(matches!(status(&flink, trigger).await, Err(Error::NotFound { .. })));
    assert!(flink.savepoints().is_empty(), "it was not complete");
    let seen = checkpoints(&flink).await;
    assert_eq!((seen.counts.total, seen.counts.restored, seen.history.len()), (0, 1, 0));
    let restored = seen.latest.restored.unwrap();
    assert_eq!(restored.external_path.as_deref(), Some(newest.as_str()));
    assert!(!restored.is_savepoint);
    assert_eq!(state(&flink).await, JobState::Running);
    let next = flink.complete_checkpoint(ID);
    assert!(number(&next) > number(&newest), "numbers go on: {next} after {newest}");
}

fn number(checkpoint: &str) -> u64 {
    checkpoint.rsplit_once('-').unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn snapshots_in_a_mapped_directory_lie_on_the_disk_until_they_are_discarded() {
    let directory = TempDirectory::new();
    let flink = running("1.20.5").await;
    flink.map_directory("file:///opt/flink/storage", &directory);
    flink.checkpoint_in("file:///opt/flink/storage/checkpoints");
    let there = |path: &str| {
        let rest = path.strip_prefix("file:/opt/flink/storage/").expect("it is mapped");
        directory.join(rest).join("_metadata").is_file()
    };
    let (first, second) = (flink.complete_checkpoint(ID), flink.complete_checkpoint(ID));
    assert_eq!((there(&first), there(&second)), (false, true));
    let trigger = trigger(&flink, "file:///opt/flink/storage/savepoints").await;
    let savepoint = flink.complete(&trigger.to_string());
    assert_eq!(flink.savepoints(), [savepoint.as_str()]);
    assert!(there(&savepoint), "{savepoint}");
    flink.set_state(ID, "FINISHED");
    assert_eq!((there(&second), there(&savepoint)), (false, true));
}

#[tokio::test]
async fn a_savepoint_into_a_directory_that_cannot_be_written_fails() {
    let directory = TempDirectory::new();
    let file = directory.write("file", "");
    let flink = running("1.20.5").await;
    flink.map_directory("file:/file", &file);
    let trigger = trigger(&flink, "file:/file/savepoints").await;
    flink.complete(&trigger.to_string());
    let status = status(&flink, trigger).await.unwrap();
    assert!(matches!(status, SavepointStatus::Failed(_)), "{status:?}");
    assert_eq!(checkpoints(&flink).await.counts.failed, 1);
}
