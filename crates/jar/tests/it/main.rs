//! Jars made here, real class files among them, and any bytes.

mod build;
mod checks;
mod image_and_state;

use std::io::Cursor;

use build::{Method, class, jar};
use flumen_jar::{Error, Jar, Warning, inspect};
use proptest::prelude::*;

fn inspected(bytes: Vec<u8>) -> Jar {
    inspect(&mut Cursor::new(bytes)).expect("a jar")
}

fn codes(jar: &Jar) -> Vec<&'static str> {
    jar.warnings.iter().map(Warning::code).collect()
}

const FACTORIES: &str = "META-INF/services/org.apache.flink.table.factories.Factory";

#[test]
fn a_job_is_known_by_its_main_classes() {
    let jar = inspected(jar(&[
        ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\nMain-Class: com.example.Job\r\n\r\n"),
        ("com/example/Job.class", &class("com/example/Job", 55, &[Method::Main])),
        ("com/example/Other.class", &class("com/example/Other", 61, &[Method::PrivateMain])),
        (
            "com/example/shaded/x/Tool.class",
            &class("com/example/shaded/x/Tool", 52, &[Method::Main]),
        ),
        ("META-INF/versions/21/com/example/Job.class", &class("com/example/Job", 65, &[])),
        ("module-info.class", b"anything"),
    ]));
    assert_eq!(jar.manifest.main_class.as_deref(), Some("com.example.Job"));
    assert_eq!(jar.main_classes, ["com.example.Job"]);
    assert_eq!((jar.classes, jar.java, jar.entries), (3, Some(17), 6));
    assert_eq!(jar.relocated.len(), 1);
    assert_eq!(codes(&jar), [""; 0]);
}

#[test]
fn a_main_class_must_be_there_and_have_a_main_method() {
    let manifest = b"Main-Class: a.B\n" as &[u8];
    let nowhere = inspected(jar(&[("META-INF/MANIFEST.MF", manifest)]));
    assert_eq!(codes(&nowhere), ["noMainClass"]);
    let without = class("a/B", 52, &[Method::PrivateMain]);
    let without = inspected(jar(&[("META-INF/MANIFEST.MF", manifest), ("a/B.class", &without)]));
    assert_eq!(codes(&without), ["noMainMethod"]);
}

#[test]
fn identifiers_of_factories_are_read_where_they_are_constant() {
    let jar = inspected(jar(&[
        (FACTORIES, b"# ours\na.Constant\na.Below # inherits\n\na.Computed\na.Gone\n"),
        ("a/Constant.class", &class("a/Constant", 52, &[Method::Identifier("kafka")])),
        ("a/Below.class", &build::below("a/Below", "a/Constant")),
        ("a/Computed.class", &class("a/Computed", 52, &[Method::ComputedIdentifier])),
        ("META-INF/services/java.sql.Driver", b"com.example.Driver\n"),
    ]));
    let found: Vec<_> =
        jar.factories.iter().map(|it| (&*it.class, it.identifier.as_deref())).collect();
    let kafka = Some("kafka");
    assert_eq!(
        found,
        [("a.Constant", kafka), ("a.Below", kafka), ("a.Computed", None), ("a.Gone", None)]
    );
    assert_eq!(jar.services.len(), 1);
    assert_eq!(codes(&jar), ["noProvider"]);
}

