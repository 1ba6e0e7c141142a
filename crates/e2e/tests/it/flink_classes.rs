//! Flink's own classes as the judges of `flumen-flink-conf`. One JVM for each version answers many
//! questions; `java` compiles the few lines that ask from their source, which a runtime can do too.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use flumen_flink_conf::{Configuration, render_configuration_file};
use proptest::{
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::Value;

use crate::setup::{cache, up};

/// The version of a minor that is asked.
pub(crate) fn version(minor: &str) -> &'static str {
    match minor {
        "1.18" => "1.18.1",
        "1.20" => "1.20.5",
        _ => "2.3.0",
    }
}

/// Questions for one version, each with the configuration directory that it is about.
pub(crate) struct Questions {
    directory: tempfile::TempDir,
    lines: Vec<String>,
}

impl Questions {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), lines: Vec::new() }
    }

    /// Asks `what` of the file that a JobManager would get for the configuration.
    pub(crate) fn add(&mut self, what: &str, configuration: &Configuration) {
        let file = render_configuration_file(configuration);
        self.add_file(what, file.name, &file.text);
    }

    /// Asks `what` of a file with this name and text.
    pub(crate) fn add_file(&mut self, what: &str, name: &str, text: &str) {
        let directory = self.directory.path().join(self.lines.len().to_string());
        std::fs::create_dir(&directory).expect("a directory");
        std::fs::write(directory.join(name), text).expect("a file");
        self.lines.push(format!("{what} {}", directory.display()));
    }

    /// The answers of this version, in the order of the questions.
    pub(crate) fn ask(self, version: &str) -> Vec<Value> {
        let home = home(version);
        let path = |name: &str| self.directory.path().join(name);
        let (questions, answers) = (path("questions"), path("answers"));
        std::fs::write(&questions, self.lines.join("\n")).expect("a file");
        let class_path = format!(
            "{home}/bin/bash-java-utils.jar:{home}/lib/flink-dist-{version}.jar",
            home = home.display()
        );
        let output = Command::new("java")
            .args(["-cp", &class_path])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/java/AskFlink.java"))
            .args([&questions, &answers])
            // As in Flink's images: up to 1.18 its file is read in the character set of the locale.
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("java runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "Flink {version}: {said}");
        let text = std::fs::read_to_string(&answers).expect("answers");
        let answers: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(answers.len(), self.lines.len());
        answers
    }
}

/// Where the version lies, added to a Flumen first if it was never downloaded here.
pub(crate) fn home(version: &str) -> PathBuf {
    let home = cache().join("flink").join(version);
    if !home.exists() {
        up().flumen.succeed(&["version", "add", version, "--wait"]).expect("a Flink version");
    }
    home
}

/// As many values as wanted, the same ones in every run.
pub(crate) fn drawn<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    let draw = |_| strategy.new_tree(&mut runner).expect("a value").current();
    (0..count).map(draw).collect()
}
