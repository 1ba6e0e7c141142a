//! The SQL runner on real Flink, which runs in the process of the runner. One JVM for each version runs all
//! scripts. Without `FLUMEN_ALL_VERSIONS` one of them has to do; jobs in SQL run it on 1.20.

mod secrets;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flumen_e2e::tried_versions;
use flumen_model::{FlinkMinor, FlinkVersion};
use flumen_sql::{Outcome, Record, Report, Script, resolve, runner_file};
use flumen_sql_runner::{JAR, MAIN_CLASS};

use crate::{flink_classes::home, setup::is_asked_for};

/// From here on statements know `ADD JAR` and `CREATE TABLE … AS`.
const ADD_JAR: FlinkMinor = FlinkMinor::new(1, 16);
/// What Flink's own scripts open of Java 17 for it, those of old versions only where somebody says so.
const OPENED: [&str; 6] = [
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.net=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.time=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
];
const LOG: &str = "\
    rootLogger.level = INFO\nrootLogger.appenderRef.file.ref = File\n\
    appender.file.name = File\nappender.file.type = FILE\nappender.file.fileName = ${sys:log.file}\n\
    appender.file.layout.type = PatternLayout\nappender.file.layout.pattern = %m%n\n";

#[test]
fn flink_2_3_runs_scripts() {
    runs_scripts("2.3.0");
}

#[test]
fn every_other_version_runs_scripts() {
    let others = tried_versions().filter(|version| *version != "2.3.0");
    for version in others.filter(|version| is_asked_for(version)) {
        runs_scripts(version);
    }
}

/// The scripts of one version and what came of them.
struct Runs {
    version: &'static str,
    directory: tempfile::TempDir,
    questions: Vec<String>,
}

/// What came of one script.
struct Run {
    said: String,
    failure: Option<String>,
    /// Jobs that Flink's log has seen begin.
    jobs: usize,
}

