//! The values of the Pod and the `ConfigMap` of a build.

mod volumes;

use std::collections::BTreeMap;

use flumen_model::{BuildSettings, Builder, Namespace, OperationId, ProjectSpec, RepositoryAccess};
use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMap, Container, ContainerPort, EnvVar, Pod, PodSecurityContext,
        PodSpec, ResourceRequirements, SeccompProfile, SecurityContext, VolumeMount,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};

use volumes::{CACHE, CREDENTIALS, SCRIPTS, SETTINGS, WORKSPACE, mount};

/// The label with the id of the operation.
pub const LABEL_OPERATION: &str = "flumen.dev/operation";
/// The label with the name of the project.
pub const LABEL_PROJECT: &str = "flumen.dev/project";
/// The containers of a build, in the order in which they run.
pub const CONTAINERS: [&str; 3] = [FETCH, BUILD, HAND_OVER];
/// The port at which the jar is handed over.
pub const HAND_OVER_PORT: u16 = 8099;
/// The header with the SHA-256 of the jar in hex.
pub const SHA256_HEADER: &str = "x-flumen-sha256";
/// The header with the path of the jar below the project's directory.
pub const PATH_HEADER: &str = "x-flumen-path";

pub(crate) const FETCH: &str = "fetch";
pub(crate) const BUILD: &str = "build";
pub(crate) const HAND_OVER: &str = "hand-over";

/// No image need know this user: the Pod brings an `/etc/passwd` that does, which ssh and Java ask for.
const USER: i64 = 1000;
/// How long a server that is away has to come for the jar.
const SPARE_SECONDS: i64 = 3600;

const FILES: [(&str, &str); 6] = [
    ("fetch.sh", include_str!("scripts/fetch.sh")),
    ("credential.sh", include_str!("scripts/credential.sh")),
    ("build.sh", include_str!("scripts/build.sh")),
    ("hand-over.sh", include_str!("scripts/hand-over.sh")),
    ("HandOver.java", include_str!("scripts/HandOver.java")),
    ("passwd", include_str!("scripts/passwd")),
];

/// One build of a project.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// Its operation, by which its objects are named.
    pub operation: OperationId,
    /// The project as it was when the build was asked for, with the reference that is built.
    pub spec: &'a ProjectSpec,
    /// The image that it runs in.
    pub image: &'a str,
    /// The namespace.
    pub namespace: &'a Namespace,
}

/// The name of both objects of a build.
pub fn name(operation: OperationId) -> String {
    format!("flumen-build-{}", operation.as_uuid().simple())
}

/// Where the jar is handed over. Not all who reach the Pod know the operation.
pub fn address(operation: OperationId) -> String {
    format!("/{}", operation.as_uuid().simple())
}

/// The entries that the Secret with the credentials of a project must have; none where it names none.
pub fn needed_keys(spec: &ProjectSpec) -> &'static [&'static str] {
    match (&spec.credentials, spec.repository.access()) {
        (None, _) => &[],
        (Some(_), RepositoryAccess::Ssh) => &["ssh-privatekey", "known_hosts"],
        (Some(_), RepositoryAccess::Http | RepositoryAccess::Https) => &["username", "password"],
    }
}

/// What the Pod runs.
pub fn config_map(build: &Build<'_>) -> ConfigMap {
    let data = FILES.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
    ConfigMap { metadata: metadata(build), data: Some(data.collect()), ..ConfigMap::default() }
}

/// The Pod of a build.
pub fn pod(build: &Build<'_>) -> Pod {
    let limit = build.spec.timeout.as_secs().saturating_add(SPARE_SECONDS);
    Pod {
        metadata: metadata(build),
        spec: Some(PodSpec {
            init_containers: Some(vec![fetch(build), builder(build)]),
            containers: vec![hand_over(build)],
            restart_policy: Some("Never".to_owned()),
            active_deadline_seconds: Some(limit),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(5),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(true),
                run_as_user: Some(USER),
                run_as_group: Some(USER),
                fs_group: Some(USER),
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".to_owned(),
                    localhost_profile: None,
                }),
                ..PodSecurityContext::default()
            }),
            volumes: Some(volumes::all(build)),
            ..PodSpec::default()
        }),
        status: None,
    }
}

