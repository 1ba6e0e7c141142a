//! The command line. Its documentation is what `--help` prints.
#![allow(clippy::doc_markdown, reason = "backticks would be printed by --help")]

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use flumen_cli::GlobalArguments;

use crate::settings::keys;

/// Run Apache Flink jobs on Kubernetes
#[derive(Debug, Parser)]
#[command(
    name = "flumen",
    version,
    propagate_version = false,
    max_term_width = 100,
    after_help = "Examples:
  flumen up                              everything on this machine
  flumen version add 1.20.5 --wait       make a Flink version available
  flumen apply -f job.yaml --wait        create a job and start it
  flumen job list                        see what the jobs do
  flumen doctor                          check this machine

Exit status: 0 done, 1 failed, 2 wrong usage or value, 3 not found, 4 conflict, 5 denied,
6 unreachable, 7 timed out."
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine: server, local cluster and registry
    Up(Up),
    /// Run the server alone
    Serve(Serve),
    /// Run the local cluster alone: a Kubernetes API, a node for pods, a registry
    Local(Local),
    #[command(flatten)]
    Client(flumen_cli::Command),
    #[command(flatten)]
    Tools(flumen_tools::Command),
    /// Do what Flink's own client does: `flumen flink ACTION …` for `bin/flink ACTION …`
    #[command(disable_help_flag = true, after_help = FLINK_EXAMPLES)]
    Flink(DropIn),
    /// Do what Flink's `kubernetes-session.sh` does
    #[command(disable_help_flag = true, after_help = SESSION_EXAMPLES)]
    KubernetesSession(DropIn),
    /// Check this machine, the server and its clusters
    #[command(after_help = "Examples:
  flumen doctor
  flumen doctor --output json

The exit status is 1 if a check fails.")]
    Doctor(FileArguments),
    /// Show the settings of this machine
    #[command(subcommand)]
    Config(Config),
}

const FLINK_EXAMPLES: &str = "Examples:
  flumen flink run -t kubernetes-session -Dkubernetes.cluster-id=my-session -d job.jar
  flumen flink list -t kubernetes-session -Dkubernetes.cluster-id=my-session
  flumen flink stop --help

Options are those of the Flink version that FLINK_VERSION or FLINK_HOME says.";

const SESSION_EXAMPLES: &str = "Examples:
  flumen kubernetes-session -Dkubernetes.cluster-id=my-session
  flumen kubernetes-session -Dkubernetes.cluster-id=my-session -Dexecution.attached=true
  flumen kubernetes-session --help";

/// Arguments that are Flink's, not ours
#[derive(Debug, Args)]
pub(crate) struct DropIn {
    /// Arguments as Flink's client takes them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  flumen config show
  flumen config show --output json")]
pub(crate) enum Config {
    /// Print each setting with its value and where that comes from
    #[command(after_help = "Examples:
  flumen config show
  flumen config show --config flumen.toml
  flumen config show --output json

With the flags of flumen up it shows what flumen up would make of them.")]
    Show(Up),
}

/// Run everything on this machine: server, local cluster and registry
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen up
  flumen up --data-directory /var/lib/flumen --listen 127.0.0.1:8000

Ctrl-C stops it all and waits for it; a second Ctrl-C does not wait.")]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) file: FileArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) local: LocalArguments,
    #[command(flatten)]
    pub(crate) log: LogArguments,
}

/// Run the server alone
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen serve
  flumen serve --listen 0.0.0.0:7600 --log-format json")]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) file: FileArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) log: LogArguments,

    /// Kubeconfig of the local cluster that the environment `local` is in; goes with
    /// --local-registry [env: FLUMEN_LOCAL_KUBECONFIG]
    #[arg(long, value_name = "FILE")]
    pub(crate) local_kubeconfig: Option<String>,

    /// Registry of the local cluster, as HOST:PORT; goes with --local-kubeconfig
    /// [env: FLUMEN_LOCAL_REGISTRY]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) local_registry: Option<String>,

    #[arg(long, hide = true)]
    pub(crate) supervised: bool,
}

/// Run the local cluster alone: a Kubernetes API, a node for pods, a registry
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen local
  flumen local --kubernetes-listen 127.0.0.1:6443 --allocatable-cpu 4 --allocatable-memory 8g
  flumen local --nodes 3

