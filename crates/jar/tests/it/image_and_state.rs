//! What the image brings, and what a changed program finds again.

use std::io::Cursor;

use flumen_jar::{Facts, Findings, ImageClasses, Program};
use flumen_model::ArtifactRole;

use crate::{
    build::{self, class, jar},
    checks::{On, facts, program, usrlib, warning},
    inspected,
};

#[test]
fn other_classes_than_the_image_has_are_doubtful_where_its_own_are_taken() {
    let entry = |name: &str, major| (format!("{name}.class"), class(name, major, &[]));
    let of = |major: u16| {
        let names = ["org/slf4j/Logger", "org/slf4j/Marker", "com/acme/Util"];
        let entries = names.map(|name| entry(name, major));
        let entries: Vec<(&str, &[u8])> =
            entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        jar(&entries)
    };
    let mut classes = ImageClasses::default();
    classes.add(Cursor::new(of(52))).expect("a jar");
    let on = On { classes, ..On::default() };
    let (program, same) = (program(), Facts::of(inspected(of(52))));
    let other = Facts::of(inspected(of(55)));
    let with = |role, facts| on.check(&[usrlib("job.jar", &program), ("more.jar", role, facts)]);
    assert_eq!(
        warning(&with(ArtifactRole::Usrlib, &other)),
        "2 classes are in more.jar and in the image with different content, such as org.slf4j.Logger, org.slf4j.Marker, and Flink takes the image's: give the dependency the scope provided, or relocate it when the jar is built"
    );
    let in_lib = warning(&with(ArtifactRole::Lib, &other));
    assert!(in_lib.starts_with("3 classes are in more.jar") && in_lib.contains("only one of each"));
    assert_eq!(with(ArtifactRole::Plugin, &other), Findings::default(), "it has its own loader");
    assert_eq!(with(ArtifactRole::Lib, &same), Findings::default(), "they are the same");
    let own_first = On { parent_first: Vec::new(), ..on };
    let jars = [usrlib("job.jar", &program), usrlib("more.jar", &other)];
    assert_eq!(own_first.check(&jars), Findings::default(), "the job has its own");
}

#[test]
fn a_program_that_names_none_of_its_operators_may_lose_their_state() {
    const STREAM: &str = "org/apache/flink/streaming/api/datastream/SingleOutputStreamOperator";
    let job = |class: &str, method| build::caller("com/acme/jobs/Job", class, method);
    let of = |classes: &[(&str, &[u8])], keeps_state| {
        let facts = facts(classes);
        let on = On { program: Program::Class("com.acme.jobs.Job"), keeps_state, ..On::default() };
        on.check(&[usrlib("job.jar", &facts)])
    };
    let one = |bytes: &[u8]| of(&[("com/acme/jobs/Job.class", bytes)], true);
    let unnamed = job(STREAM, "keyBy");
    assert_eq!(
        warning(&one(&unnamed)),
        "no operator of com.acme.jobs.Job has a uid, so that Flink finds their state by the shape of the program, and may not find it once that has changed: call uid(\"…\") on each operator, or set upgradeMode: stateless"
    );
    for (class, method) in [
        (STREAM, "uid"),
        (STREAM, "setUidHash"),
        ("org/apache/flink/streaming/api/scala/DataStream", "uid"),
        ("org/apache/flink/datastream/api/stream/ProcessConfigurable", "withUid"),
        ("org/apache/flink/table/api/TableEnvironment", "executeSql"),
    ] {
        assert_eq!(one(&job(class, method)), Findings::default(), "{class}.{method}");
    }
    for class in [
        "org/apache/flink/streaming/api/scala/DataStream",
        "org/apache/flink/datastream/api/stream/KeyedPartitionStream",
    ] {
        assert!(warning(&one(&job(class, "process"))).starts_with("no operator"), "{class}");
    }
    let named = build::caller("com/acme/pipeline/Part", STREAM, "uid");
    let elsewhere = build::caller("org/acme/Sink", STREAM, "uid");
    let with = |name, bytes: &[u8]| {
        of(&[("com/acme/jobs/Job.class", unnamed.as_slice()), (name, bytes)], true)
    };
    assert_eq!(with("com/acme/pipeline/Part.class", &named), Findings::default());
    assert!(
        warning(&with("org/acme/Sink.class", &elsewhere)).contains("com.acme.jobs.Job"),
        "what a library names is its own"
    );
    let stateless = of(&[("com/acme/jobs/Job.class", unnamed.as_slice())], false);
    assert_eq!(stateless, Findings::default());
}
