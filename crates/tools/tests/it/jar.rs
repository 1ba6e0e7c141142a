use std::{fs::File, io::Write as _, path::Path};

use flumen_model::Kind;
use flumen_tools::Error;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::sql::called;

/// The class `a.Factory` with `String factoryIdentifier() { return "kafka"; }`, as a compiler writes it.
const FACTORY: &[u8] = &[
    0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 55, 0, 10, // Java 11, nine constants
    1, 0, 9, b'a', b'/', b'F', b'a', b'c', b't', b'o', b'r', b'y', // 1
    7, 0, 1, // 2
    1, 0, 17, b'f', b'a', b'c', b't', b'o', b'r', b'y', b'I', b'd', b'e', b'n', b't', b'i', b'f',
    b'i', b'e', b'r', // 3
    1, 0, 20, b'(', b')', b'L', b'j', b'a', b'v', b'a', b'/', b'l', b'a', b'n', b'g', b'/', b'S',
    b't', b'r', b'i', b'n', b'g', b';', // 4
    1, 0, 4, b'C', b'o', b'd', b'e', // 5
    1, 0, 5, b'k', b'a', b'f', b'k', b'a', // 6
    8, 0, 6, // 7
    1, 0, 1, b'x', // 8
    1, 0, 1, b'y', // 9
    0, 0x21, 0, 2, 0, 0, 0, 0, 0, 0, // public class a.Factory
    0, 1, 0, 1, 0, 3, 0, 4, 0, 1, 0, 5, 0, 0, 0, 15, 0, 1, 0, 1, 0, 0, 0, 3, 0x12, 7, 0xB0, 0, 0,
    0, 0, // public String factoryIdentifier() { ldc 7; areturn }
    0, 0,
];

/// A jar with a connector.
pub(crate) fn write_jar(path: &Path) {
    let mut zip = ZipWriter::new(File::create(path).expect("a file"));
    for (name, content) in [
        (
            "META-INF/MANIFEST.MF",
            &b"Manifest-Version: 1.0\nBuild-Jdk-Spec: 11\nMain-Class: a.Gone\nBundle-License: Apache-2.0\n"[..],
        ),
        ("META-INF/services/org.apache.flink.table.factories.Factory", b"a.Factory\n"),
        (
            "META-INF/maven/org.apache.flink/flink-connector-kafka/pom.properties",
            b"version=3.4.0-1.20\ngroupId=org.apache.flink\nartifactId=flink-connector-kafka\n",
        ),
        ("a/Factory.class", FACTORY),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(content).expect("its content");
    }
    zip.finish().expect("an archive");
}

#[test]
fn inspect_prints_what_the_jar_says_and_warns() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("connector.jar");
    write_jar(&path);
    let ran = called(&["jar", "inspect", path.to_str().expect("a path")], false);
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    let rest: Vec<&str> = ran.out.lines().skip(2).collect();
    insta::assert_snapshot!(rest.join("\n"), @"
    entries         4, 1 of them classes
    java            11 or newer
    built with      11
    main class      a.Gone
    licence         Apache-2.0
    flink           1.20 (org.apache.flink:flink-connector-kafka:3.4.0-1.20)
    factories       kafka (a.Factory)
    made of         org.apache.flink:flink-connector-kafka:3.4.0-1.20
    ");
    assert!(
        ran.notes.ends_with("the manifest names the main class a.Gone, which is not in the jar\n"),
        "{}",
        ran.notes
    );
    let ran = called(&["jar", "inspect", path.to_str().expect("a path")], true);
    let jar: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(jar["factories"][0]["identifier"], "kafka");
    assert_eq!(jar["size"], std::fs::metadata(&path).expect("a file").len());
    assert_eq!(jar["warnings"][0]["code"], "noMainClass");
}

#[test]
fn what_is_no_jar_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("a path");
    let error = called(&["jar", "inspect", path], false).result.expect_err("no jar");
    assert!(matches!(error, Error::Jar { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Invalid);
    let error = called(&["jar", "inspect", "/nowhere/job.jar"], false).result.expect_err("no file");
    assert_eq!(error.kind(), Kind::NotFound);
}
