//! `flumen image` and `flumen registry` with a registry of this process.

use std::{collections::BTreeMap, fs, net::TcpListener, os::unix::fs::symlink};

use clap::Parser as _;
use flumen_image::{Build, Client, Configuration, LayerBuilder, Progress, Settings};
use flumen_model::Kind;
use flumen_tools::{Error, Streams, run};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Program, Ran};

pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
    registry: String,
    /// The address of an index of packages.
    pub(crate) index: Option<String>,
    _stop: DropGuard,
}

impl Place {
    /// A registry with the image `base:v1`, and a directory with files.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let registry = listener.local_addr().expect("an address").to_string();
        let stop = CancellationToken::new();
        let (root, token) = (directory.path().join("registry"), stop.clone());
        std::thread::spawn(move || {
            runtime().block_on(flumen_registry::serve(listener, root, token)).expect("served");
        });
        let place = Self { directory, registry, index: None, _stop: stop.drop_guard() };
        place.push_base();
        place.file("job.jar", "job");
        place.file("conf/log4j.properties", "rootLogger.level = INFO");
        place.file("conf/deep/flink-conf.yaml", "a: b");
        place
    }

    fn push_base(&self) {
        let target = format!("{}/base:v1", self.registry).parse().expect("a reference");
        let work = async {
            let mut builder = LayerBuilder::new();
            self.file("base.txt", "base");
            builder.add_path("/etc/", &self.directory.path().join("base.txt")).expect("added");
            let path = self.directory.path().join("base.layer");
            let layers = [builder.write(flumen_image::Compression::Gzip, path).await?];
            let configuration = Configuration {
                environment: BTreeMap::from([("PATH".into(), "/bin".into())]),
                entrypoint: vec!["/docker-entrypoint.sh".into()],
                user: Some("flink".into()),
                ..Configuration::default()
            };
            let build = Build { target: &target, layers: &layers, configuration: &configuration };
            Client::new(Settings::default())?.build(&build, &Progress::silent()).await
        };
        runtime().block_on(work).expect("a base image");
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    pub(crate) fn file(&self, name: &str, content: &str) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, content).expect("written");
    }

    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.registry)
    }

    fn append(&self, target: &str, more: &[&str], json: bool) -> Ran {
        let (base, target) = (self.image("base:v1"), self.image(target));
        let line = [&["image", "append", &base, &target], more].concat();
        self.run(&line, json)
    }

    pub(crate) fn run(&self, line: &[&str], json: bool) -> Ran {
        let line = std::iter::once(&"flumen").chain(line);
        let program = Program::try_parse_from(line).expect("arguments");
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let home = self.path("home");
        let variable = |name: &str| match name {
            "HOME" => Some(home.clone()),
            "FLUMEN_PYTHON_INDEX" => self.index.clone(),
            _ => None,
        };
        let mut streams = Streams {
            out: &mut out,
            notes: &mut notes,
            json,
            is_terminal: false,
            variable: &variable,
        };
        let result = run(&program.command, &mut streams);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ran { out: text(out), notes: text(notes), result }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(crate) fn json(ran: Ran) -> Value {
    ran.result.expect("done");
    serde_json::from_str(&ran.out).expect("JSON")
}

#[test]
fn append_prints_the_reference_by_digest_and_the_same_again_sends_nothing() {
    let place = Place::new();
    let add = [format!("{}:/opt/flink/usrlib/", place.path("job.jar"))];
    let more = ["--add", &add[0], "--label", "org.opencontainers.image.title=job"];
    let first = place.append("team/job:v1", &more, false);
    first.result.expect("pushed");
    let by_digest = format!("{}@sha256:", place.image("team/job"));
    assert!(first.out.starts_with(&by_digest) && first.out.lines().count() == 1, "{}", first.out);
    let base = place.image("base:v1");
    assert_eq!(first.notes, format!("1 layer lies on {base}, 0.0 MB; 0.0 MB were sent.\n"));
    let again = json(place.append("team/job:v1", &more, true));
    assert_eq!(format!("{}\n", again["reference"].as_str().expect("text")), first.out);
    assert_eq!(again["sentBytes"], 0);
    assert_eq!(again["tag"], "v1");
    assert_eq!(again["layers"][0]["destination"], "/opt/flink/usrlib/");

    let shown = place.run(&["image", "inspect", first.out.trim()], true);
    let shown = json(shown);
    let image = &shown["image"];
    assert_eq!(shown["digest"], again["digest"]);
    assert_eq!(image["labels"]["org.opencontainers.image.title"], "job");
    assert_eq!(image["annotations"]["org.opencontainers.image.title"], "job");
    assert_eq!(image["entrypoint"][0], "/docker-entrypoint.sh");
    assert_eq!(image["layers"][1]["digest"], again["layers"][0]["digest"]);
    assert_eq!(image["layers"][1]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
}

#[test]
fn every_place_is_a_layer_and_zstd_is_there_for_the_asking() {
    let place = Place::new();
    let adds = [
        format!("{}:/etc/flink", place.path("conf")),
        format!("{}:/opt/job.jar", place.path("job.jar")),
    ];
    let more = ["--add", &adds[0], "--add", &adds[1], "--compression", "zstd"];
    let pushed = json(place.append("job", &more, true));
    let types: Vec<_> = pushed["layers"].as_array().expect("layers").iter().collect();
    assert_eq!(types.len(), 2);
    assert!(
        types.iter().all(|it| it["mediaType"] == "application/vnd.oci.image.layer.v1.tar+zstd")
    );
    assert_eq!(pushed["tag"], Value::Null);
    let other = json(place.append("other:v1", &more, true));
    assert_eq!(other["digest"], pushed["digest"], "the name is not part of the image");
}

#[test]
fn inspect_prints_what_the_image_is_made_of() {
    let place = Place::new();
    let ran = place.run(&["image", "inspect", &place.image("base:v1")], false);
    ran.result.expect("shown");
    let text = ran.out.replace(&place.registry, "REGISTRY");
    insta::with_settings!({ filters => vec![("sha256:[0-9a-f]{64}", "sha256:…")] }, {
        insta::assert_snapshot!(text, @r#"
        image           REGISTRY/base@sha256:…
        type            application/vnd.oci.image.manifest.v1+json
        platform        linux/amd64
        created         1970-01-01T00:00:00Z
        user            flink
        entrypoint      ["/docker-entrypoint.sh"]
        environment     PATH=/bin
        layers          sha256:…  0.0 MB
        size            0.0 MB
        "#);
    });
}

#[test]
fn check_pushes_a_probe_and_deletes_it() {
    let place = Place::new();
    let repository = place.image("team/jobs");
    let ran = place.run(&["registry", "check", &repository], false);
    ran.result.expect("checked");
    let text = format!("{repository} takes images: a probe was pushed, read back and deleted.\n");
    assert_eq!((ran.out, ran.notes), (text, String::new()));
    let checked = json(place.run(&["registry", "check", &repository], true));
    assert_eq!(checked["isDeleted"], true);
    let probe = checked["probe"].as_str().expect("text");
    let error = place.run(&["image", "inspect", probe], false).result.expect_err("deleted");
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn what_would_leave_its_directory_or_say_nothing_is_refused() {
    let place = Place::new();
    let refused = |add: &str, more: &[&str]| {
        place
            .append("job:v1", &[&["--add", add], more].concat(), false)
            .result
            .expect_err("refused")
    };
    symlink("/etc/passwd", place.path("conf/users")).expect("a link");
    let conf = format!("{}:/etc/flink", place.path("conf"));
    let error = refused(&conf, &[]);
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(
        error.to_string(),
        format!(
            "the symbolic link {} leads to \"/etc/passwd\", out of the directory that is put into the image; \
             replace it by what it leads to",
            place.path("conf/users")
        )
    );
    fs::create_dir(place.path("empty")).expect("made");
    let empty = format!("{}:/x", place.path("empty"));
    assert!(matches!(refused(&empty, &[]), Error::NothingToAdd { .. }));
    let none = format!("{}:/x", place.path("none"));
    assert_eq!(refused(&none, &[]).kind(), Kind::NotFound);
    let job = format!("{}:/job.jar", place.path("job.jar"));
    let twice = refused(&job, &["--label", "a=1", "--label", "a=2"]);
    assert_eq!(twice.to_string(), "the label a is given twice, as \"1\" and \"2\"");
    let platform = refused(&job, &["--ca", &place.path("none")]);
    assert_eq!(platform.kind(), Kind::NotFound);
    let digest = format!("job@sha256:{}", "0".repeat(64));
    let error = place.append(&digest, &["--add", &job], false).result.expect_err("a digest");
    assert!(matches!(error, Error::TargetHasDigest { .. }) && error.hint().is_some());
    for wrong in [
        vec!["image", "append", "a", "b"],
        vec!["image", "append", "a", "b", "--add", "x"],
        vec!["image", "append", "a", "b", "--add", "x:/../y"],
        vec!["image", "append", "a", "b", "--add", "x:/y", "--label", "k"],
        vec!["image", "append", "a", "b", "--add", "x:/y", "--platform", "amd64"],
        vec!["image", "append", "a", "b", "--add", "x:/y", "--insecure-registry", "http://x"],
        vec!["image", "inspect", "a b"],
        vec!["registry", "check", "r.example/a:v1"],
    ] {
        let line = std::iter::once(&"flumen").chain(&wrong);
        assert!(Program::try_parse_from(line).is_err(), "{wrong:?}");
    }
}

#[test]
fn credentials_come_from_the_file_that_is_named_and_a_broken_one_is_an_error() {
    let place = Place::new();
    let base = place.image("base:v1");
    let inspect = |file: &str| {
        let line = ["image", "inspect", &base, "--credentials", &place.path(file)];
        place.run(&line, false).result.map_err(|error| error.kind()).err()
    };
    assert_eq!(inspect("none.json"), Some(Kind::NotFound));
    place.file("broken.json", "{");
    assert_eq!(inspect("broken.json"), Some(Kind::Invalid));
    place.file("fine.json", "{}");
    assert_eq!(inspect("fine.json"), None, "nobody in particular may read it");
    place.file("home/.docker/config.json", "{");
    let error = place.run(&["image", "inspect", &base], false).result.expect_err("broken");
    assert!(error.to_string().contains("home/.docker/config.json"), "{error}");
}

#[test]
fn an_index_is_made_of_an_index() {
    let place = Place::new();
    let name = format!("{}/base:v1", place.registry).parse().expect("a reference");
    let work = async {
        let client = Client::new(Settings::default())?;
        let image = client.pull_manifest(&name).await?;
        let entry = |os: &str, architecture: &str| {
            serde_json::json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": image.digest,
                "size": 1, "platform": { "os": os, "architecture": architecture },
            })
        };
        let media_type = "application/vnd.oci.image.index.v1+json";
        let manifests = [entry("linux", "amd64"), entry("linux", "arm64")];
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": media_type, "manifests": manifests,
        });
        client.push_manifest(&name, media_type, index.to_string().into()).await
    };
    runtime().block_on(work).expect("an index");
    let add = format!("{}:/job.jar", place.path("job.jar"));
    let pushed = json(place.append("job:v1", &["--add", &add, "--platform", "all"], true));
    assert_eq!(pushed["images"].as_array().map(Vec::len), Some(2));
    assert_eq!(pushed["images"][1]["platform"], "linux/arm64");
    let target = place.image("job:v1");
    let shown = json(place.run(&["image", "inspect", &target], true));
    assert_eq!(shown["digest"], pushed["digest"]);
    assert_eq!(shown["platforms"].as_array().map(Vec::len), Some(2));
    let one = json(place.append("job:v2", &["--add", &add, "--platform", "linux/arm64"], true));
    assert_eq!(one["digest"], pushed["images"][1]["digest"]);
    let wrong = place.append("job:v3", &["--add", &add, "--platform", "linux/s390x"], false);
    let error = wrong.result.expect_err("none for it");
    assert!(error.to_string().ends_with("it has linux/amd64, linux/arm64"), "{error}");
    assert_eq!(error.hint(), Some("`--platform` names another one."));
}

