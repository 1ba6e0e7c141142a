use std::path::PathBuf;

use flumen_faults::Faults;

/// What the server side needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the database, artifacts and saved logs lie.
    pub data_directory: PathBuf,
    /// Where downloads are kept, which several servers may share.
    pub cache_directory: PathBuf,
    /// The local cluster, if there is one. Default: none.
    pub local: Option<LocalSettings>,
    /// The points around each effect, for tests. Default: inert.
    pub faults: Faults,
}

/// What `flumen up` knows of the local cluster beside it.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Its kubeconfig file.
    pub kubeconfig: PathBuf,
    /// Its registry, as `host:port`.
    pub registry: String,
    /// The directory on this machine that the `local` environment keeps checkpoints and the like in.
    pub storage: PathBuf,
}
