//! Settings of what runs here: flags over variables over the file over defaults.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use flumen_model::ByteSize;

mod file;
pub(crate) mod keys;
mod resolve;
mod values;

pub(crate) use resolve::{Origin, Resolved, Sources};
pub(crate) use values::{
    CertificateFile, Commands, Cores, CredentialFile, LogFilter, LogFormat, PackageIndex, Period,
    PodUrl, PolicyFile, RegistryNames,
};

/// Everything that can be set, resolved and checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where all data lies. Default: `~/.local/share/flumen`.
    pub(crate) data_directory: PathBuf,
    /// Where downloads are kept. Default: `~/.cache/flumen`.
    pub(crate) cache_directory: PathBuf,
    /// Where the API listens. Default: 127.0.0.1:7600.
    pub(crate) listen: SocketAddr,
    /// Where Flink's web UI is served. Default: 127.0.0.1:7601.
    pub(crate) ui_listen: SocketAddr,
    /// Where pods reach the server, but for those of the local cluster. Default: they do not.
    pub(crate) pod_url: Option<PodUrl>,
    /// The largest artifact. Default: 4 GiB.
    pub(crate) artifact_limit: ByteSize,
    /// How many releases a job keeps. Default: 20.
    pub(crate) keep_releases: NonZeroU32,
    /// How long files and images stay that nothing needs. Default: 24 hours.
    pub(crate) keep_unused: Period,
    /// Settings of Maven. Default: `~/.m2/settings.xml`, where it is there.
    pub(crate) maven: Option<PathBuf>,
    /// The index of Python packages. Default: <https://pypi.org/simple>.
    pub(crate) python_index: PackageIndex,
    /// What releases must not be made of. Default: nothing is denied.
    pub(crate) release_policy: Option<PolicyFile>,
    /// Who Flumen is to registries. Default: what Docker and Podman know.
    pub(crate) registry_credentials: Option<CredentialFile>,
    /// Authorities of registries, beside the system's. Default: none.
    pub(crate) registry_ca: Option<CertificateFile>,
    /// Registries without TLS. Default: those of this machine.
    pub(crate) insecure_registries: Option<RegistryNames>,
    /// The commands that kubeconfigs may have run for credentials. Default: none.
    pub(crate) cluster_commands: Option<Commands>,
    /// The file of the key of secrets. Default: `secret-key` in the data directory.
    pub(crate) secret_key_file: Option<PathBuf>,
    /// Where the local cluster's Kubernetes API listens. Default: 127.0.0.1:7602.
    pub(crate) kubernetes_listen: SocketAddr,
    /// Where the local cluster's registry listens. Default: 127.0.0.1:7603.
    pub(crate) registry_listen: SocketAddr,
    /// Cores for pods. Default: the machine's.
    pub(crate) allocatable_cpu: Option<Cores>,
    /// Memory for pods. Default: the machine's.
    pub(crate) allocatable_memory: Option<ByteSize>,
    /// Nodes of the local cluster. Default: 1.
    pub(crate) nodes: u8,
    /// Nodes beside these that only pretend. Default: 0.
    pub(crate) pretend_nodes: u16,
    /// Programs of Kubernetes that are the control plane of the local cluster. Default: none, but Flumen's own.
    pub(crate) control_plane: Option<PathBuf>,
    /// The kubeconfig of the local cluster, for the server. Default: none.
    pub(crate) local_kubeconfig: Option<PathBuf>,
    /// The registry of the local cluster as `host:port`, for the server. Default: none.
    pub(crate) local_registry: Option<String>,
    /// What is logged. Default: `info`.
    pub(crate) log: LogFilter,
    /// In which form. Default: text.
    pub(crate) log_format: LogFormat,
}

impl Settings {
    /// Where the local cluster keeps its data.
    pub(crate) fn local_directory(&self) -> PathBuf {
        self.data_directory.join("local")
    }

    /// Where the `local` environment keeps checkpoints and the like.
    pub(crate) fn storage_directory(&self) -> PathBuf {
        self.data_directory.join("storage")
    }

    /// Where the children of `flumen up` log.
    pub(crate) fn logs_directory(&self) -> PathBuf {
        self.data_directory.join("logs")
    }
}
