//! Whole clusters that the recordings do not have, from the facts of the reference.

use std::collections::BTreeMap;

use flumen_flink_conf::Configuration;
use flumen_flink_manifest::{
    Application, ClientFiles, DeploySpec, Error, Manifests, Marks, Mode, NamedFile, Object, Python,
    PythonEntry, Warning, render,
};
use flumen_model::FlinkVersion;

fn spec(version: &str, options: &[(&str, &str)]) -> DeploySpec {
    let version: FlinkVersion = version.parse().expect("a version");
    let mut configuration = Configuration::new(version.minor());
    for (key, text) in [
        ("jobmanager.memory.process.size", "1600m"),
        ("taskmanager.memory.process.size", "1728m"),
        ("kubernetes.cluster-id", "my-app"),
    ] {
        configuration.set_text(key, text);
    }
    for (key, text) in options {
        configuration.set_text(key, *text);
    }
    let jar = Some("local:///opt/flink/usrlib/job.jar".to_owned());
    DeploySpec {
        version,
        mode: Mode::Application(Box::new(Application { jar, ..Application::default() })),
        configuration,
        files: ClientFiles::default(),
        marks: Marks::default(),
    }
}

fn rendered(spec: &DeploySpec) -> Manifests {
    render(spec).expect("manifests")
}

fn refused(version: &str, options: &[(&str, &str)]) -> Error {
    render(&spec(version, options)).expect_err("must be refused")
}

fn arguments(manifests: &Manifests) -> Vec<String> {
    let pod = manifests.deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    pod.expect("a pod").containers[0].args.clone().expect("arguments")
}

fn names(manifests: &Manifests) -> Vec<String> {
    let name = |object: &Object| format!("{} {}", object.kind(), object.name());
    manifests.accompanying.iter().map(name).collect()
}

/// Everything at once that mounts something.
fn full(version: &str) -> DeploySpec {
    let mut spec = spec(
        version,
        &[
            ("kubernetes.secrets", "tls:/opt/tls"),
            ("kubernetes.env.secretKeyRef", "env:PASSWORD,secret:db,key:password"),
            (
                "kubernetes.jobmanager.owner.reference",
                "apiVersion:v1,kind:ConfigMap,name:n,uid:u,controller:true",
            ),
            ("security.kerberos.login.keytab", "/home/me/my.keytab"),
            ("security.kerberos.login.principal", "me@REALM"),
            ("security.kerberos.krb5-conf.path", "/etc/krb5-mine.conf"),
            ("kubernetes.pod-template-file.taskmanager", "/home/me/pod.yaml"),
            ("kubernetes.rest-service.exposed.type", "headless_clusterip"),
            ("kubernetes.flink.log.dir", "/var/log/flink"),
        ],
    );
    let file = |name: &str| NamedFile { name: name.to_owned(), content: b"content".to_vec() };
    let pod = "apiVersion: v1\nkind: Pod\n".to_owned();
    spec.files = ClientFiles {
        logging: BTreeMap::from([("log4j-console.properties".into(), "# logging\n".into())]),
        pod_templates: BTreeMap::from([("/home/me/pod.yaml".into(), pod)]),
        hadoop: BTreeMap::from([("core-site.xml".into(), "<configuration/>".into())]),
        keytab: Some(file("my.keytab")),
        krb5: Some(file("krb5-mine.conf")),
    };
    spec
}

#[test]
fn everything_that_can_be_mounted_at_once() {
    let mut spec = full("2.3.0");
    spec.configuration.set_text("kubernetes.persistent-volume-claims", "data.a:/data");
    let manifests = rendered(&spec).with_owner("the-uid");
    assert_eq!(manifests.warnings, []);
    let objects: Vec<_> = manifests
        .objects()
        .iter()
        .map(|object| serde_saphyr::to_string(object).expect("YAML"))
        .collect();
    insta::assert_snapshot!(objects.join("---\n"));
}

#[test]
fn objects_are_created_by_kind_up_to_1_17_and_as_decorated_later() {
    assert_eq!(
        names(&rendered(&full("1.17.2"))),
        [
            "Secret kerberos-keytab-my-app",
            "Service my-app",
            "Service my-app-rest",
            "ConfigMap flink-config-my-app",
            "ConfigMap hadoop-config-my-app",
            "ConfigMap kerberos-krb5conf-my-app",
            "ConfigMap pod-template-my-app",
        ]
    );
    assert_eq!(
        names(&rendered(&full("1.18.1"))),
        [
            "Service my-app",
            "Service my-app-rest",
            "ConfigMap hadoop-config-my-app",
            "Secret kerberos-keytab-my-app",
            "ConfigMap kerberos-krb5conf-my-app",
            "ConfigMap flink-config-my-app",
            "ConfigMap pod-template-my-app",
        ]
    );
}

