use std::collections::BTreeMap;

use flumen_flink_conf::{Configuration, ConfigurationFormat, Error, render_configuration_file};
use flumen_model::FlinkMinor;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::flink_classes::{Questions, drawn, version};

/// Texts of each type that each version reads in each of its formats.
const TEXTS: usize = 400;

#[test]
fn texts_are_read_as_the_values_for_which_real_flink_takes_them() {
    let texts: Vec<(&str, Vec<String>)> = vec![
        ("size", drawn(&numbers_with(SIZE_UNITS), TEXTS)),
        ("duration", drawn(&any_duration(), TEXTS)),
        ("boolean", drawn(&parts(BOOLEANS, 2), TEXTS)),
        ("integer", drawn(&parts(NUMBERS, 4), TEXTS)),
        ("double", drawn(&parts(NUMBERS, 5), TEXTS)),
        ("list", drawn(&parts(LISTS, 9), TEXTS)),
        ("map", drawn(&parts(LISTS, 9), TEXTS)),
    ];
    let (legacy, standard) = (ConfigurationFormat::Legacy, ConfigurationFormat::Standard);
    for (minor, format) in
        [("1.18", legacy), ("1.20", legacy), ("1.20", standard), ("2.3", standard)]
    {
        let number: FlinkMinor = minor.parse().expect("a minor");
        let mut configuration = Configuration::with_format(number, format);
        for (kind, texts) in &texts {
            for (at, text) in texts.iter().enumerate() {
                configuration.set_text(&format!("{kind}.{at}"), text.as_str());
            }
        }
        for loss in render_configuration_file(&configuration).losses {
            configuration.remove(&loss.key);
        }
        let mut questions = Questions::new();
        questions.add("typed", &configuration);
        let answer = questions.ask(version(minor)).remove(0);
        let differences: Vec<String> = configuration
            .iter()
            .filter_map(|(key, value)| {
                let (read, expected) =
                    (typed(&configuration, key), answer["values"][key].as_str()?);
                let text = value.to_text(format);
                (read != expected)
                    .then(|| format!("{key} {text:?}: Flink reads {expected:?}, we read {read:?}"))
            })
            .collect();
        assert_eq!(
            answer["values"].as_object().map(serde_json::Map::len),
            Some(configuration.len())
        );
        let count = differences.len();
        assert_eq!(count, 0, "Flink {minor}, {format:?}:\n{}", differences.join("\n"));
    }
}

/// What we read, in the words of `AskFlink.java`.
fn typed(configuration: &Configuration, key: &str) -> String {
    let (kind, _) = key.split_once('.').expect("a type");
    let read = || -> Result<String, Error> {
        Ok(match kind {
            "size" => configuration.size(key)?.expect("set").bytes().to_string(),
            "duration" => {
                let duration = configuration.duration(key)?.expect("set");
                format!("{} s {} ns", duration.as_secs(), duration.subsec_nanos())
            }
            "boolean" => configuration.boolean(key)?.expect("set").to_string(),
            "integer" => configuration.integer(key)?.expect("set").to_string(),
            "double" => {
                let number = configuration.double(key)?.expect("set");
                // In Java one NaN is as good as another.
                let number = if number.is_nan() { f64::NAN } else { number };
                number.to_bits().cast_signed().to_string()
            }
            "list" => lengths(configuration.list(key)?.expect("set").iter()),
            _ => {
                let map: BTreeMap<String, String> = configuration.map(key)?.expect("set");
                lengths(map.iter().flat_map(|(name, value)| [name, value]))
            }
        })
    };
    read().unwrap_or_else(|_| "error".to_owned())
}

fn lengths<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    let length = |text: &String| format!("{}<{text}>", text.encode_utf16().count());
    texts.map(length).collect::<Vec<_>>().concat()
}

const SIZE_UNITS: &[&str] = &[
    "",
    "b",
    "bytes",
    "k",
    "kb",
    "kib",
    "kibibytes",
    "m",
    "M",
    "mb",
    "MB",
    "mib",
    "Mi",
    "mebibytes",
    "g",
    "gb",
    "GiB",
    "gibibytes",
    "t",
    "tb",
    "tebibytes",
    "p",
    "mm",
    "byte",
];
const TIME_UNITS: &[&str] = &[
    "",
    "d",
    "day",
    "days",
    "h",
    "H",
    "hour",
    "hours",
    "m",
    "min",
    "minute",
    "minutes",
    "s",
    "S",
    "sec",
    "secs",
    "second",
    "seconds",
    "ms",
    "milli",
    "millis",
    "millisecond",
    "us",
    "µs",
    "μs",
    "micro",
    "micros",
    "ns",
    "nano",
    "nanos",
    "nanosecond",
    "week",
];
const ISO: &[&str] =
    &["P", "p", "T", "1", "2", "30", ".5", "D", "H", "M", "S", "s", "W", "1D", "T1H", "T10S", "0"];
const BOOLEANS: &[&str] = &["true", "false", "TRUE", "False", " ", "yes", "1", "", "t"];
const NUMBERS: &[&str] = &[
    "1",
    "0",
    "9",
    "7",
    "-",
    "+",
    ".",
    "e",
    "E",
    "5",
    "NaN",
    "Infinity",
    " ",
    "f",
    "d",
    "_",
    "0x",
    "999999999999",
];
const LISTS: &[&str] = &[
    "a", "b c", ";", ";", ",", ",", ":", ":", "'", "\"", " ", "[", "]", "{", "}", "1", "true", "é",
    "- ", ": ",
];

fn parts(parts: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    vec(select(parts), 1..=most).prop_map(|parts| parts.concat())
}

fn numbers_with(units: &'static [&'static str]) -> impl Strategy<Value = String> {
    let blank = || select(&["", "", "", " ", "  ", "\t"][..]);
    let number = prop_oneof![
        8 => "[0-9]{1,6}",
        1 => "[0-9]{12,20}",
        1 => select(&["", "1.5", "-1", "+1", "1 0"][..]).prop_map(str::to_owned),
    ];
    (blank(), number, blank(), select(units), blank())
        .prop_map(|(a, number, b, unit, c)| format!("{a}{number}{b}{unit}{c}"))
}

fn any_duration() -> impl Strategy<Value = String> {
    let iso = vec(select(ISO), 1..5).prop_map(|parts| format!("P{}", parts.concat()));
    prop_oneof![3 => numbers_with(TIME_UNITS), 1 => iso]
}
