//! Creation of clusters: what is refused, what is left behind, what is said.

use serde_json::json;

use crate::{drop_in::DropIn, kubernetes::Kubernetes};

const JAR: &str = "local:///opt/flink/usrlib/job.jar";
const APPLICATION: [&str; 5] = [
    "run-application",
    "-t",
    "kubernetes-application",
    "-Dkubernetes.cluster-id=my-app",
    "-Dkubernetes.container.image.ref=flink:1",
];

fn deploy(drop_in: &DropIn, more: &[&str]) -> crate::drop_in::Outcome {
    let mut arguments = APPLICATION.to_vec();
    arguments.extend(more);
    arguments.push(JAR);
    drop_in.flink(&arguments)
}

#[test]
fn a_cluster_that_was_created_is_told_in_the_line_that_scripts_look_for() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let outcome = deploy(&drop_in, &[]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let end = "INFO  org.apache.flink.kubernetes.KubernetesClusterDescriptor      [] - \
        Create flink application cluster my-app successfully, \
        JobManager Web Interface: http://my-app-rest.default:8081\n";
    assert!(outcome.out.ends_with(end), "{}", outcome.out);
    let writes = kubernetes.writes();
    assert!(writes[0].starts_with("POST /apis/apps/v1/namespaces/default/deployments"));
    assert_eq!(writes.len(), 4, "{writes:?}");
}

#[test]
fn the_address_of_a_load_balancer_is_told_where_there_is_one() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let outcome = deploy(&drop_in, &["-Dkubernetes.rest-service.exposed.type=LoadBalancer"]);
    assert!(outcome.out.ends_with("http://127.0.0.1:8081\n"), "{}", outcome.out);
}

#[test]
fn a_deployment_without_its_service_counts_as_a_cluster_and_is_left_alone() {
    let kubernetes = Kubernetes::start();
    kubernetes.put("deployments", "my-app", json!({"kind": "Deployment", "metadata": {}}));
    let outcome = deploy(&DropIn::new("1.20.5", &kubernetes), &[]);
    assert_eq!(outcome.code, 1);
    let said = "The Flink cluster my-app already exists: the Deployment default/my-app is there";
    assert!(outcome.notes.contains(said), "{}", outcome.notes);
    assert!(outcome.notes.contains("The program finished with the following exception:"));
    assert_eq!(kubernetes.writes(), [""; 0]);
}

#[test]
fn a_service_without_a_deployment_counts_as_a_cluster_too() {
    let kubernetes = Kubernetes::start();
    kubernetes.put("services", "my-app-rest", json!({"kind": "Service", "metadata": {}}));
    let outcome = deploy(&DropIn::new("1.13.6", &kubernetes), &[]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.notes.contains("already exists"), "{}", outcome.notes);
    assert_eq!(kubernetes.writes(), [""; 0]);
}

#[test]
fn what_this_attempt_created_is_taken_away_when_the_rest_is_refused() {
    let kubernetes = Kubernetes::start();
    kubernetes.refuse("configmaps");
    let outcome = deploy(&DropIn::new("1.20.5", &kubernetes), &[]);
    assert_eq!(outcome.code, 1);
    assert!(!kubernetes.names().contains(&"Deployment my-app".to_owned()));
    let deletions: Vec<_> =
        kubernetes.writes().into_iter().filter(|it| it.starts_with("DELETE")).collect();
    assert_eq!(deletions, ["DELETE /apis/apps/v1/namespaces/default/deployments/my-app"]);
    assert!(outcome.notes.contains("Could not create Kubernetes cluster \"my-app\""));
    assert!(outcome.notes.contains("refused by the test"), "{}", outcome.notes);
}

#[test]
fn nothing_is_deleted_when_the_deployment_itself_is_refused() {
    let kubernetes = Kubernetes::start();
    kubernetes.refuse("deployments");
    let outcome = deploy(&DropIn::new("1.20.5", &kubernetes), &[]);
    assert_eq!(outcome.code, 1);
    assert!(kubernetes.writes().iter().all(|it| it.starts_with("POST")));
}

#[test]
fn a_context_that_does_not_exist_is_refused_in_every_version() {
    for version in ["1.11.4", "1.20.5", "2.3.0"] {
        let kubernetes = Kubernetes::start();
        let drop_in = DropIn::new(version, &kubernetes);
        let outcome = drop_in.session(&["-Dkubernetes.cluster-id=s", "-Dkubernetes.context=nope"]);
        assert_eq!(outcome.code, 1, "{version}");
        assert!(outcome.notes.contains("no context \"nope\"; it has c"), "{}", outcome.notes);
        assert_eq!(kubernetes.writes(), [""; 0]);
    }
}

#[test]
fn a_value_that_is_written_over_is_told() {
    let kubernetes = Kubernetes::start();
    let outcome = deploy(&DropIn::new("1.20.5", &kubernetes), &["-Dexecution.attached=false"]);
    assert_eq!(outcome.code, 0);
    assert!(
        outcome.notes.contains("warning: execution.attached is written as"),
        "{}",
        outcome.notes
    );
}

