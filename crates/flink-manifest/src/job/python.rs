//! Python programs: what of a job's files Flink is told to give to Python.

use flumen_flink_conf::Configuration;
use flumen_model::{ArtifactRole, FlinkMinor, JobSpec, is_wheel};

use super::{JobDeployment, Program, USRLIB};
use crate::{Error, Python, PythonEntry};

const FILES: &str = "python.files";
const ARCHIVES: &str = "python.archives";
/// Flink's default is `python`, which many images do not have.
const INTERPRETER: &str = "python3";
const IN_IMAGE: &str = "local://";
const OPT: &str = "/opt/flink/opt";
const JAR: &str = "flink-python";
/// Up to here the jar is for one Scala, which is the one that distributions have.
const WITHOUT_SCALA: FlinkMinor = FlinkMinor::new(1, 16);

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
        Self { arguments, python: Some(python), ..Self::default() }
    }
}

/// What functions in Python need, of a program that is none in Python itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonFunctions {
    files: Option<String>,
    archives: Option<String>,
    /// Flink's own jar for Python is taken from the image.
    jar: bool,
}

impl PythonFunctions {
    /// `files` are those of the job by name and role.
    pub fn of(files: &[(&str, ArtifactRole)]) -> Self {
        let of_role = |role| files.iter().filter(move |one| one.1 == role).map(|one| one.0);
        let paths = |names: Vec<&str>| {
            let paths: Vec<_> = names.iter().map(|name| format!("{USRLIB}/{name}")).collect();
            (!paths.is_empty()).then(|| paths.join(","))
        };
        // Wheels lie unpacked where Python looks anyway.
        let sources = of_role(ArtifactRole::Python).filter(|name| !is_wheel(name));
        Self {
            files: paths(sources.collect()),
            archives: paths(of_role(ArtifactRole::Archive).collect()),
            jar: !files.iter().any(|(name, _)| name.starts_with(JAR)),
        }
    }
}

/// The jar with which Flink calls Python, which distributions have in `opt`. A Python program gets it from Flink itself.
pub(super) fn class_paths(deployment: &JobDeployment) -> Vec<String> {
    let version = deployment.version;
    let with_scala = if version.minor() < WITHOUT_SCALA { "_2.12" } else { "" };
    let is_wanted = deployment.functions.as_ref().is_some_and(|functions| functions.jar);
    let path = || format!("file://{OPT}/{JAR}{with_scala}-{version}.jar");
    is_wanted.then(path).into_iter().collect()
}

/// What a job gets that says nothing else.
pub(super) fn entries(deployment: &JobDeployment) -> Vec<(&'static str, &'static str)> {
    let keys = ["python.executable", "python.client.executable"];
    let is_python = deployment.python.is_some() || deployment.functions.is_some();
    keys.into_iter().filter(|_| is_python).map(|key| (key, INTERPRETER)).collect()
}

/// The program with the files that the configuration names too.
pub(super) fn joined(python: &Python, configuration: &Configuration) -> Result<Python, Error> {
    let files = join(FILES, python.files.as_ref(), configuration)?;
    let archives = join(ARCHIVES, python.archives.as_ref(), configuration)?;
    Ok(Python { files, archives, ..python.clone() })
}

/// The files of functions, beside those that the user named.
pub(super) fn additions(
    deployment: &JobDeployment,
    settled: &Configuration,
) -> Result<Vec<(&'static str, String)>, Error> {
    let Some(functions) = &deployment.functions else { return Ok(Vec::new()) };
    let mut additions = Vec::new();
    for (key, own) in [(FILES, &functions.files), (ARCHIVES, &functions.archives)] {
        additions.extend(join(key, own.as_ref(), settled)?.map(|all| (key, all)));
    }
    Ok(additions)
}

fn join(
    key: &str,
    own: Option<&String>,
    configuration: &Configuration,
) -> Result<Option<String>, Error> {
    let named = configuration.string(key)?.filter(|named| !named.is_empty());
    Ok(match (own, named) {
        (Some(own), Some(named)) => Some(format!("{own},{named}")),
        (own, named) => own.cloned().or(named),
    })
}

#[cfg(test)]
mod tests {
    use flumen_flink_conf::Layer;

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
    fn functions_of_a_script_have_their_files_and_the_jar_of_flink() {
        use super::super::{job_deployment, tests::deployment};

        for (version, jar) in
            [("1.15.4", "flink-python_2.12-1.15.4"), ("2.3.0", "flink-python-2.3.0")]
        {
            let mut deployment = deployment(version);
            let files = [
                ("orders.sql", ArtifactRole::Script),
                ("udf.py", ArtifactRole::Python),
                ("geo-1-py3-none-any.whl", ArtifactRole::Python),
                ("data.zip", ArtifactRole::Archive),
            ];
            deployment.functions = Some(PythonFunctions::of(&files));
            deployment.layers.add(Layer::Job, [("python.files", "/opt/more.py")]);
            let plan = job_deployment(&deployment).expect("a plan");
            let value = |key| plan.spec.configuration.string(key).expect("a text");
            let files = value("python.files");
            assert_eq!(files.as_deref(), Some("/opt/flink/usrlib/udf.py,/opt/more.py"));
            assert_eq!(value("python.archives").as_deref(), Some("/opt/flink/usrlib/data.zip"));
            assert_eq!(value("python.executable").as_deref(), Some("python3"));
            let manifests = crate::render(&plan.spec).expect("manifests");
            let text = serde_json::to_string(&manifests.objects()).expect("JSON");
            let path = format!("file:///opt/flink/opt/{jar}.jar");
            assert!(text.contains(&path), "{path} is not in {text}");
            let own = PythonFunctions::of(&[("flink-python-2.3.0.jar", ArtifactRole::Usrlib)]);
            deployment.functions = Some(own);
            assert_eq!(class_paths(&deployment), [""; 0]);
        }
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
