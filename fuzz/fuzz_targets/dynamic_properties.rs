//! `-Dkey=value`, one a line behind a line with a number that chooses the version: checks, memory and the
//! written file.
#![no_main]

use flumen_flink_conf::{
    Configuration, Layer, Layers, Strictness, check, job_manager_memory, parse_configuration_file,
    render_configuration_file, task_manager_memory,
};
use flumen_model::FlinkMinor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (number, properties) = text.split_once('\n').unwrap_or(("", text));
    let minors = FlinkMinor::SUPPORTED;
    let minor = minors[number.trim().parse::<usize>().unwrap_or(0) % minors.len()];
    let mut configuration = Configuration::new(minor);
    // A check looks at every option for a key that nobody knows.
    for property in properties.lines().take(20) {
        let (key, value) = property.split_once('=').unwrap_or((property, "true"));
        configuration.set_text(key, value);
    }
    for strictness in [Strictness::JobFile, Strictness::DropIn] {
        for finding in check(&configuration, strictness) {
            let _ = finding.to_string();
        }
    }
    if let Ok(memory) = job_manager_memory(&configuration) {
        let _ = (memory.process(), memory.jvm_flags(), memory.dynamic_parameters());
    }
    if let Ok(memory) = task_manager_memory(&configuration) {
        let _ = (memory.process(), memory.jvm_flags(), memory.dynamic_parameters());
    }
    let mut layers = Layers::new(minor);
    layers.add(Layer::Job, configuration.iter().map(|(key, value)| (key, value.clone())));
    let effective = layers.resolve();
    for (key, _) in configuration.iter() {
        let _ = effective.explain(key);
    }
    let file = render_configuration_file(&configuration);
    let read = parse_configuration_file(&file.text, minor, configuration.format());
    let read = read.expect("our own file").configuration;
    if file.losses.is_empty() {
        assert!(read.len() <= configuration.len());
    }
});