#[test]
fn a_list_of_what_was_put_in_is_attached_when_asked_for() {
    let place = Place::new();
    crate::jar::write_jar(&place.directory.path().join("conf/connector.jar"));
    place.file("conf/broken.jar", "no zip");
    let add = format!("{}:/opt/flink/lib", place.path("conf"));
    let more = ["--add", &add, "--sbom"];
    let ran = place.append("job:v1", &more, true);
    assert!(ran.notes.contains("conf/broken.jar: "), "{}", ran.notes);
    let pushed = json(ran);
    let again = json(place.append("job:v1", &more, true));
    assert_eq!(again["sboms"], pushed["sboms"], "the same image has the same list");
    let image = pushed["reference"].as_str().expect("text");
    let image: flumen_image::Reference = image.parse().expect("a reference");
    let work = async {
        let client = Client::new(Settings::default())?;
        let found = client.referrers(&image).await?;
        assert_eq!(found.len(), 1);
        let sbom = image.with_digest(found[0].digest().as_ref().parse().expect("a digest"));
        assert_eq!(sbom.to_string(), pushed["sboms"][0]);
        client.attachment(&sbom).await
    };
    let sbom = runtime().block_on(work).expect("read");
    let sbom: Value = serde_json::from_slice(&sbom).expect("JSON");
    let names: Vec<_> = sbom["files"].as_array().expect("files").iter().collect();
    let names: Vec<_> = names.iter().map(|it| it["fileName"].as_str().expect("text")).collect();
    let expected = ["broken.jar", "connector.jar", "deep/flink-conf.yaml", "log4j.properties"];
    assert_eq!(names, expected.map(|name| format!("./opt/flink/lib/{name}")));
    // `printf 'no zip' | sha1sum`
    assert_eq!(
        sbom["files"][0]["checksums"][0]["checksumValue"],
        "5aa6366934eb820522dbc0b3017071a7c4b9fb32"
    );
    assert_eq!(
        sbom["packages"][1]["externalRefs"][0]["referenceLocator"],
        "pkg:maven/org.apache.flink/flink-connector-kafka@3.4.0-1.20"
    );
}
