use std::collections::BTreeMap;

use flumen_flink_conf::{
    Configuration, ConfigurationFormat, Value, parse_configuration_file, render_configuration_file,
};
use flumen_model::FlinkMinor;
use proptest::prelude::*;

use crate::recorded::{read, text_of};

const NEWEST: FlinkMinor = FlinkMinor::new(2, 3);

fn configuration(
    minor: FlinkMinor,
    format: ConfigurationFormat,
    entries: &[(&str, Value)],
) -> Configuration {
    let mut configuration = Configuration::with_format(minor, format);
    configuration.extend(entries.iter().cloned());
    configuration
}

fn render(minor: FlinkMinor, format: ConfigurationFormat, entries: &[(&str, Value)]) -> String {
    render_configuration_file(&configuration(minor, format, entries)).text
}

fn text(value: &str) -> Value {
    Value::from(value)
}

#[test]
fn texts_are_quoted_in_both_files_as_flink_quotes_them() {
    let cases: Vec<serde_json::Value> = read("yaml-scalars.json");
    assert_eq!(cases.len(), 172);
    for case in &cases {
        let value = case["value"].as_str().expect("value");
        for (format, minor) in [
            (ConfigurationFormat::Standard, NEWEST),
            (ConfigurationFormat::Legacy, FlinkMinor::new(1, 18)),
        ] {
            let text = render(minor, format, &[("k", Value::from(value))]);
            let expected = case[format.file_name()].as_str().expect("text");
            assert_eq!(text, format!("{expected}\n"), "{value:?}");
        }
    }
}

#[test]
fn keys_stand_in_the_order_of_flinks_hash_maps() {
    let keys = text_of("key-order/keys.txt");
    for format in [ConfigurationFormat::Standard, ConfigurationFormat::Legacy] {
        let entries: Vec<(&str, Value)> = keys.lines().map(|key| (key, text("x"))).collect();
        let rendered = render(FlinkMinor::new(1, 20), format, &entries);
        assert_eq!(rendered, text_of(&format!("key-order/{}", format.file_name())));
    }
}

#[test]
fn what_has_a_type_is_written_plain_and_lists_stand_under_their_key() {
    let entries = [
        ("a.port", Value::Integer(6123)),
        ("a.flag", Value::Boolean(true)),
        ("a.number", Value::Double(1e7)),
        ("a.text", text("6123")),
        ("a.list", Value::List(vec!["x".to_owned(), "1".to_owned(), "a: b".to_owned()])),
        ("a.none", Value::List(Vec::new())),
        ("a.map", Value::Map(BTreeMap::from([("k".to_owned(), "a,b".to_owned())]))),
    ];
    insta::assert_snapshot!(render(NEWEST, ConfigurationFormat::Standard, &entries));
    insta::assert_snapshot!(render(FlinkMinor::new(1, 18), ConfigurationFormat::Legacy, &entries));
}

#[test]
fn keys_of_the_clients_machine_stay_there() {
    let entries = [
        ("$internal.deployment.config-dir", text("/home")),
        ("kubernetes.config.file", text("/home/kubeconfig")),
        ("rest.bind-address", text("localhost")),
        ("x", text("y")),
    ];
    assert_eq!(render(NEWEST, ConfigurationFormat::Standard, &entries), "x: y\n");
    let legacy = render(FlinkMinor::new(1, 14), ConfigurationFormat::Legacy, &entries);
    assert!(legacy.contains("rest.bind-address: localhost"), "{legacy}");
}

#[test]
fn a_key_above_another_is_written_under_the_name_that_is_not_above_it() {
    let entries = [
        ("high-availability", text("kubernetes")),
        ("high-availability.storageDir", text("s3://b/ha")),
        ("env.java.opts", text("-Da=b")),
        ("env.java.opts.jobmanager", text("-Dc=d")),
        ("kubernetes.container.image", text("flink:1")),
        ("kubernetes.container.image.pull-policy", text("Always")),
        ("kubernetes.pod-template-file", text("/t.yaml")),
        ("kubernetes.pod-template-file.taskmanager", text("/tm.yaml")),
    ];
    insta::assert_snapshot!(render(
        FlinkMinor::new(1, 20),
        ConfigurationFormat::Standard,
        &entries
    ));
}

#[test]
fn keys_that_have_no_other_name_keep_their_values_side_by_side() {
    let entries = [
        ("metrics.scope.jm", text("a")),
        ("metrics.scope.jm.job", text("b")),
        ("mine", text("c")),
        ("mine.too", text("d")),
        ("mine.too.also", text("e")),
        ("high-availability", text("NONE")),
        ("high-availability.type", text("kubernetes")),
    ];
    let rendered = render(NEWEST, ConfigurationFormat::Standard, &entries);
    let read =
        parse_configuration_file(&rendered, NEWEST, ConfigurationFormat::Standard).expect("valid");
    for (key, value) in &entries {
        assert_eq!(read.configuration.get(key), Some(value), "{key} in\n{rendered}");
    }
}

#[test]
fn what_the_old_format_cannot_carry_is_named() {
    let entries = [
        ("hash", text("a#b")),
        ("lines", text("a\nb")),
        ("empty", text("")),
        ("blank", text(" a")),
        ("fine", text("a: b")),
    ];
    let minor = FlinkMinor::new(1, 18);
    let file =
        render_configuration_file(&configuration(minor, ConfigurationFormat::Legacy, &entries));
    let mut lost: Vec<&str> = file.losses.iter().map(|loss| loss.key.as_str()).collect();
    lost.sort_unstable();
    assert_eq!(lost, ["blank", "empty", "hash", "lines"]);
    assert_eq!(file.name, "flink-conf.yaml");
}

fn tricky(parts: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(parts), 0..most)
        .prop_map(|parts| parts.concat())
}

const PARTS: &[&str] = &[
    "a", "b ", "#", ": ", "'", "\"", "\n", "\t", "é", "中", "😀", "- ", "? ", "{", "}", "[", "]",
    ",", "&", "*", "!", "|", ">", "%", "@", "`", "0", "1", ".", "e", "true", "~", "null", " ",
    "\\", "\u{85}", "\u{2028}", "=", "<<", "${x}", "\r", "\u{7f}", "\u{a0}", ":", "0x", ";",
    "\u{1}",
];
const KEYS: &[&str] = &[
    "a", "b", "k-1", "x_y", "1", "true", "é", "null", "~", "-", "#h", " s", "'", "q:", "[", "*x",
    "{", "? k", ".", "..",
];

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        entries in proptest::collection::btree_map(tricky(KEYS, 5), tricky(PARTS, 8), 0..30)
    ) {
        let entries: Vec<(&str, Value)> =
            entries.iter().filter(|(key, _)| !key.is_empty()).map(|(key, value)| (key.as_str(), text(value))).collect();
        let rendered = render(NEWEST, ConfigurationFormat::Standard, &entries);
        let read = parse_configuration_file(&rendered, NEWEST, ConfigurationFormat::Standard);
        let read = read.map_err(|error| TestCaseError::fail(format!("{error} in\n{rendered}")))?.configuration;
        prop_assert_eq!(read.len(), entries.len());
        for (key, value) in &entries {
            prop_assert_eq!(read.get(key), Some(value), "{} in\n{}", key, rendered);
        }
    }
}
