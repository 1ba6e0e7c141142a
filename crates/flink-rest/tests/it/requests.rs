//! What is sent, where versions differ.

use std::collections::BTreeMap;

use flumen_flink_rest::{
    Call, JarId, JarRun, JobId, RestoreMode, SavepointFormat, SavepointRequest, StopRequest,
    TriggerId, delete_jar, exceptions, plan_jar, run_jar, stop_with_savepoint, task_manager_logs,
    trigger_savepoint, upload_jar,
};
use flumen_model::{FlinkMinor, Kind, RunId};

const JOB: JobId = JobId::from_bits(0x2a);

fn body<T>(call: &Call<T>) -> String {
    String::from_utf8(call.request().body().clone()).unwrap()
}

fn savepoint(format: SavepointFormat) -> SavepointRequest {
    SavepointRequest {
        target_directory: Some("s3://bucket/sp".into()),
        format,
        trigger_id: Some(TriggerId::from_bits(7)),
        ..SavepointRequest::default()
    }
}

#[test]
fn a_savepoint_names_its_trigger_from_1_15_on_and_nothing_that_1_14_refuses() {
    let request = savepoint(SavepointFormat::Canonical);
    let old = trigger_savepoint(FlinkMinor::new(1, 14), JOB, &request).unwrap();
    assert_eq!(body(&old), r#"{"target-directory":"s3://bucket/sp","cancel-job":false}"#);

    let new = trigger_savepoint(FlinkMinor::new(1, 15), JOB, &request).unwrap();
    assert_eq!(
        body(&new),
        r#"{"target-directory":"s3://bucket/sp","cancel-job":false,"formatType":"CANONICAL","triggerId":"00000000000000000000000000000007"}"#
    );
}

#[test]
fn a_stop_spells_its_directory_otherwise_than_a_savepoint() {
    let request = StopRequest {
        target_directory: Some("s3://bucket/sp".into()),
        drain: true,
        format: SavepointFormat::Native,
        trigger_id: None,
    };
    let call = stop_with_savepoint(FlinkMinor::new(2, 3), JOB, &request).unwrap();
    assert_eq!(
        body(&call),
        r#"{"targetDirectory":"s3://bucket/sp","drain":true,"formatType":"NATIVE"}"#
    );
    assert!(!call.is_read());
}

#[test]
fn a_native_savepoint_before_1_15_is_an_error_and_not_a_canonical_one() {
    let request = savepoint(SavepointFormat::Native);
    let error = trigger_savepoint(FlinkMinor::new(1, 14), JOB, &request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "savepoint: the native savepoint format exists only since Flink 1.15, this is 1.14"
    );
    assert_eq!(error.kind(), Kind::Invalid);
}

#[test]
fn the_restore_mode_has_another_name_from_1_20_on_and_none_before_1_15() {
    let jar = JarId::new("1_a.jar".into());
    let run = JarRun {
        savepoint_path: Some("s3://bucket/sp/1".into()),
        restore_mode: Some(RestoreMode::NoClaim),
        ..JarRun::default()
    };
    let sent = |version| body(&run_jar(version, &jar, &run).unwrap());
    assert_eq!(
        sent(FlinkMinor::new(1, 19)),
        r#"{"savepointPath":"s3://bucket/sp/1","restoreMode":"NO_CLAIM"}"#
    );
    assert_eq!(
        sent(FlinkMinor::new(1, 20)),
        r#"{"savepointPath":"s3://bucket/sp/1","claimMode":"NO_CLAIM"}"#
    );
    assert!(run_jar(FlinkMinor::new(1, 14), &jar, &run).is_err());
    assert_eq!(body(&plan_jar(FlinkMinor::new(1, 14), &jar, &run).unwrap()), "{}");
}

#[test]
fn options_of_a_job_in_a_session_need_1_17() {
    let jar = JarId::new("1_a.jar".into());
    let configuration = BTreeMap::from([("parallelism.default".into(), "2".into())]);
    let run = JarRun { configuration, ..JarRun::default() };
    assert!(run_jar(FlinkMinor::new(1, 16), &jar, &run).is_err());
    let call = run_jar(FlinkMinor::new(1, 17), &jar, &run).unwrap();
    assert_eq!(body(&call), r#"{"flinkConfiguration":{"parallelism.default":"2"}}"#);
}

#[test]
fn names_with_any_character_stay_one_segment_of_the_path() {
    let uri = |call: &Call<()>| call.request().uri().to_string();
    assert_eq!(
        uri(&delete_jar(&JarId::new("1_ä b/c?.jar".into()))),
        "/jars/1_%C3%A4%20b%2Fc%3F.jar"
    );
    let logs = task_manager_logs("10.0.0.1:6122-abc");
    assert_eq!(logs.request().uri(), "/taskmanagers/10.0.0.1%3A6122-abc/logs");
}

#[test]
fn a_jar_is_uploaded_as_one_part_with_its_name_and_bytes() {
    let call = upload_jar("a\"b.jar", b"PK\x03\x04 --flumen-jar-boundary-0");
    let sent = String::from_utf8_lossy(call.request().body()).into_owned();
    assert_eq!(
        call.request().headers()["content-type"],
        "multipart/form-data; boundary=flumen-jar-boundary-1"
    );
    insta::assert_snapshot!(sent.replace("\r\n", "\n").replace('\u{3}', "3").replace('\u{4}', "4"), @r#"
    --flumen-jar-boundary-1
    Content-Disposition: form-data; name="jarfile"; filename="ab.jar"
    Content-Type: application/x-java-archive

    PK34 --flumen-jar-boundary-0
    --flumen-jar-boundary-1--
    "#);
}

#[test]
fn a_run_is_found_in_flink_by_its_id() {
    let run: RunId = "ffffffffc0bf46800000000000000001".parse().unwrap();
    let call = exceptions(run.into(), 3);
    assert_eq!(
        call.request().uri(),
        "/jobs/ffffffffc0bf46800000000000000001/exceptions?maxExceptions=3"
    );
    assert_eq!(RunId::from(JobId::from(run)), run);
}
