//! A drop-in with its configuration folder, its kubeconfig and what it prints.

use std::{collections::BTreeMap, fs, path::Path};

use flumen_flink_cli::{Program, Surroundings, run};
use tempfile::TempDir;

use crate::kubernetes::Kubernetes;

const LOGGING: [&str; 2] = ["log4j-console.properties", "logback-console.xml"];
const MEMORY: &str =
    "jobmanager.memory.process.size: 1600m\ntaskmanager.memory.process.size: 1728m\n";

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) notes: String,
}

#[derive(Debug)]
pub(crate) struct DropIn {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

impl DropIn {
    /// One of this version that speaks to this cluster, with little in its configuration.
    pub(crate) fn new(version: &str, kubernetes: &Kubernetes) -> Self {
        let this = Self::bare(version, kubernetes);
        let old = ["1.1", "1.2"].iter().any(|it| version.starts_with(it))
            && !["1.19", "1.20"].iter().any(|it| version.starts_with(it));
        this.write(if old { "conf/flink-conf.yaml" } else { "conf/config.yaml" }, MEMORY);
        for name in LOGGING {
            this.write(&format!("conf/{name}"), "# logging\n");
        }
        this
    }

    /// The same with an empty configuration folder.
    pub(crate) fn bare(version: &str, kubernetes: &Kubernetes) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().display().to_string();
        fs::create_dir(directory.path().join("conf")).expect("a folder");
        let variables = [
            ("FLINK_VERSION", version.to_owned()),
            ("FLINK_CONF_DIR", format!("{path}/conf")),
            ("KUBECONFIG", format!("{path}/kubeconfig")),
            ("HOME", path),
        ];
        let variables =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let this = Self { directory, variables };
        this.write("kubeconfig", &kubernetes.kubeconfig());
        this
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("written");
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn flink(&self, arguments: &[&str]) -> Outcome {
        self.run(Program::Flink, arguments)
    }

    pub(crate) fn session(&self, arguments: &[&str]) -> Outcome {
        self.run(Program::KubernetesSession, arguments)
    }

    pub(crate) fn run(&self, program: Program, arguments: &[&str]) -> Outcome {
        self.run_with(program, arguments, "")
    }

    /// Runs it with this on its standard input.
    pub(crate) fn run_with(&self, program: Program, arguments: &[&str], input: &str) -> Outcome {
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let arguments: Vec<_> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let code = run(
            program,
            &arguments,
            &mut Surroundings {
                variable: &|name| self.variables.get(name).cloned(),
                directory: self.path().to_owned(),
                called_at: None,
                input: &mut input.as_bytes(),
                out: &mut out,
                notes: &mut notes,
            },
        );
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Outcome { code, out: text(out), notes: text(notes) }
    }
}
