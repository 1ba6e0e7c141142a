use flumen_e2e::{Remains, Streaming, connector_jar, example_jar};

use crate::setup::{cache, up};

#[test]
fn a_streaming_job_survives_everything_on_flink_1_20() {
    survive("1.20.5");
}

#[test]
fn a_streaming_job_survives_everything_on_flink_2_3() {
    survive("2.3.0");
}

fn survive(version: &str) {
    let examples = example_jar(&cache(), version).expect("the example jar");
    let connector = connector_jar(&cache(), version).expect("the connector");
    let running = up();
    let flumen = &running.flumen;
    flumen.succeed(&["version", "add", version, "--wait"]).expect("a base image");
    let directory = running.directory.path().to_owned();
    let mut streaming = Streaming { flumen, version, examples, connector, directory };
    for (what, step) in Streaming::STEPS {
        step(&mut streaming).map_err(|error| format!("{what}: {error:#}")).expect("the step");
    }
    let data = flumen.directory().to_owned();
    let before = Remains::of(&data.join("nowhere"));
    running.flumen.stop().expect("stopped");
    assert_eq!(Remains::of(&data).since(&before), [""; 0]);
}
