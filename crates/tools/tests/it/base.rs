//! `flumen image build` with a registry of this process and a repository in a directory.

use std::fs;

use flumen_model::Kind;
use flumen_tools::Error;
use serde_json::Value;

use crate::{
    Ran,
    image::{Place, attached, json},
    jar::write_jar,
    maven::write_artifact,
};

const FILE: &str = "\
name: Flink with plugins
flinkVersion: 1.20.5
base: BASE
target: TARGET
connectors:
- maven: g:first:1
- path: jars/second.jar
udfs:
- path: jars/udf.jar
plugins:
  files:
  - path: jars/plugin.jar
labels:
  org.opencontainers.image.vendor: ACME
";

/// A place with what `FILE` names.
fn place() -> Place {
    let place = Place::new();
    for name in ["second", "udf", "plugin"] {
        place.file(&format!("jars/{name}.jar"), "");
        write_empty_jar(&place, &format!("jars/{name}.jar"), name);
    }
    for (artifact, dependencies) in [("first", &[("g", "below")][..]), ("below", &[])] {
        let remote = place.directory.path().join("remote");
        write_artifact(&remote, "g", artifact, dependencies);
        write_empty_jar(&place, &format!("remote/g/{artifact}/1/{artifact}-1.jar"), artifact);
    }
    place
}

fn write_empty_jar(place: &Place, path: &str, content: &str) {
    use std::io::Write as _;

    let file = fs::File::create(place.path(path)).expect("made");
    let mut zip = zip::ZipWriter::new(file);
    zip.start_file("a.txt", zip::write::SimpleFileOptions::default()).expect("begun");
    zip.write_all(content.as_bytes()).expect("written");
    zip.finish().expect("ended");
}

fn build(place: &Place, file: &str, more: &[&str], json: bool) -> Ran {
    let file = file.replace("BASE", &place.image("base:v1"));
    place.file("base.yaml", &file.replace("TARGET", &place.image("platform/flink:own")));
    let (path, remote) = (place.path("base.yaml"), format!("disk=file://{}", place.path("remote")));
    let line = ["image", "build", "-f", &path, "--repository", &remote];
    place.run(&[&line, more].concat(), json)
}

fn refused(place: &Place, from: &str, to: &str) -> (Kind, String) {
    let file = FILE.replacen(from, to, 1);
    assert_ne!(file, FILE, "{from}");
    let error = build(place, &file, &[], false).result.expect_err(to);
    (error.kind(), chain(&error))
}

