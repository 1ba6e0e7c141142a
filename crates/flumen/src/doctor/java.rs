use flumen_flink_dist::find_java;
use flumen_model::FlinkMinor;

use super::Finding;

const NAME: &str = "Java";

/// Java for the Flink lines that people run; the local cluster's pods use this machine's.
pub(super) fn check() -> Vec<Finding> {
    [FlinkMinor::new(1, 20), FlinkMinor::new(2, 3)].into_iter().map(one).collect()
}

fn one(minor: FlinkMinor) -> Finding {
    match find_java(minor) {
        Ok(java) => Finding::ok(
            NAME,
            format!("Java {} in {} runs Flink {minor}", java.version, java.home.display()),
        ),
        Err(error) => Finding::fail(
            NAME,
            format!("Flink {minor} cannot run in the local cluster: {error}"),
            "install one: apt-get install openjdk-17-jre-headless",
        ),
    }
}
