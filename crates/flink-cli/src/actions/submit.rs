//! A program to a session: its jar is uploaded, and its `main` runs in the JobManager.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flumen_flink_conf::{Configuration, ConfigurationFormat, Value};
use flumen_flink_rest::{JarId, JarRun, JobId, RestoreMode, delete_jar, run_jar, upload_jar};
use flumen_model::FlinkMinor;

use super::{Request, on_job};
use crate::{
    Error, Surroundings,
    job_manager::JobManager,
    program::{Program, has_scheme, is_parallelism},
};

/// From here on a session takes options for a single job.
const JOB_OPTIONS: FlinkMinor = FlinkMinor::new(1, 17);

const PARALLELISM: &str = "parallelism.default";

/// Beginnings of the options that belong to a job rather than to its cluster.
const OF_JOBS: [&str; 8] = [
    "pipeline.",
    "execution.checkpointing.",
    "execution.runtime-mode",
    "execution.buffer-timeout",
    "restart-strategy",
    "state.",
    "table.",
    "python.",
];
/// What the client decides, not the job.
const OF_CLIENTS: [&str; 3] = ["pipeline.jars", "pipeline.classpaths", "execution.target"];

/// The path of a jar on this machine.
pub(crate) fn local_jar(jar: &str, surroundings: &Surroundings<'_>) -> Result<PathBuf, Error> {
    let path = match jar.strip_prefix("file:") {
        Some(path) => surroundings.path(path.strip_prefix("//").unwrap_or(path)),
        None if has_scheme(jar) => {
            return Err(Error::Unsupported {
                what: format!("the jar {jar:?} is not on this machine, and a session takes only what is uploaded"),
                instead: "Give the path of a file, or run it as an application with `-t kubernetes-application`.".to_owned(),
            });
        }
        None => surroundings.path(jar),
    };
    if !path.exists() {
        return Err(Error::Usage(format!(
            "Could not get job jar and dependencies from JAR file: JAR file does not exist: {}",
            path.display()
        )));
    }
    if !path.is_file() {
        return Err(Error::Usage(format!(
            "Could not get job jar and dependencies from JAR file: JAR file is not a file: {}",
            path.display()
        )));
    }
    Ok(path)
}

