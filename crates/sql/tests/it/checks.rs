use flumen_sql::{FactoryKind, Script, Severity, Target, check};

fn target(version: &str) -> Target {
    Target { version: Some(version.parse().expect("a version")), ..Target::default() }
}

/// `1:1 error noJob` for each finding.
fn codes(text: &str, target: &Target) -> Vec<String> {
    let findings = check(&Script::parse(text), target);
    let line = |finding: &flumen_sql::Finding| {
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        format!("{} {severity} {}", finding.at, finding.problem.code())
    };
    findings.iter().map(line).collect()
}

fn messages(text: &str, version: &str) -> Vec<String> {
    let findings = check(&Script::parse(text), &target(version));
    findings.iter().map(|finding| finding.problem.to_string()).collect()
}

#[test]
fn a_script_with_one_insert_or_one_set_is_good() {
    for text in [
        "CREATE TABLE a (x INT) WITH ('connector' = 'datagen');
         CREATE TABLE b (x INT) WITH ('connector' = 'print');
         SET 'pipeline.name' = 'copy'; INSERT INTO b SELECT x FROM a;",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT CASE WHEN x THEN 1 END; END;",
        "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;",
        "CREATE TABLE t WITH ('connector' = 'print') AS SELECT 1",
        "CALL sys.compact('a')",
        "EXPLAIN INSERT INTO t SELECT 1; SHOW CREATE TABLE t; INSERT INTO t SELECT 1",
        "INSERT INTO a SELECT 1; CREATE TABLE b (x INT); EXECUTE INSERT INTO b SELECT 2; SHOW TABLES",
        "COMPILE AND EXECUTE PLAN 'p' FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END",
    ] {
        assert_eq!(codes(text, &target("1.20.5")), [""; 0], "{text}");
    }
}

#[test]
fn a_script_starts_one_job() {
    let of = |text| codes(text, &Target::default());
    assert_eq!(of(""), ["1:1 error empty"]);
    assert_eq!(of("-- only a comment\n;"), ["1:1 error empty"]);
    assert_eq!(of("CREATE VIEW v AS SELECT 1"), ["1:1 error noJob"]);
    assert_eq!(of("SELECT 1"), ["1:1 warning queryResult"]);
    assert_eq!(
        of("INSERT INTO a SELECT 1;\nSELECT 1"),
        ["2:1 error secondJob", "2:1 warning queryResult"]
    );
    assert_eq!(of("DELETE FROM a;\n  INSERT INTO b SELECT 2;"), ["2:3 error secondJob"]);
    assert_eq!(
        of("BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END;\nEXECUTE SELECT 2"),
        ["2:1 error secondJob"]
    );
    assert_eq!(of("INSERT INTO a SELECT 1;\nDROP TABLE a"), ["2:1 error afterInsert"]);
}

#[test]
fn statement_sets_begin_end_and_hold_inserts() {
    let of = |text| codes(text, &Target::default());
    assert_eq!(of("BEGIN STATEMENT SET; INSERT INTO a SELECT 1;"), ["1:1 error setNotEnded"]);
    assert_eq!(of("INSERT INTO a SELECT 1; END;"), ["1:25 error setNotBegun"]);
    assert_eq!(of("BEGIN STATEMENT SET; END;"), ["1:1 error setEmpty"]);
    assert_eq!(of("EXECUTE STATEMENT SET BEGIN END;"), ["1:1 error setEmpty"]);
    assert_eq!(
        of("BEGIN STATEMENT SET;\nBEGIN STATEMENT SET;\nINSERT INTO a SELECT 1; END;"),
        ["2:1 error setNested"]
    );
    assert_eq!(
        of("BEGIN STATEMENT SET;\nSET 'pipeline.name' = 'b';\nINSERT INTO a SELECT 1;\nEND;"),
        ["2:1 error setContent"]
    );
    assert_eq!(
        of("EXECUTE STATEMENT SET BEGIN\nSELECT 1;\nINSERT INTO a SELECT 1; END;"),
        ["2:1 error setContent"]
    );
    assert_eq!(
        of("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;"),
        ["1:1 error setNotEnded"]
    );
    let said = messages("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 END;", "1.20.5");
    assert_eq!(said, ["the statement set has no end: expected a semicolon before its END"]);
}

#[test]
fn what_is_no_statement_is_said_with_what_may_be_meant() {
    assert_eq!(
        messages("CRAETE TABLE t (a INT)", "1.20.5"),
        ["no statement of Flink begins with CRAETE; did you mean CREATE?"]
    );
    assert_eq!(
        messages("INSERT t SELECT 1", "1.20.5"),
        ["no statement of Flink begins with INSERT t; did you mean INSERT INTO?"]
    );
    assert_eq!(messages("'x'", "1.20.5"), ["no statement of Flink begins with 'x'"]);
    assert_eq!(
        messages("CREATE MODEL m WITH ('a' = 'b'); INSERT INTO t SELECT 1", "1.18.1"),
        ["Flink 1.18 has no CREATE MODEL: it came with Flink 1.20"]
    );
    assert_eq!(
        messages(
            "CREATE TABLE t (a INT) WITH ('connector' = 'print')\nINSERT INTO t SELECT 1",
            "1.20.5"
        ),
        [
            "nothing in the script starts a job: expected an INSERT",
            "a semicolon is missing before INSERT INTO, which begins a statement"
        ]
    );
    let old = "CREATE VIEW v AS SELECT 1; INSERT INTO t SELECT 1";
    assert_eq!(messages(old, "1.13.6"), [""; 0]);
    assert_eq!(
        messages("ADD JAR /a.jar; INSERT INTO t SELECT 1", "1.20.5"),
        ["ADD JAR takes one path in quotes: ADD JAR '/path/to.jar'"]
    );
}

