use flumen_flink_conf::Severity;

use super::*;
use crate::{Script, Target, check};

fn values(pairs: &[(&str, &str)]) -> BTreeMap<VariableName, String> {
    pairs.iter().map(|(name, value)| (name.parse().expect("a name"), (*value).to_owned())).collect()
}

/// What a script becomes where `x` is this.
fn with(value: &str, source: &str) -> String {
    let values = values(&[("x", value)]);
    resolve(source, &values).text().to_owned()
}

/// `1:1 code` for each finding.
fn found(source: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let values = values(pairs);
    let resolved = resolve(source, &values);
    let told = resolved.findings().iter();
    told.map(|finding| format!("{} {}", finding.at, finding.problem.code())).collect()
}

#[test]
fn a_value_is_put_in_as_it_is_and_quoted_as_what_it_stands_in() {
    for (source, expected) in [
        ("a ${x} b", "a i't`s b"),
        ("t_${x}", "t_i't`s"),
        ("'${x}${x}'", "'i''t`si''t`s'"),
        ("`${x}`", "`i't``s`"),
        ("/*+ OPTIONS('a'='${x}') */", "/*+ OPTIONS('a'='i''t`s') */"),
        ("U&'${x}'", "U&'i''t`s'"),
    ] {
        assert_eq!(with("i't`s", source), expected, "{source}");
    }
    assert_eq!(with(r"\'", "E'${x}' '${x}'"), r"E'\\''' '\'''");
    assert_eq!(with("${x}", "'${x}'"), "'${x}'", "values are not looked into");
}

#[test]
fn comments_and_what_begins_no_variable_stay() {
    for source in ["-- ${y}\nSELECT 1", "/* ${y} */", "// $${", "a$b $ {x} $$", "'$x {y}'"] {
        assert_eq!(with("1", source), source);
        let unused: Vec<String> = found(source, &[("x", "1")]);
        assert_eq!(unused, ["1:1 unusedVariable"], "{source}");
    }
}

#[test]
fn two_dollars_are_the_characters_themselves() {
    assert_eq!(with("1", "'$${x}' $${x} $$${x} '$$$${x}'"), "'${x}' ${x} $${x} '$$${x}'");
}

#[test]
fn what_is_not_known_stays_and_is_told_with_the_nearest_name() {
    let source = "SELECT\n  '${tabel}', ${day}";
    let pairs = [("table", "t"), ("day", "1")];
    assert_eq!(found(source, &pairs), ["2:4 unknownVariable", "1:1 unusedVariable"]);
    let values = values(&pairs);
    let resolved = resolve(source, &values);
    assert_eq!(resolved.text(), "SELECT\n  '${tabel}', 1");
    let message = resolved.findings()[0].problem.to_string();
    assert_eq!(message, "the variable tabel has no value; did you mean table?");
    assert_eq!(resolved.findings()[1].severity, Severity::Warning);
}

#[test]
fn every_wrong_form_has_its_place() {
    for (source, code) in [
        ("'${}'", "1:2 malformedVariable"),
        ("'${1a}'", "1:2 malformedVariable"),
        ("'${x'", "1:2 malformedVariable"),
        ("${ x}", "1:1 malformedVariable"),
        ("é ${secret:a}", "1:3 malformedSecret"),
        ("'${secret:A/b}'", "1:2 malformedSecret"),
        ("'${secret:a/b/c}'", "1:2 malformedSecret"),
        ("${secret:a/b}", "1:1 secretPlace"),
        ("`${secret:a/b}`", "1:2 secretPlace"),
        ("E'${secret:a/b}'", "1:3 secretPlace"),
        ("U&'${secret:a/b}'", "1:4 secretPlace"),
    ] {
        assert_eq!(found(source, &[]), [code], "{source}");
    }
    assert_eq!(found("${x}", &[("x", "1 -- one")]), ["1:1 variableNotClosed"]);
    assert_eq!(found("${x}", &[("x", "it's")]), ["1:1 variableNotClosed"]);
    assert_eq!(found("'${x}'", &[("x", "it's")]), [""; 0]);
    assert_eq!(found("'${x}'", &[("x", "${secret:a/b}")]), ["1:2 secretPlace"]);
}

#[test]
fn places_are_those_of_the_file_whatever_the_values_are() {
    let source = "SELECT 'é${x}', ${x} FROM t;\nSELEKT ${x}; INSERT INTO t SELECT ${e}1";
    let values = values(&[("x", "'a\n;b'"), ("e", "")]);
    let resolved = resolve(source, &values);
    let script = Script::of(&resolved);
    let places: Vec<String> =
        script.statements().iter().map(|it| format!("{}-{}", it.start, it.end)).collect();
    assert_eq!(places, ["1:1-1:28", "2:1-2:12", "2:14-2:40"]);
    let insert = &script.statements()[2];
    assert_eq!(script.text_of(insert), "INSERT INTO t SELECT 1");
    assert_eq!(&source[insert.start.offset..insert.end.offset], "INSERT INTO t SELECT ${e}1");
    let found = check(&script, &Target::default());
    assert!(found.iter().any(|it| it.at.to_string() == "2:1"), "{found:?}");
}

#[test]
fn secrets_stay_and_are_listed() {
    let source = "CREATE TABLE t (a INT) WITH ('p'='x${secret:db.prod/pass_word}');\nINSERT INTO t SELECT '${secret:s/k}';\nSELECT '${secret:s/k}'";
    let none = BTreeMap::new();
    let resolved = resolve(source, &none);
    assert_eq!(resolved.text(), source);
    let secrets = resolved.secrets().iter();
    let secrets: Vec<_> = secrets.map(|it| format!("{} {} {}", it.at, it.name, it.entry)).collect();
    assert_eq!(secrets, ["1:36 db.prod pass_word", "2:23 s k", "3:9 s k"]);
    let script = Script::of(&resolved);
    let found: Vec<_> = check(&script, &Target::default())
        .into_iter()
        .filter(|it| matches!(it.problem, crate::Problem::Variable(_)))
        .map(|it| format!("{} {}", it.at, it.problem.code()))
        .collect();
    assert_eq!(found, ["2:23 secretInPlan", "3:9 secretShown"]);
}
