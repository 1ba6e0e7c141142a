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
    /// Where settings of Maven lie, by which artifacts are fetched. Default: none are fetched.
    pub maven: Option<MavenFiles>,
    /// How many bytes a file may have that is fetched from a URL.
    pub artifact_limit: u64,
    /// The index of Python packages that requirements are resolved by. Default: the public one.
    pub python_index: Option<url::Url>,
    /// The points around each effect, for tests. Default: inert.
    pub faults: Faults,
}

/// Settings of Maven on this machine.
#[derive(Debug, Clone)]
pub struct MavenFiles {
    /// The directory whose `.m2` has settings, master password and local repository.
    pub home: PathBuf,
    /// The user's settings, where that is another file than `.m2/settings.xml` there.
    pub user: Option<PathBuf>,
    /// Settings of an installed Maven.
    pub installed: Vec<PathBuf>,
    /// Values of environment variables, which settings may name.
    pub variable: fn(&str) -> Option<String>,
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
