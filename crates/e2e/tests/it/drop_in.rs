//! Flink's own command line as Flumen stands in for it, with one cluster of its own, and what Kubernetes
//! and the JobManager say about that cluster.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::setup::{Running, binary, kubectl, until};

/// What a cluster of Flink's could leave behind.
const KINDS: &str = "deployments,replicasets,pods,services,configmaps,secrets,endpoints";

/// What of the shell's own Flink must not be taken for the one that is tried.
const VARIABLES: [&str; 5] =
    ["FLINK_HOME", "FLINK_CONF_DIR", "FLINK_VERSION", "HADOOP_HOME", "HADOOP_CONF_DIR"];

/// The drop-ins of one Flink, for one cluster.
pub(crate) struct DropIn {
    cluster_id: &'static str,
    kubeconfig: PathBuf,
    /// Which Flink, in the way that is tried: an environment variable and its value.
    flink: (&'static str, String),
}

impl DropIn {
    pub(crate) fn new(
        running: &Running,
        cluster_id: &'static str,
        flink: (&'static str, String),
    ) -> Self {
        Self { cluster_id, kubeconfig: running.kubeconfig(), flink }
    }

    /// `flumen flink ACTION` on this cluster; what it prints.
    pub(crate) fn flink(&self, action: &str, target: &str, arguments: &[&str]) -> String {
        let id = format!("-Dkubernetes.cluster-id={}", self.cluster_id);
        let all = [&["flink", action, "-t", target, id.as_str()], arguments].concat();
        self.flumen(&all, "")
    }

    /// `flumen kubernetes-session` for this cluster, with text on its standard input; what it prints.
    pub(crate) fn session(&self, arguments: &[&str], input: &str) -> String {
        let id = format!("-Dkubernetes.cluster-id={}", self.cluster_id);
        self.flumen(&[&["kubernetes-session", id.as_str()], arguments].concat(), input)
    }

    fn flumen(&self, arguments: &[&str], input: &str) -> String {
        let mut command = flumen_e2e::command(&binary());
        command.args(arguments);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        let (variable, value) = &self.flink;
        command.env(variable, value).env("KUBECONFIG", &self.kubeconfig);
        let output = run(command, input);
        let (said, notes) = texts(&output);
        assert!(
            output.status.success(),
            "{variable}={value} flumen {}: {}\n{said}{notes}{}",
            arguments.join(" "),
            output.status,
            self.describe()
        );
        said
    }

    /// Waits until the JobManager answers; the drop-ins wait for that too, but not as long.
    pub(crate) fn wait_for_job_manager(&self) {
        self.until("the JobManager to answer", || self.ask("overview").map(drop));
    }

    /// The id of the job that `list` shows as running, as soon as it does.
    pub(crate) fn listed(&self, target: &str) -> String {
        self.until("a job that runs in the list", || {
            let list = self.flink("list", target, &["-r"]);
            let job = list.lines().find(|line| line.ends_with("(RUNNING)"))?;
            Some(job.split(" : ").nth(1).expect("an id").to_owned())
        })
    }

    /// Waits until every task of the job runs, on two TaskManagers.
    pub(crate) fn wait_for_tasks(&self, job: &str) {
        self.until("every task to run on two TaskManagers", || {
            let detail = self.ask(&format!("jobs/{job}"))?;
            let vertices = detail["vertices"].as_array().filter(|all| !all.is_empty())?;
            // The status of a vertex is RUNNING as soon as one of its tasks is.
            let runs =
                vertices.iter().all(|vertex| vertex["tasks"]["RUNNING"] == vertex["parallelism"]);
            let managers = self.ask("taskmanagers")?;
            let count = managers["taskmanagers"].as_array().map(Vec::len);
            (detail["state"] == "RUNNING" && runs && count == Some(2)).then_some(())
        });
    }

    /// The snapshot that the job says it was restored from.
    pub(crate) fn restored_from(&self, job: &str) -> String {
        self.until("the snapshot that was restored", || {
            let checkpoints = self.ask(&format!("jobs/{job}/checkpoints"))?;
            let restored = &checkpoints["latest"]["restored"]["external_path"];
            restored.as_str().map(str::to_owned)
        })
    }

    /// Waits until a job has this state in Flink.
    pub(crate) fn wait_for_state(&self, job: &str, state: &str) {
        self.until(&format!("the job to be {state}"), || {
            (self.ask(&format!("jobs/{job}"))?["state"] == state).then_some(())
        });
    }

    /// Waits until Kubernetes has nothing of this cluster.
    pub(crate) fn wait_until_gone(&self) {
        let label = format!("app={}", self.cluster_id);
        self.until("everything to be gone", || {
            let left = self.kubectl(&["get", KINDS, "--selector", &label, "--output", "name"])?;
            left.is_empty().then_some(())
        });
    }

    /// An answer of the JobManager's REST API, if it gives one.
    fn ask(&self, path: &str) -> Option<Value> {
        let service = format!("services/{}-rest:8081", self.cluster_id);
        let url = format!("/api/v1/namespaces/default/{service}/proxy/{path}");
        serde_json::from_str(&self.kubectl(&["get", "--raw", &url])?).ok()
    }

    fn kubectl(&self, arguments: &[&str]) -> Option<String> {
        let output = kubectl(&self.kubeconfig, arguments);
        output.status.success().then(|| texts(&output).0)
    }

    fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        until(what, look, || self.describe())
    }

    /// The pods and the end of their logs, for whoever reads a failure.
    fn describe(&self) -> String {
        let label = format!("app={}", self.cluster_id);
        let pods = self.kubectl(&["get", "pods", "--selector", &label]).unwrap_or_default();
        let logs = ["logs", "--selector", &label, "--tail", "60", "--prefix"];
        let logs = self.kubectl(&logs).unwrap_or_default();
        format!("\n{pods}\n{logs}")
    }
}

fn run(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    // It may end without having read it.
    drop(pipe.write_all(input.as_bytes()));
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The word behind `before` in what a command printed.
pub(crate) fn word_behind(before: &str, printed: &str) -> String {
    let rest = printed.split(before).nth(1).and_then(|rest| rest.split_whitespace().next());
    assert!(rest.is_some(), "no {before:?} in {printed:?}");
    rest.unwrap_or_default().to_owned()
}

/// A template that gives every pod two directories of the machine: one to read as `/program`, and one to
/// write into as `/data`, which is made with an owner that may.
pub(crate) fn write_pod_template(path: &Path, (program, data): (&Path, &Path)) {
    let text = format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: template
spec:
  containers:
    - name: flink-main-container
      volumeMounts:
        - {{name: program, mountPath: /program, readOnly: true}}
        - {{name: data, mountPath: /data}}
  volumes:
    - {{name: program, hostPath: {{path: {program}, type: Directory}}}}
    - {{name: data, hostPath: {{path: {data}, type: DirectoryOrCreate}}}}
",
        program = program.display(),
        data = data.display()
    );
    std::fs::write(path, text).expect("a pod template");
}
