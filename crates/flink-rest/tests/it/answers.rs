//! What answers mean: the facts that decisions hang on.

use flumen_flink_rest::{
    ApplicationStatus, CheckpointStatus, Error, ExecutionResult, JobId, JobState, SavepointStatus,
    TaskCounts, checkpoints, checkpoints_config, exceptions, execution_result, job, job_metrics,
    jobs_overview, overview, savepoint_status, subtask_metrics, task_managers,
};
use flumen_flink_rest::{Call, TriggerId, VertexId};
use flumen_model::{ByteSize, Kind};
use flumen_testkit::{VERSIONS, sample};
use http::StatusCode;

const JOB: JobId = JobId::from_bits(0x2a);
const TRIGGER: TriggerId = TriggerId::from_bits(7);

fn read<T>(call: &Call<T>, version: &str, name: &str) -> Result<T, Error> {
    let sample = sample(version, name);
    call.parse(StatusCode::from_u16(sample.status).unwrap(), &sample.bytes())
}

#[test]
fn a_running_job_has_its_vertices_and_all_its_tasks_run() {
    for version in VERSIONS {
        let detail = read(&job(JOB), version, "job").unwrap();
        assert_eq!(detail.state, JobState::Running);
        assert_eq!(detail.vertices.len(), 2, "{version}");
        assert_eq!(detail.vertices[0].name, "Source: numbers -> work");
        assert_eq!((detail.tasks().running, detail.tasks().total()), (4, 4));
        assert!(detail.tasks().all_running());
        assert!(detail.end_time.is_none());
        assert_eq!(detail.timestamps.keys().next_back(), Some(&JobState::Running), "{version}");
        let sink = detail.plan().iter().find(|node| !node.inputs.is_empty()).unwrap();
        assert_eq!(sink.inputs[0].id, detail.vertices[0].id);
    }
    let later = read(&job(JOB), "2.3.0", "job-finished").unwrap();
    assert_eq!(later.vertices[0].metrics.write_records, Some(5917));
    assert_eq!(later.vertices[1].metrics.read_records, Some(5899));
}

#[test]
fn the_overview_counts_tasks_under_both_spellings_of_their_states() {
    for version in VERSIONS {
        let jobs = read(&jobs_overview(), version, "jobs-overview").unwrap();
        assert_eq!(jobs[0].tasks, TaskCounts { running: 4, ..TaskCounts::default() }, "{version}");
    }
}

#[test]
fn only_the_three_global_ends_are_ends() {
    for (word, terminal) in [
        ("FINISHED", true),
        ("FAILED", true),
        ("CANCELED", true),
        ("SUSPENDED", false),
        ("RESTARTING", false),
        ("CANCELLING", false),
        ("HIBERNATING", false),
    ] {
        let state = JobState::from(word.to_owned());
        assert_eq!(state.is_terminal(), terminal, "{word}");
        assert_eq!(state.to_string(), word);
    }
}

#[test]
fn the_reason_of_a_failed_job_is_the_programs_exception_and_not_flinks() {
    for version in ["1.17.2", "1.20.5", "2.3.0"] {
        let found = read(&exceptions(JOB, 20), version, "job-exceptions-one").unwrap();
        assert_eq!(found.entries[0].message(), "planned failure at 300", "{version}");
        assert_eq!(
            found.entries[0].cause(),
            "java.lang.IllegalStateException: planned failure at 300"
        );
    }
}

#[test]
fn a_restarting_job_of_1_13_has_its_failure_though_the_history_is_empty() {
    let found = read(&exceptions(JOB, 20), "1.13.6", "job-exceptions-restarting").unwrap();
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.entries[0].message(), "planned failure at 300");
    assert_eq!(
        found.entries[0].concurrent[0].task.as_deref(),
        Some("Source: numbers -> work (1/1)")
    );
}

#[test]
fn a_job_without_failures_has_none() {
    for version in VERSIONS {
        let found = read(&exceptions(JOB, 20), version, "job-exceptions-none").unwrap();
        assert!(found.entries.is_empty(), "{version}");
    }
}

#[test]
fn the_newest_savepoint_and_the_failed_one_are_told_apart() {
    let found = read(&checkpoints(JOB), "2.3.0", "checkpoints-after-savepoint").unwrap();
    let savepoint = found.latest.savepoint.unwrap();
    assert!(savepoint.is_savepoint);
    assert_eq!(
        savepoint.external_path.as_deref(),
        Some("file:/shared/smp-230/sp/savepoint-a24cf1-c94b448c8054")
    );
    assert_eq!(savepoint.checkpointed_size, Some(ByteSize::from_bytes(1748)));
    let failed = found.latest.failed.unwrap();
    assert_eq!(failed.status, CheckpointStatus::Failed);
    assert_eq!(failed.external_path, None);
    assert!(failed.failure_message.unwrap().contains("IO-problem"));
}

#[test]
fn what_a_job_was_restored_from_is_known() {
    let mut answer = sample("1.20.5", "checkpoints-none").body;
    answer["latest"]["restored"] = serde_json::json!({
        "id": 9, "restore_timestamp": 1_795_233_510_329_i64, "is_savepoint": true,
        "external_path": "file:/sp/savepoint-1",
    });
    let found = checkpoints(JOB).parse(StatusCode::OK, answer.to_string().as_bytes()).unwrap();
    let restored = found.latest.restored.unwrap();
    assert_eq!((restored.id, restored.is_savepoint), (9, true));
    assert_eq!(restored.external_path.as_deref(), Some("file:/sp/savepoint-1"));
}

