//! Scripts with variables and secrets.

use std::fs;

use flumen_model::FlinkMinor;

use super::{Run, Runs};

/// From here on statements know `SHOW CREATE TABLE`, which shows a secret that was put in.
const SHOW_CREATE: FlinkMinor = FlinkMinor::new(1, 14);

/// The path of one table is a secret, and every statement has something that is put in. `SHOWN` is a statement too.
const SECRETS: &str = "\
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE numbers (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/${secret:places/in}', 'format' = 'csv');
CREATE TABLE kept (x INT, y STRING) WITH ('connector' = 'filesystem', 'path' = 'DIR/kept', 'format' = 'json');
SHOWN
CREATE TEMPORARY VIEW named AS SELECT x, '${what}!' AS y FROM ${none}numbers;
INSERT INTO kept SELECT MAX(x), MAX(CAST(y AS STRING)) FROM named;
";

/// Statements that fail beside a secret, where they fail, and what Flink says.
const FAILING: [(&str, &str, &str); 4] = [
    (
        "CREATE TABLE t (x INT) WITH ('connector' = '${secret:places/quoted}');\nINSERT INTO t SELECT 1;",
        "line 2, column 1: ",
        "'connector'='******'",
    ),
    (
        "CREATE TABLE t (x INT) WITH ('a' = '${secret:places/quoted}', ${none}'b'\n= c);\nINSERT INTO t SELECT 1;",
        "line 1, column 1: ",
        "",
    ),
    (
        "CREATE TABLE t (x INT) WITH ('connector' = 'blackhole');\nINSERT INTO t SELECT '${what}', ${none} y FROM (VALUES (1)) AS v (x);",
        "line 2, column 1: ",
        "line 2, column 41: Column 'y' not found",
    ),
    (
        "CREATE TABLE t (x INT) WITH ('connector' = 'blackhole', 'a' = '${secret:places/none}');\nINSERT INTO t SELECT 1;",
        "line 1, column 64: the secret places/none cannot be read from ",
        "is there such a Secret with such an entry",
    ),
];

/// The numbers of these scripts.
pub(super) struct Questions {
    script: usize,
    explained: usize,
    failing: Vec<usize>,
}

impl Questions {
    pub(super) fn add(runs: &mut Runs) -> Self {
        fs::create_dir_all(runs.path("secrets/places")).expect("a directory");
        fs::write(runs.path("secrets/places/in"), "in.csv\n").expect("a file");
        fs::write(runs.path("secrets/places/quoted"), "hunter'2").expect("a file");
        let shown = if runs.minor() >= SHOW_CREATE { "SHOW CREATE TABLE numbers;" } else { "" };
        let secrets = SECRETS.replace("SHOWN", shown);
        let script = runs.add("", &secrets);
        let explained = runs.add("--explain ", &secrets.replace("DIR/kept", "DIR/unkept"));
        let failing = FAILING.iter().map(|(script, ..)| runs.add("", script)).collect();
        Self { script, explained, failing }
    }

    pub(super) fn check(&self, runs: &Runs, results: &[Run], numbers: &[i64]) {
        let version = runs.version;
        let Run { said, failure, jobs } = &results[self.script];
        assert_eq!((failure.as_deref(), *jobs), (None, 1), "Flink {version}");
        let largest = numbers.iter().max().expect("a number");
        let kept = format!("{{\"x\":{largest},\"y\":\"it's\\n!\"}}");
        assert_eq!(runs.written("kept"), [kept], "Flink {version}");
        let is_shown = runs.minor() >= SHOW_CREATE;
        let is_hidden = said.contains("******") == is_shown && !said.contains("in.csv");
        assert!(is_hidden, "Flink {version}: {said}");

        let Run { said, failure, jobs } = &results[self.explained];
        assert_eq!((failure.as_deref(), *jobs), (None, 0), "Flink {version}");
        let is_explained = said.contains("the plan of the job") && !said.contains("in.csv");
        assert!(is_explained, "Flink {version}: {said}");
        for ((script, place, words), number) in FAILING.iter().zip(&self.failing) {
            let failure = results[*number].failure.as_deref().unwrap_or("it did not fail");
            let is_as_expected = failure.starts_with(place) && failure.contains(words);
            assert!(is_as_expected, "Flink {version}: {script}\n{failure}");
            assert!(!failure.contains("hunter"), "Flink {version}: {failure}");
        }
    }
}
