//! Python programs: what of a job's files Flink is told to give to Python.

use flumen_flink_conf::Configuration;
use flumen_model::{ArtifactRole, JobSpec, is_wheel};

use super::{JobDeployment, Program, USRLIB};
use crate::{Error, Python, PythonEntry};

const FILES: &str = "python.files";
const ARCHIVES: &str = "python.archives";
/// Flink's default is `python`, which many images do not have.
const INTERPRETER: &str = "python3";
const IN_IMAGE: &str = "local://";

impl Program {
    /// A Python program; `files` are those of the job by name and role, the main one first unless the image has it.
    pub fn of_python(spec: &JobSpec, files: &[(&str, ArtifactRole)]) -> Self {
        let path = |name: &str| format!("{USRLIB}/{name}");
        let (main, others) = match (spec.artifact.strip_prefix(IN_IMAGE), files) {
            (Some(inside), files) => (inside.to_owned(), files),
            (None, [(first, _), others @ ..]) => (path(first), others),
            (None, []) => (path(&spec.artifact), files),
        };
        let of_role = |role| others.iter().filter(move |one| one.1 == role).map(|one| one.0);
        // Wheels lie unpacked where Python looks anyway.
        let sources = of_role(ArtifactRole::Python).filter(|name| !is_wheel(name));
        let mut sources: Vec<String> = sources.map(path).collect();
        let entry = match &spec.module {
            Some(module) => {
                if !is_wheel(&main) {
                    sources.insert(0, main);
                }
                PythonEntry::Module(module.clone())
            }
            None => PythonEntry::File(main),
        };
        let archives: Vec<String> = of_role(ArtifactRole::Archive).map(path).collect();
        let joined = |list: Vec<String>| (!list.is_empty()).then(|| list.join(","));
        let python = Python {
            entry,
            files: joined(sources),
            archives: joined(archives),
            requirements: None,
            executable: None,
            client_executable: None,
            path: None,
        };
        let arguments = spec.arguments.clone();
        Self { jar: None, main_class: None, arguments, python: Some(python) }
    }
}

/// What a job gets that says nothing else.
pub(super) fn entries(deployment: &JobDeployment) -> Vec<(&'static str, &'static str)> {
    let keys = ["python.executable", "python.client.executable"];
    let is_python = deployment.python.is_some();
    keys.into_iter().filter(|_| is_python).map(|key| (key, INTERPRETER)).collect()
}

/// The program with the files that the configuration names too.
pub(super) fn joined(python: &Python, configuration: &Configuration) -> Result<Python, Error> {
    let join = |key: &str, own: &Option<String>| -> Result<Option<String>, Error> {
        let named = configuration.string(key)?.filter(|named| !named.is_empty());
        Ok(match (own, named) {
            (Some(own), Some(named)) => Some(format!("{own},{named}")),
            (own, named) => own.clone().or(named),
        })
    };
    let (files, archives) = (join(FILES, &python.files)?, join(ARCHIVES, &python.archives)?);
    Ok(Python { files, archives, ..python.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(change: &str, files: &[(&str, ArtifactRole)]) -> Python {
        let text = format!(
            r#"{{"name":"a","environment":"local","flinkVersion":"1.20.5","kind":"python","artifact":"x/a.py","arguments":["x"]{change}}}"#
        );
        let spec: JobSpec = serde_json::from_str(&text).expect("valid");
        let program = Program::of_python(&spec, files);
        assert_eq!((program.jar, program.arguments), (None, vec!["x".to_owned()]));
        program.python.expect("a Python program")
    }

    #[test]
    fn files_and_archives_are_named_by_what_they_are_for() {
        let python = program(
            "",
            &[
                ("a.py", ArtifactRole::Python),
                ("kafka.jar", ArtifactRole::Lib),
                ("lib.zip", ArtifactRole::Python),
                ("geo-1-py3-none-any.whl", ArtifactRole::Python),
                ("numpy-1-py3-none-any.whl", ArtifactRole::Wheel),
                ("more.py", ArtifactRole::Python),
                ("venv.tgz", ArtifactRole::Archive),
                ("requirements.txt", ArtifactRole::Requirements),
            ],
        );
        assert_eq!(python.entry, PythonEntry::File("/opt/flink/usrlib/a.py".into()));
        let files = "/opt/flink/usrlib/lib.zip,/opt/flink/usrlib/more.py";
        assert_eq!(python.files.as_deref(), Some(files));
        assert_eq!(python.archives.as_deref(), Some("/opt/flink/usrlib/venv.tgz"));
        assert_eq!(python.requirements, None, "nothing is installed in a pod");
    }

    #[test]
    fn a_module_is_looked_for_in_the_artifact() {
        let module = r#","module":"jobs.count""#;
        let python = program(module, &[("jobs.zip", ArtifactRole::Python)]);
        assert_eq!(python.entry, PythonEntry::Module("jobs.count".into()));
        assert_eq!(python.files.as_deref(), Some("/opt/flink/usrlib/jobs.zip"));
        let wheel = program(module, &[("jobs-1-py3-none-any.whl", ArtifactRole::Python)]);
        assert_eq!(wheel.files, None, "it is unpacked where Python looks anyway");
    }
}
