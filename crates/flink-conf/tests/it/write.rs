use flumen_flink_conf::{Configuration, ConfigurationFormat, Value, render_configuration_file};
use flumen_model::FlinkMinor;

use crate::recorded::read;

fn render(minor: FlinkMinor, format: ConfigurationFormat, entries: &[(&str, Value)]) -> String {
    let mut configuration = Configuration::with_format(minor, format);
    configuration.extend(entries.iter().cloned());
    render_configuration_file(&configuration).text
}

#[test]
fn texts_are_quoted_in_both_files_as_flink_quotes_them() {
    let cases: Vec<serde_json::Value> = read("yaml-scalars.json");
    assert_eq!(cases.len(), 172);
    for case in &cases {
        let value = case["value"].as_str().expect("value");
        for (format, minor) in [
            (ConfigurationFormat::Standard, FlinkMinor::new(2, 3)),
            (ConfigurationFormat::Legacy, FlinkMinor::new(1, 18)),
        ] {
            let text = render(minor, format, &[("k", Value::from(value))]);
            let expected = case[format.file_name()].as_str().expect("text");
            assert_eq!(text, format!("{expected}\n"), "{value:?}");
        }
    }
}
