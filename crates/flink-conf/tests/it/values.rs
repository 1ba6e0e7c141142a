use flumen_flink_conf::{parse_duration, parse_size, render_duration, render_size};
use flumen_model::FlinkMinor;
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

#[test]
fn units_that_other_programs_know_are_no_units_of_flink() {
    for text in ["1 kib", "1MiB", "1\tGIB", "1tib"] {
        assert!(parse_size(text).is_err(), "{text}");
    }
}

#[test]
fn a_duration_may_have_a_longer_number_since_2_0_if_it_can_be_counted() {
    let parse = |text, minor| parse_duration(text, FlinkMinor::from(minor)).ok();
    let long = "9455082380117575334 µs";
    assert_eq!(parse(long, (1, 20)), None);
    assert_eq!(parse(long, (2, 0)).map(|duration| duration.as_secs()), Some(9_455_082_380_117));
    assert_eq!(parse("9455082380117575334 d", (2, 3)), None);
    assert_eq!(parse(&format!("{long}{long}"), (2, 3)), None);
}
