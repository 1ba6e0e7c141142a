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
        for (minor, format) in files() {
            let entries = [("k", text(value))];
            let expected = case[format.file_name()].as_str().expect("text");
            assert_eq!(render(minor, format, &entries), format!("{expected}\n"), "{value:?}");
            assert_read_back(&configuration(minor, format, &entries));
        }
    }
}

/// Every file that some minor reads.
fn files() -> impl Iterator<Item = (FlinkMinor, ConfigurationFormat)> {
    let formats = [ConfigurationFormat::Standard, ConfigurationFormat::Legacy];
    let read_by =
        move |minor: FlinkMinor| formats.into_iter().filter(move |it| it.is_read_by(minor));
    FlinkMinor::SUPPORTED
        .into_iter()
        .flat_map(move |minor| read_by(minor).map(move |format| (minor, format)))
}

/// What is written is read back as it was, but for what is named as lost, which is not.
fn assert_read_back(written: &Configuration) {
    let file = render_configuration_file(written);
    let (minor, format) = (written.minor(), written.format());
    let read = parse_configuration_file(&file.text, minor, format);
    assert!(read.is_ok(), "{minor}: {read:?} in\n{}", file.text);
    let read = read.expect("looked at");
    let lost: Vec<&str> = file.losses.iter().map(|loss| loss.key.as_str()).collect();
    for (key, value) in written.iter() {
        let text = value.to_text(format);
        let found = read.configuration.get(key).map(|found| found.to_text(format));
        let is_lost = lost.contains(&key);
        let is_nothing = text.is_empty() && format == ConfigurationFormat::Legacy;
        if is_lost || is_nothing {
            assert_ne!(found, Some(text), "{minor}: {key} is not lost in\n{}", file.text);
        } else {
            assert_eq!(found, Some(text), "{minor}: {key} in\n{}", file.text);
        }
    }
    if lost.is_empty() {
        let is_something = |(_, value): &(&str, &Value)| {
            format == ConfigurationFormat::Standard || !value.to_text(format).is_empty()
        };
        assert_eq!(read.configuration.len(), written.iter().filter(is_something).count());
    }
}

#[test]
fn a_byte_order_mark_is_a_character_like_others() {
    let entries = [("\u{feff}`", text("\u{feff}x")), ("b", text("a\u{feff}b"))];
    for (minor, format) in files().filter(|(_, format)| *format == ConfigurationFormat::Standard) {
        assert_read_back(&configuration(minor, format, &entries[..1]));
        assert_read_back(&configuration(minor, format, &entries));
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
fn a_key_with_very_many_parts_is_not_nested() {
    let key = vec!["k"; 200].join(".");
    for (minor, format) in files() {
        assert_read_back(&configuration(minor, format, &[(&key, text("x")), ("k.k", text("y"))]));
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
        ("none", Value::List(Vec::new())),
        ("key: of", Value::List(Vec::new())),
    ];
    let minor = FlinkMinor::new(1, 18);
    let file =
        render_configuration_file(&configuration(minor, ConfigurationFormat::Legacy, &entries));
    let mut lost: Vec<&str> = file.losses.iter().map(|loss| loss.key.as_str()).collect();
    lost.sort_unstable();
    assert_eq!(lost, ["blank", "empty", "hash", "key: of", "lines"]);
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
    "\u{1}", "\u{feff}",
];
const KEYS: &[&str] = &[
    "a", "b", "k-1", "x_y", "1", "true", "é", "null", "~", "-", "#h", " s", "'", "q:", "[", "*x",
    "{", "? k", ".", "..",
];

/// Values of every type, as layers and Flink's client set them.
fn any_value() -> impl Strategy<Value = Value> {
    let texts = || proptest::collection::vec(tricky(PARTS, 4), 0..4);
    let map = || proptest::collection::btree_map(tricky(KEYS, 3), tricky(PARTS, 4), 0..4);
    prop_oneof![
        8 => tricky(PARTS, 8).prop_map(Value::Text),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => any::<i64>().prop_map(Value::Integer),
        1 => any::<f64>().prop_map(Value::Double),
        1 => texts().prop_map(Value::List),
        1 => map().prop_map(Value::Map),
        1 => proptest::collection::vec(map(), 0..3).prop_map(Value::ListOfMaps),
    ]
}

fn any_entries() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let key = tricky(KEYS, 5).prop_filter("Flink has no empty key", |key| !key.is_empty());
    proptest::collection::btree_map(key, any_value(), 0..30)
}

proptest! {
    #[test]
    fn what_is_written_for_any_version_is_read_back(entries in any_entries()) {
        for (minor, format) in files() {
            let mut written = Configuration::with_format(minor, format);
            // A job may not have line breaks in the old file, where what follows one is another entry.
            let is_line = |value: &Value| !value.to_text(format).contains(['\n', '\r']);
            let entries = entries.iter().filter(|(_, value)| format == ConfigurationFormat::Standard || is_line(value));
            written.extend(entries.map(|(key, value)| (key.as_str(), value.clone())));
            assert_read_back(&written);
        }
    }
}
