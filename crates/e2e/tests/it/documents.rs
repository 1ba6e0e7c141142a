use std::collections::BTreeMap;

use flumen_flink_conf::{ConfigurationFormat, parse_configuration_file};
use flumen_model::FlinkMinor;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::flink_classes::{Questions, drawn, version};

/// Documents that each version reads in each of its formats.
const DOCUMENTS: usize = 300;

#[test]
fn documents_of_users_are_read_as_real_flink_reads_them() {
    let (legacy, standard) = (ConfigurationFormat::Legacy, ConfigurationFormat::Standard);
    let lines = drawn(&legacy_document(), DOCUMENTS);
    let documents = drawn(&standard_document(), DOCUMENTS);
    for (minor, format, texts) in
        [("1.18", legacy, &lines), ("1.20", standard, &documents), ("2.3", standard, &documents)]
    {
        let number: FlinkMinor = minor.parse().expect("a minor");
        let mut questions = Questions::new();
        for text in texts {
            questions.add_file("read", format.file_name(), text);
        }
        let mut read = 0;
        let mut differences = Vec::new();
        for (text, answer) in texts.iter().zip(questions.ask(version(minor))) {
            let ours = parse_configuration_file(text, number, format).map(|parsed| {
                let entries = parsed.configuration;
                let entries = entries.iter();
                entries
                    .map(|(key, value)| (key.to_owned(), value.to_text(format).into_owned()))
                    .collect::<BTreeMap<String, String>>()
            });
            let flinks = answer["values"].as_object().map(|values| {
                values
                    .iter()
                    .map(|(key, value)| {
                        (key.clone(), value.as_str().unwrap_or_default().to_owned())
                    })
                    .collect()
            });
            read += usize::from(flinks.is_some());
            if ours.as_ref().ok() != flinks.as_ref() {
                differences.push(format!("{text}\nFlink: {answer}\nwe: {ours:?}\n"));
            }
        }
        assert!(
            differences.is_empty(),
            "Flink {minor} reads {} of {DOCUMENTS} otherwise:\n{}",
            differences.len(),
            differences.join("\n")
        );
        assert!(read > DOCUMENTS / 4, "only {read} documents are any good");
    }
}

const KEYS: &[&str] =
    &["a", "b", "a.b", "c-d", "'q'", "\"w\"", "é", "x_1", "state", "on", "env.java.opts"];

/// Scalars, collections and what is no value at all.
const VALUES: &[&str] = &[
    "0755",
    "0o14",
    "0x1F",
    "0xg",
    "1.10",
    "1e3",
    "1E-3",
    "5.",
    ".5",
    ".",
    "+1",
    "-0",
    "0b1",
    "1_000",
    "1:30",
    "2026-11-20",
    ".inf",
    "-.INF",
    ".nan",
    ".NaN",
    "yes",
    "No",
    "on",
    "TRUE",
    "False",
    "tRUE",
    "null",
    "~",
    "",
    "12345678901234567890",
    "0xFFFFFFFFFFFFFFFFFF",
    "1.7976931348623157e309",
    "'it''s'",
    "''",
    "\"a\\tb\"",
    "\"\\u00e9\\n\"",
    "\"\\q\"",
    "a b",
    "a#b",
    "a #b",
    "# c",
    "http://x/y",
    "a: b",
    "a:b",
    "[a, 'b', 1.50]",
    "[a, [b]]",
    "[a",
    "{k: v}",
    "{k: [v, w], z: {y: 1}}",
    "[{k: v}, {}]",
    "[]",
    "{}",
    "!!str 12",
    "!!int '12'",
    "!x y",
    "é中😀",
    "@x",
    "`x",
    "%x",
    "*none",
    "- x",
    "-x",
    "?x",
    "|-\n  l1\n\n  l2",
    ">\n  f1\n  f2\n",
    "|\n  l\n",
    "\"two\n  lines\"",
    "plain\n  goes on",
    "<<",
    "=",
    "a\tb",
    "x\u{a0}y",
    "---",
    "'open",
];

const LINES: &[&str] = &[
    "# comment",
    "",
    "a:b",
    "a: b: c",
    "url: hdfs://nn/p#x",
    "  padded :   y  ",
    "quoted: \"x # y\"",
    "empty: ",
    ": v",
    "a: later",
    "\tt: 1",
    "k : v",
    "é: ü",
    "x:  y",
    "list: [a, b]",
    "no separator",
    "a#b: c",
    "last: \\n",
];

fn legacy_document() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => select(LINES).prop_map(str::to_owned),
        1 => "[ a-c:#'\\t]{0,12}",
    ];
    let end = select(&["\n", "\n", "\r\n"][..]);
    vec((line, end), 0..12).prop_map(|lines| {
        let lines: Vec<String> = lines.iter().map(|(line, end)| format!("{line}{end}")).collect();
        lines.concat()
    })
}

fn standard_document() -> impl Strategy<Value = String> {
    let pair = (select(KEYS), select(VALUES));
    let item = select(VALUES);
    let entry = prop_oneof![
        6 => pair.clone().prop_map(|(key, value)| format!("{key}: {value}\n")),
        2 => (select(KEYS), vec(pair, 1..3)).prop_map(|(key, below)| {
            let lines = below.iter().map(|(key, value)| format!("  {key}: {}\n", value.replace('\n', "\n  ")));
            format!("{key}:\n{}", lines.collect::<String>())
        }),
        1 => (select(KEYS), vec(item, 1..3)).prop_map(|(key, items)| {
            let lines = items.iter().map(|item| format!("- {item}\n"));
            format!("{key}:\n{}", lines.collect::<String>())
        }),
        1 => Just("# comment\n".to_owned()),
    ];
    vec(entry, 1..4).prop_map(|entries| entries.concat())
}
