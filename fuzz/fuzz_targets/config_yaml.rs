//! `config.yaml`: no text makes the reader panic, and what it read is written so that it reads the same.
#![no_main]

use flumen_flink_conf::{ConfigurationFormat, parse_configuration_file, render_configuration_file};
use flumen_model::FlinkMinor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let format = ConfigurationFormat::Standard;
    for minor in [FlinkMinor::new(1, 19), FlinkMinor::new(2, 3)] {
        let Ok(read) = parse_configuration_file(text, minor, format) else { continue };
        let file = render_configuration_file(&read.configuration);
        let again = parse_configuration_file(&file.text, minor, format).expect("our own file");
        for (key, value) in read.configuration.iter() {
            let shipped = again.configuration.lookup(key).or_else(|| {
                again.configuration.get(read.configuration.catalogue().canonical(key))
            });
            // Keys that only a client needs are left out.
            if let Some(found) = shipped {
                assert_eq!(found.to_text(format), value.to_text(format), "{key}");
            }
        }
    }
});