#[test]
fn applications_of_other_targets_are_refused_with_the_way_that_works() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    for (arguments, way) in [
        (vec!["run-application", "-t", "yarn-application", JAR], "kubernetes-application"),
        (vec!["run-application", JAR], "kubernetes-application"),
        (vec!["run", "-t", "kubernetes-application", JAR], "run-application"),
        (vec!["run", "-t", "yarn-per-job", JAR], "kubernetes-session"),
        (vec!["run", "-t", "local", JAR], "kubernetes-session"),
    ] {
        let outcome = drop_in.flink(&arguments);
        assert_eq!(outcome.code, 1, "{arguments:?}");
        assert!(outcome.notes.contains(way), "{arguments:?}: {}", outcome.notes);
    }
    assert_eq!(kubernetes.writes(), [""; 0]);
}

#[test]
fn without_a_configuration_folder_the_defaults_of_a_distribution_count() {
    let kubernetes = Kubernetes::start();
    let mut drop_in = DropIn::bare("1.20.5", &kubernetes);
    drop_in.set("FLINK_CONF_DIR", "");
    let outcome = deploy(&drop_in, &[]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let objects = kubernetes.objects();
    let configuration = objects.iter().find(|it| it["metadata"]["name"] == "flink-config-my-app");
    let data = &configuration.expect("a ConfigMap")["data"];
    let file = data["config.yaml"].as_str().expect("a file");
    assert!(file.contains("size: 1600m"));
    assert!(
        file.contains("--add-opens=java.base/java.util=ALL-UNNAMED"),
        "not for Java 17: {file}"
    );
    assert!(data.get("log4j-console.properties").is_some(), "pods would log nothing");
}

#[test]
fn a_jar_on_this_machine_becomes_a_uri_of_a_file_and_arguments_are_passed_as_they_are() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let mut arguments = APPLICATION.to_vec();
    arguments.extend(["-C", "file:///opt/a.jar", "my-job.jar", "-Dnot=ours", "", "é"]);
    let outcome = drop_in.flink(&arguments);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let objects = kubernetes.objects();
    let configuration = objects.iter().find(|it| it["metadata"]["name"] == "flink-config-my-app");
    let file = configuration.expect("a ConfigMap")["data"]["config.yaml"].clone();
    let file = file.as_str().expect("a file");
    let jar = format!("- file:{}/my-job.jar", drop_in.path().display());
    for line in [jar.as_str(), "- file:/opt/a.jar", "- -Dnot=ours", "- ''", "- é"] {
        assert!(file.contains(line), "{line}:\n{file}");
    }
}

#[test]
fn a_jar_that_is_no_uri_is_refused() {
    let kubernetes = Kubernetes::start();
    let mut arguments = APPLICATION.to_vec();
    arguments.push("/opt/my job.jar");
    let outcome = DropIn::new("1.20.5", &kubernetes).flink(&arguments);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.notes.contains("write it as %20"), "{}", outcome.notes);
    assert_eq!(kubernetes.writes(), [""; 0]);
}

#[test]
fn artifacts_of_this_machine_are_copied_to_a_shared_folder_where_that_is_asked_for() {
    let kubernetes = Kubernetes::start();
    let drop_in = DropIn::new("1.20.5", &kubernetes);
    let here = drop_in.path().display().to_string();
    for name in ["job.jar", "more.jar"] {
        drop_in.write(name, name);
    }
    let mut arguments = APPLICATION.to_vec();
    let target = format!("-Dkubernetes.artifacts.local-upload-target=file://{here}/shared");
    let list = format!("-Duser.artifacts.artifact-list=local://{here}/more.jar;https://host/a.jar");
    let jar = format!("local://{here}/job.jar");
    arguments.extend(["-Dkubernetes.artifacts.local-upload-enabled=true", &target, &list, &jar]);
    let outcome = drop_in.flink(&arguments);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    for name in ["job.jar", "more.jar"] {
        let copied = std::fs::read_to_string(drop_in.path().join("shared").join(name));
        assert_eq!(copied.expect("copied"), name);
    }
    let objects = kubernetes.objects();
    let configuration = objects.iter().find(|it| it["metadata"]["name"] == "flink-config-my-app");
    let file = configuration.expect("a ConfigMap")["data"]["config.yaml"].clone();
    let file = file.as_str().expect("a file");
    assert!(file.contains(&format!("- file:{here}/shared/job.jar")), "{file}");
    assert!(file.contains(&format!("file:{here}/shared/more.jar")), "{file}");
    assert!(file.contains("https://host/a.jar"), "{file}");
}

#[test]
fn uploads_that_need_a_file_system_of_flink_are_refused_with_the_way_that_works() {
    let kubernetes = Kubernetes::start();
    let outcome = deploy(
        &DropIn::new("1.20.5", &kubernetes),
        &[
            "-Dkubernetes.artifacts.local-upload-enabled=true",
            "-Dkubernetes.artifacts.local-upload-target=s3://bucket/jars",
        ],
    );
    assert_eq!(outcome.code, 1);
    assert!(outcome.notes.contains("Upload the files yourself"), "{}", outcome.notes);
    assert_eq!(kubernetes.writes(), [""; 0]);
}
