//! A job whose pods fetch its files, on real Flink.

use std::{collections::BTreeSet, process::Command};

use flumen_e2e::{connector_jar, example_jar};
use serde_json::Value;

use crate::setup::{PATIENCE, Running, cache, kubectl, until, up};

const JOB: &str = "state-machine";
const VERSION: &str = "1.20.5";

fn job_file(delivery: &str, role: &str) -> String {
    let examples = example_jar(&cache(), VERSION).expect("the example jar");
    let connector = connector_jar(&cache(), VERSION).expect("the connector").expect("1.20 has one");
    format!(
        "name: {JOB}
environment: local
flinkVersion: {VERSION}
delivery: {delivery}
artifact: {}
dependencies:
  - {{path: {}, role: {role}}}
mainClass: org.apache.flink.streaming.examples.statemachine.StateMachineExample
configuration:
  execution.checkpointing.interval: 1 s
  restart-strategy.type: fixed-delay
  restart-strategy.fixed-delay.attempts: 1000
  restart-strategy.fixed-delay.delay: 100 ms
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 1}}
",
        examples.display(),
        connector.display()
    )
}

impl Running {
    fn task_managers(&self) -> BTreeSet<String> {
        self.get("pods", "component=taskmanager")["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|pod| pod["status"]["phase"] == "Running")
            .map(|pod| pod["metadata"]["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    fn get(&self, kind: &str, labels: &str) -> Value {
        let arguments = ["get", kind, "--selector", labels, "--output", "json"];
        let output = kubectl(&self.kubeconfig(), &arguments);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Applies the job and waits until it runs.
    fn start(&self, delivery: &str, role: &str) {
        let file = self.directory.path().join("job.yaml");
        std::fs::write(&file, job_file(delivery, role)).expect("a job file");
        let file = file.display().to_string();
        let apply = ["apply", "--file", &file, "--wait", "--timeout", PATIENCE];
        self.flumen.succeed(&apply).expect("it runs");
    }

    /// Nothing of the job was pushed anywhere.
    fn has_no_image(&self) {
        let versions = self.flumen.json(&["version", "list"]).expect("versions");
        let base = versions["items"][0]["baseImage"].as_str().expect("an image").to_owned();
        let runs = self.flumen.json(&["job", "history", JOB]).expect("runs");
        let image = runs["items"][0]["image"].as_str().expect("an image");
        assert!(image.ends_with(&base), "{image} is not {base}");
        let registry = self.flumen.directory().join("local/registry");
        let listed = Command::new("find").arg(&registry).output().expect("find runs");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(!listed.contains(JOB), "the registry has something of the job: {listed}");
    }

    fn lose_the_task_manager(&self) {
        let one = || Some(self.task_managers()).filter(|all| all.len() == 1);
        let first = until("a TaskManager", one, || self.get("pods", "").to_string());
        let name = first.first().expect("one");
        kubectl(&self.kubeconfig(), &["delete", "pod", name, "--grace-period=0", "--force"]);
        let another = || {
            let now = self.task_managers();
            (now.len() == 1 && now != first).then_some(())
        };
        until("another TaskManager", another, || self.get("pods", "").to_string());
        self.goes_on();
    }

    fn goes_on(&self) {
        let before = self.newest_checkpoint();
        let goes_on = || (self.newest_checkpoint() > before).then_some(());
        let seen = || format!("{:?}", self.flumen.json(&["job", "show", JOB]));
        until("the job to go on", goes_on, seen);
    }

    /// Deletes the job; nothing of it stays.
    fn end(&self) {
        let delete = ["job", "delete", JOB, "--wait", "--timeout", PATIENCE];
        self.flumen.succeed(&delete).expect("deleted");
        for kind in ["secrets", "configmaps"] {
            let left = self.get(kind, &format!("app={JOB}"));
            assert_eq!(left["items"].as_array().map(Vec::len), Some(0), "{left}");
        }
    }

    /// Flink's number of the newest checkpoint.
    fn newest_checkpoint(&self) -> Option<u64> {
        let all = self.flumen.json(&["snapshot", "list", "--job", JOB]).expect("snapshots");
        all["items"].as_array()?.iter().filter_map(|one| one["number"].as_u64()).max()
    }
}

#[test]
fn a_job_without_an_image_gets_its_files_also_when_a_task_manager_is_lost() {
    let running = up();
    let flumen = &running.flumen;
    flumen.succeed(&["version", "add", VERSION, "--wait"]).expect("a base image");
    running.start("init-container", "lib");
    running.has_no_image();
    running.lose_the_task_manager();
    let pods = running.get("pods", "component=taskmanager");
    let fetched = &pods["items"][0]["status"]["initContainerStatuses"][0];
    assert_eq!(fetched["state"]["terminated"]["exitCode"], 0, "{fetched}");
    running.end();

    running.start("flink", "usrlib");
    running.has_no_image();
    running.goes_on();
    running.end();
    running.flumen.stop().expect("stopped");
}
