//! What is to be deployed: plain values, everything that would need IO already read.

use std::collections::BTreeMap;

use flumen_flink_conf::Configuration;
use flumen_model::FlinkVersion;

/// A cluster to be deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploySpec {
    /// The Flink version that runs in the image.
    pub version: FlinkVersion,
    /// An application or a session.
    pub mode: Mode,
    /// The effective configuration: file, then `-D`. It names the cluster (`kubernetes.cluster-id`)
    /// and, unless that is `default`, the namespace (`kubernetes.namespace`).
    pub configuration: Configuration,
    /// The files that Flink's client would read.
    pub files: ClientFiles,
    /// Labels and annotations beyond those of Flink. Default: none.
    pub marks: Marks,
}

/// What the cluster is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// One program.
    Application(Box<Application>),
    /// Jobs that are submitted later.
    Session,
}

impl Mode {
    /// The word that stands in `execution.target` and in the start command.
    pub(crate) const fn target(&self) -> &'static str {
        match self {
            Self::Application(_) => "kubernetes-application",
            Self::Session => "kubernetes-session",
        }
    }
}

/// A program and how it was asked to run; the fields are the options of `flink run-application`.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// The jar as a URI with a scheme. Default: none, which only some versions allow.
    pub jar: Option<String>,
    /// The class with `main` (`-c`). Default: what the jar's manifest names.
    pub main_class: Option<String>,
    /// Arguments for `main`, passed as they are.
    pub arguments: Vec<String>,
    /// A Python program instead of a jar.
    pub python: Option<Python>,
    /// `-p`. Default: what the configuration says.
    pub parallelism: Option<i32>,
    /// Not `-d`. Default: true.
    pub attached: bool,
    /// `-sae`. Default: false.
    pub shutdown_on_attached_exit: bool,
    /// `-C`, more entries of the class path.
    pub class_paths: Vec<String>,
    /// What the program starts from.
    pub restore: Restore,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            jar: None,
            main_class: None,
            arguments: Vec::new(),
            python: None,
            parallelism: None,
            attached: true,
            shutdown_on_attached_exit: false,
            class_paths: Vec::new(),
            restore: Restore::default(),
        }
    }
}

/// What a program starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restore {
    /// `-s`, a savepoint or retained checkpoint. Default: empty state.
    pub path: Option<String>,
    /// `-n`: state that no operator takes is dropped. Default: false, it is an error.
    pub allow_non_restored_state: bool,
    /// `-rm` or `-cm`: `CLAIM`, `NO_CLAIM` or `LEGACY`. Default: Flink's, `NO_CLAIM`.
    pub mode: Option<String>,
}

/// A Python program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// What is run.
    pub entry: PythonEntry,
    /// `-pyfs`.
    pub files: Option<String>,
    /// `-pyarch`.
    pub archives: Option<String>,
    /// `-pyreq`.
    pub requirements: Option<String>,
    /// `-pyexec`.
    pub executable: Option<String>,
    /// `-pyclientexec`.
    pub client_executable: Option<String>,
    /// `-pypath`.
    pub path: Option<String>,
}

/// Where a Python program begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonEntry {
    /// `-py`.
    File(String),
    /// `-pym`.
    Module(String),
}

/// What Flink's client would read from its own machine. Text that is missing was not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFiles {
    /// The logging files of the configuration folder by name; only known names are shipped.
    pub logging: BTreeMap<String, String>,
    /// Pod templates by the path that the configuration names.
    pub pod_templates: BTreeMap<String, String>,
    /// `core-site.xml` and `hdfs-site.xml` of the Hadoop configuration folder; others are ignored.
    pub hadoop: BTreeMap<String, String>,
    /// The file that `security.kerberos.login.keytab` names.
    pub keytab: Option<NamedFile>,
    /// The file that `security.kerberos.krb5-conf.path` names.
    pub krb5: Option<NamedFile>,
}

/// A file's name, without folders, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The last part of its path.
    pub name: String,
    /// The content.
    pub content: Vec<u8>,
}

/// Labels and annotations that Flink knows nothing of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// On every object and on the JobManager's pods; never in a selector.
    pub labels: BTreeMap<String, String>,
    /// On the Deployment and on the JobManager's pods.
    pub annotations: BTreeMap<String, String>,
}
