//! Jars beside each other: what would fail in Flink and what may.

use flumen_jar::{
    Artifact, Connector, Facts, Findings, ImageClasses, ImageLib, ImageScala, Part, Problem,
    Program, Target, check,
};
use flumen_model::ArtifactRole;

use crate::{
    FACTORIES,
    build::{self, Method, class, factory, jar},
    inspected,
};

const PROGRAM: Program<'static> = Program::Class("a.Job");

pub(crate) fn facts(entries: &[(&str, &[u8])]) -> Facts {
    Facts::of(inspected(jar(entries)))
}

/// A jar that is the program.
pub(crate) fn program() -> Facts {
    facts(&[("a/Job.class", &class("a/Job", 55, &[Method::Main]))])
}

/// A jar that says which artifact it is.
fn artifact(coordinates: &str) -> Facts {
    let parts: Vec<&str> = coordinates.split(':').collect();
    let (group, name, version) = (parts[0], parts[1], parts[2]);
    let properties = format!("version={version}\ngroupId={group}\nartifactId={name}\n");
    facts(&[(&format!("META-INF/maven/{group}/{name}/pom.properties"), properties.as_bytes())])
}

/// There is a connector for Kafka for 1.20, and none is known for others.
fn release(connector: Connector<'_>) -> Option<String> {
    let is_kafka = match connector {
        Connector::Artifact(artifact) => artifact.artifact == "flink-connector-kafka",
        Connector::Identifier(identifier) => identifier == "kafka",
    };
    is_kafka.then(|| "org.apache.flink:flink-connector-kafka:3.4.0-1.20".to_owned())
}

pub(crate) struct On {
    pub(crate) flink: &'static str,
    pub(crate) scala: ImageScala,
    pub(crate) program: Program<'static>,
    pub(crate) classes: ImageClasses,
    pub(crate) parent_first: Vec<String>,
    pub(crate) keeps_state: bool,
}

impl Default for On {
    fn default() -> Self {
        Self {
            flink: "1.20.5",
            scala: ImageScala::Of("2.12".to_owned()),
            program: PROGRAM,
            classes: ImageClasses::default(),
            parent_first: ["org.apache.flink.", "org.slf4j"].map(str::to_owned).to_vec(),
            keeps_state: true,
        }
    }
}

impl On {
    pub(crate) fn check(&self, jars: &[(&str, ArtifactRole, &Facts)]) -> Findings {
        let part = |(name, role, facts)| Part { name, role, facts, maven: None };
        let parts: Vec<Part<'_>> = jars.iter().copied().map(part).collect();
        let target = Target {
            flink: self.flink.parse().expect("a version"),
            scala: &self.scala,
            lib: Some(ImageLib { classes: &self.classes, parent_first: &self.parent_first }),
            program: self.program,
            keeps_state: self.keeps_state,
            release_of: &release,
        };
        check(&parts, &target)
    }
}