fn chain(error: &Error) -> String {
    let (mut text, mut next) = (error.to_string(), std::error::Error::source(error));
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[test]
fn each_group_is_a_layer_and_the_same_files_are_the_same_image_of_which_nothing_is_sent() {
    let place = place();
    let first = json(build(&place, FILE, &[], true));
    let layers = first["layers"].as_array().expect("layers");
    let paths = |layer: &Value| -> Vec<String> {
        let files = layer["files"].as_array().expect("files").iter();
        files.map(|file| file["path"].as_str().expect("text").to_owned()).collect()
    };
    let groups: Vec<_> =
        layers.iter().map(|it| (it["group"].as_str().expect("text"), paths(it))).collect();
    let lib = ["first-1.jar", "below-1.jar", "second.jar"].map(|it| format!("/opt/flink/lib/{it}"));
    assert_eq!(
        groups,
        [
            ("plugins.files", vec!["/opt/flink/plugins/files/plugin.jar".to_owned()]),
            ("connectors", lib.to_vec()),
            ("udfs", vec!["/opt/flink/usrlib/udf.jar".to_owned()]),
        ]
    );
    let again = json(build(&place, FILE, &[], true));
    assert_eq!((&again["digest"], &again["sboms"]), (&first["digest"], &first["sboms"]));
    assert_eq!(again["sentBytes"], 0);

    let reference = first["reference"].as_str().expect("text").to_owned();
    let shown = json(place.run(&["image", "inspect", &reference], true));
    let labels = &shown["image"]["labels"];
    assert_eq!(labels["flumen.dev/flink-version"], "1.20.5");
    assert_eq!(labels["org.opencontainers.image.title"], "Flink with plugins");
    let annotations = &shown["image"]["annotations"];
    assert_eq!(annotations["org.opencontainers.image.vendor"], "ACME");
    assert_eq!(annotations["org.opencontainers.image.base.digest"], first["baseDigest"]);

    // Only the group that changed.
    write_empty_jar(&place, "jars/udf.jar", "another");
    let changed = json(build(&place, FILE, &[], true));
    assert_ne!(changed["digest"], first["digest"]);
    for (number, same) in [(0, true), (1, true), (2, false)] {
        let digest = |of: &Value| of["layers"][number]["digest"].clone();
        assert_eq!(digest(&changed) == digest(&first), same, "layer {number}");
    }
}

#[test]
fn the_list_of_what_was_put_in_has_the_licences_that_poms_name() {
    let place = place();
    let license = |artifact: &str, names: &[&str]| {
        let pom = format!("remote/g/{artifact}/1/{artifact}-1.pom");
        let text = fs::read_to_string(place.path(&pom)).expect("a POM");
        let named = names.iter().map(|name| format!("<license><name>{name}</name></license>"));
        let licenses = format!("<licenses>{}</licenses></project>", named.collect::<String>());
        place.file(&pom, &text.replace("</project>", &licenses));
    };
    license("first", &["CDDL 1.1", "GPL2 w/ CPE"]);
    license("below", &["Below License"]);
    let sbom = attached(&json(build(&place, FILE, &[], true)));
    let packages = sbom["packages"].as_array().expect("packages").iter();
    let said: Vec<_> = packages
        .map(|one| (one["name"].as_str().unwrap_or_default(), &one["licenseDeclared"]))
        .filter(|(name, _)| name.starts_with("g:"))
        .collect();
    let known = Value::from("CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0");
    assert_eq!(said, [("g:below", &Value::from("NOASSERTION")), ("g:first", &known)]);
    let mut packages = sbom["packages"].as_array().expect("packages").iter();
    let below = packages.find(|one| one["name"] == "g:below").expect("a package");
    let comment = below["licenseComments"].as_str().unwrap_or_default();
    assert!(comment.ends_with(": Below License"), "{below}");
}

#[test]
fn for_people_the_reference_stands_alone_and_what_to_do_with_it_beside_it() {
    let place = place();
    let ran = build(&place, FILE, &["--no-sbom"], false);
    ran.result.expect("built");
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    let next = format!("flumen version add 1.20.5 --from-image {}", ran.out.trim());
    assert!(ran.notes.contains(&next), "{}", ran.notes);
    assert!(ran.notes.contains("connectors: 3 jars"), "{}", ran.notes);
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_pushed() {
    let place = place();
    place.file("jars/none.jar", "no zip");
    place.file("jars/readme.txt", "text");
    let wrong = "0".repeat(64);
    let other_base = format!("base: {}@sha256:{wrong}", place.image("base"));
    for (from, to, kind, said) in [
        ("base: BASE", "base: BASE2", Kind::NotFound, "base"),
        ("base: BASE", &*other_base, Kind::NotFound, "base"),
        ("jars/second.jar", "jars/none.jar", Kind::Invalid, "could not inspect the jar"),
        ("jars/second.jar", "jars/readme.txt", Kind::Invalid, "connectors[1]: "),
        ("jars/second.jar", "jars/missing.jar", Kind::NotFound, "missing.jar"),
        (
            "- path: jars/udf.jar",
            "- {path: jars/udf.jar, sha256: ZEROS}",
            Kind::Invalid,
            "is named",
        ),
        (
            "- path: jars/udf.jar",
            "- path: jars/udf.jar\n- path: jars/udf.jar",
            Kind::Invalid,
            "two files would be",
        ),
        ("  files:", "  a/b:", Kind::Invalid, "cannot be the name of a folder"),
        ("g:first:1", "g:nowhere:1", Kind::NotFound, "g:nowhere"),
    ] {
        let (found, text) = refused(&place, from, &to.replace("ZEROS", &wrong));
        assert!(text.contains(said), "{to}: {text}");
        assert_eq!(found, kind, "{to}: {text}");
    }
    let tags = place.run(&["image", "inspect", &place.image("platform/flink:own")], false);
    assert_eq!(tags.result.expect_err("nothing was pushed").kind(), Kind::NotFound);
}

#[test]
fn a_connector_for_another_flink_is_refused() {
    let place = place();
    write_jar(&place.directory.path().join("jars/second.jar"));
    let file = FILE.replace("flinkVersion: 1.20.5", "flinkVersion: 2.3.0");
    let error = build(&place, &file, &[], false).result.expect_err("of another major");
    assert!(matches!(error, Error::Unfit { .. }), "{error}");
    assert!(error.to_string().contains("second.jar"), "{error}");
}

#[test]
fn a_registry_that_cannot_be_reached_is_an_error_with_what_to_do() {
    let place = place();
    let file = FILE.replace("TARGET", "127.0.0.1:1/flink:own");
    let error = build(&place, &file, &[], false).result.expect_err("nobody is there");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn the_schema_takes_the_file_and_refuses_what_the_reader_refuses() {
    let place = place();
    let schema = json(place.run(&["schema", "base"], true));
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let yaml = |text: &str| -> Value { serde_saphyr::from_str(text).expect("YAML") };
    assert!(validator.is_valid(&yaml(FILE)));
    for (from, to) in [
        ("name: Flink with plugins\n", ""),
        ("1.20.5", "1.20"),
        ("path: jars/udf.jar", "pth: jars/udf.jar"),
        ("  files:", "  a/b:"),
        ("labels:", "label:"),
    ] {
        let wrong = FILE.replacen(from, to, 1);
        assert!(!validator.is_valid(&yaml(&wrong)), "{to}");
        assert!(build(&place, &wrong, &[], false).result.is_err(), "{to}");
    }
}

const WITH_PACKAGES: &str = "\
name: Flink with packages
flinkVersion: 1.20.5
base: BASE
target: TARGET
python:
  requirements: ['geo~=1.0']
  requirementsFile: more.txt
";
const WHEEL: &str = "geo-1.2-py3-none-any.whl";
const PYTHON: &str = r#"{"version":"3.11.2","machine":"x86_64","glibc":"2.36","packages":{"apache-flink":"1.20.5","numpy":"1.24.4"}}"#;

/// An index with geo 1.2, for as many requests as there are.
fn index() -> String {
    use std::io::{BufRead as _, BufReader, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/simple/", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (status, body) = match request.split(' ').nth(1).unwrap_or_default() {
                "/simple/geo/" => ("200 OK", format!("<a href='../../{WHEEL}'>{WHEEL}</a>").into()),
                path if path == format!("/{WHEEL}") => ("200 OK", wheel()),
                _ => ("404 Not Found", Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // Whoever asked may have gone.
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    address
}

fn wheel() -> Vec<u8> {
    use std::io::Write as _;

    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        ("geo/__init__.py", "PLACE = 'here'\n"),
        ("geo-1.2.dist-info/METADATA", "Name: geo\nVersion: 1.2\nRequires-Dist: numpy>=1.20\n"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("ended").into_inner()
}

#[test]
fn packages_for_the_python_of_the_base_are_a_layer_that_the_image_tells_of() {
    let mut place = place();
    place.index = Some(index());
    place.file("more.txt", "numpy>=1.22\n");
    let (base, labeled) = (place.image("base:v1"), place.image("python:v1"));
    let label = format!("flumen.dev/python={PYTHON}");
    let add = format!("{}:/etc/", place.path("job.jar"));
    let line = ["image", "append", &base, &labeled, "--add", &add, "--label", &label];
    place.run(&line, false).result.expect("a base with a label");
    let file = WITH_PACKAGES.replace("BASE", &labeled);

    let first = json(build(&place, &file, &[], true));
    let layer = &first["layers"][0];
    assert_eq!(layer["group"], "python");
    assert_eq!(layer["files"][0]["path"], format!("/opt/python/base/{WHEEL}"));
    let again = json(build(&place, &file, &[], true));
    assert_eq!((&again["digest"], &again["sentBytes"]), (&first["digest"], &0.into()));
    let reference = first["reference"].as_str().expect("text");
    let shown = json(place.run(&["image", "inspect", reference], true));
    let label = shown["image"]["labels"]["flumen.dev/python"].as_str().expect("a label");
    let python: Value = serde_json::from_str(label).expect("JSON");
    assert_eq!(python["packages"]["geo"], "1.2");
    assert_eq!(python["packages"]["apache-flink"], "1.20.5");
    let environment = shown["image"]["environment"].as_array().expect("variables");
    assert!(environment.contains(&"PYTHONPATH=/opt/python/base".into()), "{environment:?}");
    let sbom = first["sboms"][0].as_str().expect("a list of what was put in");
    assert!(!sbom.is_empty());

    // What the base says is known to whoever builds on that.
    let on_it = file.replacen(&labeled, reference, 1);
    let ran = build(&place, &on_it, &[], false);
    assert!(ran.result.is_ok() && ran.notes.contains("the base has all"), "{}", ran.notes);
}

#[test]
fn a_base_that_has_no_python_as_far_as_it_says_gets_no_packages() {
    let mut place = place();
    place.index = Some(index());
    place.file("more.txt", "");
    let refused = |file: &str, more: &[&str]| {
        let error = build(&place, file, more, false).result.expect_err("a refusal");
        (error.kind(), chain(&error))
    };
    let (kind, text) = refused(WITH_PACKAGES, &[]);
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("does not say that it has a Python"), "{text}");
    let (_, text) = refused(WITH_PACKAGES, &["--platform", "all"]);
    assert!(text.contains("python: wheels are chosen for one platform"), "{text}");
    let interpreter = format!("{WITH_PACKAGES}  interpreter: {PYTHON}\n");
    let built = json(build(&place, &interpreter, &[], true));
    assert_eq!(built["layers"][0]["group"], "python");
    let missing = interpreter.replace("geo~=1.0", "geo~=2.0");
    let (_, text) = refused(&missing, &[]);
    assert!(text.contains("geo"), "{text}");
}
