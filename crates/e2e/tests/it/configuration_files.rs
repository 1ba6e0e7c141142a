use std::collections::BTreeMap;

use flumen_flink_conf::{
    Catalogue, Configuration, ConfigurationFormat, Value, render_configuration_file,
};
use flumen_model::FlinkMinor;
use proptest::prelude::*;

use crate::flink_classes::{Questions, drawn, version};

/// How many maps each version reads in each of its formats.
const MAPS: usize = 150;

#[test]
fn real_flink_reads_back_every_map_that_is_written() {
    let maps = drawn(&any_entries(), MAPS);
    let (legacy, standard) = (ConfigurationFormat::Legacy, ConfigurationFormat::Standard);
    for (minor, formats) in
        [("1.18", &[legacy][..]), ("1.20", &[legacy, standard]), ("2.3", &[standard])]
    {
        let number: FlinkMinor = minor.parse().expect("a minor");
        let written: Vec<Configuration> = formats
            .iter()
            .flat_map(|format| maps.iter().map(|map| carried(number, *format, map)))
            .collect();
        let mut questions = Questions::new();
        for configuration in &written {
            questions.add("read", configuration);
        }
        for (configuration, answer) in written.iter().zip(questions.ask(version(minor))) {
            assert_same(configuration, &answer);
        }
    }
}

/// The entries without those that the format has no way to write, which are named as lost.
fn carried(
    minor: FlinkMinor,
    format: ConfigurationFormat,
    entries: &BTreeMap<String, Value>,
) -> Configuration {
    let mut configuration = Configuration::with_format(minor, format);
    configuration.extend(entries.iter().map(|(key, value)| (key.as_str(), value.clone())));
    for loss in render_configuration_file(&configuration).losses {
        configuration.remove(&loss.key);
    }
    configuration
}

fn assert_same(configuration: &Configuration, answer: &serde_json::Value) {
    let (minor, format) = (configuration.minor(), configuration.format());
    let text = render_configuration_file(configuration).text;
    let context = || format!("Flink {minor} reads otherwise:\n{text}\n{answer}");
    assert!(answer["values"].is_object(), "{}", context());
    let read = answer["values"].as_object().expect("looked at");
    let catalogue = Catalogue::of(minor);
    let mut expected = 0;
    for (key, value) in configuration.iter() {
        let value = value.to_text(format);
        if value.is_empty() && format == ConfigurationFormat::Legacy {
            continue;
        }
        expected += 1;
        let found = read.get(key).or_else(|| read.get(catalogue.canonical(key)));
        let found = found.and_then(serde_json::Value::as_str);
        assert_eq!(found, Some(&*value), "{key}: {}", context());
    }
    assert_eq!(read.len(), expected, "{}", context());
}

/// Texts that YAML, Flink's line parser or its lists take for something else.
const PARTS: &[&str] = &[
    "a",
    "b ",
    "#",
    " #",
    ": ",
    ":",
    "'",
    "\"",
    "\n",
    "\n\n",
    "\t",
    "é",
    "中",
    "😀",
    "- ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "0",
    "1",
    "007",
    ".",
    "e",
    "1e3",
    "true",
    "yes",
    "~",
    "null",
    " ",
    "\\",
    "\u{85}",
    "\u{2028}",
    "=",
    "<<",
    "${x}",
    "\r",
    "\u{7f}",
    "\u{a0}",
    "0x1F",
    ";",
    "\u{1}",
    "---",
    "...",
    "2026-11-20",
    "1_000",
    "http://h:1/p?q=1#f",
];

/// Parts of keys of users.
const NAMES: &[&str] = &["a", "b", "k-1", "x_y", "1", "true", "é", "null", "~", "yes", "0x1", "on"];

/// Keys of Flink of which one is the dotted prefix of another.
const CONFLICTS: &[&str] = &[
    "high-availability",
    "high-availability.storageDir",
    "high-availability.cluster-id",
    "env.java.opts",
    "env.java.opts.jobmanager",
    "kubernetes.container.image",
    "kubernetes.container.image.pull-policy",
    "state.backend",
    "state.backend.incremental",
    "restart-strategy",
    "restart-strategy.fixed-delay.attempts",
    "metrics.scope.jm",
    "metrics.scope.jm.job",
    "execution.checkpointing.unaligned",
    "execution.checkpointing.unaligned.forced",
];

fn any_text() -> impl Strategy<Value = String> {
    let tricky = proptest::collection::vec(proptest::sample::select(PARTS), 0..8);
    prop_oneof![
        6 => tricky.prop_map(|parts| parts.concat()),
        1 => "\\PC{0,40}",
        1 => "[a-z]{60,200} [a-z ]{100,200}",
    ]
}

fn any_key() -> impl Strategy<Value = String> {
    let own = proptest::collection::vec(proptest::sample::select(NAMES), 1..5);
    prop_oneof![
        2 => own.prop_map(|names| names.join(".")),
        1 => proptest::sample::select(CONFLICTS).prop_map(str::to_owned),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let map = || proptest::collection::btree_map("[a-z/.]{1,8}", any_text(), 0..3);
    prop_oneof![
        10 => any_text().prop_map(Value::Text),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => any::<i64>().prop_map(Value::Integer),
        1 => (-1_000_000..1_000_000_i32).prop_map(|number| Value::Double(f64::from(number) / 64.0)),
        1 => proptest::collection::vec(any_text(), 0..4).prop_map(Value::List),
        1 => map().prop_map(Value::Map),
        1 => proptest::collection::vec(map(), 0..3).prop_map(Value::ListOfMaps),
    ]
}

fn any_entries() -> impl Strategy<Value = BTreeMap<String, Value>> {
    proptest::collection::btree_map(any_key(), any_value(), 0..25)
}
