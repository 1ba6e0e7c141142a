use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use flumen_e2e::Flumen;
use serde_json::Value;

/// How long a Flink cluster may take to start or end on a machine that does other things too.
pub(crate) const PATIENCE: &str = "8m";
const LIMIT: Duration = Duration::from_mins(8);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The binary that was built with this test.
pub(crate) fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let profile = test.parent().and_then(Path::parent).expect("tests lie in target/PROFILE/deps");
    let binary = profile.join("flumen");
    assert!(
        binary.exists(),
        "{} is missing: run `cargo build --bin flumen` first",
        binary.display()
    );
    binary
}

/// Where downloads are kept, outside the checkout; `make` says where.
pub(crate) fn cache() -> PathBuf {
    if let Some(directory) = std::env::var_os("FLUMEN_CACHE_DIRECTORY") {
        return directory.into();
    }
    let home = std::env::home_dir().expect("a home directory");
    home.join(".cache/flumen")
}

/// A running Flumen in a directory that goes with it.
pub(crate) struct Running {
    pub(crate) flumen: Flumen,
    pub(crate) directory: tempfile::TempDir,
}

impl Running {
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.flumen.directory().join("local/kubeconfig")
    }
}

pub(crate) fn up() -> Running {
    let directory = tempfile::Builder::new().prefix("flumen-e2e-").tempdir().expect("a directory");
    let flumen =
        Flumen::up(&binary(), (&directory.path().join("data"), &cache())).expect("flumen up");
    Running { flumen, directory }
}

/// Looks again and again until there is a result; a failure tells what is seen then.
pub(crate) fn until<T>(what: &str, look: impl Fn() -> Option<T>, seen: impl Fn() -> String) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "waited {LIMIT:?} for {what}: {}", seen());
        thread::sleep(LOOK_EVERY);
    }
}

pub(crate) fn kubectl(kubeconfig: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("kubectl");
    command.arg("--kubeconfig").arg(kubeconfig).args(arguments);
    command.output().expect("kubectl runs")
}

/// Makes objects in the local cluster what they say.
pub(crate) fn apply_objects(running: &Running, objects: &Value) {
    let file = running.directory.path().join("objects.json");
    std::fs::write(&file, objects.to_string()).expect("written");
    let file = file.display().to_string();
    let applied = kubectl(&running.kubeconfig(), &["apply", "--filename", &file]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
}

/// Waits until a pod runs.
pub(crate) fn until_pod_runs(running: &Running, pod: &str) {
    let query = ["get", "pod", pod, "--output", "jsonpath={.status.phase}"];
    let phase = || {
        let told = kubectl(&running.kubeconfig(), &query);
        String::from_utf8_lossy(&told.stdout).into_owned()
    };
    until(pod, || (phase() == "Running").then_some(()), phase);
}

/// The base image of a Flink version that was added, which has the programs of this machine.
pub(crate) fn base_image(running: &Running, version: &str) -> String {
    let version = running.flumen.json(&["version", "show", version]).expect("shown");
    let environment = running.flumen.json(&["environment", "show", "local"]).expect("shown");
    let registry = environment["registry"].as_str().expect("an address");
    format!("{registry}/{}", version["baseImage"].as_str().expect("an image"))
}