#[test]
fn a_checkpoint_in_the_job_managers_memory_has_no_path() {
    let mut answer = sample("1.20.5", "checkpoints").body;
    answer["latest"]["completed"]["external_path"] =
        "<checkpoint-not-externally-addressable>".into();
    let found = checkpoints(JOB).parse(StatusCode::OK, answer.to_string().as_bytes()).unwrap();
    assert_eq!(found.latest.completed.unwrap().external_path, None);
}

#[test]
fn a_job_that_takes_checkpoints_only_on_demand_has_no_interval() {
    let mut answer = sample("1.20.5", "checkpoints-config").body;
    let read = |answer: &serde_json::Value| {
        checkpoints_config(JOB).parse(StatusCode::OK, answer.to_string().as_bytes()).unwrap()
    };
    assert_eq!(read(&answer).interval, Some(std::time::Duration::from_secs(2)));
    answer["interval"] = i64::MAX.into();
    assert_eq!(read(&answer).interval, None);
}

#[test]
fn completed_is_not_success() {
    for version in VERSIONS {
        let call = savepoint_status(JOB, TRIGGER);
        let failed = read(&call, version, "savepoint-bad-target-status-completed").unwrap();
        let SavepointStatus::Failed(failure) = failed else { panic!("{version}: {failed:?}") };
        assert!(failure.stack_trace.contains("CheckpointException"), "{version}");
    }
    let stopped = read(&savepoint_status(JOB, TRIGGER), "1.20.5", "stop-status-completed").unwrap();
    let SavepointStatus::Completed { location } = stopped else { panic!("{stopped:?}") };
    assert!(location.starts_with("file:/shared/"), "{location}");
}

#[test]
fn a_savepoint_status_without_a_result_is_under_way_or_nonsense() {
    let read = |body: &str| savepoint_status(JOB, TRIGGER).parse(StatusCode::OK, body.as_bytes());
    let running = read(r#"{"status":{"id":"IN_PROGRESS"},"operation":null}"#).unwrap();
    assert_eq!(running, SavepointStatus::InProgress);
    assert!(matches!(
        read(r#"{"status":{"id":"COMPLETED"},"operation":null}"#),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn the_result_of_a_job_says_how_it_ended() {
    let read = |name| read(&execution_result(JOB), "1.17.2", name).unwrap();
    assert_eq!(read("job-execution-result-running"), ExecutionResult::InProgress);
    let ExecutionResult::Completed { status, failure } = read("job-execution-result-failed") else {
        panic!("it has ended");
    };
    assert_eq!(status, ApplicationStatus::Failed);
    assert_eq!(failure.unwrap().class, "org.apache.flink.runtime.JobException");
}

#[test]
fn a_leader_election_an_unknown_job_and_a_missing_call_are_three_things() {
    for version in VERSIONS {
        let starting = read(&jobs_overview(), version, "unavailable-leader-election").unwrap_err();
        assert!(matches!(starting, Error::NotReady { .. }), "{starting:?}");
        let unknown = read(&job(JOB), version, "job-unknown").unwrap_err();
        assert!(matches!(unknown, Error::NotFound { .. }), "{unknown:?}");
        let missing = read(&overview(), version, "path-unknown").unwrap_err();
        assert!(matches!(missing, Error::NotOffered { .. }), "{missing:?}");
        let kinds = [starting.kind(), unknown.kind(), missing.kind()];
        assert_eq!(kinds, [Kind::Unavailable, Kind::NotFound, Kind::Invalid]);
    }
}

#[test]
fn a_session_that_is_not_up_yet_is_not_ready_though_it_says_404_and_500() {
    let early = read(&task_managers(), "1.20.5", "session-taskmanagers-empty").unwrap_err();
    assert_eq!(early.kind(), Kind::Unavailable, "{early}");
    let early = read(&overview(), "1.20.5", "session-overview-empty").unwrap_err();
    assert_eq!(early.kind(), Kind::Unavailable, "{early}");
}

#[test]
fn a_malformed_answer_names_the_call_and_the_field() {
    let read = |body: &str| jobs_overview().parse(StatusCode::OK, body.as_bytes()).unwrap_err();
    let job = r#"{"jid":"000000000000000000000000000000ab","name":"a","state":7}"#;
    let error = read(&format!(r#"{{"jobs":[{job}]}}"#));
    assert_eq!(
        error.to_string(),
        "job overview: the answer of Flink is not understood at jobs[0].state"
    );
    let error = read("<html>Welcome</html>");
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[test]
fn measurements_that_are_no_numbers_are_unknown() {
    let body =
        r#"[{"id":"busyTimeMsPerSecond","min":"NaN","max":12.5,"avg":"Infinity","sum":"3"}]"#;
    let call = subtask_metrics(JOB, VertexId::from_bits(1), &["busyTimeMsPerSecond"]);
    let metric = call.parse(StatusCode::OK, body.as_bytes()).unwrap().remove(0);
    assert_eq!(
        (metric.min, metric.max, metric.avg, metric.sum),
        (None, Some(12.5), None, Some(3.0))
    );

    let metrics = read(&job_metrics(JOB, &["uptime"]), "2.3.0", "job-metrics-values").unwrap();
    let number = |id: &str| metrics.iter().find(|metric| metric.id == id).unwrap().number();
    assert_eq!(number("numRestarts"), Some(0.0));
    assert_eq!(number("lastCheckpointExternalPath"), None);
}
