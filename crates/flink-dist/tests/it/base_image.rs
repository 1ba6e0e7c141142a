use std::path::Path;

use flumen_flink_dist::{
    BaseImage, Content, Distribution, HOST_DIRECTORIES_LABEL, ImageFile, Java,
};

use crate::support::{directory_with, flink_home};

fn described(files: &[ImageFile]) -> Vec<String> {
    files.iter().map(|file| format!("{:o} {}", file.mode, file.path)).collect()
}

#[test]
fn jars_are_a_layer_of_their_own_below_scripts_and_entry_point() {
    let home = flink_home();
    let distribution = Distribution::open(home.path(), "1.20.5".parse().unwrap()).unwrap();
    let java = Java { home: "/usr/lib/jvm/java-17".into(), version: 17 };
    let image = BaseImage::of(&distribution, &java).unwrap();
    let [jars, others] = image.layers.as_slice() else { unreachable!("two layers") };
    assert_eq!(
        described(jars),
        [
            "644 /opt/flink/lib/flink-dist-1.20.5.jar",
            "644 /opt/flink/lib/log4j.jar",
            "644 /opt/flink/opt/flink-python-1.20.5.jar",
            "644 /opt/flink/plugins/gpu/gpu.jar",
        ]
    );
    assert_eq!(
        described(others),
        [
            "755 /docker-entrypoint.sh",
            "644 /etc/passwd",
            "644 /etc/group",
            "644 /etc/nsswitch.conf",
            "1777 /tmp",
            "700 /root",
            "777 /opt/flink/log",
            "755 /opt/flink/bin/bash-java-utils.jar",
            "755 /opt/flink/bin/config.sh",
            "755 /opt/flink/bin/flink",
            "644 /opt/flink/conf/config.yaml",
            "755 /opt/flink/plugins/gpu/discover.sh",
        ]
    );
    let expected = home.path().canonicalize().unwrap().join("lib/log4j.jar");
    assert_eq!(jars[1].content, Content::File(expected));
}

#[test]
fn the_image_runs_the_entry_point_with_flinks_scripts_in_the_path_and_names_what_it_leans_on() {
    let home = flink_home();
    let distribution = Distribution::open(home.path(), "1.20.5".parse().unwrap()).unwrap();
    let jdk = directory_with(&[("bin/java", "")]);
    let java = Java { home: jdk.path().to_owned(), version: 17 };
    let configuration = BaseImage::of(&distribution, &java).unwrap().configuration;
    assert_eq!(configuration.entrypoint, ["/docker-entrypoint.sh"]);
    assert_eq!(configuration.command, ["help"]);
    assert_eq!(configuration.working_directory, "/opt/flink");
    assert_eq!(configuration.exposed_ports, ["6123/tcp", "8081/tcp"]);
    assert!(configuration.environment["PATH"].starts_with("/opt/flink/bin:"));
    assert_eq!(Path::new(&configuration.environment["JAVA_HOME"]), jdk.path());
    assert_eq!(configuration.labels["org.opencontainers.image.version"], "1.20.5");
    let lent: Vec<&str> = configuration.labels[HOST_DIRECTORIES_LABEL].split(',').collect();
    assert!(lent.contains(&"/usr") && lent.contains(&"/bin"), "{lent:?}");
    assert!(lent.iter().any(|path| Path::new(path) == jdk.path()), "{lent:?}");
}
