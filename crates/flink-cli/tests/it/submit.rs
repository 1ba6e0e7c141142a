//! Programs to a session.

use flumen_testkit::{FakeFlink, sample};
use serde_json::{Value, json};

use crate::{
    drop_in::{DropIn, Outcome},
    kubernetes::Kubernetes,
};

struct World {
    _kubernetes: Kubernetes,
    flink: FakeFlink,
    drop_in: DropIn,
    version: &'static str,
    /// As the recorded session gave it.
    jar: String,
    job: String,
}

impl World {
    fn new(version: &'static str) -> Self {
        let kubernetes = Kubernetes::start();
        let flink = kubernetes.runtime.block_on(FakeFlink::start(version));
        kubernetes.serve("my-session", flink.url());
        let drop_in = DropIn::new(version, &kubernetes);
        drop_in.write("job.jar", "PK");
        let uploaded = sample(version, "jars-upload");
        let path = uploaded.body["filename"].as_str().expect("a path");
        let jar = path.rsplit('/').next().expect("a name").to_owned();
        let run = sample(version, "jar-run");
        let job = run.body["jobid"].as_str().expect("an id").to_owned();
        flink.script("POST", "/jars/upload", 200, uploaded.body.clone());
        flink.script("POST", &format!("/jars/{jar}/run"), 200, run.body);
        flink.script("DELETE", &format!("/jars/{jar}"), 200, json!({}));
        Self { _kubernetes: kubernetes, flink, drop_in, version, jar, job }
    }

    fn act(&self, action: &str, more: &[&str]) -> Outcome {
        let mut arguments =
            vec![action, "-t", "kubernetes-session", "-Dkubernetes.cluster-id=my-session"];
        arguments.extend(more);
        self.drop_in.flink(&arguments)
    }

    fn sent(&self, end: &str) -> Value {
        let found = self.flink.received().into_iter().find(|it| it.path.ends_with(end));
        found.expect("a request to this path").body
    }
}

#[test]
fn a_jar_is_uploaded_and_run_with_what_the_command_line_says() {
    let world = World::new("1.20.5");
    let outcome = world.act(
        "run",
        &[
            "-d",
            "-c",
            "a.Main",
            "-p",
            "3",
            "-s",
            "file:/sp/1",
            "-n",
            "-rm",
            "claim",
            "-Dpipeline.name=mine",
            "-Dkubernetes.jobmanager.cpu=2",
            "job.jar",
            "--in",
            "a b",
            "-p",
        ],
    );
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let line = format!("Job has been submitted with JobID {}\n", world.job);
    assert!(outcome.out.ends_with(&line), "{}", outcome.out);
    assert_eq!(
        world.sent("/run"),
        json!({
            "entryClass": "a.Main",
            "programArgsList": ["--in", "a b", "-p"],
            "parallelism": 3,
            "allowNonRestoredState": true,
            "savepointPath": "file:/sp/1",
            "claimMode": "CLAIM",
            "flinkConfiguration": {"pipeline.name": "mine"},
        })
    );
    assert!(world.sent("/upload").as_str().expect("a form").contains("filename=\"job.jar\""));
}

