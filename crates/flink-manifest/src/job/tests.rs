use flumen_model::FlinkMinor;
use serde_json::{Map, Value, json};

use super::*;
use crate::{protections, render};

pub(super) fn deployment(version: &str) -> JobDeployment {
    let version: FlinkVersion = version.parse().expect("a version");
    let mut layers = Layers::new(version.minor());
    layers.add(Layer::Job, [("execution.runtime-mode", "BATCH")]);
    JobDeployment {
        run: RunId::from_bits(0x0199_0000_0000_7000_8000_0000_0000_0001),
        job: "word-count".parse().expect("a name"),
        environment: "local".parse().expect("a name"),
        cluster_id: "word-count".parse().expect("an id"),
        namespace: "default".parse().expect("a namespace"),
        version,
        image: format!("127.0.0.1:5000/word-count@sha256:{}", "0".repeat(64)),
        jar: Some("/opt/flink/usrlib/word-count.jar".into()),
        main_class: Some("com.example.WordCount".into()),
        arguments: vec!["--input".into(), "a b".into()],
        python: None,
        secrets: Vec::new(),
        functions: None,
        parallelism: Some(2),
        resources: Resources::default(),
        layers,
        pod_templates: PodTemplates::default(),
        storage: Storage::under(
            "file:///flumen/storage",
            Some(StorageVolume {
                source: VolumeSource::HostPath("/var/lib/flumen/storage".into()),
                mount_path: "/flumen/storage".into(),
            }),
        ),
        fetched: Fetched::default(),
        restore: Restore::default(),
        logging: BTreeMap::from([("log4j-console.properties".into(), "# logging\n".into())]),
    }
}

fn plan(deployment: &JobDeployment) -> JobPlan {
    job_deployment(deployment).expect("a plan")
}

fn with_job_key(version: &str, key: &str, value: &str) -> JobDeployment {
    let mut deployment = deployment(version);
    deployment.layers.add(Layer::Job, [(key, value)]);
    deployment
}

fn as_yaml(plan: &JobPlan) -> String {
    let objects = render(&plan.spec).expect("manifests").objects();
    let mut all = String::new();
    for object in objects {
        all.push_str("---\n");
        all.push_str(&serde_saphyr::to_string(&object).expect("YAML"));
    }
    all
}

fn template(json: &Value) -> Map<String, Value> {
    json.as_object().expect("a map").clone()
}

#[test]
fn a_job_on_1_20() {
    insta::assert_snapshot!(as_yaml(&plan(&deployment("1.20.5"))));
}

#[test]
fn a_job_on_2_3() {
    insta::assert_snapshot!(as_yaml(&plan(&deployment("2.3.0"))));
}

#[test]
fn every_supported_version_that_has_pod_templates_renders_a_job_without_a_warning() {
    for minor in FlinkMinor::SUPPORTED.into_iter().filter(|minor| *minor >= FlinkMinor::new(1, 13))
    {
        let plan = plan(&deployment(&format!("{minor}.0")));
        assert_eq!(plan.warnings, [], "{minor}");
        let manifests = render(&plan.spec).unwrap_or_else(|error| panic!("{minor}: {error}"));
        let text = manifests.configuration.string("$internal.pipeline.job-id").expect("readable");
        assert_eq!(text.as_deref(), Some("01990000000070008000000000000001"), "{minor}");
    }
}

