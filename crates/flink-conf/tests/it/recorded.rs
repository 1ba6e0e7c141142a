//! Reading the recorded answers in `tests/data`.

use std::path::Path;

use flumen_model::FlinkMinor;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The content of a file of recorded answers.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&text_of(name)).expect("valid JSON")
}

/// The content of a file as text.
pub(crate) fn text_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read_to_string(path).expect("the recorded file is there")
}

/// The minors in a range such as `1.12..2.3` or `1.11`.
pub(crate) fn minors(range: &str) -> Vec<FlinkMinor> {
    let (first, last) = range.split_once("..").unwrap_or((range, range));
    let [first, last] = [first, last].map(|minor| minor.parse::<FlinkMinor>().expect("a minor"));
    FlinkMinor::SUPPORTED.into_iter().filter(|minor| (first..=last).contains(minor)).collect()
}

/// One recorded answer, with each minor that gave it.
pub(crate) fn answers(case: &Value) -> impl Iterator<Item = (FlinkMinor, &Value)> {
    case["results"].as_array().expect("results").iter().flat_map(|entry| {
        let range = entry["versions"].as_str().expect("versions");
        minors(range).into_iter().map(move |minor| (minor, &entry["result"]))
    })
}