#[test]
fn the_first_versions_start_a_jvm_by_a_line_of_their_own() {
    let mut old =
        spec("1.11.4", &[("env.java.opts", "-Da=b"), ("env.java.opts.jobmanager", "-Dc=d")]);
    old.files.logging.insert("log4j.properties".into(), "# logging\n".into());
    let jvm = "$JAVA_HOME/bin/java -classpath $FLINK_CLASSPATH -Xmx1073741824 -Xms1073741824 -XX:MaxMetaspaceSize=268435456";
    let class = "org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint";
    assert_eq!(
        arguments(&rendered(&old)),
        [
            "/bin/bash",
            "-c",
            &format!(
                "{jvm} -Da=b -Dc=d -Dlog.file=/opt/flink/log/jobmanager.log -Dlog4j.configurationFile=file:/opt/flink/conf/log4j.properties {class} 1> /opt/flink/log/jobmanager.out 2> /opt/flink/log/jobmanager.err"
            ),
        ]
    );
    let line = &arguments(&rendered(&spec("1.12.5", &[])))[..];
    assert_eq!(line[0], "native-k8s");
    assert!(line[1].starts_with(&format!("{jvm} {class} -D jobmanager.memory.")), "{}", line[1]);
}

#[test]
fn standby_job_managers_need_high_availability() {
    let replicas = ("kubernetes.jobmanager.replicas", "2");
    assert!(matches!(refused("1.14.6", &[replicas]), Error::StandbyWithoutHighAvailability { .. }));
    let ha = ("high-availability.type", "kubernetes");
    let manifests =
        rendered(&spec("1.20.5", &[replicas, ha, ("high-availability.cluster-id", "x")]));
    assert_eq!(manifests.deployment.spec.as_ref().expect("a spec").replicas, Some(2));
    assert_eq!(names(&manifests), ["Service my-app-rest", "ConfigMap flink-config-my-app"]);
    assert!(
        matches!(&manifests.warnings[..], [Warning::Replaced { given, written, .. }] if given == "x" && written == "my-app")
    );
    let ignored = rendered(&spec("1.13.6", &[replicas]));
    assert_eq!(ignored.deployment.spec.expect("a spec").replicas, Some(1));
}

#[test]
fn what_flink_refuses_is_refused_in_its_words() {
    for (version, options, said) in [
        ("1.20.5", ("kubernetes.cluster-id", "  "), "kubernetes.cluster-id must not be blank"),
        ("1.20.5", ("kubernetes.namespace", " "), "kubernetes.namespace must not be blank"),
        ("1.20.5", ("blob.server.port", "1-2"), "should be specified to a fixed port"),
        ("1.20.5", ("jobmanager.rpc.port", "0"), "jobmanager.rpc.port should not be 0"),
        (
            "1.20.5",
            ("kubernetes.jobmanager.replicas", "0"),
            "should not be configured less than one",
        ),
        (
            "1.20.5",
            ("kubernetes.jobmanager.cpu.limit-factor", "0.5"),
            "should be greater or equal to 1",
        ),
        (
            "1.20.5",
            ("kubernetes.pod-template-file.default", "/x"),
            "Pod template file /x does not exist.",
        ),
        (
            "1.20.5",
            ("execution.target", "remote"),
            "Couldn't deploy Kubernetes Application Cluster",
        ),
        (
            "1.13.6",
            ("kubernetes.rest-service.exposed.type", "Headless_ClusterIP"),
            "Headless_ClusterIP",
        ),
        (
            "1.20.5",
            ("kubernetes.jobmanager.tolerations", "key:k,tolerationSeconds:soon"),
            "tolerationSeconds",
        ),
        ("2.3.0", ("kubernetes.persistent-volume-claims", "Data:/x"), "\"Data\" at \"/x\""),
        ("2.3.0", ("kubernetes.persistent-volume-claims", "data:x"), "must be absolute"),
        (
            "2.3.0",
            ("kubernetes.persistent-volume-claims", "a:/x,b:/x"),
            "another claim is mounted there",
        ),
        (
            "2.3.0",
            ("kubernetes.persistent-volume-claims", "a.b:/x,a-b:/y"),
            "has a volume a-b-pvc already",
        ),
    ] {
        let text = refused(version, &[options]).to_string();
        assert!(text.to_lowercase().contains(&said.to_lowercase()), "{options:?}: {text}");
    }
}

#[test]
fn jars_lie_where_the_version_can_read_them() {
    let with_jar = |version: &str, jar: Option<&str>| {
        let mut spec = spec(version, &[]);
        let jar = jar.map(str::to_owned);
        spec.mode = Mode::Application(Box::new(Application { jar, ..Application::default() }));
        render(&spec)
    };
    assert!(matches!(with_jar("1.18.1", Some("s3://b/job.jar")), Err(Error::JarNotLocal { .. })));
    assert!(with_jar("1.19.3", Some("s3://b/job.jar")).is_ok());
    assert!(matches!(with_jar("1.20.5", None), Err(Error::JarMissing { .. })));
    assert!(with_jar("2.0.2", None).is_ok());
}

