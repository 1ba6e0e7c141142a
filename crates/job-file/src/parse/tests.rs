use flumen_model::{
    ArtifactRole, ByteSize, ConfigurationValue as Value, Delivery, Dependency, Digest,
    FileDependency, InterventionPolicy, LeftoverPolicy, MavenDependency, Mode, RestartPolicy,
    UpgradeMode,
};

use super::*;

const HEAD: &str = "name: a\nenvironment: local\nflinkVersion: 1.20.5\nartifact: a.jar\n";

fn one(rest: &str) -> JobSpec {
    let mut jobs = parse("job.yaml", &format!("{HEAD}{rest}")).expect("valid");
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

fn refused(text: &str) -> String {
    parse("job.yaml", text).expect_err("must be refused").to_string()
}

#[test]
fn a_full_job_is_read() {
    let job = one("
mode: session
session: shared
mainClass: com.example.Main
arguments: [--input, 'a b', 8, '', --rate=1.10]
parallelism: 2
dependencies:
  - path: lib/connector.jar
    role: lib
  - {path: udf.jar}
  - {maven: 'g:a:1', exclude: ['*:b'], role: plugin}
resources:
  jobManager: {cpu: 0.5, memory: 1600m, replicas: 1}
  taskManager: {cpu: 2, memory: 2 gb, slots: 4}
upgradeMode: last-state
");
    assert_eq!((job.mode, job.session.as_deref()), (Mode::Session, Some("shared")));
    assert_eq!(job.arguments, ["--input", "a b", "8", "", "--rate=1.10"]);
    let file = |path: &str, role| Dependency::File(FileDependency { path: path.to_owned(), role });
    let maven = MavenDependency {
        maven: "g:a:1".to_owned(),
        exclude: vec!["*:b".to_owned()],
        role: ArtifactRole::Plugin,
    };
    assert_eq!(
        job.dependencies,
        [
            file("lib/connector.jar", ArtifactRole::Lib),
            file("udf.jar", ArtifactRole::Usrlib),
            Dependency::Maven(maven),
        ]
    );
    assert_eq!(job.resources.job_manager.cpu, Some(0.5));
    assert_eq!(job.resources.task_manager.memory, Some(ByteSize::from_mebibytes(2048)));
    assert_eq!(job.upgrade_mode, UpgradeMode::LastState);
}

#[test]
fn the_delivery_is_one_of_the_known_ones() {
    assert_eq!(one("delivery: init-container\n").delivery, Some(Delivery::InitContainer));
    assert_eq!(one("").delivery, None, "the environment says it");
    let told = refused(&format!("{HEAD}delivery: by-hand\n"));
    assert!(told.contains("expected one of image, init-container, flink"), "{told}");
}

#[test]
fn a_script_has_no_main_class_no_arguments_and_lies_beside_the_file() {
    let head = HEAD.replace("a.jar", "local:///a.sql");
    let text = refused(&format!("{head}kind: sql\nmainClass: a.B\narguments: [x]\n"));
    let keys: Vec<_> = text.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(keys, ["artifact", "mainClass", "arguments"], "{text}");
    assert_eq!(one("kind: sql\nparallelism: 2\n").kind, flumen_model::JobKind::Sql);
}

#[test]
fn variables_of_a_script_are_texts_as_they_were_written() {
    let job =
        one("kind: sql\nvariables: {table: orders, n.x: 010, on: true, _e: '', q: \"it's\"}\n");
    let read: Vec<_> =
        job.variables.iter().map(|(name, value)| (name.as_str(), &**value)).collect();
    let expected = [("_e", ""), ("n.x", "010"), ("on", "true"), ("q", "it's"), ("table", "orders")];
    assert_eq!(read, expected);
    let text =
        refused(&format!("{HEAD}kind: sql\nvariables: {{1a: x, b: [c], d: , e: f, e: g}}\n"));
    for words in [
        "variables.1a: is no name of a variable; use letters",
        "variables.b: is a list; expected a text",
        "variables.d: is nothing; expected a value",
        "variables.e: is there twice",
    ] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let text = refused(&format!("{HEAD}variables: {{a: b}}\n"));
    assert!(text.contains("variables: is given, but only the script of kind: sql"), "{text}");
}

#[test]
fn a_dependency_is_a_file_or_maven_coordinates() {
    let said = |item: &str| refused(&format!("{HEAD}dependencies:\n  - {item}\n"));
    for (item, words) in [
        ("{role: lib}", "path: is missing"),
        ("{path: a.jar, maven: 'g:a:1'}", "path: is given, but the artifact comes from a Maven"),
        ("{path: a.jar, exclude: ['g:b']}", "exclude: is given, but a file has no dependencies"),
        ("{maven: 'g:a'}", "expected GROUP:ARTIFACT:VERSION"),
        ("{maven: 'g:a b:1'}", "expected GROUP:ARTIFACT:VERSION"),
        ("{maven: 'g:a:1', exclude: [b]}", "expected GROUP:ARTIFACT, where either may be *"),
        ("{maven: 'g:a:1', role: jar}", "role"),
        ("{path: 'https://h/a.jar'}", "path: is a URL and no path; write url:"),
        ("{url: 'https://h/a.jar', path: a.jar}", "path: is given, but the file comes from a URL"),
        (
            "{url: 'https://h/a.jar', maven: 'g:a:1'}",
            "maven: is given, but the file comes from a URL",
        ),
        ("{url: 'https://h/a.jar', sha256: 0f0f}", "sha256: is"),
        ("{url: 'gs://bucket/a.jar'}", "expected https://, http://, oci://, s3:// or project://"),
        ("{path: a.jar, sha256: 0f0f}", "sha256: is given, but it is for a file with url"),
    ] {
        let text = said(item);
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

#[test]
fn a_file_by_url_may_name_the_digest_that_it_must_have() {
    let hex = "0f".repeat(32);
    let text = format!(
        "dependencies:\n  - {{url: https://h/a.jar, sha256: {hex}, role: lib}}\n  - url: oci://h/b:1\n"
    );
    let job = one(&text);
    let [Dependency::Url(first), Dependency::Url(second)] = &job.dependencies[..] else {
        panic!("{:?}", job.dependencies)
    };
    assert_eq!((first.url.file_name(), first.role), ("a.jar", ArtifactRole::Lib));
    assert_eq!(first.digest().map(Digest::hex), Some(hex.as_str()));
    assert_eq!((second.url.in_registry(), second.digest()), (Some("h/b:1"), None));
    let head = HEAD.replace("a.jar", &format!("https://h/a.jar#sha256={hex}"));
    let artifact = parse("job.yaml", &head).expect("valid").remove(0).artifact;
    assert_eq!(artifact, format!("https://h/a.jar#sha256={hex}"));
}

#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    for text in [
        HEAD.replace("a.jar", "https://me:hunter2@h/a.jar"),
        format!("{HEAD}dependencies: [{{url: 'https://me:hunter2@h/a.jar'}}]\n"),
    ] {
        let said = refused(&text);
        assert!(said.contains("no place for user and password"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn the_policies_of_a_job_are_read() {
    let job = one("
restartPolicy: {attempts: 0, backOff: 10 s, maxBackOff: 2min, window: 1h 30m, startTimeout: 5 minutes}
interventions: restart
leftovers: refuse
allowNonRestoredState: true
");
    let policy = job.restart_policy;
    assert_eq!((policy.attempts, policy.back_off.as_secs()), (Some(0), 10));
    assert_eq!((policy.max_back_off.as_secs(), policy.window.as_secs()), (120, 5400));
    assert_eq!(policy.start_timeout.map(|time| time.as_secs()), Some(300));
    assert_eq!(job.interventions, InterventionPolicy::Restart);
    assert_eq!((job.leftovers, job.allow_non_restored_state), (LeftoverPolicy::Refuse, true));
    let silent = one("restartPolicy: {attempts: 5}\n").restart_policy;
    assert_eq!(silent, RestartPolicy { attempts: Some(5), ..RestartPolicy::STANDARD });
}

#[test]
fn wrong_policies_are_reported_with_what_is_allowed() {
    insta::assert_snapshot!(refused(&format!(
        "{HEAD}restartPolicy:
  attempts: -1
  backoff: 1 s
  backOff: 10
  maxBackOff: 0 s
  window: soon
  startTimeout: 1 d
interventions: fight
leftovers: keep
allowNonRestoredState: yes
"
    )));
    let text = refused(&format!("{HEAD}restartPolicy: {{backOff: 10 min}}\n"));
    assert_eq!(
        text,
        "job.yaml:5:26: restartPolicy.backOff: the longest wait (maxBackOff, 5m) is shorter than the first (backOff, 10m)"
    );
}

#[test]
fn nested_and_dotted_configuration_is_the_same() {
    let nested = one(
        "configuration:\n  state:\n    backend.type: rocksdb\n    checkpoints: {dir: 's3://b/c'}\n",
    );
    let dotted =
        one("configuration:\n  state.backend.type: rocksdb\n  state.checkpoints.dir: s3://b/c\n");
    assert_eq!(nested.configuration, dotted.configuration);
    assert_eq!(nested.configuration["state.checkpoints.dir"], Value::Text("s3://b/c".into()));
}

#[test]
fn configuration_scalars_keep_what_was_written() {
    let text = |text: &str| Value::Text(text.into());
    for (written, expected) in [
        ("1.10", text("1.10")),
        ("0755", text("0755")),
        ("0x1F", text("0x1F")),
        ("1e3", text("1e3")),
        ("1.0", text("1.0")),
        ("+1", text("+1")),
        ("TRUE", text("TRUE")),
        ("yes", text("yes")),
        ("60s", text("60s")),
        ("'8'", text("8")),
        ("!!str 8", text("8")),
        ("''", text("")),
        ("99999999999999999999", text("99999999999999999999")),
        ("8", Value::Integer(8)),
        ("-1", Value::Integer(-1)),
        ("0.4", Value::Float(0.4)),
        ("true", Value::Boolean(true)),
        ("[a, 1]", Value::List(vec![text("a"), Value::Integer(1)])),
    ] {
        let job = one(&format!("configuration:\n  key: {written}\n"));
        assert_eq!(job.configuration["key"], expected, "{written}");
    }
}

#[test]
fn several_documents_are_several_jobs() {
    let second = HEAD.replace("name: a", "name: b");
    let jobs = parse("job.yaml", &format!("# two jobs\n---\n{HEAD}---\n---\n{second}...\n"));
    let names: Vec<_> = jobs.expect("valid").iter().map(|job| job.name.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn anchors_share_values_between_keys() {
    let job = one("resources:\n  jobManager: &small {cpu: 1}\n  taskManager: *small\n");
    assert_eq!(job.resources.task_manager.cpu, Some(1.0));
}

#[test]
fn quoted_versions_are_versions() {
    let quoted = HEAD.replace("1.20.5", "\"2.3.0\"");
    assert_eq!(parse("job.yaml", &quoted).expect("valid")[0].flink_version.to_string(), "2.3.0");
}

#[test]
fn pod_templates_have_the_types_of_json() {
    let job = one(
        "podTemplates:\n  common:\n    spec:\n      hostNetwork: true\n      containers: [{name: x, ports: [{containerPort: 80}]}]\n",
    );
    let template = serde_json::Value::Object(job.pod_templates.common.expect("given"));
    let expected = r#"{"spec":{"hostNetwork":true,"containers":[{"name":"x","ports":[{"containerPort":80}]}]}}"#;
    assert_eq!(template.to_string(), expected);
}

#[test]
fn all_problems_of_a_file_are_reported_together() {
    insta::assert_snapshot!(refused(
        "
name: Word_Count
environment: local
flinkVersion: 1.20
main-class: com.example.Main
paralelism: 2
colour: blue
mode: sessions
artifact:
arguments: --input
configuration:
  a.b: 1
  a: {b: 2}
  rest.port:
dependencies:
  - role: library
resources:
  taskManager:
    cpu: -1
    slots: 2.5
    memory: 3 bananas
podTemplates:
  common: {spec: {volumes: [{defaultMode: 0644}]}}
---
[]
"
    ));
}

#[test]
fn what_is_no_yaml_is_reported_where_it_breaks() {
    insta::assert_snapshot!(refused("name: a\nenvironment: [local\nartifact: x\n"));
}

#[test]
fn wrong_values_of_flink_options_are_reported_where_they_stand() {
    let text = format!(
        "{HEAD}configuration:\n  taskmanager:\n    numberOfTaskSlots: two\n  execution.runtime-mode: BATHC\n  my.own: x\n"
    );
    insta::assert_snapshot!(refused(&text));
}

#[test]
fn a_session_and_its_mode_belong_together() {
    assert!(refused(&format!("{HEAD}mode: session\n")).contains("session: is missing"));
    assert!(refused(&format!("{HEAD}session: x\n")).contains("write mode: session"));
}

#[test]
fn a_file_without_a_job_and_a_job_given_twice_are_refused() {
    assert!(refused("# nothing\n").contains("no job in this file"));
    assert!(refused(&format!("{HEAD}---\n{HEAD}")).contains("the job a of line 1"));
}

#[test]
fn a_small_file_cannot_ask_for_endless_values() {
    let level = |level: usize| {
        let copies = vec![format!("*x{}", level - 1); 10].join(",");
        format!("b{level}: &x{level} [{copies}]\n")
    };
    let text =
        "a: &x0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned() + &(1..10).map(level).collect::<String>();
    assert!(refused(&text).contains("more than"));
}

#[test]
fn a_python_job_is_a_file_or_a_module_with_files_of_its_own() {
    let python = |artifact: &str, rest: &str| {
        parse("job.yaml", &format!("{}kind: python\n{rest}", HEAD.replace("a.jar", artifact)))
    };
    let job = python(
        "jobs",
        "module: jobs.count\ndependencies:\n  - {path: r.txt, role: requirements}\n  - {path: venv, role: archive}\n",
    );
    let job = job.expect("valid").remove(0);
    let roles: Vec<_> = job.dependencies.iter().map(Dependency::role).collect();
    assert_eq!(job.module.as_deref(), Some("jobs.count"));
    assert_eq!(roles, [ArtifactRole::Requirements, ArtifactRole::Archive]);
    for artifact in ["x/count.py", "https://h/count.py#sha256=00", "local:///opt/count.py"] {
        assert_eq!(python(artifact, "").is_ok(), !artifact.contains("sha256=00"), "{artifact}");
    }
    for (artifact, rest, words) in [
        ("a.jar", "", "artifact: is \"a.jar\": expected a file whose name ends in .py"),
        ("a.py", "mainClass: a.B\n", "mainClass: is given, but Python has none"),
        ("a.zip", "module: a b\n", "expected the name of a module"),
        ("a.zip", "module: a..b\n", "expected the name of a module"),
        ("a.zip", "module: 1a\n", "expected the name of a module"),
    ] {
        let text = python(artifact, rest).expect_err("refused").to_string();
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    for (rest, words) in [
        ("module: a\n", "module: is given, but only kind: python"),
        (
            "dependencies: [{path: r.txt, role: requirements}]\n",
            "dependencies[0].role: is for kind: python and kind: sql only",
        ),
    ] {
        let text = refused(&format!("{HEAD}{rest}"));
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}
