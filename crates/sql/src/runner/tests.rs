use super::*;

fn file(text: &str) -> String {
    runner_file(&Script::parse(text)).expect("a file")
}

/// `1:1 code` for each finding.
fn refused(text: &str) -> Vec<String> {
    let findings = runner_file(&Script::parse(text)).expect_err("a refusal");
    findings.iter().map(|it| format!("{} {}", it.at, it.problem.code())).collect()
}

/// The lines with the kinds.
fn heads(text: &str) -> Vec<String> {
    let file = file(text);
    let mut rest = file.split_once('\n').expect("a first line").1;
    let mut heads = Vec::new();
    while let Some((head, after)) = rest.split_once('\n') {
        let lengths = head.split(' ').skip(3).map(|it| it.parse::<usize>().expect("a length") + 1);
        rest = &after[lengths.sum::<usize>()..];
        heads.push(head.to_owned());
    }
    heads
}

#[test]
fn a_file_has_every_statement_with_its_place_and_length() {
    let script = "-- é\nSET 'pipeline.name' = 'it''s\ntwo'; CREATE TABLE é (x INT);\n\n  INSERT INTO é\nSELECT ';';";
    let expected = "flumen-sql 1 3\n\
        set 2 1 13 8\npipeline.name\nit's\ntwo\n\
        catalog 3 7 23\nCREATE TABLE é (x INT)\n\
        insert 5 3 25\nINSERT INTO é\nSELECT ';'\n";
    assert_eq!(file(script), expected);
    assert_eq!(file(" -- nothing"), "flumen-sql 1 0\n");
}

#[test]
fn sets_become_their_inserts_and_execute_what_it_executes() {
    let inserts = ["insert 2 2 21", "insert 3 1 22"];
    for (before, after) in
        [("EXECUTE STATEMENT SET BEGIN", "END;"), ("BEGIN STATEMENT SET;", "END;"), ("", "")]
    {
        let script =
            format!("{before}\n INSERT INTO a VALUES 1;\nEXECUTE INSERT INTO b VALUES 11; {after}");
        let script = if before.starts_with("EXECUTE") || before.starts_with("BEGIN") {
            script.replace("\nEXECUTE ", "\n")
        } else {
            script
        };
        let found = heads(&script);
        let place = |head: &str| head.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let places: Vec<_> = found.iter().map(|it| place(it)).collect();
        assert_eq!(places, inserts.map(place), "{script}");
    }
    assert_eq!(heads("EXECUTE /* now */ SELECT 1"), ["query 1 19 8"]);
}

#[test]
fn kinds_say_what_the_runner_does() {
    for (text, word) in [
        ("CREATE TABLE t AS SELECT 1", "insert"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "query"),
        ("DESC t", "show"),
        ("EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; END", "show"),
        ("USE CATALOG c", "session"),
        ("CREATE CATALOG c WITH ('type' = 'jdbc')", "session"),
        ("ADD JAR '/a.jar'", "session"),
        ("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1", "session"),
        ("CREATE TEMPORARY SYSTEM FUNCTION f AS 'a.B'", "session"),
        ("DROP VIEW v", "catalog"),
        ("CREATE FUNCTION f AS 'a.B' LANGUAGE JAVA", "catalog"),
        ("UPDATE t SET x = 1", "change"),
        ("SELEKT 1", "change"),
        ("EXECUTE PLAN '/plan.json'", "call"),
        ("CALL sys.compact('t')", "call"),
        ("RESET", "reset"),
    ] {
        let heads = heads(text);
        assert!(heads.len() == 1 && heads[0].starts_with(&format!("{word} 1 1 ")), "{heads:?}");
    }
    assert_eq!(heads("SET; QUIT;"), [""; 0]);
}

#[test]
fn keys_of_reset_are_read() {
    for (text, key) in [("RESET", ""), ("RESET 'a.b'", "a.b"), ("RESET a.b-c;", "a.b-c")] {
        assert_eq!(file(text), format!("flumen-sql 1 1\nreset 1 1 {}\n{key}\n", key.len()));
    }
    assert_eq!(refused("RESET a b"), ["1:1 malformedSetting"]);
    assert_eq!(refused("SET a = b c"), ["1:1 malformedSetting"]);
}

#[test]
fn what_would_be_done_before_an_insert_above_it_is_refused() {
    let insert = "INSERT INTO t SELECT 1;\n";
    for (text, code) in [
        ("DROP TABLE t", "afterInsert"),
        ("SET 'pipeline.name' = 'b'", "afterInsert"),
        ("ALTER TABLE t RENAME TO u", "afterInsert"),
        ("CALL sys.compact('t')", "afterInsert"),
        ("SELECT 1", "secondJob"),
        ("DELETE FROM t", "secondJob"),
        ("EXECUTE PLAN 'p'", "secondJob"),
    ] {
        assert_eq!(refused(&format!("{insert}{text}")), [format!("2:1 {code}")], "{text}");
    }
    for text in ["CREATE TABLE u (x INT)", "USE d", "SHOW TABLES", "INSERT INTO u SELECT 2", "QUIT"]
    {
        file(&format!("{insert}{text}"));
    }
}

#[test]
fn sets_must_end() {
    assert_eq!(refused("BEGIN STATEMENT SET; INSERT INTO a SELECT 1;"), ["1:1 setNotEnded"]);
    assert_eq!(refused("END;"), ["1:1 setNotBegun"]);
}

#[test]
fn a_text_with_variables_and_secrets_has_its_pieces() {
    let values = [("t", "é'x"), ("empty", ""), ("key", "a")];
    let values =
        values.map(|(name, value)| (name.parse().expect("a name"), value.to_owned())).into();
    let source = "SET '${key}' = 'b';\nCREATE TABLE t (x INT) WITH\n ('a'='${secret:s/k}');\nINSERT INTO `${t}` SELECT ${empty}1;\nINSERT INTO t SELECT 1";
    let resolved = crate::resolve(source, &values);
    let file = runner_file(&Script::of(&resolved)).expect("a file");
    let expected = "flumen-sql 1 4\n\
        set 1 1 1 1\na\nb\n\
        catalog 2 1 50 t:35:2:1 s:13:3:8 t:2:3:21\nCREATE TABLE t (x INT) WITH\n ('a'='${secret:s/k}')\n\
        insert 4 1 27 t:13:4:1 v:4:4:14 t:9:4:18 t:1:4:35\nINSERT INTO `é'x` SELECT 1\n\
        insert 5 1 22\nINSERT INTO t SELECT 1\n";
    assert_eq!(file, expected);
}

#[test]
fn a_script_whose_variables_are_not_known_is_not_written() {
    let none = std::collections::BTreeMap::new();
    for (text, code) in [
        ("INSERT INTO t SELECT ${x}", "unknownVariable"),
        ("SET 'a' = '${secret:s/k}'", "secretShown"),
    ] {
        let resolved = crate::resolve(text, &none);
        let findings = runner_file(&Script::of(&resolved)).expect_err("a refusal");
        assert_eq!(findings[0].problem.code(), code, "{text}");
    }
}