#[test]
fn python_came_with_1_12() {
    let python = |version: &str| {
        let entry = PythonEntry::Module("word_count".into());
        let python = Python {
            entry,
            files: None,
            archives: None,
            requirements: None,
            executable: None,
            client_executable: None,
            path: None,
        };
        let mut spec = spec(version, &[]);
        let application = Application { python: Some(python), ..Application::default() };
        spec.mode = Mode::Application(Box::new(application));
        render(&spec)
    };
    assert!(matches!(python("1.11.4"), Err(Error::PythonUnsupported { .. })));
    let configuration = python("1.12.5").expect("manifests").configuration;
    let arguments = configuration.list("$internal.application.program-args").expect("a list");
    assert_eq!(arguments.expect("set"), ["--pyModule", "word_count"]);
}

#[test]
fn user_labels_are_part_of_selectors_up_to_1_12_only() {
    let selector = |version: &str| {
        let manifests =
            rendered(&spec(version, &[("kubernetes.jobmanager.labels", "team:data,app:mine")]));
        let labels = manifests.deployment.metadata.labels.clone().expect("labels");
        assert_eq!((labels["team"].as_str(), labels["app"].as_str()), ("data", "my-app"));
        let service = manifests.services().next().and_then(|service| service.spec.clone());
        service.and_then(|spec| spec.selector).expect("a selector").contains_key("team")
    };
    assert_eq!((selector("1.12.5"), selector("1.13.6")), (true, false));
}

#[test]
fn values_that_the_command_line_writes_over_are_told() {
    let manifests = rendered(&spec("1.20.5", &[("execution.attached", "false")]));
    assert_eq!(
        manifests.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "execution.attached is written as \"true\", which the command line says or leaves at its default; \"false\" is not used"
        ]
    );
}

#[test]
fn template_values_survive_unless_an_option_says_otherwise() {
    let template = "\
metadata: {labels: {app: mine, team: yes}}
spec:
  volumes: [{name: v, configMap: {name: c, defaultMode: 0644}}]
  serviceAccountName: from-template
  dnsPolicy: Default
  hostNetwork: true
  nodeSelector: {disk: ssd, zone: a}
  containers:
    - {name: flink-main-container, image: 'mine:1', imagePullPolicy: Never, ports: [{containerPort: 9249}]}
";
    let container = |options: &[(&str, &str)]| {
        let mut options = options.to_vec();
        options.push(("kubernetes.pod-template-file.jobmanager", "/t"));
        options.push(("kubernetes.jobmanager.node-selector", "zone:b"));
        let mut spec = spec("1.20.5", &options);
        spec.files.pod_templates.insert("/t".into(), template.into());
        let template = rendered(&spec).deployment.spec.expect("a spec").template;
        let labels = template.metadata.and_then(|metadata| metadata.labels).expect("labels");
        assert_eq!((labels["app"].as_str(), labels["team"].as_str()), ("my-app", "yes"));
        template.spec.expect("a pod")
    };
    let pod = container(&[]);
    let mode = pod.volumes.as_ref().and_then(|all| all[0].config_map.as_ref()?.default_mode);
    assert_eq!(mode, Some(0o644));
    assert_eq!(pod.service_account_name.as_deref(), Some("from-template"));
    assert_eq!((pod.dns_policy.as_deref(), pod.host_network), (Some("Default"), Some(false)));
    assert_eq!(pod.node_selector.expect("a selector")["zone"], "b");
    assert_eq!(pod.containers[0].image.as_deref(), Some("mine:1"));
    assert_eq!(pod.containers[0].image_pull_policy.as_deref(), Some("Never"));
    assert_eq!(pod.containers[0].ports.as_ref().expect("ports").len(), 4);
    let pod = container(&[
        ("kubernetes.container.image", "theirs:1"),
        ("kubernetes.container.image.pull-policy", "always"),
        ("kubernetes.service-account", "shared"),
    ]);
    assert_eq!(pod.service_account_name.as_deref(), Some("shared"));
    assert_eq!(pod.containers[0].image.as_deref(), Some("theirs:1"));
    assert_eq!(pod.containers[0].image_pull_policy.as_deref(), Some("Always"));
}

#[test]
fn fields_that_no_pod_has_and_templates_that_are_no_pod_are_told() {
    let mut spec = spec(
        "1.20.5",
        &[
            ("kubernetes.pod-template-file.jobmanager", "/jm"),
            ("kubernetes.pod-template-file.taskmanager", "/tm"),
        ],
    );
    let template = "spec: {volume: [x], containers: [{name: a, volumeMount: [x], command: []}]}";
    spec.files.pod_templates.insert("/jm".into(), template.into());
    spec.files.pod_templates.insert("/tm".into(), "spec: {containers: none}".into());
    let told: Vec<_> = rendered(&spec).warnings.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("spec.volume in the pod template /jm"), "{told:?}");
    assert!(told[1].starts_with("spec.containers[0].volumeMount in"), "{told:?}");
    assert!(told[2].contains("no TaskManager with the pod template /tm"), "{told:?}");
}