pub(crate) fn usrlib<'f>(
    name: &'static str,
    facts: &'f Facts,
) -> (&'static str, ArtifactRole, &'f Facts) {
    (name, ArtifactRole::Usrlib, facts)
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// The one error that there is.
fn error(findings: &Findings) -> String {
    assert_eq!(findings.errors.len(), 1, "{findings:?}");
    findings.errors[0].to_string()
}

pub(crate) fn warning(findings: &Findings) -> String {
    assert_eq!(told(&findings.errors), [""; 0]);
    assert_eq!(findings.warnings.len(), 1, "{findings:?}");
    findings.warnings[0].to_string()
}

#[test]
fn a_job_with_its_class_and_a_connector_for_its_minor_is_fine() {
    let (program, kafka) =
        (program(), artifact("org.apache.flink:flink-connector-kafka:3.4.0-1.20"));
    let jars = [usrlib("job.jar", &program), ("kafka.jar", ArtifactRole::Lib, &kafka)];
    assert_eq!(On::default().check(&jars), Findings::default());
}

#[test]
fn a_main_class_that_no_jar_has_is_an_error_that_offers_the_nearest() {
    let job = facts(&[
        ("a/WordCount.class", &class("a/WordCount", 55, &[Method::Main])),
        ("a/Orders.class", &class("a/Orders", 55, &[Method::Main])),
        ("b/Users.class", &class("b/Users", 55, &[Method::Main])),
        ("b/Clicks.class", &class("b/Clicks", 55, &[Method::Main])),
        ("b/Helper.class", &class("b/Helper", 55, &[])),
    ]);
    let of = |class| {
        let on = On { program: Program::Class(class), ..On::default() };
        on.check(&[usrlib("job.jar", &job)])
    };
    assert_eq!(
        error(&of("a.WordCuont")),
        "the main class a.WordCuont is in none of the job's jars (job.jar): set mainClass to a.WordCount, if that is meant"
    );
    assert!(
        error(&of("com.example.Clicks")).ends_with("set mainClass to b.Clicks, if that is meant")
    );
    assert!(
        error(&of("b.Helper"))
            .starts_with("the main class b.Helper has no public static void main")
    );
    assert_eq!(of("b.Users"), Findings::default());
    let missing = On { program: Program::Class("org.apache.flink.Any"), ..On::default() };
    let missing = missing.check(&[usrlib("job.jar", &job)]);
    assert!(warning(&missing).contains("org.apache.flink.Any"), "the image may have it");
}

#[test]
fn a_main_class_may_be_in_another_jar_and_its_main_method_above_it() {
    let thin = facts(&[("META-INF/MANIFEST.MF", b"Main-Class: a.Below\n")]);
    let below = facts(&[("a/Below.class", &build::below("a/Below", "a/Job"))]);
    let outside = facts(&[("a/Below.class", &build::below("a/Below", "x/Elsewhere"))]);
    let program = program();
    let on = On { program: Program::Manifest, ..On::default() };
    let jars = |with| [usrlib("thin.jar", &thin), usrlib("b.jar", with), usrlib("c.jar", &program)];
    assert_eq!(on.check(&jars(&below)), Findings::default());
    assert_eq!(on.check(&jars(&outside)), Findings::default(), "what is above is not known");
    assert!(
        error(&on.check(&jars(&program))).contains("a.Below, which the manifest names, is in none")
    );
}

#[test]
fn without_a_main_class_the_manifest_must_name_one() {
    let on = On { program: Program::Manifest, ..On::default() };
    let program = program();
    assert_eq!(
        error(&on.check(&[usrlib("job.jar", &program)])),
        "job.jar names no main class in its manifest, and neither does the job: set mainClass to a.Job, if that is meant"
    );
    let script = On { program: Program::Script, ..On::default() };
    assert_eq!(script.check(&[usrlib("udf.jar", &program)]), Findings::default());
    let manifest = facts(&[
        ("META-INF/MANIFEST.MF", b"Main-Class: a.Job\nprogram-class: a.Gone\n"),
        ("a/Job.class", &class("a/Job", 55, &[Method::Main])),
    ]);
    assert!(
        error(&on.check(&[usrlib("job.jar", &manifest)])).contains("a.Gone"),
        "Flink looks there first"
    );
}

#[test]
fn what_lies_in_a_jar_in_the_jar_is_not_known() {
    let nested = facts(&[("lib/inner.jar", b"any"), ("a/A.class", &class("a/A", 55, &[]))]);
    assert!(warning(&On::default().check(&[usrlib("job.jar", &nested)])).contains("a.Job"));
}

#[test]
fn a_connector_for_another_minor_is_an_error_where_there_is_a_release_for_this_one() {
    let program = program();
    let check = |coordinates, flink| {
        let connector = artifact(coordinates);
        let on = On { flink, ..On::default() };
        on.check(&[usrlib("job.jar", &program), ("c.jar", ArtifactRole::Lib, &connector)])
    };
    assert_eq!(
        error(&check("org.apache.flink:flink-connector-kafka:3.3.0-1.19", "1.20.5")),
        "c.jar was built for Flink 1.19 (org.apache.flink:flink-connector-kafka:3.3.0-1.19), and the job is for 1.20.5: \
         take org.apache.flink:flink-connector-kafka:3.4.0-1.20"
    );
    let unknown = check("org.apache.flink:flink-connector-pulsar:4.1.0-1.18", "1.20.5");
    assert!(warning(&unknown).ends_with("take or build one for 1.20, if there is one"));
    let older = error(&check("org.apache.flink:flink-connector-pulsar:4.1.0-1.18", "2.1.3"));
    assert!(older.contains("for Flink 1.18"), "another major: {older}");
    assert!(warning(&check("com.example:udf:1.0-1.19", "1.20.5")).contains("com.example:udf"));
}

#[test]
fn a_connector_that_only_its_manifest_names_is_known_by_its_factory_or_its_coordinates() {
    // As Flink's own connectors are.
    let manifest = "Specification-Title: Flink : Connectors : SQL : Kafka\nSpecification-Version: 3.0.1-1.18\n";
    let code = factory("a/F", "DynamicTableSourceFactory", "kafka");
    let manifest: (&str, &[u8]) = ("META-INF/MANIFEST.MF", manifest.as_bytes());
    let with = facts(&[manifest, (FACTORIES, b"a.F\n"), ("a/F.class", &code)]);
    let script = On { program: Program::Script, ..On::default() };
    let found = error(&script.check(&[("kafka.jar", ArtifactRole::Lib, &with)]));
    assert!(found.contains("Kafka 3.0.1-1.18, in the manifest"), "{found}");
    assert!(found.ends_with("take org.apache.flink:flink-connector-kafka:3.4.0-1.20"), "{found}");

    let without = facts(&[manifest]);
    assert!(warning(&script.check(&[("kafka.jar", ArtifactRole::Lib, &without)])).contains("1.18"));
    let maven = Artifact {
        group: "org.apache.flink".to_owned(),
        artifact: "flink-connector-kafka".to_owned(),
        version: "3.0.1-1.18".to_owned(),
    };
    let part =
        Part { name: "kafka.jar", role: ArtifactRole::Lib, maven: Some(&maven), facts: &without };
    let target = Target {
        flink: "1.20.5".parse().expect("a version"),
        scala: &ImageScala::None,
        lib: None,
        program: Program::Script,
        keeps_state: true,
        release_of: &release,
    };
    let found = error(&check(&[part], &target));
    assert!(found.contains("(org.apache.flink:flink-connector-kafka:3.0.1-1.18)"), "{found}");
}

#[test]
fn a_part_of_flink_of_another_minor_is_an_error_in_lib_and_doubtful_in_a_program() {
    let program = program();
    let json = artifact("org.apache.flink:flink-avro:1.19.1");
    let check =
        |role| On::default().check(&[usrlib("job.jar", &program), ("avro.jar", role, &json)]);
    for role in [ArtifactRole::Lib, ArtifactRole::Plugin] {
        assert!(error(&check(role)).ends_with("take org.apache.flink:flink-avro:1.20.5"));
    }
    assert!(warning(&check(ArtifactRole::Usrlib)).contains("for Flink 1.19"));
}

#[test]
fn what_a_program_was_built_against_counts_only_if_nothing_better_says_for_which_flink_it_is() {
    let pom = b"<project><properties><flink.version>1.18.1</flink.version></properties></project>";
    let main = class("a/Job", 55, &[Method::Main]);
    let pom: (&str, &[u8]) = ("META-INF/maven/a/job/pom.xml", pom);
    let job: (&str, &[u8]) = ("a/Job.class", &main);
    let kafka = b"version=3.4.0-1.20\ngroupId=org.apache.flink\nartifactId=flink-connector-kafka\n";
    let kafka: (&str, &[u8]) = ("META-INF/maven/x/y/pom.properties", kafka);
    let alone = On::default().check(&[usrlib("job.jar", &facts(&[job, pom]))]);
    assert!(warning(&alone).contains("for Flink 1.18"));
    let both = On::default().check(&[usrlib("job.jar", &facts(&[job, pom, kafka]))]);
    assert_eq!(both, Findings::default());
}

#[test]
fn flinks_own_classes_in_a_jar_are_warned_of() {
    let name = "org/apache/flink/configuration/Configuration";
    let entry = format!("{name}.class");
    let job = facts(&[
        ("a/Job.class", &class("a/Job", 55, &[Method::Main])),
        (&entry, &class(name, 52, &[])),
    ]);
    let own = warning(&On::default().check(&[usrlib("job.jar", &job)]));
    assert!(own.contains("flink-core") && own.contains("Flink takes its own instead"), "{own}");
    let lib = warning(&On::default().check(&[("job.jar", ArtifactRole::Lib, &job)]));
    assert!(lib.contains("in lib they may come before Flink's own"), "{lib}");
}

#[test]
fn another_scala_is_an_error_for_parts_of_flink_and_doubtful_for_others() {
    let program = program();
    let check = |coordinates, flink, scala: &ImageScala| {
        let (other, scala) = (artifact(coordinates), scala.clone());
        let on = On { flink, scala, ..On::default() };
        on.check(&[usrlib("job.jar", &program), ("o.jar", ArtifactRole::Lib, &other)])
    };
    let of = |scala: &str| ImageScala::Of(scala.to_owned());
    let kafka = "org.apache.flink:flink-sql-connector-kafka_2.11:1.14.6";
    assert_eq!(
        error(&check(kafka, "1.14.6", &of("2.12"))),
        "o.jar was built for Scala 2.11 (org.apache.flink:flink-sql-connector-kafka_2.11:1.14.6), and Flink's image has \
         2.12: take org.apache.flink:flink-sql-connector-kafka_2.12"
    );
    assert_eq!(check(kafka, "1.14.6", &of("2.11")), Findings::default());
    assert_eq!(check(kafka, "1.14.6", &ImageScala::Unknown), Findings::default());
    let hive = "org.apache.flink:flink-sql-connector-hive-3.1.3_2.12:1.20.5";
    assert_eq!(check(hive, "1.20.5", &ImageScala::None), Findings::default());
    let job = warning(&check("com.example:job_2.13:1.0", "1.20.5", &of("2.12")));
    assert!(job.contains("com.example:job_2.13:1.0") && job.contains("build it for 2.12"), "{job}");
    assert_eq!(check("com.example:job_2.13:1.0", "1.20.5", &ImageScala::None), Findings::default());
}

#[test]
fn a_scala_library_of_another_version_is_warned_of() {
    let job = facts(&[
        ("a/Job.class", &class("a/Job", 55, &[Method::Main])),
        ("scala/Predef.class", &class("scala/Predef", 52, &[])),
        ("library.properties", b"version.number=2.13.14\n"),
    ]);
    let found = warning(&On::default().check(&[usrlib("job.jar", &job)]));
    assert!(found.contains("the Scala library 2.13 in it"), "{found}");
}

fn brings(class: &str, interface: &str, identifier: &'static str) -> Facts {
    let path = class.replace('.', "/");
    let entry = format!("{path}.class");
    let code = factory(&path, interface, identifier);
    facts(&[(FACTORIES, class.as_bytes()), (&entry, &code)])
}

#[test]
fn two_classes_for_one_type_of_catalog_are_doubtful_for_a_script_too() {
    let one = brings("a.Catalogs", "CatalogFactory", "jdbc");
    let other = brings("b.Catalogs", "CatalogFactory", "jdbc");
    let script = On { program: Program::Script, ..On::default() };
    let found = script.check(&[usrlib("one.jar", &one), usrlib("other.jar", &other)]);
    let found = warning(&found);
    assert!(
        found.contains("'jdbc'") && found.contains("when a catalog of that type is made"),
        "{found}"
    );
}

#[test]
fn two_classes_for_one_connector_are_an_error_for_a_script_and_doubtful_else() {
    let one = brings("a.Kafka", "DynamicTableSourceFactory", "kafka");
    let other = brings("b.Kafka", "DynamicTableSourceFactory", "kafka");
    let sink = brings("c.Kafka", "DynamicTableSinkFactory", "kafka");
    let script = On { program: Program::Script, ..On::default() };
    let both = |on: &On, other| {
        on.check(&[usrlib("one.jar", &one), ("other.jar", ArtifactRole::Lib, other)])
    };
    let found = error(&both(&script, &other));
    assert!(
        found.contains("'kafka'") && found.contains("a.Kafka in one.jar and b.Kafka in other.jar"),
        "{found}"
    );
    assert_eq!(both(&script, &sink), Findings::default(), "it is looked up by another interface");
    assert_eq!(
        both(&script, &one),
        Findings::default(),
        "a class is one however often it is there"
    );
    let program = On { program: Program::InImage, ..On::default() };
    assert!(warning(&both(&program, &other)).contains("'kafka'"));
    let plugin = [usrlib("one.jar", &one), ("other.jar", ArtifactRole::Plugin, &other)];
    assert_eq!(script.check(&plugin), Findings::default(), "a plugin is by itself");
}

#[test]
fn classes_that_differ_in_two_jars_are_counted_and_named() {
    let with = |major| {
        facts(&[
            ("a/Job.class", &class("a/Job", 55, &[Method::Main])),
            ("x/A.class", &class("x/A", major, &[])),
            ("x/B.class", &class("x/B", major, &[])),
        ])
    };
    let (one, other) = (with(52), with(55));
    let found =
        warning(&On::default().check(&[usrlib("one.jar", &one), usrlib("other.jar", &other)]));
    assert!(
        found.starts_with(
            "2 classes are in one.jar and in other.jar with different content, such as x.A, x.B"
        ),
        "{found}"
    );
    let same = On::default().check(&[usrlib("one.jar", &one), usrlib("again.jar", &one)]);
    assert_eq!(same, Findings::default());
}

#[test]
fn what_is_kept_can_be_written_down_and_read_again() {
    let kept = facts(&[
        ("META-INF/MANIFEST.MF", b"Main-Class: a.B\n"),
        (FACTORIES, b"a.F\n"),
        ("a/F.class", &factory("a/F", "CatalogFactory", "own")),
        ("a/B.class", &build::below("a/B", "a/C")),
    ]);
    let text = serde_json::to_string(&kept).expect("JSON");
    assert_eq!(serde_json::from_str::<Facts>(&text).expect("read"), kept);
    assert_eq!(kept.factories[0].interfaces.len(), 1);
}