impl Runs {
    fn minor(&self) -> FlinkMinor {
        self.version.parse::<FlinkVersion>().expect("a version").minor()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Adds a script, in which `DIR/` is the directory; its number.
    fn add(&mut self, arguments: &str, script: &str) -> usize {
        let number = self.questions.len();
        let script = script.replace("DIR/", &format!("{}/", self.directory.path().display()));
        let values = [("what", "it's\n"), ("none", "")];
        let values =
            values.map(|(name, value)| (name.parse().expect("a name"), value.to_owned())).into();
        let resolved = resolve(&script, &values);
        let file = runner_file(&Script::of(&resolved)).expect("a script for the runner");
        let path = self.path(&format!("{number}.run"));
        fs::write(&path, file).expect("a file");
        let secrets = self.path("secrets");
        let arguments = format!("{arguments}--secrets {}", secrets.display());
        self.questions.push(format!("{arguments} {}", path.display()));
        number
    }

    fn run(&self) -> Vec<Run> {
        fs::write(self.path("questions"), self.questions.join("\n")).expect("a file");
        fs::write(self.path("log"), "").expect("a file");
        fs::write(self.path("log4j2.properties"), LOG).expect("a file");
        let property = |name: &str, file: &str| format!("-D{name}={}", self.path(file).display());
        let output = Command::new("java")
            .args(OPENED)
            // It ends before the better compiler would pay.
            .args(["-Xmx768m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .arg(property("log.file", "log"))
            .arg(property("log4j.configurationFile", "log4j2.properties"))
            .args(["-cp", &format!("{}:{}", lib(self.version), self.path("lib/*").display())])
            .arg(source("RunScripts.java"))
            .arg(MAIN_CLASS)
            .arg(self.directory.path())
            .output()
            .expect("java runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "Flink {}: {said}", self.version);
        (0..self.questions.len()).map(|number| self.result(number)).collect()
    }

    fn result(&self, number: usize) -> Run {
        let read = |what: &str| fs::read_to_string(self.path(&format!("{number}.{what}")));
        let log = read("log").expect("a log");
        let begins = |line: &&str| {
            line.starts_with("Job ") && line.contains("switched from state CREATED to RUNNING")
        };
        Run {
            said: read("said").expect("what was said"),
            failure: read("failure").ok(),
            jobs: log.lines().filter(begins).count(),
        }
    }

    /// The lines that a sink wrote, sorted.
    fn written(&self, sink: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in fs::read_dir(self.path(sink)).expect("what a sink wrote") {
            let text = fs::read_to_string(entry.expect("an entry").path()).expect("a text");
            lines.extend(text.lines().map(str::to_owned));
        }
        lines.sort();
        lines
    }

    /// A jar with a function of the user's of this name.
    fn write_function(&self, name: &str, jar: &str) {
        let text = fs::read_to_string(source("Twice.java")).expect("a source");
        self.write_jar(name, &text.replace("Twice", name), jar);
    }

    /// A jar with this class and what else is in the directory that has its name.
    fn write_jar(&self, name: &str, text: &str, jar: &str) {
        let (source, classes) = (self.path(&format!("{name}.java")), self.path(name));
        fs::write(&source, text).expect("a file");
        let mut javac = Command::new("javac");
        javac.args(["--release", "8", "-Xlint:-options", "-cp", &lib(self.version), "-d"]);
        succeed(javac.arg(&classes).arg(&source));
        let mut packer = Command::new("jar");
        succeed(packer.arg("cf").arg(self.path(jar)).arg("-C").arg(&classes).arg("."));
    }

    /// A jar with a catalog that the runner cannot know to be in memory only.
    fn write_catalog(&self, jar: &str) {
        let services = self.path("SharedCatalogFactory/META-INF/services");
        fs::create_dir_all(&services).expect("a directory");
        let service = services.join("org.apache.flink.table.factories.Factory");
        fs::write(service, "user.SharedCatalogFactory").expect("a file");
        let text = fs::read_to_string(source("SharedCatalogFactory.java")).expect("a source");
        self.write_jar("SharedCatalogFactory", &text, jar);
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("a JDK");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/java").join(name)
}

fn lib(version: &str) -> String {
    home(version).join("lib/*").display().to_string()
}

const BATCH: &str = "\
SET 'execution.runtime-mode' = 'batch'; -- decides how the tables are made
SET 'parallelism.default' = '1';
CREATE FUNCTION twice AS 'user.Twice' LANGUAGE JAVA;
CREATE TABLE numbers (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/in.csv', 'format' = 'csv');
CREATE TABLE doubled (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/doubled', 'format' = 'csv');
CREATE TABLE summed (x INT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'DIR/summed', 'format' = 'csv');
CREATE TABLE negated (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/negated', 'format' = 'csv');
CREATE TEMPORARY VIEW big AS SELECT x FROM numbers WHERE x > 500;
INSERT INTO doubled SELECT twice(x) FROM big;
EXECUTE STATEMENT SET BEGIN
  INSERT INTO summed SELECT SUM(x), COUNT(*) FROM numbers;
  INSERT INTO negated SELECT -x FROM big;
END;
";

/// What older versions do not have: a jar that the script names, and a table that is made of a query.
const NEWER: &str = "\
SET 'execution.runtime-mode' = 'batch';
ADD JAR 'DIR/added.jar';
CREATE TEMPORARY FUNCTION again AS 'user.Again';
CREATE TABLE numbers (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/in.csv', 'format' = 'csv');
CREATE TABLE copied WITH ('connector' = 'filesystem', 'path' = 'DIR/copied', 'format' = 'csv')
  AS SELECT again(x) AS x FROM numbers;
CREATE TABLE more (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/more', 'format' = 'csv');
INSERT INTO more SELECT MAX(x) FROM numbers;
";

const SHARED: &str = "\
SET 'execution.runtime-mode' = 'batch';
CREATE CATALOG company WITH ('type' = 'shared');
CREATE TABLE company.`default`.t (x INT) WITH ('connector' = 'blackhole');
INSERT INTO company.`default`.t SELECT 1;
";

const QUERY: &str = "SET 'execution.runtime-mode' = 'batch'; SELECT 40 + 2 AS answer;";

const STREAMING: &str = "\
SET 'parallelism.default' = '1';
CREATE TABLE numbers (x BIGINT) WITH ('connector' = 'datagen',
  'fields.x.kind' = 'sequence', 'fields.x.start' = '1', 'fields.x.end' = '100');
CREATE TABLE squares (x BIGINT) WITH ('connector' = 'print');
INSERT INTO squares SELECT x * x FROM numbers;
";

const TABLES: &str = "\
SET 'execution.runtime-mode' = 'batch';
-- from here on
CREATE TABLE s (x INT) WITH ('connector' = 'filesystem', 'path' = 'DIR/in.csv', 'format' = 'csv');
CREATE TABLE t (x INT) WITH (
  'connector' = 'blackhole');

";

/// Statements after [`TABLES`] of which two are wrong: each is told, with its place.
const DOUBLY_WRONG: &str =
    "INSERT INTO t SELECT '日本' || y FROM s;\nSHOW TABLES;\nINSERT INTO t SELECT x FROM missing;";

/// Statements after [`TABLES`], so from line 7 on, where they fail, and what Flink says then.
const FAILING: [(&str, &str, &[&str]); 7] = [
    (
        "  INSERT INTO t SELECT y FROM s;",
        "line 7, column 3: ",
        &["failed. At line 7, column 24: Column 'y' not found in any table"],
    ),
    (
        "INSERT INTO t SELECT x\nFROM s WHERE '日本' = y AND x = 1;",
        "line 7, column 1: ",
        &["failed. At line 8, column 21: Column 'y' not found"],
    ),
    (
        "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; INSERT INTO t SELECT nothing(1); END;",
        "line 7, column 53: ",
        &[
            "From line 7, column 74 to line 7, column 83: No match found for function signature nothing",
        ],
    ),
    ("INSERT INTO t SELECT x FROM missing;", "line 7, column 1: ", &["'missing' not found"]),
    ("INSERT INTO t SELECT x x x FROM s;", "line 7, column 1: ", &["at line 7, column 26."]),
    (
        "CREATE TABLE u (x INT) WITH ('connector' = 'nowhere');\nINSERT INTO t SELECT 1;\nINSERT INTO u SELECT 1;",
        "line 9, column 1: ",
        &["'connector'='nowhere'", "Could not find any factory for identifier 'nowhere'"],
    ),
    (
        "SET 'table.exec.resource.default-parallelism' = '1';\nINSERT INTO t SELECT 1000 / (x - 7) FROM s;",
        "line 8, column 1: the job failed: ",
        &["/ by zero"],
    ),
];

fn runs_scripts(version: &'static str) {
    let directory = tempfile::Builder::new().prefix("flumen-sql-").tempdir().expect("a directory");
    let mut runs = Runs { version, directory, questions: Vec::new() };
    fs::create_dir(runs.path("lib")).expect("a directory");
    fs::create_dir(runs.path("usrlib")).expect("a directory");
    fs::write(runs.path("usrlib/runner.jar"), JAR).expect("a file");
    let numbers: Vec<i64> = (0..200).map(|number| number * 7).collect();
    let lines: Vec<_> = numbers.iter().map(|number| format!("{number}\n")).collect();
    fs::write(runs.path("in.csv"), lines.concat()).expect("a file");
    runs.write_function("Twice", "lib/twice.jar");
    runs.write_function("Planned", "usrlib/planned.jar");
    runs.write_function("Again", "added.jar");

    let explained = BATCH.replace("'DIR/", "'DIR/never/").replace("never/in.csv", "in.csv");
    let explained = explained.replace("user.Twice", "user.Planned");
    let explained = runs.add("--explain ", &explained);
    runs.write_catalog("usrlib/catalog.jar");
    let shared = runs.add("--explain ", SHARED);
    let explained_query = runs.add("--explain ", QUERY);
    let reported = runs.add("--explain --json ", &format!("{TABLES}{DOUBLY_WRONG}"));
    let reported_plan =
        runs.add("--explain --json ", &format!("{TABLES}INSERT INTO t SELECT x FROM s;"));
    let batch = runs.add("", BATCH);
    let query = runs.add("", QUERY);
    let streaming = runs.add("", STREAMING);
    let definitions = runs.add("", &format!("{TABLES}SHOW TABLES;"));
    let failing: Vec<_> =
        FAILING.iter().map(|(script, ..)| runs.add("", &format!("{TABLES}{script}"))).collect();
    let newer = (runs.minor() >= ADD_JAR).then(|| runs.add("", NEWER));
    let secrets = secrets::Questions::add(&mut runs);
    let results = runs.run();

    check_batch(&runs, &results[batch], &numbers);
    check_explained(&runs, &results[explained]);
    let (plan, answer) = (&results[explained_query], &results[query]);
    assert!(plan.said.starts_with("line 1, column 41: this is the plan\n"), "{}", plan.said);
    assert!(answer.said.contains(" 42 |"), "Flink {version}: {}", answer.said);
    assert_eq!((plan.jobs, answer.jobs), (0, 1));
    check_shared(&results[shared]);
    check_reported(version, &results[reported], &results[reported_plan]);
    check_streaming(&results[streaming]);
    let Run { said, failure, jobs } = &results[definitions];
    assert!(said.contains(" s |") && *jobs == 0 && failure.is_none(), "{version}: {said}");
    for ((script, place, parts), number) in FAILING.iter().zip(failing) {
        let failure = results[number].failure.as_deref().unwrap_or("it did not fail");
        let is_as_expected =
            failure.starts_with(place) && parts.iter().all(|it| failure.contains(it));
        assert!(is_as_expected && !failure.contains('\n'), "Flink {version}: {script}\n{failure}");
    }
    secrets.check(&runs, &results, &numbers);
    if let Some(number) = newer {
        check_newer(&runs, &results[number], &numbers);
    }
}

fn sorted(numbers: impl Iterator<Item = i64>) -> Vec<String> {
    let mut lines: Vec<_> = numbers.map(|number| number.to_string()).collect();
    lines.sort();
    lines
}

fn check_batch(runs: &Runs, run: &Run, numbers: &[i64]) {
    assert_eq!((run.failure.as_deref(), run.jobs), (None, 1), "Flink {}", runs.version);
    assert!(run.said.starts_with("line 9, column 1: started the job "), "{}", run.said);
    let large = || numbers.iter().filter(|number| **number > 500);
    assert_eq!(runs.written("doubled"), sorted(large().map(|number| number * 2)));
    assert_eq!(runs.written("negated"), sorted(large().map(|number| -number)));
    let sum: i64 = numbers.iter().sum();
    assert_eq!(runs.written("summed"), [format!("{sum},{}", numbers.len())]);
}

fn check_explained(runs: &Runs, run: &Run) {
    assert_eq!((run.failure.as_deref(), run.jobs), (None, 0), "Flink {}", runs.version);
    assert!(
        run.said.starts_with("line 9, column 1: this is the plan of the job\n"),
        "{}",
        run.said
    );
    for part in ["doubled", "summed", "negated", "twice(", "== Optimized Execution Plan =="] {
        assert!(run.said.contains(part), "{part} is missing in the plan:\n{}", run.said);
    }
    // Flink's file system sink makes a directory for what is not finished when it is planned.
    for sink in ["doubled", "summed", "negated"] {
        for entry in fs::read_dir(runs.path("never").join(sink)).into_iter().flatten() {
            let name = entry.expect("an entry").file_name();
            assert!(
                name.to_string_lossy().starts_with(".staging"),
                "{} was written",
                name.display()
            );
        }
    }
}

fn check_reported(version: &str, wrong: &Run, good: &Run) {
    let report = Report::read(&wrong.said);
    assert!(report.is_complete && wrong.failure.is_some(), "Flink {version}: {}", wrong.said);
    let script = format!("{TABLES}{DOUBLY_WRONG}");
    let script = Script::parse(&script);
    let outcomes: Vec<_> = report.of(&script).into_iter().filter_map(|one| one.outcome).collect();
    let [Outcome::Error(column), Outcome::Error(table)] = &outcomes[..] else {
        unreachable!("Flink {version}: {outcomes:?}");
    };
    assert_eq!((column.line, column.column), (7, 30), "Flink {version}: {}", column.message);
    assert_eq!((table.line, table.column), (9, 29), "Flink {version}: {}", table.message);
    let report = Report::read(&good.said);
    assert!(report.is_complete && good.failure.is_none(), "Flink {version}: {}", good.said);
    let [Record { line: 7, outcome: Outcome::Plan(plan), .. }] = &report.records[..] else {
        unreachable!("Flink {version}: {report:?}");
    };
    assert!(plan.contains("Sink"), "Flink {version}: {plan}");
}

/// A catalog that others use is not changed, so the table is not there.
fn check_shared(run: &Run) {
    let why = "not carried out, as it would change a catalog that others use";
    assert_eq!(run.said, format!("line 3, column 1: {why}\n"));
    let failure = run.failure.as_deref().unwrap_or_default();
    assert!(failure.starts_with("line 4, column 1: ") && failure.contains("`t`"), "{failure}");
}

fn check_streaming(run: &Run) {
    assert_eq!((run.failure.as_deref(), run.jobs), (None, 1), "{}", run.said);
    let inserted = run.said.lines().filter_map(|line| line.strip_prefix("+I[")?.strip_suffix(']'));
    let squares: Vec<i64> = inserted.map(|number| number.parse().expect("a number")).collect();
    assert_eq!(
        (squares.len(), squares.iter().sum::<i64>()),
        (100, (1..=100).map(|it| it * it).sum())
    );
}

fn check_newer(runs: &Runs, run: &Run, numbers: &[i64]) {
    assert_eq!((run.failure.as_deref(), run.jobs), (None, 1), "Flink {}", runs.version);
    assert_eq!(runs.written("copied"), sorted(numbers.iter().map(|number| number * 2)));
    assert_eq!(runs.written("more"), sorted(numbers.iter().copied().max().into_iter()));
}
