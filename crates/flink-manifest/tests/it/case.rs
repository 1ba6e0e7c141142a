//! One recorded run, and the specification that its arguments mean.

use std::collections::BTreeMap;

use flumen_flink_conf::{Configuration, Value};
use flumen_flink_manifest::{
    Application, ClientFiles, DeploySpec, Marks, Mode, Python, PythonEntry, generated_cluster_id,
};
use flumen_model::{FlinkMinor, FlinkVersion};
use serde::Deserialize;

const LOGGING_FILES: [&str; 7] = [
    "log4j.properties",
    "log4j-cli.properties",
    "log4j-console.properties",
    "log4j-session.properties",
    "logback.xml",
    "logback-console.xml",
    "logback-session.xml",
];

/// The id that stands in for one that the client made up.
pub(crate) fn made_up_id() -> String {
    generated_cluster_id(0x1234)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) version: FlinkVersion,
    mode: String,
    args: Vec<String>,
    conf: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    pub(crate) refused: bool,
    pub(crate) error: Option<String>,
    pub(crate) objects: Vec<serde_json::Value>,
}

impl Case {
    /// The real client fails on keys of which one is the prefix of another; Flumen must not.
    pub(crate) fn fails_by_its_own_fault(&self) -> bool {
        self.error.as_deref().is_some_and(|error| error.contains("ClassCastException"))
    }

    /// What the user gave: the lines of the file, then `-D`.
    pub(crate) fn given(&self) -> BTreeMap<String, String> {
        let mut given = self.conf.clone();
        let dynamic = self.args.iter().filter_map(|arg| arg.strip_prefix("-D")?.split_once('='));
        given.extend(dynamic.map(|(key, value)| (key.to_owned(), value.to_owned())));
        given
    }

    pub(crate) fn spec(&self) -> DeploySpec {
        let minor = self.version.minor();
        let mut configuration = Configuration::new(minor);
        for (key, text) in &self.conf {
            configuration.set(key, from_file(minor, text));
        }
        let mut application = Application::default();
        self.read_arguments(&mut configuration, &mut application);
        if configuration.get("kubernetes.cluster-id").is_none() {
            configuration.set_text("kubernetes.cluster-id", made_up_id());
        }
        let mode = match self.mode.as_str() {
            "session" => Mode::Session,
            _ => Mode::Application(Box::new(application)),
        };
        let files = self.client_files();
        DeploySpec { version: self.version, mode, configuration, files, marks: Marks::default() }
    }

    /// As much of Flink's command line as the recordings use.
    fn read_arguments(&self, configuration: &mut Configuration, application: &mut Application) {
        let mut args = self.args.iter();
        let mut python_entry = None;
        let mut python_files = None;
        while let Some(arg) = args.next() {
            let mut value = || args.next().cloned().expect("an argument");
            match arg.as_str() {
                "-c" => application.main_class = Some(value()),
                "-p" => application.parallelism = Some(value().parse().expect("a number")),
                "-s" => application.restore.path = Some(value()),
                "-n" => application.restore.allow_non_restored_state = true,
                "-d" => application.attached = false,
                "-py" => python_entry = Some(PythonEntry::File(value())),
                "-pym" => python_entry = Some(PythonEntry::Module(value())),
                "-pyfs" => python_files = Some(value()),
                option if option.starts_with("-D") => {
                    let (key, text) = option[2..].split_once('=').expect("key=value");
                    configuration.set_text(key, text);
                }
                jar => {
                    let is_uri = jar.contains(':');
                    let uri = if is_uri { jar.to_owned() } else { format!("file:{{dir}}/{jar}") };
                    application.jar = Some(uri);
                    application.arguments = args.by_ref().cloned().collect();
                }
            }
        }
        application.python = python_entry.map(|entry| Python {
            entry,
            files: python_files,
            archives: None,
            requirements: None,
            executable: None,
            client_executable: None,
            path: None,
        });
    }

    fn client_files(&self) -> ClientFiles {
        let is_old = self.version.minor() == FlinkMinor::new(1, 11);
        let in_folder =
            |(name, text): (&String, &String)| (format!("{{dir}}/{name}"), text.clone());
        let hadoop = self.env.contains_key("HADOOP_CONF_DIR");
        ClientFiles {
            logging: LOGGING_FILES
                .iter()
                .filter(|name| !is_old || !name.contains("console"))
                .map(|name| ((*name).to_owned(), "# logging\n".to_owned()))
                .collect(),
            pod_templates: self.files.iter().map(in_folder).collect(),
            hadoop: if hadoop { self.files.clone() } else { BTreeMap::new() },
            ..ClientFiles::default()
        }
    }
}

/// A value as the version's reader of configuration files types it.
fn from_file(minor: FlinkMinor, text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if minor >= FlinkMinor::new(1, 19) => Value::Integer(number),
        _ => Value::Text(text.to_owned()),
    }
}
