//! Every recorded answer is read by the call that asks for it, and its request is the one recorded.

use std::fmt::Debug;

use flumen_flink_rest::{
    Call, CheckpointKind, Error, JarId, JarRun, JobId, RestoreMode, SavepointFormat,
    SavepointRequest, StopRequest,
};
use flumen_model::FlinkMinor;
use flumen_testkit::{Sample, VERSIONS, samples};
use http::StatusCode;
use serde_json::Value;

#[test]
fn each_recorded_answer_is_understood_and_each_request_is_the_recorded_one() {
    for version in VERSIONS {
        let minor: FlinkMinor = version.rsplit_once('.').unwrap().0.parse().unwrap();
        let lines: Vec<_> = samples(version)
            .iter()
            .map(|sample| format!("{}: {}", sample.name, outcome(minor, sample)))
            .collect();
        insta::assert_snapshot!(format!("flink_{version}"), lines.join("\n"));
    }
}

/// Makes the call of the sample's request, compares the requests, and reads the sample's answer.
fn outcome(minor: FlinkMinor, sample: &Sample) -> String {
    let (path, query) = sample.path.split_once('?').unwrap_or((&sample.path, ""));
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let job = || segments[1].parse::<JobId>().unwrap();
    let names: Vec<&str> = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("get="))
        .map(|names| names.split(',').collect())
        .unwrap_or_default();
    match (sample.method.as_str(), segments.as_slice()) {
        ("GET", ["overview"]) => read(sample, &flumen_flink_rest::overview()),
        ("GET", ["config"]) => read(sample, &flumen_flink_rest::config()),
        ("GET", ["taskmanagers"]) => read(sample, &flumen_flink_rest::task_managers()),
        ("GET", ["taskmanagers", id, "logs"]) => {
            read(sample, &flumen_flink_rest::task_manager_logs(id))
        }
        ("GET", ["jobmanager", "logs"]) => read(sample, &flumen_flink_rest::job_manager_logs()),
        ("GET", ["jobmanager", "logs", name]) => {
            read(sample, &flumen_flink_rest::job_manager_log(name))
        }
        ("DELETE", ["cluster"]) => read(sample, &flumen_flink_rest::shut_down()),
        ("GET", ["jobs", "overview"]) => read(sample, &flumen_flink_rest::jobs_overview()),
        ("GET", ["jobs", _]) => read(sample, &flumen_flink_rest::job(job())),
        ("PATCH", ["jobs", _]) => read(sample, &flumen_flink_rest::cancel(job())),
        ("GET", ["jobs", _, "status"]) => read(sample, &flumen_flink_rest::job_status(job())),
        ("GET", ["jobs", _, "exceptions"]) if query.is_empty() => {
            // Recorded without a limit, which no call of ours leaves out.
            parse(sample, &flumen_flink_rest::exceptions(job(), 20))
        }
        ("GET", ["jobs", _, "exceptions"]) => {
            read(sample, &flumen_flink_rest::exceptions(job(), 1))
        }
        ("GET", ["jobs", _, "execution-result"]) => {
            read(sample, &flumen_flink_rest::execution_result(job()))
        }
        ("GET", ["jobs", _, "accumulators"]) => {
            read(sample, &flumen_flink_rest::accumulators(job()))
        }
        ("GET", ["jobs", _, "metrics"]) => {
            read(sample, &flumen_flink_rest::job_metrics(job(), &names))
        }
        ("GET", ["jobs", _, "vertices", vertex, "subtasks", "metrics"]) => {
            let vertex = vertex.parse().unwrap();
            // The order of the aggregates is of no account to Flink.
            parse(sample, &flumen_flink_rest::subtask_metrics(job(), vertex, &names))
        }
        ("GET", ["jobs", _, "checkpoints"]) => read(sample, &flumen_flink_rest::checkpoints(job())),
        ("GET", ["jobs", _, "checkpoints", "config"]) => {
            read(sample, &flumen_flink_rest::checkpoints_config(job()))
        }
        ("GET", ["jobs", _, "savepoints", trigger]) => {
            read(sample, &flumen_flink_rest::savepoint_status(job(), trigger.parse().unwrap()))
        }
        ("GET", ["jobs", _, "checkpoints", trigger]) => {
            read(sample, &flumen_flink_rest::triggered_checkpoint(job(), trigger.parse().unwrap()))
        }
        ("POST", ["jobs", _, "checkpoints"]) => {
            let call =
                flumen_flink_rest::trigger_checkpoint(minor, job(), CheckpointKind::Full, None);
            read(sample, &call.unwrap())
        }
        ("POST", ["savepoint-disposal"]) => {
            let path = sample.request_body.as_ref().unwrap()["savepoint-path"].as_str().unwrap();
            read(sample, &flumen_flink_rest::dispose_savepoint(path))
        }
        ("POST", ["jobs", _, "savepoints" | "stop"]) => trigger(minor, sample, job()),
        ("GET", ["jars"]) => read(sample, &flumen_flink_rest::jars()),
        ("POST", ["jars", "upload"]) => {
            parse(sample, &flumen_flink_rest::upload_jar("ha.jar", b"PK"))
        }
        ("POST", ["jars", jar, verb]) => jar_call(minor, sample, jar, verb),
        ("DELETE", ["jars", jar]) => {
            read(sample, &flumen_flink_rest::delete_jar(&JarId::new((*jar).to_owned())))
        }
        ("GET", ["no", "such", "path"]) => parse(sample, &flumen_flink_rest::overview()),
        other => panic!("no call asks {other:?} of {}", sample.name),
    }
}

