//! Every Flink version by every way to run a job: a session and an application by the drop-ins, and a job
//! file. Without `FLUMEN_ALL_VERSIONS` two of them have to do; `FLUMEN_ALL_VERSIONS=1.17.2` adds that one.

use std::{collections::BTreeSet, path::Path, time::Instant};

use flumen_e2e::{
    CPU_LIMITS, Remains, Streaming, connector_jar, example_jar, tried_versions, write_program,
};
use flumen_model::{FlinkMinor, FlinkVersion};

use crate::{
    drop_in::{DropIn, word_behind, write_pod_template},
    setup::{Running, cache, is_asked_for, note, up},
};

const PROGRAM: &str = "org.apache.flink.streaming.examples.statemachine.StateMachineExample";
/// Events a second, as newer and as older examples are told; each ignores the other's.
const ARGUMENTS: [&str; 4] = ["--rps", "500", "--sleep", "2"];
const SESSION: &str = "kubernetes-session";
const APPLICATION: &str = "kubernetes-application";
const SAVEPOINTS: &str = "file:///data/savepoints";

/// From here on a distribution's own configuration file opens Java's modules; before, who has Java 17 must.
const OPENS_MODULES: FlinkMinor = FlinkMinor::new(1, 18);
const MODULES: &str = "-Denv.java.opts=--add-exports=java.base/sun.net.util=ALL-UNNAMED \
    --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED \
    --add-opens=java.base/java.time=ALL-UNNAMED";
/// From here on a pod may take more of the processors than it asks for.
const HAS_CPU_LIMITS: FlinkMinor = FlinkMinor::new(1, 15);
/// From here on `run` runs applications too, and `run-application` is gone.
const ONE_RUN: FlinkMinor = FlinkMinor::new(2, 0);
/// From here on the example keeps state that Flink can write into a savepoint in its own format only.
const ASYNCHRONOUS_STATE: FlinkMinor = FlinkMinor::new(2, 0);

#[test]
fn flink_1_20_runs_by_the_drop_ins() {
    let running = with("1.20.5");
    by_the_drop_ins(&running, "1.20.5");
    end(running);
}

#[test]
fn flink_2_3_runs_by_the_drop_ins() {
    let running = with("2.3.0");
    by_the_drop_ins(&running, "2.3.0");
    end(running);
}

#[test]
fn every_other_version_runs_by_the_drop_ins_and_from_a_job_file() {
    let others = tried_versions().filter(|version| !["1.20.5", "2.3.0"].contains(version));
    for version in others.filter(|version| is_asked_for(version)) {
        let running = with(version);
        by_the_drop_ins(&running, version);
        let began = Instant::now();
        from_a_job_file(&running, version);
        tell(version, "from a job file", began);
        end(running);
    }
}

fn with(version: &str) -> Running {
    let running = up();
    running.flumen.succeed(&["version", "add", version, "--wait"]).expect("a base image");
    running
}

/// Also where the test succeeds: which versions were run belongs in its output.
fn tell(version: &str, way: &str, began: Instant) {
    note(&format!("Flink {version} ran {way}, in {:.0?}", began.elapsed()));
}

fn end(running: Running) {
    let data = running.flumen.directory().to_owned();
    let before = Remains::of(&data.join("nowhere"));
    running.flumen.stop().expect("stopped");
    assert_eq!(Remains::of(&data).since(&before), [""; 0]);
}

/// A session with a job that is stopped and restored in it, then an application that goes on from there.
fn by_the_drop_ins(running: &Running, version: &str) {
    let directory = running.directory.path();
    let programs = directory.join("program");
    std::fs::create_dir(&programs).expect("a directory");
    let program = programs.join("program.jar");
    write_program(&cache(), version, &program).expect("a program");
    let template = directory.join("pod-template.yaml");
    write_pod_template(&template, (&programs, &directory.join("written")));

    let properties = properties(running, version, &template);
    let properties: Vec<_> = properties.iter().map(String::as_str).collect();
    let home = cache().join("flink").join(version).display().to_string();
    let session = DropIn::new(running, "my-session", ("FLINK_HOME", home));
    let minor = minor(version);
    let began = Instant::now();
    let savepoint = in_a_session(&session, minor, &properties, &program);
    tell(version, "in a session", began);
    let application = DropIn::new(running, "my-application", ("FLINK_VERSION", version.to_owned()));
    let began = Instant::now();
    as_an_application(&application, minor, &properties, &savepoint);
    tell(version, "as an application", began);
}

