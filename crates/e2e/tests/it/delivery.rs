//! A job whose pods fetch its files, on real Flink.

use std::collections::BTreeSet;

use flumen_e2e::{connector_jar, example_jar};
use serde_json::Value;

use crate::setup::{PATIENCE, Running, cache, kubectl, until, up};

const JOB: &str = "state-machine";
const VERSION: &str = "1.20.5";

fn job_file() -> String {
    let examples = example_jar(&cache(), VERSION).expect("the example jar");
    let connector = connector_jar(&cache(), VERSION).expect("the connector").expect("1.20 has one");
    format!(
        "name: {JOB}
environment: local
flinkVersion: {VERSION}
delivery: init-container
artifact: {}
dependencies:
  - {{path: {}, role: lib}}
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
    let file = running.directory.path().join("job.yaml");
    std::fs::write(&file, job_file()).expect("a job file");
    let file = file.display().to_string();
    let apply = ["apply", "--file", &file, "--wait", "--timeout", PATIENCE];
    flumen.succeed(&apply).expect("it runs");

    // Nothing of the job was pushed anywhere.
    let versions = flumen.json(&["version", "list"]).expect("versions");
    let base = versions["items"][0]["image"].as_str().expect("an image").to_owned();
    let runs = flumen.json(&["job", "history", JOB]).expect("runs");
    let image = runs["items"][0]["image"].as_str().expect("an image");
    assert!(image.ends_with(&base), "{image} is not {base}");
    let repositories = flumen.directory().join("local/registry");
    let listed = std::process::Command::new("find").arg(&repositories).output().expect("find runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(!listed.contains(JOB), "the registry has something of the job: {listed}");

    let first = running.task_managers();
    assert_eq!(first.len(), 1, "{first:?}");
    let name = first.first().expect("one");
    kubectl(&running.kubeconfig(), &["delete", "pod", name, "--grace-period=0", "--force"]);
    let another = || {
        let now = running.task_managers();
        (now.len() == 1 && now != first).then_some(now)
    };
    until("another TaskManager", another, || running.get("pods", "").to_string());
    let before = running.newest_checkpoint();
    let goes_on = || (running.newest_checkpoint() > before).then_some(());
    until("the job to go on", goes_on, || format!("{:?}", flumen.json(&["job", "show", JOB])));

    let pods = running.get("pods", "component=taskmanager");
    let fetched = &pods["items"][0]["status"]["initContainerStatuses"][0];
    assert_eq!(fetched["state"]["terminated"]["exitCode"], 0, "{fetched}");
    flumen.succeed(&["job", "delete", JOB, "--wait", "--timeout", PATIENCE]).expect("deleted");
    for kind in ["secrets", "configmaps"] {
        let left = running.get(kind, &format!("app={JOB}"));
        assert_eq!(left["items"].as_array().map(Vec::len), Some(0), "{left}");
    }
    running.flumen.stop().expect("stopped");
}
