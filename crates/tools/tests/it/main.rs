//! The offline commands as a user calls them.

mod base;
mod environments;
mod image;
mod jar;
mod maven;
mod projects;
mod schema;
mod sql;

use std::io::Write;

use clap::{CommandFactory as _, Parser};
use flumen_model::Kind;
use flumen_tools::{Command, Error, Streams, run};

#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

const WORD_COUNT: &str = "\
name: word-count
environment: local
flinkVersion: 1.20.5
artifact: target/word-count.jar
mainClass: com.example.WordCount
arguments: [--input, 'a b']
parallelism: 2
configuration:
  execution.runtime-mode: BATCH
  high-availability: NONE
  s3.secret-key: hunter2
  env.java.opts: -Dx=1
  env.java.opts.taskmanager: -Dy=1
resources:
  taskManager: {memory: 1g, slots: 2}
";

struct Ran {
    out: String,
    notes: String,
    result: Result<(), Error>,
}

fn streams<'a>(out: &'a mut dyn Write, notes: &'a mut dyn Write, json: bool) -> Streams<'a> {
    Streams { out, notes, json, is_terminal: false, variable: &|_| None }
}

fn tool(file: &str, arguments: &[&str], json: bool) -> Ran {
    let mut job = tempfile::NamedTempFile::new().expect("a file");
    job.write_all(file.as_bytes()).expect("written");
    let path = job.path().to_str().expect("a path");
    let line = ["flumen", arguments[0], "-f", path];
    let program = Program::try_parse_from(line.iter().chain(&arguments[1..])).expect("arguments");
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let result = run(&program.command, &mut streams(&mut out, &mut notes, json));
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { out: text(out), notes: text(notes), result }
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.out).expect("JSON")
}

/// What `flumen schema job` prints.
fn schema_of(minor: Option<&str>) -> serde_json::Value {
    let mut line = vec!["schema", "job"];
    line.extend(minor.into_iter().flat_map(|minor| ["--flink-minor", minor]));
    serde_json::from_str(&printed(&line)).expect("JSON")
}

/// What a command prints that needs no file.
fn printed(line: &[&str]) -> String {
    let line = ["flumen"].iter().chain(line);
    let program = Program::try_parse_from(line).expect("arguments");
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    run(&program.command, &mut streams(&mut out, &mut notes, false)).expect("printed");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_arguments_do_not_contradict_each_other() {
    Program::command().debug_assert();
}

#[test]
fn render_prints_the_objects_in_the_order_of_their_creation() {
    let ran = tool(WORD_COUNT, &["render", "--namespace", "flink"], false);
    assert!(ran.result.is_ok());
    insta::assert_snapshot!(ran.out);
    assert!(
        ran.notes.contains("warning: job word-count: high-availability is set to \"NONE\""),
        "{}",
        ran.notes
    );
}

#[test]
fn render_prints_one_json_list_and_secrets_only_when_asked() {
    let hidden = tool(WORD_COUNT, &["render"], true);
    assert!(!hidden.out.contains("hunter2") && hidden.out.contains("******"));
    let kinds: Vec<_> =
        json(&hidden).as_array().expect("a list").iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["Deployment", "Service", "Service", "ConfigMap", "ConfigMap"]);
    assert!(tool(WORD_COUNT, &["render", "--show-secrets"], true).out.contains("hunter2"));
}

#[test]
fn explain_names_the_layer_of_every_option() {
    let ran = tool(WORD_COUNT, &["explain"], false);
    assert!(ran.result.is_ok());
    insta::assert_snapshot!(ran.out);
}

#[test]
fn explain_tells_all_about_one_option() {
    let about = |key: &str| {
        let ran = tool(WORD_COUNT, &["explain", key], false);
        assert!(ran.result.is_ok(), "{key}");
        ran.out
    };
    let keys =
        ["high-availability.type", "taskmanager.numberOfTaskSlots", "rest.port", "s3.secret-key"];
    insta::assert_snapshot!(keys.map(about).join("\n"));
}

#[test]
fn explain_of_an_option_that_does_not_exist_suggests_one() {
    let ran = tool(WORD_COUNT, &["explain", "taskmanager.numberOfTaskSlot"], false);
    let error = ran.result.expect_err("unknown");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("did you mean taskmanager.numberOfTaskSlots?"), "{error}");
}

#[test]
fn several_jobs_of_one_file_are_rendered_together() {
    let two = format!("{WORD_COUNT}---\n{}", WORD_COUNT.replace("word-count\n", "other\n"));
    let ran = tool(&two, &["render"], true);
    assert_eq!(json(&ran).as_array().expect("a list").len(), 10);
}

#[test]
fn what_an_environment_adds_is_said_to_be_missing() {
    let ran = tool(&WORD_COUNT.replace("local", "prod"), &["explain"], false);
    assert!(ran.notes.contains("what the environment prod adds"), "{}", ran.notes);
}

#[test]
fn layers_below_the_job_come_from_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let team = file("team.yaml", "state:\n  backend.type: hashmap\nrest.port: 8082\n");
    let environment =
        file("flink-conf.yaml", "taskmanager.numberOfTaskSlots: 4\nrest.port: 9\nx\n");
    let layers = [format!("team={team}"), format!("environment={environment}")];
    let line = ["explain", "--layer", &layers[0], "--layer", &layers[1]];
    let ran = tool(&WORD_COUNT.replace("local", "prod"), &line, false);
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    for expected in [
        "rest.port = 8082  [team, over 9 of environment]",
        "state.backend.type = hashmap  [team]",
        "taskmanager.numberOfTaskSlots = 2  [job, over 4 of environment]",
    ] {
        assert!(ran.out.lines().any(|line| line == expected), "{expected}\n{}", ran.out);
    }
    assert!(ran.notes.contains("line 3 is skipped") && !ran.notes.contains("server only"));

    let wrong = file("wrong.yaml", "rest.port: http\n");
    let ran = tool(WORD_COUNT, &["explain", "--layer", &format!("cluster={wrong}")], false);
    let error = ran.result.expect_err("no port");
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |it| it.source());
    let text: Vec<String> = causes.map(ToString::to_string).collect();
    assert!(text.join(": ").contains("'rest.port' (layer 'cluster')"), "{text:?}");
    for wrong in ["job=x.yaml", "environment", "environment="] {
        let line = ["flumen", "explain", "-f", "job.yaml", "--layer", wrong];
        assert!(Program::try_parse_from(line).is_err(), "{wrong}");
    }
}

#[test]
fn wrong_values_and_wrong_files_are_refused() {
    let wrong = WORD_COUNT.replace("BATCH", "BATHC");
    let error = tool(&wrong, &["render"], false).result.expect_err("wrong");
    assert_eq!(error.kind(), Kind::Invalid);
    let session = WORD_COUNT.replace("parallelism: 2", "mode: session\nsession: shared");
    let error = tool(&session, &["render"], false).result.expect_err("nothing to render");
    assert!(error.to_string().contains("session shared"), "{error}");
    let mut none = Vec::new();
    let program = Program::try_parse_from(["flumen", "render", "-f", "/nowhere/job.yaml"]);
    let mut notes = Vec::new();
    let mut streams = streams(&mut none, &mut notes, false);
    let error = run(&program.expect("arguments").command, &mut streams).expect_err("no file");
    assert_eq!(error.kind(), Kind::NotFound);
}