fn in_a_session(
    session: &DropIn,
    minor: FlinkMinor,
    properties: &[&str],
    program: &Path,
) -> String {
    let created = session.session(properties, "");
    assert!(created.contains("Create flink session cluster my-session successfully"), "{created}");
    session.wait_for_job_manager();
    let program = program.display().to_string();
    let run = |more: &[&str]| {
        let words = [&["-d", "-p", "2", "-c", PROGRAM], more, &[&program], &ARGUMENTS].concat();
        let said = session.flink("run", SESSION, &words);
        let job = word_behind("Job has been submitted with JobID ", &said);
        assert_eq!(session.listed(SESSION), job);
        session.wait_for_tasks(&job);
        job
    };
    let format = savepoint_format(minor);
    let none = session.flink("list", SESSION, &[]);
    assert!(none.contains("No running jobs."), "{none}");
    let job = run(&[]);
    let taken = session.flink("savepoint", SESSION, &[format, &[&job, SAVEPOINTS]].concat());
    let first = word_behind("Savepoint completed. Path: ", &taken);
    let stopped = session.flink("stop", SESSION, &[format, &["-p", SAVEPOINTS, &job]].concat());
    let second = word_behind("Savepoint completed. Path: ", &stopped);
    assert_ne!(first, second);
    session.wait_for_state(&job, "FINISHED");

    let job = run(&["-s", &second]);
    assert_eq!(session.restored_from(&job), second);
    let cancelled = session.flink("cancel", SESSION, &[&job]);
    assert!(cancelled.contains(&format!("Cancelled job {job}.")), "{cancelled}");
    session.wait_for_state(&job, "CANCELED");

    let attached = ["-Dexecution.attached=true"];
    let found = session.session(&attached, "stop\n");
    assert!(found.contains("Retrieve flink cluster my-session successfully"), "{found}");
    session.wait_until_gone();
    second
}

fn as_an_application(
    application: &DropIn,
    minor: FlinkMinor,
    properties: &[&str],
    savepoint: &str,
) {
    let action = if minor < ONE_RUN { "run-application" } else { "run" };
    let format = savepoint_format(minor);
    let mut words = properties.to_vec();
    words.extend(["-p", "2", "-c", PROGRAM, "-s", savepoint, "local:///program/program.jar"]);
    words.extend(ARGUMENTS);
    let said = application.flink(action, APPLICATION, &words);
    assert!(said.contains("cluster my-application successfully"), "{said}");
    application.wait_for_job_manager();
    let job = application.listed(APPLICATION);
    application.wait_for_tasks(&job);
    assert_eq!(application.restored_from(&job), savepoint);
    let take = |action: &str, more: &[&str]| {
        let said = application.flink(action, APPLICATION, &[format, more].concat());
        word_behind("Savepoint completed. Path: ", &said)
    };
    let taken = take("savepoint", &[&job, SAVEPOINTS]);
    let last = take("stop", &["-p", SAVEPOINTS, &job]);
    assert_eq!(BTreeSet::from([savepoint, &taken, &last]).len(), 3);
    application.wait_until_gone();
}

fn savepoint_format(minor: FlinkMinor) -> &'static [&'static str] {
    if minor < ASYNCHRONOUS_STATE { &[] } else { &["-type", "native"] }
}

/// What a cluster is made with.
fn properties(running: &Running, version: &str, template: &Path) -> Vec<String> {
    let shown = |words: &[&str], field: &str| {
        let shown = running.flumen.json(words).expect("JSON");
        shown[field].as_str().expect("text").to_owned()
    };
    let registry = shown(&["environment", "show", "local"], "registry");
    let image = shown(&["version", "show", version], "baseImage");
    let mut all = vec![
        // The names of old, which later versions know too.
        format!("-Dkubernetes.container.image={registry}/{image}"),
        format!("-Dkubernetes.pod-template-file={}", template.display()),
        "-Dkubernetes.jobmanager.cpu=0.5".to_owned(),
        "-Dkubernetes.taskmanager.cpu=0.5".to_owned(),
        "-Djobmanager.memory.process.size=1g".to_owned(),
        "-Dtaskmanager.memory.process.size=1g".to_owned(),
        "-Dtaskmanager.numberOfTaskSlots=1".to_owned(),
    ];
    if minor(version) < OPENS_MODULES {
        all.push(MODULES.to_owned());
    }
    if minor(version) >= HAS_CPU_LIMITS {
        all.extend(CPU_LIMITS.map(|(key, value)| format!("-D{key}={value}")));
    }
    all
}

fn minor(version: &str) -> FlinkMinor {
    version.parse::<FlinkVersion>().expect("a version").minor()
}

fn from_a_job_file(running: &Running, version: &str) {
    let mut streaming = Streaming {
        flumen: &running.flumen,
        version,
        examples: example_jar(&cache(), version).expect("the example jar"),
        connector: connector_jar(&cache(), version).expect("the connector"),
        directory: running.directory.path().to_owned(),
    };
    for (what, step) in Streaming::JOURNEY {
        step(&mut streaming)
            .map_err(|error| format!("Flink {version}, {what}: {error:#}"))
            .expect("the step");
    }
}