#[test]
fn what_each_version_is_protected_by() {
    let lines: Vec<String> = FlinkMinor::SUPPORTED
        .into_iter()
        .flat_map(|minor| {
            let line = move |it: crate::Protection| {
                let value =
                    it.value.map_or_else(|| format!("lacking; {}", it.instead), str::to_owned);
                format!("{minor} {} = {value}", it.key)
            };
            protections(minor).into_iter().map(line)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_protection_that_the_user_takes_away_stays_away_and_is_told() {
    let plan = plan(&with_job_key("1.20.5", "high-availability", "NONE"));
    assert_eq!(
        plan.spec.configuration.string("high-availability.type").expect("set").as_deref(),
        Some("NONE")
    );
    let told: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|text| text.contains("new job id instead of the newest checkpoint")),
        "{told:?}"
    );
}

#[test]
fn a_directory_that_the_user_names_is_used_and_told() {
    let plan = plan(&with_job_key("1.20.5", "state.checkpoints.dir", "s3://mine/checkpoints"));
    let directory = plan.spec.configuration.string("execution.checkpointing.dir").expect("set");
    assert_eq!(directory.as_deref(), Some("s3://mine/checkpoints"));
    assert!(plan.warnings.iter().any(
        |it| matches!(it, Warning::Unprotected { key, .. } if key == "state.checkpoints.dir")
    ));
}

#[test]
fn keys_that_the_run_decides_are_refused() {
    for key in ["kubernetes.cluster-id", "kubernetes.container.image", "$internal.pipeline.job-id"]
    {
        let error = job_deployment(&with_job_key("1.20.5", key, "x")).expect_err(key);
        assert!(matches!(&error, Error::OwnedKey { layer: Layer::Job, .. }), "{error}");
    }
}

#[test]
fn wrong_values_are_refused_with_their_layer() {
    let error = job_deployment(&with_job_key("1.20.5", "taskmanager.numberOfTaskSlots", "two"));
    let text = error.expect_err("wrong").to_string();
    assert!(text.contains("taskmanager.numberOfTaskSlots") && text.contains("job"), "{text}");
}

#[test]
fn java_modules_are_opened_beside_the_users_own_options() {
    let options = |version: &str, given: &str, read: &str| {
        let plan = plan(&with_job_key(version, given, "-Dmine=1"));
        plan.spec.configuration.string(read).expect("readable").unwrap_or_default()
    };
    let old = options("1.17.2", "env.java.opts", "env.java.opts.all");
    assert!(
        old.contains("--add-opens=java.base/java.util=ALL-UNNAMED") && old.ends_with(" -Dmine=1")
    );
    assert_eq!(options("1.20.5", "env.java.opts", "env.java.opts.all"), "-Dmine=1");
    assert!(
        options("1.20.5", "env.java.opts", "env.java.default-opts.all").contains("--add-opens")
    );
}

#[test]
fn a_distribution_opens_java_modules_from_1_18_on() {
    let of = |major, minor| java::java_options_of_distribution(FlinkMinor::new(major, minor));
    assert_eq!(of(1, 17), None);
    for minor in [of(1, 18), of(2, 3)] {
        let (key, options) = minor.expect("options");
        assert_eq!(key, "env.java.opts.all");
        assert!(options.starts_with("--add-exports=") && options.contains(" --add-opens="));
    }
}

#[test]
fn task_managers_carry_the_users_labels_and_flumens() {
    let plan = plan(&with_job_key("1.20.5", "kubernetes.taskmanager.labels", "team:data"));
    let labels = plan.spec.configuration.map("kubernetes.taskmanager.labels").expect("a map");
    let labels = labels.expect("set");
    assert_eq!(labels["team"], "data");
    assert_eq!(labels[labels::JOB_LABEL], "word-count");
}

#[test]
fn the_storage_volume_joins_the_jobs_own_templates() {
    let mut deployment = deployment("1.20.5");
    deployment.pod_templates.common = Some(template(&json!({"spec": {
        "containers": [{"name": "flink-main-container", "volumeMounts": [{"name": "x", "mountPath": "/x"}]}],
        "volumes": [{"name": "x", "emptyDir": {}}],
    }})));
    deployment.pod_templates.task_manager =
        Some(template(&json!({"spec": {"containers": [{"name": "sidecar", "image": "busybox"}]}})));
    let plan = plan(&deployment);
    for (path, text) in &plan.spec.files.pod_templates {
        assert!(text.contains("/var/lib/flumen/storage"), "{path}:\n{text}");
    }
    let pod = render(&plan.spec).expect("manifests").deployment.spec.expect("a spec").template;
    let volumes = pod.spec.expect("a pod").volumes.expect("volumes");
    let names: Vec<_> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(names[..2], ["x", "flumen-storage"]);
    let task_manager = &plan.spec.files.pod_templates["/flumen/taskmanager-pod-template.yaml"];
    assert!(task_manager.contains("sidecar") && task_manager.contains("flink-main-container"));
}

#[test]
fn a_template_that_is_no_pod_is_refused_before_anything_is_created() {
    let mut deployment = deployment("1.20.5");
    deployment.pod_templates.common = Some(template(&json!({"spec": {"containers": "none"}})));
    assert!(matches!(job_deployment(&deployment), Err(Error::ParsePodTemplate { .. })));
}

#[test]
fn versions_without_pod_templates_cannot_have_a_storage_volume() {
    let error = job_deployment(&deployment("1.12.5")).expect_err("no templates");
    assert_eq!(
        error.to_string(),
        "Flink 1.12 has no pod templates for its storage, which this job needs"
    );
}

#[test]
fn the_deployment_names_its_run_and_its_job() {
    let manifests = render(&plan(&deployment("1.20.5")).spec).expect("manifests");
    let metadata = &manifests.deployment.metadata;
    let run = "01990000000070008000000000000001";
    assert_eq!(metadata.annotations.as_ref().expect("annotations")[RunId::ANNOTATION], run);
    assert_eq!(metadata.labels.as_ref().expect("labels")[labels::ENVIRONMENT_LABEL], "local");
    let selector =
        manifests.deployment.spec.expect("a spec").selector.match_labels.expect("labels");
    assert_eq!(selector.into_keys().collect::<Vec<_>>(), ["app", "component", "type"]);
}

#[test]
fn a_job_without_logging_files_logs_to_the_console_all_the_same() {
    let mut deployment = deployment("2.3.0");
    deployment.logging.clear();
    let files = plan(&deployment).spec.files.logging;
    assert!(files["log4j-console.properties"].contains("rootLogger.level"));
}

#[test]
fn an_argument_that_an_old_version_would_cut_is_refused_and_a_new_one_passes_it() {
    for argument in ["a#b", "two\nlines"] {
        let mut old = deployment("1.18.1");
        old.arguments.push(argument.into());
        let error = job_deployment(&old).expect_err(argument).to_string();
        assert!(error.contains("argument 3") && error.contains("Flink 1.18"), "{error}");
        assert!(!error.contains(argument), "an argument may be a secret: {error}");
        let mut new = deployment("1.20.5");
        new.arguments.push(argument.into());
        assert!(job_deployment(&new).is_ok(), "{argument}");
    }
}

#[test]
fn a_python_job_has_an_interpreter_and_the_files_that_its_configuration_names_too() {
    let mut python = with_job_key("1.20.5", "python.files", "/opt/more.zip");
    python.jar = None;
    python.main_class = None;
    python.python = Some(Python {
        entry: crate::PythonEntry::File("/opt/flink/usrlib/a.py".into()),
        files: Some("/opt/flink/usrlib/lib.zip".into()),
        archives: None,
        requirements: None,
        executable: None,
        client_executable: None,
        path: None,
    });
    let manifests = render(&plan(&python).spec).expect("manifests");
    let text = |key| manifests.configuration.string(key).expect("readable");
    let files = "/opt/flink/usrlib/lib.zip,/opt/more.zip";
    assert_eq!(text("python.files").as_deref(), Some(files));
    assert_eq!(text("python.archives"), None);
    assert_eq!(text("python.executable").as_deref(), Some("python3"));
    assert_eq!(
        text("$internal.application.main").as_deref(),
        Some("org.apache.flink.client.python.PythonDriver")
    );
    python.layers.add(Layer::Job, [("python.client.executable", "venv.zip/bin/python")]);
    let manifests = render(&plan(&python).spec).expect("manifests");
    let client = manifests.configuration.string("python.client.executable").expect("readable");
    assert_eq!(client.as_deref(), Some("venv.zip/bin/python"));
}

fn fetching(version: &str) -> JobDeployment {
    let paths = ["/opt/flink/usrlib/word-count.jar", "/opt/flink/lib/kafka.jar"];
    let fetched = Fetched { paths: paths.map(str::to_owned).to_vec(), jars: Vec::new() };
    JobDeployment { fetched, ..deployment(version) }
}

#[test]
fn pods_of_both_roles_fetch_before_anything_of_the_users_runs() {
    let mut deployment = fetching("1.13.6");
    let users = json!({"spec": {"initContainers": [{"name": "mine", "image": "busybox"}]}});
    deployment.pod_templates.common = Some(template(&users));
    let plan = plan(&deployment);
    assert_eq!(plan.spec.files.pod_templates.len(), 2);
    for text in plan.spec.files.pod_templates.values() {
        let pod = crate::template::parse("a template", text).expect("a pod").spec.expect("a spec");
        let names: Vec<_> = pod.init_containers.iter().flatten().map(|it| &*it.name).collect();
        assert_eq!(names, ["flumen-fetch", "mine"]);
        let main = &pod.containers[0];
        let mounts = main.volume_mounts.iter().flatten().filter(|it| it.name == "flumen-files");
        let places: Vec<_> = mounts
            .map(|it| (&*it.mount_path, it.sub_path.as_deref().unwrap_or_default()))
            .collect();
        let place = |path: &'static str| (path, path.trim_start_matches('/'));
        let expected =
            [place("/opt/flink/usrlib/word-count.jar"), place("/opt/flink/lib/kafka.jar")];
        assert_eq!(places, expected);
    }
}

#[test]
fn what_init_containers_mount_is_named_by_the_run() {
    let run = deployment("1.20.5").run;
    let namespace = "default".parse().expect("a namespace");
    let labels = BTreeMap::from([("app".to_owned(), "word-count".to_owned())]);
    let objects = FetchObjects { run, namespace: &namespace, labels };
    let list = flumen_model::Secret::new("a list".to_owned());
    let [program, links] = [objects.program(b"PK"), objects.links(&list)];
    for (object, kind) in [(&program, "ConfigMap"), (&links, "Secret")] {
        assert_eq!((&object["kind"], &object["apiVersion"]), (&json!(kind), &json!("v1")));
        assert_eq!(object["metadata"]["name"], "flumen-fetch-01990000000070008000000000000001");
        assert_eq!(object["metadata"]["labels"]["app"], "word-count");
    }
    assert_eq!(program["binaryData"]["flumen-fetcher.jar"], "UEs=");
    assert_eq!(links["data"]["files"], "YSBsaXN0");
}

#[test]
fn versions_without_pod_templates_cannot_fetch() {
    let mut deployment = fetching("1.12.5");
    deployment.storage.volume = None;
    let error = job_deployment(&deployment).expect_err("no templates").to_string();
    assert!(error.contains("pod templates for delivery by an init container"), "{error}");
}

fn by_flink(version: &str) -> JobDeployment {
    let jar = |name: &str| format!("s3://flink/artifacts/{name}");
    let fetched = Fetched { paths: Vec::new(), jars: vec![jar("a.jar"), jar("b.jar")] };
    JobDeployment { jar: Some(jar("word-count.jar")), fetched, ..deployment(version) }
}

#[test]
fn flink_fetches_the_jar_and_those_beside_it_and_what_the_user_names() {
    let mut deployment = by_flink("1.20.5");
    let key = "user.artifacts.artifact-list";
    deployment.layers.add(Layer::Job, [(key, "https://example.com/mine.jar")]);
    let configuration = render(&plan(&deployment).spec).expect("manifests").configuration;
    let list = |key| configuration.list(key).expect("readable").unwrap_or_default();
    assert_eq!(list("pipeline.jars"), ["s3://flink/artifacts/word-count.jar"]);
    let ours = ["s3://flink/artifacts/a.jar", "s3://flink/artifacts/b.jar"];
    assert_eq!(list(key), [&["https://example.com/mine.jar"], &ours[..]].concat());
}

#[test]
fn flink_before_1_19_fetches_nothing() {
    let error = job_deployment(&by_flink("1.18.1")).expect_err("too old").to_string();
    assert_eq!(error, "Flink 1.18 has no fetching of its own (1.19 has), which this job needs");
}