#[test]
fn an_attached_run_waits_for_the_end_of_the_job() {
    let world = World::new("1.20.5");
    let result = format!("/jobs/{}/execution-result", world.job);
    let finished = sample("1.20.5", "job-execution-result-finished");
    world.flink.script("GET", &result, 200, finished.body);
    let outcome = world.act("run", &["job.jar"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.out.contains("Program execution finished\n"));
    assert!(outcome.out.contains(&format!("Job with JobID {} has finished.", world.job)));
    let failed = sample("1.20.5", "job-execution-result-failed");
    world.flink.script("GET", &result, 200, failed.body);
    let outcome = world.act("run", &["job.jar"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.notes.contains(&format!("Job failed (JobID: {})", world.job)));
}

#[test]
fn a_program_that_does_not_run_leaves_no_jar_behind() {
    let world = World::new("2.3.0");
    let refused = sample(world.version, "jar-run-bad-class");
    let run = format!("/jars/{}/run", world.jar);
    world.flink.script("POST", &run, refused.status, refused.body);
    let outcome = world.act("run", &["-d", "job.jar"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.notes.contains("Could not run the program"), "{}", outcome.notes);
    assert_eq!(world.flink.count("DELETE", "/jars/"), 1);
}

#[test]
fn the_parallelism_of_the_configuration_is_sent_or_refused() {
    for (given, sent) in [("4", Some(4)), ("-1", None)] {
        let world = World::new("1.20.5");
        let outcome =
            world.act("run", &["-d", &format!("-Dparallelism.default={given}"), "job.jar"]);
        assert_eq!(outcome.code, 0, "{outcome:?}");
        assert_eq!(world.sent("/run").get("parallelism").and_then(Value::as_i64), sent);
    }
    let world = World::new("1.20.5");
    for wrong in ["0", "-2"] {
        for action in [&["run", "-d"][..], &["info"]] {
            let option = format!("-Dparallelism.default={wrong}");
            let outcome = world.act(action[0], &[&action[1..], &[&option, "job.jar"]].concat());
            assert_eq!(outcome.code, 1, "{outcome:?}");
            let said = format!("parallelism.default is \"{wrong}\": ");
            assert!(outcome.out.starts_with(&said), "{}", outcome.out);
        }
    }
    assert_eq!(world.flink.count("POST", "/"), 0);
}

#[test]
fn what_is_doubtful_in_the_configuration_is_told_and_the_program_runs() {
    let world = World::new("1.20.5");
    let clean = world.act("run", &["-d", "job.jar"]);
    assert_eq!((clean.code, clean.notes.as_str()), (0, ""), "{clean:?}");
    let outcome = world.act("run", &["-d", "-Dstate.checkpoints.num-retained=many", "job.jar"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.notes.starts_with("warning: the value 'many' of 'state.checkpoints.num-retained'"),
        "{}",
        outcome.notes
    );
}

#[test]
fn options_of_a_job_that_the_session_cannot_take_are_told_before_1_17() {
    let world = World::new("1.17.2");
    let mut old = World::new("1.17.2");
    old.drop_in.set("FLINK_VERSION", "1.16.3");
    old.drop_in.write("conf/flink-conf.yaml", "");
    let arguments = ["-d", "-Dpipeline.name=mine", "job.jar"];
    let new = world.act("run", &arguments);
    assert!(!new.notes.contains("pipeline.name"), "{}", new.notes);
    let outcome = old.act("run", &arguments);
    assert!(outcome.notes.contains("pipeline.name has no effect"), "{}", outcome.notes);
    let refused = old.act("run", &["-d", "-C", "file:/a.jar", "job.jar"]);
    assert_eq!(refused.code, 1);
    assert!(refused.notes.contains("takes no class path"), "{}", refused.notes);
}

#[test]
fn the_plan_of_a_program_comes_from_a_session_and_the_jar_goes_away_again() {
    let world = World::new("1.20.5");
    let plan = sample("1.20.5", "jar-plan");
    world.flink.script("POST", &format!("/jars/{}/plan", world.jar), 200, plan.body);
    let outcome = world.act("info", &["-c", "Ha", "job.jar"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let printed = outcome.out.lines().nth(1).expect("a plan");
    let printed: Value = serde_json::from_str(printed).expect("JSON");
    assert_eq!(printed["nodes"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.flink.count("DELETE", "/jars/"), 1);
    let unnamed = world.drop_in.flink(&["info", "job.jar"]);
    assert_eq!(unnamed.code, 1);
    assert!(unnamed.notes.contains("Name a session that may run it"), "{}", unnamed.notes);
}

#[test]
fn a_jar_that_is_not_here_is_told_before_anything_is_asked() {
    let world = World::new("1.20.5");
    let missing = world.act("run", &["-d", "none.jar"]);
    assert_eq!(missing.code, 1);
    assert!(missing.out.contains("JAR file does not exist"), "{missing:?}");
    let elsewhere = world.act("run", &["-d", "local:///opt/job.jar"]);
    assert!(elsewhere.notes.contains("is not on this machine"), "{elsewhere:?}");
    let none = world.act("run", &["-d"]);
    assert!(none.out.contains("Java program should be specified a JAR file."), "{none:?}");
    assert_eq!(world.flink.received().iter().filter(|it| it.method == "POST").count(), 0);
}

#[test]
fn python_in_a_session_without_an_interpreter_names_the_way_that_works() {
    let world = World::new("1.20.5");
    let outcome = world.act("run", &["-d", "-py", "job.py", "-pyclientexec", "/no/such/python"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.notes.contains("/no/such/python cannot be started"), "{}", outcome.notes);
    assert!(outcome.notes.contains("-t kubernetes-application"), "{}", outcome.notes);
}
