use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use flumen_faults::Faults;
use flumen_model::Secret;
use flumen_release_policy::Policy;

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
    /// Where pods reach this server, but for those of the local cluster. Default: they do not.
    pub pod_url: Option<url::Url>,
    /// How many bytes a file may have that is fetched from a URL.
    pub artifact_limit: u64,
    /// What is kept, and for how long. Default: as [`Retention`] says.
    pub retention: Retention,
    /// The index of Python packages that requirements are resolved by. Default: the public one.
    pub python_index: Option<url::Url>,
    /// What releases must not be made of. Default: nothing is denied.
    pub release_policy: Option<Policy>,
    /// How registries are spoken to. Default: as nobody, and by TLS but on this machine.
    pub registries: RegistryAccess,
    /// The commands that kubeconfigs may have this machine run for credentials: names, which are looked for as a shell would,
    /// or paths. Default: none.
    pub cluster_commands: Vec<String>,
    /// The file of the key under which secrets in the database are encrypted. Default: `secret-key` in the data directory.
    pub secret_key_file: Option<PathBuf>,
    /// That key itself, instead of a file. Default: the file's.
    pub secret_key: Option<Secret>,
    /// The points around each effect, for tests. Default: inert.
    pub faults: Faults,
}

/// How registries are spoken to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryAccess {
    /// Files in the form of Docker's `config.json`, the first of which that knows a registry is believed.
    pub credential_files: Vec<PathBuf>,
    /// PEM certificates that are trusted besides the system's.
    pub certificate_authorities: Vec<Vec<u8>>,
    /// Registries (`host` or `host:port`) without TLS.
    pub plain_http: BTreeSet<String>,
}

/// What is kept of what nothing needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How many releases a job keeps, and builds a project, at least 1, beside those that are needed. Default: 20.
    pub releases: u32,
    /// How long files and images stay after nothing needs them any more. Default: 24 hours.
    pub unused: Duration,
    /// How often it is looked for what nothing needs. Default: every hour.
    pub every: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { releases: 20, unused: Duration::from_hours(24), every: Duration::from_hours(1) }
    }
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
    /// Where its pods reach this server.
    pub pod_url: url::Url,
    /// The directory on this machine that the `local` environment keeps checkpoints and the like in.
    pub storage: PathBuf,
}
