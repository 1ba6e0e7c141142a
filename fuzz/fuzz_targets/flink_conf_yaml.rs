//! `flink-conf.yaml`: every text is read, and what was read can be written without a loss.
#![no_main]

use flumen_flink_conf::{ConfigurationFormat, parse_configuration_file, render_configuration_file};
use flumen_model::FlinkMinor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (format, minor) = (ConfigurationFormat::Legacy, FlinkMinor::new(1, 14));
    let read = parse_configuration_file(text, minor, format).expect("every text is read");
    let file = render_configuration_file(&read.configuration);
    assert_eq!(file.losses, []);
    let again = parse_configuration_file(&file.text, minor, format).expect("every text is read");
    for (key, value) in again.configuration.iter() {
        assert_eq!(read.configuration.get(key), Some(value), "{key}");
    }
});
