//! The keys of the settings: as they stand in `flumen.toml`, as flags and as variables.

/// Where all data lies.
pub(crate) const DATA_DIRECTORY: &str = "data-directory";
/// Where downloads are kept.
pub(crate) const CACHE_DIRECTORY: &str = "cache-directory";
/// Where the API listens.
pub(crate) const LISTEN: &str = "listen";
/// Where Flink's web UI is served.
pub(crate) const UI_LISTEN: &str = "ui-listen";
/// Where pods reach the server.
pub(crate) const POD_URL: &str = "pod-url";
/// The largest artifact.
pub(crate) const ARTIFACT_LIMIT: &str = "artifact-limit";
/// How many releases a job keeps.
pub(crate) const KEEP_RELEASES: &str = "keep-releases";
/// How long files and images stay that nothing needs.
pub(crate) const KEEP_UNUSED: &str = "keep-unused";
/// Settings of Maven, which say where dependencies of jobs are fetched.
pub(crate) const MAVEN_SETTINGS: &str = "maven-settings";
/// The index of Python packages.
pub(crate) const PYTHON_INDEX: &str = "python-index";
/// What releases must not be made of.
pub(crate) const RELEASE_POLICY: &str = "release-policy";
/// Who Flumen is to registries.
pub(crate) const REGISTRY_CREDENTIALS: &str = "registry-credentials";
/// Whom it trusts that registries are themselves.
pub(crate) const REGISTRY_CA: &str = "registry-ca";
/// Registries without TLS.
pub(crate) const INSECURE_REGISTRIES: &str = "insecure-registries";
/// The commands that kubeconfigs may have run for credentials.
pub(crate) const CLUSTER_COMMANDS: &str = "cluster-commands";
/// The file of the key of secrets.
pub(crate) const SECRET_KEY_FILE: &str = "secret-key-file";
/// Where the local cluster's Kubernetes API listens.
pub(crate) const KUBERNETES_LISTEN: &str = "kubernetes-listen";
/// Where the local cluster's registry listens.
pub(crate) const REGISTRY_LISTEN: &str = "registry-listen";
/// Cores for pods.
pub(crate) const ALLOCATABLE_CPU: &str = "allocatable-cpu";
/// Memory for pods.
pub(crate) const ALLOCATABLE_MEMORY: &str = "allocatable-memory";
/// How many nodes the local cluster has.
pub(crate) const NODES: &str = "nodes";
/// How many nodes it has beside these that only pretend.
pub(crate) const PRETEND_NODES: &str = "pretend-nodes";
/// Programs of Kubernetes for the local cluster.
pub(crate) const CONTROL_PLANE: &str = "control-plane";
/// The kubeconfig of the local cluster.
pub(crate) const LOCAL_KUBECONFIG: &str = "local-kubeconfig";
/// The registry of the local cluster.
pub(crate) const LOCAL_REGISTRY: &str = "local-registry";
/// What is logged.
pub(crate) const LOG: &str = "log";
/// In which form.
pub(crate) const LOG_FORMAT: &str = "log-format";

/// Every key, in the order in which they are shown.
pub(crate) const ALL: [&str; 27] = [
    DATA_DIRECTORY,
    CACHE_DIRECTORY,
    LISTEN,
    UI_LISTEN,
    POD_URL,
    ARTIFACT_LIMIT,
    KEEP_RELEASES,
    KEEP_UNUSED,
    MAVEN_SETTINGS,
    PYTHON_INDEX,
    RELEASE_POLICY,
    REGISTRY_CREDENTIALS,
    REGISTRY_CA,
    INSECURE_REGISTRIES,
    CLUSTER_COMMANDS,
    SECRET_KEY_FILE,
    KUBERNETES_LISTEN,
    REGISTRY_LISTEN,
    ALLOCATABLE_CPU,
    ALLOCATABLE_MEMORY,
    NODES,
    PRETEND_NODES,
    CONTROL_PLANE,
    LOCAL_KUBECONFIG,
    LOCAL_REGISTRY,
    LOG,
    LOG_FORMAT,
];

/// The variable that names the settings file.
pub(crate) const FILE_VARIABLE: &str = "FLUMEN_CONFIG";

/// The variable of a key: `ui-listen` is `FLUMEN_UI_LISTEN`.
pub(crate) fn variable(key: &str) -> String {
    format!("FLUMEN_{}", key.to_ascii_uppercase().replace('-', "_"))
}