fn metadata(build: &Build<'_>) -> ObjectMeta {
    let labels = [
        ("app.kubernetes.io/managed-by", "flumen".to_owned()),
        (LABEL_OPERATION, build.operation.to_string()),
        (LABEL_PROJECT, build.spec.name.to_string()),
    ];
    let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value));
    ObjectMeta {
        name: Some(name(build.operation)),
        namespace: Some(build.namespace.to_string()),
        labels: Some(labels.collect()),
        ..ObjectMeta::default()
    }
}

fn fetch(build: &Build<'_>) -> Container {
    let spec = build.spec;
    let access = match (&spec.credentials, spec.repository.access()) {
        (None, _) => "none",
        (Some(_), RepositoryAccess::Ssh) => "ssh",
        (Some(_), RepositoryAccess::Http | RepositoryAccess::Https) => "basic",
    };
    let variables = [
        ("REPOSITORY", spec.repository.as_str()),
        ("REF", spec.reference.as_str()),
        ("ACCESS", access),
        ("ORIGIN", spec.repository.origin().unwrap_or_default()),
    ];
    let mut mounts = vec![mount(WORKSPACE, false)];
    mounts.extend(spec.credentials.is_some().then(|| mount(CREDENTIALS, true)));
    container(build, FETCH, "fetch.sh", (&variables, mounts))
}

fn builder(build: &Build<'_>) -> Container {
    let spec = build.spec;
    let variables = [("BUILDER", spec.builder.as_str()), ("CACHE", volumes::path(CACHE))];
    let mut mounts = vec![mount(WORKSPACE, false), mount(CACHE, false)];
    mounts.extend(spec.settings.is_some().then(|| mount(SETTINGS, true)));
    let container = container(build, BUILD, "build.sh", (&variables, mounts));
    Container { args: Some(spec.goals().iter().map(|goal| literal(goal)).collect()), ..container }
}

fn hand_over(build: &Build<'_>) -> Container {
    let (address, port) = (address(build.operation), HAND_OVER_PORT.to_string());
    let variables = [("ARTIFACT", build.spec.artifact()), ("ADDRESS", &address), ("PORT", &port)];
    let mounts = vec![mount(WORKSPACE, true)];
    Container {
        ports: Some(vec![ContainerPort {
            container_port: HAND_OVER_PORT.into(),
            ..ContainerPort::default()
        }]),
        ..container(build, HAND_OVER, "hand-over.sh", (&variables, mounts))
    }
}

fn container(
    build: &Build<'_>,
    name: &str,
    script: &str,
    (variables, mut mounts): (&[(&str, &str)], Vec<VolumeMount>),
) -> Container {
    let directory = build.spec.directory.as_ref().map_or("", |directory| directory.as_str());
    let common = [("WORKSPACE", volumes::path(WORKSPACE)), ("DIRECTORY", directory)];
    let variables = common.iter().chain(variables).map(|(name, value)| EnvVar {
        name: (*name).to_owned(),
        value: Some(literal(value)),
        value_from: None,
    });
    mounts.push(mount(SCRIPTS, true));
    mounts.push(volumes::passwd());
    Container {
        name: name.to_owned(),
        image: Some(build.image.to_owned()),
        command: Some(vec!["/bin/sh".to_owned(), format!("{}/{script}", volumes::path(SCRIPTS))]),
        env: Some(variables.collect()),
        resources: Some(resources(build.spec)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
            ..SecurityContext::default()
        }),
        // What a program said last is the reason where it said none.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

fn resources(spec: &ProjectSpec) -> ResourceRequirements {
    let quantities = BTreeMap::from([
        ("cpu".to_owned(), Quantity(format!("{}m", (spec.resources.cpu * 1000.0).ceil()))),
        ("memory".to_owned(), Quantity(spec.resources.memory.bytes().to_string())),
    ]);
    ResourceRequirements {
        requests: Some(quantities.clone()),
        limits: Some(quantities),
        claims: None,
    }
}

/// A text in which Kubernetes replaces nothing.
fn literal(text: &str) -> String {
    text.replace("$(", "$$(")
}

/// The kind and name of the object with settings of the builder, and the entries of which it must have one.
pub fn settings_keys(spec: &ProjectSpec) -> Option<(&BuildSettings, &'static [&'static str])> {
    let keys: &[&str] = match spec.builder {
        Builder::Maven => &["settings.xml"],
        Builder::Gradle => &["init.gradle", "init.gradle.kts", "gradle.properties"],
    };
    spec.settings.as_ref().map(|settings| (settings, keys))
}