fn trigger(minor: FlinkMinor, sample: &Sample, job: JobId) -> String {
    let body = sample.request_body.clone().unwrap_or(Value::Null);
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let trigger_id = text("triggerId").map(|id| id.parse().unwrap());
    let call = if sample.path.ends_with("/stop") {
        let request = StopRequest {
            target_directory: text("targetDirectory"),
            drain: body["drain"] == true,
            format: SavepointFormat::Canonical,
            trigger_id,
        };
        flumen_flink_rest::stop_with_savepoint(minor, job, &request)
    } else {
        let request = SavepointRequest {
            target_directory: text("target-directory"),
            cancel_job: body["cancel-job"] == true,
            format: SavepointFormat::Canonical,
            trigger_id,
        };
        flumen_flink_rest::trigger_savepoint(minor, job, &request)
    };
    read(sample, &call.unwrap())
}

fn jar_call(minor: FlinkMinor, sample: &Sample, jar: &str, verb: &str) -> String {
    let body = sample.request_body.clone().unwrap_or(Value::Null);
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let arguments = body["programArgsList"].as_array().cloned().unwrap_or_default();
    let configuration = body["flinkConfiguration"].as_object().cloned().unwrap_or_default();
    let run = JarRun {
        entry_class: text("entryClass"),
        arguments: arguments.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        parallelism: body["parallelism"].as_u64().map(|number| u32::try_from(number).unwrap()),
        job_id: text("jobId").map(|id| id.parse().unwrap()),
        savepoint_path: text("savepointPath"),
        allow_non_restored_state: false,
        restore_mode: None::<RestoreMode>,
        configuration: configuration
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
    };
    let jar = JarId::new(jar.to_owned());
    match verb {
        "run" => read(sample, &flumen_flink_rest::run_jar(minor, &jar, &run).unwrap()),
        "plan" => read(sample, &flumen_flink_rest::plan_jar(minor, &jar, &run).unwrap()),
        other => panic!("no call does {other} with a jar"),
    }
}

fn read<T: Debug>(sample: &Sample, call: &Call<T>) -> String {
    assert_eq!(call.request().method().as_str(), sample.method, "{}", sample.name);
    assert_eq!(call.request().uri().to_string(), sample.path, "{}", sample.name);
    if let Some(Value::Object(recorded)) = &sample.request_body {
        let ours: Value = serde_json::from_slice(call.request().body()).unwrap();
        for (field, value) in recorded {
            assert_eq!(&ours[field], value, "{} sends another {field}", sample.name);
        }
    }
    parse(sample, call)
}

fn parse<T: Debug>(sample: &Sample, call: &Call<T>) -> String {
    match call.parse(StatusCode::from_u16(sample.status).unwrap(), &sample.bytes()) {
        Ok(answer) => {
            let text = format!("{answer:?}");
            let short: String = text.chars().take(140).collect();
            if short.len() < text.len() { format!("{short} …") } else { text }
        }
        Err(error @ Error::Malformed { .. }) => panic!("{}: {error:?}", sample.name),
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}
