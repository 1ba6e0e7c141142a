//! Sizes, durations, lists and maps in one text, as every version reads them; what is written is read.
#![no_main]

use flumen_flink_conf::{
    ConfigurationFormat, Value, parse_duration, parse_list, parse_list_of_maps, parse_map,
    parse_size, render_duration, render_size,
};
use flumen_model::FlinkMinor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(size) = parse_size(text) {
        assert_eq!(parse_size(&render_size(size)), Ok(size));
    }
    for minor in FlinkMinor::SUPPORTED {
        if let Ok(duration) = parse_duration(text, minor) {
            // Flink's own text may hold more nanoseconds than it reads.
            let _ = parse_duration(&render_duration(duration, minor), minor);
        }
    }
    for format in [ConfigurationFormat::Legacy, ConfigurationFormat::Standard] {
        if let Ok(list) = parse_list(text, format) {
            let written = Value::List(list.clone()).to_text(format).into_owned();
            assert_eq!(parse_list(&written, format), Ok(list), "{written}");
        }
        if let Ok(map) = parse_map(text, format) {
            let written = Value::Map(map.clone()).to_text(format).into_owned();
            assert_eq!(parse_map(&written, format), Ok(map), "{written}");
        }
        for minor in [FlinkMinor::new(1, 20), FlinkMinor::new(2, 3)] {
            let _ = parse_list_of_maps(text, format, minor);
        }
    }
});