/// Uploads the jar and runs it; the jar goes away again if it does not run.
pub(crate) async fn submit(
    job_manager: &JobManager,
    (program, path): (&Program, &Path),
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<JobId, Error> {
    let run = jar_run(program, request, surroundings)?;
    let jar = upload(job_manager, path).await?;
    let failed = || on_job(format!("Could not run the program {}.", path.display()));
    let call = run_jar(request.minor, &jar, &run)?;
    match job_manager.ask(&call).await {
        Ok(id) => Ok(id),
        Err(error) => {
            // It would stay until the session ends; that it could not be removed changes nothing.
            let _ = job_manager.ask(&delete_jar(&jar)).await;
            Err(failed()(error))
        }
    }
}

pub(super) async fn upload(job_manager: &JobManager, path: &Path) -> Result<JarId, Error> {
    let content = fs::read(path).map_err(|source| Error::ReadFile {
        what: "the jar",
        path: path.to_owned(),
        source,
    })?;
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Flink takes nothing else, and minds the case.
    if path.extension() != Some(OsStr::new("jar")) {
        name.push_str(".jar");
    }
    let failed = on_job(format!("Could not upload the jar {}.", path.display()));
    job_manager.ask(&upload_jar(&name, &content)).await.map_err(failed)
}

/// What the command line and the configuration say about the job.
pub(super) fn jar_run(
    program: &Program,
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<JarRun, Error> {
    let application = &program.application;
    let configuration = options_of_job(program, request, surroundings)?;
    let given = match application.parallelism {
        None => default_parallelism(&request.configuration)?,
        given => given,
    };
    Ok(JarRun {
        entry_class: application.main_class.clone(),
        arguments: application.arguments.clone(),
        parallelism: given.and_then(|number| u32::try_from(number).ok()),
        job_id: None,
        savepoint_path: application.restore.path.clone(),
        allow_non_restored_state: application.restore.allow_non_restored_state,
        restore_mode: application.restore.mode.as_deref().map(|mode| match mode {
            "CLAIM" => RestoreMode::Claim,
            "LEGACY" => RestoreMode::Legacy,
            _ => RestoreMode::NoClaim,
        }),
        configuration,
    })
}

fn default_parallelism(configuration: &Configuration) -> Result<Option<i32>, Error> {
    let Some(given) = configuration.integer(PARALLELISM)? else { return Ok(None) };
    let number = i32::try_from(given).ok().filter(|number| is_parallelism(*number));
    number.map(Some).ok_or_else(|| {
        Error::Usage(format!(
            "{PARALLELISM} is \"{given}\": expected a positive number, or -1 for none"
        ))
    })
}

fn options_of_job(
    program: &Program,
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<BTreeMap<String, String>, Error> {
    let is_of_job = |key: &str| {
        OF_JOBS.iter().any(|prefix| key.starts_with(prefix)) && !OF_CLIENTS.contains(&key)
    };
    let format = ConfigurationFormat::of(request.minor);
    let mut options: BTreeMap<_, _> = request
        .configuration
        .iter()
        .filter(|(key, _)| is_of_job(key))
        .map(|(key, value)| (key.to_owned(), value.to_text(format).into_owned()))
        .collect();
    let class_paths = &program.application.class_paths;
    if request.minor >= JOB_OPTIONS {
        if !class_paths.is_empty() {
            let list = Value::List(class_paths.clone()).to_text(format).into_owned();
            options.insert("pipeline.classpaths".to_owned(), list);
        }
        return Ok(options);
    }
    if !class_paths.is_empty() {
        return Err(Error::Unsupported {
            what: format!(
                "a session of Flink {} takes no class path (-C) with a jar",
                request.minor
            ),
            instead: "Put the classes into the jar, or run it with `-t kubernetes-application`."
                .to_owned(),
        });
    }
    for key in options.keys() {
        surroundings.warn(format_args!(
            "{key} has no effect: a session takes options of a single job from Flink 1.17 on"
        ));
    }
    Ok(BTreeMap::new())
}

/// A Python program is compiled by an interpreter with PyFlink and Java, so PyFlink's own client does it.
pub(crate) fn python(
    program: &Program,
    request: &Request,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let chosen = program.application.python.as_ref().and_then(|it| it.client_executable.clone());
    let interpreter = chosen.unwrap_or_else(|| "python3".to_owned());
    let missing = |why: String| Error::Unsupported {
        what: format!("a Python program for a session is compiled on this machine, and {why}"),
        instead: format!(
            "Install apache-flink {}.* for {interpreter} and Java, or run the program with `-t kubernetes-application`, which needs neither.",
            request.minor
        ),
    };
    let asked = Command::new(&interpreter)
        .args([
            "-c",
            "import pyflink, os; print(os.path.dirname(os.path.abspath(pyflink.__file__)))",
        ])
        .output()
        .map_err(|error| missing(format!("{interpreter} cannot be started ({error})")))?;
    if !asked.status.success() {
        return Err(missing(format!("{interpreter} has no PyFlink")));
    }
    let home = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    let client = home.join("bin/flink");
    if !client.is_file() {
        return Err(missing(format!("PyFlink in {} brings no client", home.display())));
    }
    surroundings
        .warn(format_args!("the program is compiled and submitted by {}", client.display()));
    let status = Command::new(&client)
        .arg("run")
        .args(&request.given)
        .env("FLINK_HOME", &home)
        .status()
        .map_err(|error| missing(format!("{} cannot be started ({error})", client.display())))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed(format!("{} ended with {status}", client.display())))
}
