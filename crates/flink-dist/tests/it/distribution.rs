use std::fs;

use flumen_flink_dist::Distribution;
use flumen_model::Kind;

use crate::support::{directory_with, flink_home};

#[test]
fn a_home_is_what_has_scripts_configuration_and_the_main_jar_of_the_version() {
    let home = flink_home();
    let open = |version: &str| Distribution::open(home.path(), version.parse().unwrap());
    let found = open("1.20.5").unwrap();
    assert_eq!(found.home(), home.path().canonicalize().unwrap());
    assert_eq!(found.scala().unwrap(), None);
    let scala = home.path().join("lib/flink-scala_2.12-1.20.5.jar");
    fs::write(&scala, "").unwrap();
    assert_eq!(found.scala().unwrap().as_deref(), Some("2.12"));
    let refused = |problem: &str| {
        let error = open("1.20.5").expect_err(problem);
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.to_string().contains(problem), "{error}");
    };
    let error = open("1.20.4").expect_err("another version").to_string();
    assert!(
        error.contains("not a home of Flink 1.20.4: its lib/flink-dist jar is of version 1.20.5"),
        "{error}"
    );

    let jar = home.path().join("lib/flink-dist-1.20.5.jar");
    fs::write(home.path().join("lib/flink-dist-1.19.3.jar"), "").unwrap();
    refused("flink-dist jars of versions 1.19.3 and 1.20.5");
    fs::remove_file(home.path().join("lib/flink-dist-1.19.3.jar")).unwrap();
    fs::remove_file(&jar).unwrap();
    refused("it has no lib/flink-dist-1.20.5.jar");
    fs::write(jar, "").unwrap();
    fs::remove_file(home.path().join("conf/config.yaml")).unwrap();
    refused("neither conf/config.yaml nor conf/flink-conf.yaml");
    fs::remove_dir_all(home.path().join("bin")).unwrap();
    refused("it has no directory bin");
}

#[test]
fn old_homes_have_the_scala_version_in_the_name_of_the_main_jar() {
    let files =
        [("bin/flink", ""), ("conf/flink-conf.yaml", ""), ("lib/flink-dist_2.12-1.13.6.jar", "")];
    let home = directory_with(&files);
    let found = Distribution::open(home.path(), "1.13.6".parse().unwrap()).unwrap();
    assert_eq!(found.scala().unwrap().as_deref(), Some("2.12"));
    let error = Distribution::open(&home.path().join("gone"), "1.13.6".parse().unwrap())
        .expect_err("not there");
    assert_eq!(error.kind(), Kind::NotFound);
}