It prints the path of its kubeconfig when it is ready; with --output json the addresses
of the Kubernetes API and the registry too.")]
pub(crate) struct Local {
    #[command(flatten)]
    pub(crate) file: FileArguments,
    #[command(flatten)]
    pub(crate) cluster: LocalArguments,
    #[command(flatten)]
    pub(crate) log: LogArguments,

    #[arg(long, hide = true)]
    pub(crate) supervised: bool,
}

#[derive(Debug, Default, Args)]
pub(crate) struct FileArguments {
    /// Settings file [env: FLUMEN_CONFIG; default: ~/.config/flumen/flumen.toml or
    /// /etc/flumen/flumen.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServerArguments {
    /// Where the API listens [env: FLUMEN_LISTEN; default: 127.0.0.1:7600]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Where Flink's web UI is served [env: FLUMEN_UI_LISTEN; default: 127.0.0.1:7601]
    #[arg(long, value_name = "ADDRESS")]
    ui_listen: Option<String>,

    /// Where pods reach this server, for jobs that are delivered without an image (delivery:
    /// init-container); those of the local cluster know [env: FLUMEN_POD_URL; default: nowhere]
    #[arg(long, value_name = "URL")]
    pod_url: Option<String>,

    /// Largest artifact that is taken [env: FLUMEN_ARTIFACT_LIMIT; default: 4g]
    #[arg(long, value_name = "SIZE")]
    artifact_limit: Option<String>,

    /// How many releases a job keeps, and how many builds a project, beside those that run or of which there is a snapshot
    /// [env: FLUMEN_KEEP_RELEASES; default: 20]
    #[arg(long, value_name = "NUMBER")]
    keep_releases: Option<String>,

    /// How long uploaded files and images stay that nothing needs, at least an hour
    /// [env: FLUMEN_KEEP_UNUSED; default: 24h]
    #[arg(long, value_name = "PERIOD")]
    keep_unused: Option<String>,

    /// Settings of Maven, which say where dependencies of jobs are fetched [env: FLUMEN_MAVEN_SETTINGS;
    /// default: ~/.m2/settings.xml, and those of an installed Maven, where there are some]
    #[arg(long, value_name = "FILE")]
    maven_settings: Option<String>,

    /// Index of Python packages that requirements of jobs are resolved by [env: FLUMEN_PYTHON_INDEX;
    /// default: https://pypi.org/simple]
    #[arg(long, value_name = "URL")]
    python_index: Option<String>,

    /// File that says which licences and artifacts no release may have
    /// [env: FLUMEN_RELEASE_POLICY; default: nothing is denied]
    #[arg(long, value_name = "FILE")]
    release_policy: Option<String>,

    /// File with credentials for registries, in the form of Docker's config.json
    /// [env: FLUMEN_REGISTRY_CREDENTIALS; default: what Docker and Podman know]
    #[arg(long, value_name = "FILE")]
    registry_credentials: Option<String>,

    /// Certificates of registries' authorities in PEM, beside the system's [env: FLUMEN_REGISTRY_CA; default: none]
    #[arg(long, value_name = "FILE")]
    registry_ca: Option<String>,

    /// Registries that are spoken to by plain HTTP, with commas between
    /// [env: FLUMEN_INSECURE_REGISTRIES; default: those of this machine]
    #[arg(long, value_name = "HOST[:PORT],…")]
    insecure_registries: Option<String>,
    /// Commands that kubeconfigs of clusters may have this machine run for credentials, such as
    /// /opt/bin/eu-1-token,kubelogin [env: FLUMEN_CLUSTER_COMMANDS; default: none]
    #[arg(long, value_name = "NAMES")]
    cluster_commands: Option<String>,

    /// File with the key under which credentials in the database are encrypted, readable by its owner
    /// alone; the variable FLUMEN_SECRET_KEY may hold the key instead [env: FLUMEN_SECRET_KEY_FILE;
    /// default: secret-key in the data directory]
    #[arg(long, value_name = "FILE")]
    secret_key_file: Option<String>,

