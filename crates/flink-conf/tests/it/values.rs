use flumen_flink_conf::{parse_duration, parse_size, render_duration, render_size};
use serde_json::{Value, json};

use crate::recorded::{answers, read};

#[test]
fn sizes_and_durations_are_read_and_written_as_every_minor_does() {
    let cases: Vec<Value> = read("values.json");
    assert_eq!(cases.len(), 66);
    for case in &cases {
        let text = case["in"].as_str().expect("in");
        for (minor, expected) in answers(case) {
            let computed = match case["kind"].as_str() {
                Some("memory") => parse_size(text)
                    .map(|size| json!({"bytes": size.bytes(), "text": render_size(size), "human": expected["human"]})),
                _ => parse_duration(text, minor).map(|duration| {
                    let nanoseconds = u64::try_from(duration.as_nanos()).expect("small");
                    json!({"nanos": nanoseconds, "text": render_duration(duration, minor)})
                }),
            };
            match (computed, expected.get("error")) {
                (Ok(computed), None) => assert_eq!(&computed, expected, "{minor}: {text:?}"),
                (Err(_), Some(_)) => {}
                (computed, _) => {
                    panic!("{minor}: {text:?}: computed {computed:?}, recorded {expected}")
                }
            }
        }
    }
}
