//! What people do to a running job with other tools than Flumen, and snapshots that are no good, on real
//! Flink.

use flumen_e2e::{Answer, connector_jar, example_jar};
use serde_json::Value;

use crate::setup::{PATIENCE, Running, binary, cache, kubectl, until, up};

const JOB: &str = "state-machine";

fn job_file(main_class: &str) -> String {
    let examples = example_jar(&cache(), "1.20.5").expect("the example jar");
    let connector =
        connector_jar(&cache(), "1.20.5").expect("the connector").expect("1.20 has one");
    format!(
        "name: {JOB}
environment: local
flinkVersion: 1.20.5
artifact: {}
dependencies:
  - path: {}
mainClass: org.apache.flink.streaming.examples.{main_class}
restartPolicy: {{attempts: 0}}
configuration:
  execution.checkpointing.interval: 5 s
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 1}}
",
        examples.display(),
        connector.display()
    )
}

impl Running {
    fn apply_file(&self, text: &str, more: &[&str]) -> Answer {
        let file = self.directory.path().join("job.yaml");
        std::fs::write(&file, text).expect("a job file");
        let file = file.display().to_string();
        let apply = ["apply", "--file", &file, "--wait", "--timeout", PATIENCE];
        self.flumen.run(&[&apply, more].concat()).expect("ran")
    }

    fn refused(&self, arguments: &[&str], words: &str) {
        let answer = self.flumen.run(arguments).expect("ran");
        assert!(!answer.status.success(), "it was done: {}", answer.output);
        assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    }

    fn job(&self) -> Value {
        self.flumen.json(&["job", "show", JOB]).expect("the job")
    }

    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until_answer(what, &["job", "show", JOB], wanted)
    }

    /// Asks again and again until the answer is as wanted.
    fn until_answer(
        &self,
        what: &str,
        arguments: &[&str],
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let look = || {
            let answer = self.flumen.json(arguments).expect("an answer");
            wanted(&answer).then_some(answer)
        };
        until(what, look, || format!("{:?}", self.flumen.json(arguments)))
    }

    fn runs(&self) -> Value {
        self.until("the job to run", |job| {
            job["state"] == "RUNNING" && job["unreachableSince"].is_null()
        })
    }

    fn until_snapshot_of(&self, run: &str) {
        let of_run = |found: &Value| {
            found["items"].as_array().is_some_and(|all| all.iter().any(|one| one["run"] == run))
        };
        self.until_answer("a checkpoint", &["snapshot", "list", "--job", JOB], of_run);
    }

    fn warned(&self, words: &str) {
        let said = |events: &Value| events.to_string().contains(words);
        self.until_answer(words, &["job", "history", JOB, "--events"], said);
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let output = kubectl(&self.kubeconfig(), arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {error}");
        text
    }

    /// Cancels the job as a script with Flink's own command line would.
    fn cancel_at_flink(&self, run: &str) {
        let output = flumen_e2e::command(&binary())
            .args(["flink", "cancel", "-t", "kubernetes-application"])
            .arg(format!("-Dkubernetes.cluster-id={JOB}"))
            .arg(run)
            .env("KUBECONFIG", self.kubeconfig())
            .env("FLINK_VERSION", "1.20.5")
            .output()
            .expect("flumen flink");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }
}

fn run_id(job: &Value) -> String {
    job["run"]["id"].as_str().expect("a run").to_owned()
}

#[test]
fn what_others_do_to_a_job_is_named_and_a_bad_snapshot_leaves_it_as_it_was() {
    let running = up();
    let flumen = &running.flumen;
    flumen.succeed(&["version", "add", "1.20.5", "--wait"]).expect("a base image");
    let answer = running.apply_file(&job_file("statemachine.StateMachineExample"), &[]);
    assert!(answer.status.success(), "{}", answer.error);
    let first = run_id(&running.runs());
    running.until_snapshot_of(&first);

    bad_savepoints(&running);
    assert_eq!(run_id(&running.runs()), first);

    running.kubectl(&["scale", "deployment", JOB, "--replicas=0"]);
    running.until("the scaling to be said", |job| {
        job["reason"].as_str().is_some_and(|reason| reason.contains("someone scaled"))
            && job["unreachableSince"].is_string()
    });
    running.kubectl(&["scale", "deployment", JOB, "--replicas=1"]);
    assert_eq!(run_id(&running.runs()), first);

    running.kubectl(&["delete", "configmap", &format!("{JOB}-{first}-config-map")]);
    running.warned("the pointers to the job's state");
    assert_eq!(run_id(&running.runs()), first);
    running.kubectl(&["delete", "configmap", &format!("flink-config-{JOB}")]);
    running.warned(&format!("someone deleted the ConfigMap flink-config-{JOB}"));

    running.cancel_at_flink(&first);
    let job = running.until("the end", |job| job["state"] == "CANCELED");
    assert_eq!(job["reason"], "the job was cancelled, and not by Flumen");

    bad_starts(&running);
    let start = ["job", "start", JOB, "--from", "latest", "--wait", "--timeout", PATIENCE];
    flumen.succeed(&start).expect("started");
    let second = run_id(&running.runs());
    assert_ne!(second, first);
    running.until_snapshot_of(&second);
    running.kubectl(&["delete", "deployment", JOB]);
    let job = running.until("the end", |job| job["state"] == "ENDED_UNKNOWN");
    assert!(job["reason"].as_str().is_some_and(|reason| reason.contains("is gone")), "{job}");

    state_of_another_job(&running);
    flumen.succeed(&["job", "delete", JOB, "--wait", "--timeout", PATIENCE]).expect("deleted");
    let left =
        running.kubectl(&["get", "deployments,pods,services,configmaps", "--output", "name"]);
    let left: Vec<_> = left.lines().filter(|name| name.contains(JOB)).collect();
    assert!(left.is_empty(), "left in the cluster: {left:?}");
    running.flumen.stop().expect("stopped");
}

/// Places in which Flink cannot write a savepoint: the job goes on.
fn bad_savepoints(running: &Running) {
    for command in ["savepoint", "stop"] {
        let order = ["job", command, JOB, "--savepoint-path", "file:///proc/savepoints"];
        running.refused(
            &[&order[..], &["--wait", "--timeout", PATIENCE]].concat(),
            "/proc/savepoints",
        );
        assert_eq!(running.job()["state"], "RUNNING");
    }
}

/// Snapshots from which nothing can be started: the job stays as it is.
fn bad_starts(running: &Running) {
    let half = running.flumen.directory().join("storage/savepoints/half");
    std::fs::create_dir_all(&half).expect("a directory");
    let storage = "file:/opt/flink/storage/savepoints";
    for (path, words) in [("half", "has no _metadata"), ("gone", "is not there")] {
        let from = format!("{storage}/{path}");
        running.refused(&["job", "start", JOB, "--from", &from, "--wait"], words);
    }
    assert_eq!(running.job()["state"], "CANCELED");
}

/// Another program under the same name finds no place for the state of this one.
fn state_of_another_job(running: &Running) {
    let other = job_file("windowing.TopSpeedWindowing");
    let answer = running.apply_file(&other, &["--force"]);
    assert!(!answer.status.success(), "it started: {}{}", answer.error, answer.output);
    let said = "Cannot map checkpoint/savepoint state";
    assert!(answer.error.contains(said), "{said:?} is not in: {}", answer.error);
    running.until("the end", |job| job["state"] == "FAILED");
}
