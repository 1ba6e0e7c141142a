//! `flumen maven` with a repository in a directory.

use std::{fs, path::Path};

use clap::Parser as _;
use flumen_model::Kind;
use flumen_tools::{Error, Streams, run};

use crate::{Program, Ran};

/// `(artifact, dependencies)` of group g in version 1, each with a jar.
const ARTIFACTS: &[(&str, &[(&str, &str)])] = &[
    ("job", &[("g", "left"), ("g", "right"), ("org.slf4j", "slf4j-log4j12")]),
    ("left", &[("g", "shared")]),
    ("right", &[("g", "shared"), ("g", "unknown")]),
    ("shared", &[]),
];

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for (artifact, dependencies) in ARTIFACTS {
            write_artifact(&directory.path().join("remote"), "g", artifact, dependencies);
        }
        write_artifact(&directory.path().join("remote"), "org.slf4j", "slf4j-log4j12", &[]);
        Self { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn maven(&self, words: &[&str], json: bool) -> Ran {
        let remote = format!("disk=file://{}", self.path("remote"));
        let line = ["flumen", "maven"].iter().chain(words).copied();
        let line = line.chain(["--repository", &remote]);
        self.run(line.collect(), json)
    }

    fn run(&self, line: Vec<&str>, json: bool) -> Ran {
        let program = Program::try_parse_from(line).expect("arguments");
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let home = self.path("home");
        let variable = |name: &str| (name == "HOME").then(|| home.clone());
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

pub(crate) fn write_artifact(
    repository: &Path,
    group: &str,
    artifact: &str,
    dependencies: &[(&str, &str)],
) {
    let below: Vec<String> = dependencies
        .iter()
        .map(|(group, artifact)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>1</version></dependency>"
            )
        })
        .collect();
    let below = below.concat();
    let pom = format!(
        "<project><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>1</version>\
         <dependencies>{below}</dependencies></project>"
    );
    let directory = repository.join(group.replace('.', "/")).join(artifact).join("1");
    fs::create_dir_all(&directory).expect("made");
    fs::write(directory.join(format!("{artifact}-1.pom")), pom).expect("written");
    fs::write(directory.join(format!("{artifact}-1.jar")), artifact).expect("written");
}

#[test]
fn the_tree_is_printed_as_maven_prints_it() {
    let place = Place::new();
    let ran = place.maven(&["tree", "g:job:1"], false);
    ran.result.expect("a tree");
    insta::assert_snapshot!(ran.out, @r"
    \- g:job:jar:1:compile
       +- g:left:jar:1:compile
       |  \- g:shared:jar:1:compile
       +- g:right:jar:1:compile
       |  \- g:unknown:jar:1:compile
       \- org.slf4j:slf4j-log4j12:jar:1:compile
    ");
    assert_eq!(
        ran.notes,
        "warning: could not find the POM g:unknown:1; what its artifact depends on is not known and left out\n"
    );
}

#[test]
fn exclusions_and_platform_rules_leave_artifacts_out() {
    let place = Place::new();
    let words = ["tree", "g:job:1", "--exclude", "g:right", "--platform-rules"];
    let ran = place.maven(&words, true);
    ran.result.expect("a tree");
    insta::assert_snapshot!(ran.out, @r#"
    {
      "artifacts": [
        {
          "group": "g",
          "artifact": "job",
          "version": "1",
          "classifier": "",
          "type": "jar",
          "scope": "compile",
          "depth": 1
        },
        {
          "group": "g",
          "artifact": "left",
          "version": "1",
          "classifier": "",
          "type": "jar",
          "scope": "compile",
          "depth": 2
        },
        {
          "group": "g",
          "artifact": "shared",
          "version": "1",
          "classifier": "",
          "type": "jar",
          "scope": "compile",
          "depth": 3
        }
      ]
    }
    "#);
    let kept = [&words[..], &["--keep", "org.slf4j:*"]].concat();
    assert!(place.maven(&kept, true).out.contains("slf4j-log4j12"));
    let rules = place.run(vec!["flumen", "maven", "rules"], false);
    assert!(rules.out.contains("org.slf4j:slf4j-log4j12"), "{}", rules.out);
}

#[test]
fn files_are_fetched_into_a_directory_and_a_second_time_offline() {
    let place = Place::new();
    let to = place.path("lib");
    let words = ["fetch", "g:job:1", "--exclude", "g:unknown", "--to", &to];
    let ran = place.maven(&words, false);
    ran.result.expect("fetched");
    let names: Vec<_> = ran.out.lines().filter_map(|line| line.rsplit('/').next()).collect();
    assert_eq!(
        names,
        ["job-1.jar", "left-1.jar", "shared-1.jar", "right-1.jar", "slf4j-log4j12-1.jar"]
    );
    assert_eq!(fs::read_to_string(Path::new(&to).join("left-1.jar")).expect("read"), "left");
    assert_eq!(ran.notes, format!("5 files, 0.0 MB, lie in {to}.\n"));
    assert_eq!(fs::read_dir(&to).expect("listed").count(), 5);
    fs::remove_dir_all(place.path("remote")).expect("removed");
    let offline = place.maven(&[&words[..], &["--offline"]].concat(), true);
    offline.result.expect("fetched");
    let listed: serde_json::Value = serde_json::from_str(&offline.out).expect("JSON");
    assert_eq!(listed["artifacts"][1]["path"], format!("{to}/left-1.jar"));
}

#[test]
fn what_cannot_be_had_is_named_with_what_to_do() {
    let place = Place::new();
    let refused = |words: &[&str]| place.maven(words, false).result.expect_err("refused");
    let unknown = refused(&["tree", "g:nothing:1"]);
    assert_eq!(unknown.kind(), Kind::NotFound);
    let text = format!(
        "could not find g:nothing:1: none of the repositories disk (file://{}/) has it",
        place.path("remote")
    );
    assert_eq!(unknown.to_string(), text);
    assert!(unknown.hint().is_some_and(|hint| hint.contains("--repository")));
    let to = place.path("lib");
    let no_file = refused(&["fetch", "g:job:1", "--to", &to]);
    assert!(no_file.to_string().contains("could not find g:unknown:jar:1"), "{no_file}");
    assert!(!Path::new(&to).exists(), "nothing lies there unless all does");
    let offline = refused(&["tree", "g:nothing:1", "--offline"]);
    assert!(matches!(offline, Error::Maven(flumen_maven::Error::Offline { .. })), "{offline}");
    for wrong in ["g:job", "g:job:..", "g:job:LATEST"] {
        assert!(Program::try_parse_from(["flumen", "maven", "tree", wrong]).is_err(), "{wrong}");
    }
}