#[test]
fn the_artifacts_say_which_flink_and_scala() {
    let jar = inspected(jar(&[
        (
            "META-INF/maven/org.apache.flink/flink-connector-kafka/pom.properties",
            b"#Generated\nversion=3.4.0-1.20\ngroupId=org.apache.flink\nartifactId=flink-connector-kafka\n",
        ),
        (
            "META-INF/maven/com.example/job_2.12/pom.properties",
            b"version=1.0\r\ngroupId=com.example\r\nartifactId=job_2.12\r\n",
        ),
        (
            "META-INF/maven/com.example/job_2.12/pom.xml",
            b"<project><properties><flink.version>1.19.1</flink.version></properties></project>",
        ),
        ("scala/Predef.class", &class("scala/Predef", 52, &[])),
        ("library.properties", b"version.number=2.12.7\n"),
        (
            "org/apache/flink/runtime/jobgraph/JobGraph.class",
            &class("org/apache/flink/runtime/jobgraph/JobGraph", 52, &[]),
        ),
        ("lib/inner.jar", b"any"),
    ]));
    let versions: Vec<&str> = jar.flink.iter().map(|it| it.version.as_str()).collect();
    assert_eq!(versions, ["1.19.1", "1.20"]);
    assert_eq!(jar.scala.suffixes, ["2.12"]);
    assert_eq!((jar.scala.is_bundled, jar.scala.version.as_deref()), (true, Some("2.12.7")));
    assert_eq!(jar.nested_jars, ["lib/inner.jar"]);
    assert_eq!(codes(&jar), ["bundledFlink", "severalFlinkMinors"]);
    let json = serde_json::to_value(&jar).expect("JSON");
    assert_eq!(json["warnings"][0]["code"], "bundledFlink");
    assert_eq!(json["digest"], jar.digest.as_str());
}

#[test]
fn what_is_wrong_with_the_entries_is_said() {
    let broken = jar(&[("a/Broken.class", b"no class"), ("../../etc/cron.d/x", b"* * * * *")]);
    assert_eq!(codes(&inspected(broken)), ["unsafeNames", "unreadable"]);
    let mut twice = jar(&[("a.txt", b"one"), ("b.txt", b"two")]);
    build::rename(&mut twice, b"b.txt", b"a.txt");
    let twice = inspected(twice);
    assert_eq!(codes(&twice), ["duplicates"]);
    assert!(twice.warnings[0].to_string().ends_with("\"a.txt\""), "{}", twice.warnings[0]);
}

#[test]
fn a_class_that_inflates_without_end_is_not_read_to_its_end() {
    let zeros = vec![0; 17 << 20];
    let bomb = jar(&[("a/Bomb.class", &zeros)]);
    assert!(bomb.len() < 100_000);
    assert_eq!(codes(&inspected(bomb)), ["unreadable"]);
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"no archive", b"PK\x03\x04", b"PK\x05\x06"] {
        let refused = inspect(&mut Cursor::new(bytes)).expect_err("no jar");
        assert!(matches!(refused, Error::NoArchive { .. }), "{refused}");
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_no_reason_to_panic(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..40),
        is_stored in any::<bool>(),
    ) {
        let entries = [
            ("META-INF/MANIFEST.MF", &b"Main-Class: a.B\n"[..]),
            ("a/B.class", &class("a/B", 52, &[Method::Main, Method::Identifier("x")])),
            (FACTORIES, b"a.B\n"),
        ];
        let mut jar = if is_stored { build::stored(&entries) } else { jar(&entries) };
        let start = at.index(jar.len());
        let end = (start + bytes.len()).min(jar.len());
        jar[start..end].copy_from_slice(&bytes[..end - start]);
        let _ = inspect(&mut Cursor::new(jar));
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(inspect(&mut Cursor::new(bytes)).is_err());
    }
}

#[test]
fn texts_that_inflate_without_end_are_not_read_to_their_end() {
    let blanks = vec![b' '; 5 << 20];
    let bomb = jar(&[
        ("META-INF/MANIFEST.MF", &blanks),
        (FACTORIES, &blanks),
        ("META-INF/maven/g/a/pom.properties", &blanks),
        ("META-INF/maven/g/a/pom.xml", &blanks),
    ]);
    assert!(bomb.len() < 100_000);
    let found = inspected(bomb);
    assert_eq!((found.factories.len(), found.artifacts.len()), (0, 0));
    assert_eq!(found.manifest, flumen_jar::Manifest::default());
}
