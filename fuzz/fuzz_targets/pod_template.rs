//! A pod template of a session: refused in words, or merged into objects.
#![no_main]

use flumen_flink_conf::Configuration;
use flumen_flink_manifest::{ClientFiles, DeploySpec, Marks, Mode, render};
use flumen_model::{FlinkMinor, FlinkVersion};
use libfuzzer_sys::fuzz_target;

const PATH: &str = "/pod.yaml";

fuzz_target!(|text: &str| {
    for (major, minor) in [(1, 13), (2, 3)] {
        let version = FlinkVersion::new(FlinkMinor::new(major, minor), 0);
        let mut configuration = Configuration::new(version.minor());
        configuration.extend([
            ("kubernetes.cluster-id", "fuzz"),
            ("kubernetes.pod-template-file", PATH),
            ("kubernetes.container.image", "flink"),
            ("jobmanager.memory.process.size", "1600m"),
            ("taskmanager.memory.process.size", "1728m"),
        ]);
        let files = ClientFiles {
            pod_templates: [(PATH.to_owned(), text.to_owned())].into(),
            ..ClientFiles::default()
        };
        let spec =
            DeploySpec { version, mode: Mode::Session, configuration, files, marks: Marks::default() };
        match render(&spec) {
            Ok(manifests) => drop(manifests.objects()),
            Err(error) => drop(error.to_string()),
        }
    }
});