#[test]
fn what_has_no_end_is_said_where_it_begins() {
    let of = |text| codes(text, &Target::default());
    assert_eq!(of("INSERT INTO t SELECT 'a;\n"), ["1:22 error notClosed"]);
    assert_eq!(of("INSERT INTO t SELECT 1;\n/* no end"), ["2:1 error notClosed"]);
    assert_eq!(of("INSERT INTO t SELECT \"a\""), ["1:22 error doubleQuoted"]);
    assert_eq!(of("INSERT INTO `t SELECT 1"), ["1:13 error notClosed"]);
}

#[test]
fn settings_are_those_of_the_version() {
    let with =
        |setting: &str, version| messages(&format!("{setting}; INSERT INTO t SELECT 1"), version);
    assert_eq!(with("SET 'parallelism.default' = '4'", "1.20.5"), [""; 0]);
    assert_eq!(with("SET 'sql-client.execution.result-mode' = 'tableau'", "1.20.5"), [""; 0]);
    assert_eq!(with("SET 'our.own.key' = 'x'", "1.20.5"), [""; 0]);
    assert_eq!(
        with("SET 'paralelism.default' = '4'", "1.20.5"),
        ["Flink 1.20 has no option 'paralelism.default': did you mean 'parallelism.default'?"]
    );
    assert_eq!(
        with("SET 'table.exec.nothing-of-the-kind' = '4'", "1.20.5"),
        ["Flink 1.20 has no option 'table.exec.nothing-of-the-kind'"]
    );
    assert_eq!(with("SET parallelism.default = many", "1.20.5").len(), 1);
    assert!(
        with("SET 'execution.checkpointing.interval' = 'often'", "2.3.0")[0]
            .contains("is not allowed")
    );
    assert_eq!(
        with("SET 'taskmanager.numberOfTaskSlots' = '4'", "1.20.5"),
        [
            "'taskmanager.numberOfTaskSlots' is read when the cluster starts, before the script: it belongs in the configuration of the job"
        ]
    );
}

#[test]
fn the_traps_of_set_without_quotes_are_said() {
    let of = |text: &str| codes(&format!("{text}INSERT INTO t SELECT 1"), &target("1.20.5"));
    assert_eq!(of("SET pipeline.name = a b;"), ["1:1 error malformedSetting"]);
    assert_eq!(of("SET 'pipeline.name' = a;"), ["1:1 error malformedSetting"]);
    assert_eq!(of("SET pipeline.name = 'it''s';"), ["1:1 warning quotesInValue"]);
    assert_eq!(of("-- name\nSET pipeline.name = a;"), ["2:1 warning settingBesideComment"]);
    assert_eq!(of("SET pipeline.name = a; -- name\n"), ["1:1 warning settingBesideComment"]);
    assert_eq!(of("SET pipeline.name = a;\n-- insert\n"), [""; 0]);
    assert_eq!(of("-- name\nSET 'pipeline.name' = 'a';"), [""; 0]);
}

#[test]
fn connectors_that_flink_lacks_are_named_with_their_jar() {
    let script = "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'format' = 'avro');
CREATE CATALOG c WITH ('type' = 'paimon');
INSERT INTO t SELECT 1;";
    assert_eq!(
        messages(script, "1.20.5"),
        [
            "Flink does not bring the connector 'kafka': add org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20",
            "Flink does not bring the format 'avro': add org.apache.flink:flink-sql-avro:1.20.5",
            "Flink does not bring the catalog 'paimon': add org.apache.paimon:paimon-flink-1.20:1.3.1",
        ]
    );
    assert_eq!(
        codes(script, &target("2.3.0")),
        ["1:44 warning noRelease", "1:64 warning missingFactory", "2:33 warning noRelease"]
    );
    let mut with_jars = target("1.20.5");
    with_jars.provided.insert((FactoryKind::Connector, "kafka".to_owned()));
    with_jars.provided.insert((FactoryKind::Format, "avro".to_owned()));
    with_jars.provided.insert((FactoryKind::Catalog, "paimon".to_owned()));
    assert_eq!(codes(script, &with_jars), [""; 0]);
    assert_eq!(codes(&format!("ADD JAR '/lib/a.jar'; {script}"), &target("1.20.5")), [""; 0]);
    assert_eq!(codes(script, &Target::default()), [""; 0]);
    assert_eq!(
        messages("CREATE TABLE t WITH ('connector' = 'kafak') AS SELECT 1", "1.20.5"),
        [
            "Flink does not bring a connector 'kafak', and it is none that Flumen knows; did you mean kafka?"
        ]
    );
}

#[test]
fn the_jar_that_is_missing_is_named_for_the_scala_that_is_asked_for() {
    let text = "CREATE TABLE a (n INT) WITH ('connector' = 'kafka'); INSERT INTO a SELECT 1";
    let named = |version: &str, scala: Option<&str>| {
        let target = Target { scala: scala.map(ToOwned::to_owned), ..target(version) };
        let findings = check(&Script::parse(text), &target);
        findings.iter().map(|finding| finding.problem.to_string()).collect::<String>()
    };
    assert!(named("1.14.6", None).contains("flink-sql-connector-kafka_2.12:1.14.6"));
    assert!(named("1.14.6", Some("2.11")).contains("flink-sql-connector-kafka_2.11:1.14.6"));
    assert!(named("1.20.5", Some("2.11")).contains("flink-sql-connector-kafka:3.4.0-1.20"));
}
