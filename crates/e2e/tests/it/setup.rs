use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::Output,
    thread,
    time::{Duration, Instant},
};

use flumen_e2e::{CPU_LIMITS, Flumen, tried_versions};
use serde_json::json;

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
        self.flumen.kubeconfig()
    }
}

/// Flink's processes end before the better compiler of Java would pay.
const QUICK_COMPILER: &str = "-XX:TieredStopAtLevel=1";

pub(crate) fn up() -> Running {
    let directory = tempfile::Builder::new().prefix("flumen-e2e-").tempdir().expect("a directory");
    let flumen =
        Flumen::up(&binary(), (&directory.path().join("data"), &cache())).expect("flumen up");
    let compiler = ["env.java.opts.jobmanager", "env.java.opts.taskmanager"];
    let options = compiler.map(|key| (key, QUICK_COMPILER)).into_iter().chain(CPU_LIMITS);
    let configuration: BTreeMap<_, _> = options.collect();
    flumen
        .change_environment(|environment| environment["configuration"] = json!(configuration))
        .expect("a changed environment");
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
    flumen_e2e::kubectl(kubeconfig, arguments).expect("kubectl runs")
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

/// Whether a test is to be run on this Flink version too, which `make test` leaves to `make test-all`: the same test, or one that
/// sees the same, runs on another version, and the whole must not take longer than people wait.
pub(crate) fn is_asked_for(version: &str) -> bool {
    let wanted = std::env::var("FLUMEN_ALL_VERSIONS").unwrap_or_default();
    assert!(
        wanted.is_empty() || wanted == "1" || tried_versions().any(|version| wanted == version),
        "FLUMEN_ALL_VERSIONS={wanted} is neither 1 nor a version that is tried"
    );
    let is_asked_for = wanted == "1" || wanted == version;
    if !is_asked_for {
        note(&format!(
            "Flink {version} is skipped: FLUMEN_ALL_VERSIONS is not 1, as `make test-all` sets it"
        ));
    }
    is_asked_for
}

/// Also where the test succeeds.
pub(crate) fn note(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).expect("it is written");
}
