//! The fake JobManager behaves as the typed calls know the real one.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod snapshots;

use std::time::Duration;

use flumen_flink_rest::{
    self as rest, Call, Error, JobId, JobState, SavepointStatus, StopRequest, TriggerId,
};
use flumen_model::FlinkMinor;
use flumen_testkit::{FakeFlink, Fault, VERSIONS, eventually_async};

const ID: &str = "0000000000000000000000000000002a";
const JOB: JobId = JobId::from_bits(0x2a);
const TRIGGER: TriggerId = TriggerId::from_bits(7);
const MINOR: FlinkMinor = FlinkMinor::new(1, 20);

/// Sends a call. The outer error is a broken connection.
async fn send<T>(flink: &FakeFlink, call: &Call<T>) -> Result<Result<T, Error>, reqwest::Error> {
    let request = call.request();
    let url = format!("{}{}", flink.url(), request.uri());
    let answer = reqwest::Client::new()
        .request(request.method().clone(), url)
        .headers(request.headers().clone())
        .body(request.body().clone())
        .send()
        .await?;
    let status = answer.status();
    Ok(call.parse(status, &answer.bytes().await?))
}

async fn ask<T>(flink: &FakeFlink, call: &Call<T>) -> Result<T, Error> {
    send(flink, call).await.unwrap()
}

#[tokio::test]
async fn a_fake_of_every_recorded_version_answers_what_a_tracker_asks() {
    for version in VERSIONS {
        let flink = FakeFlink::start(version).await;
        flink.add_job(ID, "word-count", "RUNNING");
        assert_eq!(ask(&flink, &rest::overview()).await.unwrap().flink_version, version);
        assert_eq!(ask(&flink, &rest::overview()).await.unwrap().jobs_running, 1);
        let jobs = ask(&flink, &rest::jobs_overview()).await.unwrap();
        assert_eq!((jobs[0].id, jobs[0].name.as_str()), (JOB, "word-count"));
        let detail = ask(&flink, &rest::job(JOB)).await.unwrap();
        assert!(detail.tasks().all_running(), "{version}");
        assert!(ask(&flink, &rest::exceptions(JOB, 5)).await.unwrap().entries.is_empty());
        ask(&flink, &rest::checkpoints(JOB)).await.unwrap();
        flink.set_state(ID, "FAILED");
        assert!(!ask(&flink, &rest::exceptions(JOB, 5)).await.unwrap().entries.is_empty());
    }
}

#[tokio::test]
async fn a_job_takes_on_its_states_as_it_is_looked_at() {
    let flink = FakeFlink::start("2.3.0").await;
    flink.add_job(ID, "word-count", "INITIALIZING");
    flink.play(ID, &["CREATED", "RUNNING", "FINISHED"]);
    eventually_async(Duration::from_secs(10), || async {
        let state = ask(&flink, &rest::jobs_overview()).await.unwrap().remove(0).state;
        if state == JobState::Finished { Ok(()) } else { Err(state) }
    })
    .await;
    assert_eq!(flink.count("GET", "/jobs/overview"), 3);
}

#[tokio::test]
async fn a_cancellation_whose_answer_is_lost_has_happened() {
    let flink = FakeFlink::start("1.20.5").await;
    flink.add_job(ID, "word-count", "RUNNING");
    flink.fail_next("PATCH", "/jobs/", Fault::CutAnswer);
    assert!(send(&flink, &rest::cancel(JOB)).await.is_err(), "the answer was cut");
    assert_eq!(flink.state(ID), "CANCELLING");
    ask(&flink, &rest::cancel(JOB)).await.unwrap();
    assert_eq!(ask(&flink, &rest::jobs_overview()).await.unwrap()[0].state, JobState::Canceled);
}

#[tokio::test]
async fn a_stop_that_is_repeated_with_its_id_is_one_stop() {
    let flink = FakeFlink::start("1.20.5").await;
    flink.add_job(ID, "word-count", "RUNNING");
    let request = StopRequest { trigger_id: Some(TRIGGER), ..StopRequest::default() };
    let stop = rest::stop_with_savepoint(MINOR, JOB, &request).unwrap();
    flink.fail_next("POST", "/jobs/", Fault::CutAnswer);
    assert!(send(&flink, &stop).await.is_err());
    assert_eq!(ask(&flink, &stop).await.unwrap(), TRIGGER);
    assert_eq!(flink.triggers(), [TRIGGER.to_string()]);

    let status = rest::savepoint_status(JOB, TRIGGER);
    assert_eq!(ask(&flink, &status).await.unwrap(), SavepointStatus::InProgress);
    flink.complete_savepoint(&TRIGGER.to_string(), "file:/sp/1");
    let done = SavepointStatus::Completed { location: "file:/sp/1".into() };
    assert_eq!(ask(&flink, &status).await.unwrap(), done);
    assert_eq!(flink.state(ID), "FINISHED");

    flink.forget_triggers();
    assert!(matches!(ask(&flink, &status).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_savepoint_of_an_unknown_job_is_accepted_and_fails_later() {
    let flink = FakeFlink::start("1.17.2").await;
    let request = rest::SavepointRequest::default();
    let trigger = rest::trigger_savepoint(FlinkMinor::new(1, 17), JOB, &request).unwrap();
    let trigger = ask(&flink, &trigger).await.unwrap();
    let status = ask(&flink, &rest::savepoint_status(JOB, trigger)).await.unwrap();
    let SavepointStatus::Failed(failure) = status else { panic!("{status:?}") };
    assert_eq!(failure.message(), format!("Could not find Flink job ({ID})"));
}

#[tokio::test]
async fn a_job_manager_without_a_leader_and_one_that_talks_nonsense_are_errors() {
    let flink = FakeFlink::start("1.20.5").await;
    flink.set_ready(false);
    let early = ask(&flink, &rest::jobs_overview()).await;
    assert!(matches!(early, Err(Error::NotReady { .. })), "{early:?}");
    flink.set_ready(true);
    flink.fail_next("GET", "/jobs/overview", Fault::Garble("<html>".into()));
    let odd = ask(&flink, &rest::jobs_overview()).await;
    assert!(matches!(odd, Err(Error::Malformed { .. })), "{odd:?}");
    assert!(ask(&flink, &rest::jobs_overview()).await.unwrap().is_empty());
}