    /// Where downloads are kept [env: FLUMEN_CACHE_DIRECTORY; default: ~/.cache/flumen]
    #[arg(long, value_name = "DIRECTORY")]
    cache_directory: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct LocalArguments {
    /// Where the local cluster's Kubernetes API listens [env: FLUMEN_KUBERNETES_LISTEN;
    /// default: 127.0.0.1:7602]
    #[arg(long, value_name = "ADDRESS")]
    kubernetes_listen: Option<String>,

    /// Where the local cluster's registry listens [env: FLUMEN_REGISTRY_LISTEN;
    /// default: 127.0.0.1:7603]
    #[arg(long, value_name = "ADDRESS")]
    registry_listen: Option<String>,

    /// Cores that pods may ask for in all on a node [env: FLUMEN_ALLOCATABLE_CPU; default: this machine's]
    #[arg(long, value_name = "CORES")]
    allocatable_cpu: Option<String>,

    /// Memory that pods may ask for in all on a node [env: FLUMEN_ALLOCATABLE_MEMORY; default: this machine's]
    #[arg(long, value_name = "SIZE")]
    allocatable_memory: Option<String>,

    /// How many nodes the local cluster has; each offers what this machine has, and all pods run on it
    /// [env: FLUMEN_NODES; default: 1]
    #[arg(long, value_name = "NUMBER")]
    nodes: Option<String>,

    /// Nodes beside these that only pretend: pods there are Running at once, without a process; for load
    /// tests [env: FLUMEN_PRETEND_NODES; default: 0]
    #[arg(long, value_name = "NUMBER")]
    pretend_nodes: Option<String>,

    /// Directory with etcd, kube-apiserver and kube-controller-manager to run instead of Flumen's own
    /// control plane [env: FLUMEN_CONTROL_PLANE; default: none]
    #[arg(long, value_name = "DIRECTORY")]
    control_plane: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct LogArguments {
    /// What is logged: error, warn, info, debug, trace, or a filter such as
    /// info,flumen_control=debug [env: FLUMEN_LOG; default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,

    /// Form of the log: text or json [env: FLUMEN_LOG_FORMAT; default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

/// What flags say, by the key of the setting.
pub(crate) type Flags = BTreeMap<&'static str, String>;

fn collect<const N: usize>(pairs: [(&'static str, &Option<String>); N]) -> Flags {
    pairs.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
}

impl ServerArguments {
    pub(crate) fn flags(&self) -> Flags {
        collect([
            (keys::LISTEN, &self.listen),
            (keys::UI_LISTEN, &self.ui_listen),
            (keys::POD_URL, &self.pod_url),
            (keys::ARTIFACT_LIMIT, &self.artifact_limit),
            (keys::KEEP_RELEASES, &self.keep_releases),
            (keys::KEEP_UNUSED, &self.keep_unused),
            (keys::MAVEN_SETTINGS, &self.maven_settings),
            (keys::PYTHON_INDEX, &self.python_index),
            (keys::RELEASE_POLICY, &self.release_policy),
            (keys::REGISTRY_CREDENTIALS, &self.registry_credentials),
            (keys::REGISTRY_CA, &self.registry_ca),
            (keys::INSECURE_REGISTRIES, &self.insecure_registries),
            (keys::CLUSTER_COMMANDS, &self.cluster_commands),
            (keys::SECRET_KEY_FILE, &self.secret_key_file),
            (keys::CACHE_DIRECTORY, &self.cache_directory),
        ])
    }
}

impl LocalArguments {
    pub(crate) fn flags(&self) -> Flags {
        collect([
            (keys::KUBERNETES_LISTEN, &self.kubernetes_listen),
            (keys::REGISTRY_LISTEN, &self.registry_listen),
            (keys::ALLOCATABLE_CPU, &self.allocatable_cpu),
            (keys::ALLOCATABLE_MEMORY, &self.allocatable_memory),
            (keys::NODES, &self.nodes),
            (keys::PRETEND_NODES, &self.pretend_nodes),
            (keys::CONTROL_PLANE, &self.control_plane),
        ])
    }
}

impl LogArguments {
    pub(crate) fn flags(&self) -> Flags {
        collect([(keys::LOG, &self.log), (keys::LOG_FORMAT, &self.log_format)])
    }
}

impl Serve {
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = self.server.flags();
        flags.extend(self.log.flags());
        flags.extend(collect([
            (keys::LOCAL_KUBECONFIG, &self.local_kubeconfig),
            (keys::LOCAL_REGISTRY, &self.local_registry),
        ]));
        flags
    }
}

impl Local {
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = self.cluster.flags();
        flags.extend(self.log.flags());
        flags
    }
}

impl Up {
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = self.server.flags();
        flags.extend(self.local.flags());
        flags.extend(self.log.flags());
        flags
    }
}

#[cfg(test)]
mod tests;
