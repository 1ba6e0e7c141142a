//! `flumen sql check --explain`.

mod print;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use flumen_api_types as api;
use flumen_job_file::ScriptCheck;
use flumen_model::{
    ArtifactRole, ArtifactUrl, Dependency, EnvironmentName, FileDependency, FlinkVersion, JobKind,
    JobSpec, MavenDependency,
};
use reqwest::Method;
use serde_json::json;

use crate::{
    Error, artifacts,
    commands::Context,
    job_files::{self, Defined},
};

/// How long the server is given where nobody says so; it is what the server takes itself.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// What comes on top: the pod is deleted before the answer.
const MARGIN: Duration = Duration::from_secs(20);
/// What takes longer is said to go on.
const SILENT: Duration = Duration::from_secs(1);

/// A script as it is printed about.
struct Source {
    name: String,
    text: String,
}

/// Has the server check a script by Flink.
pub(crate) async fn explain(check: ScriptCheck, context: &Context<'_>) -> Result<(), Error> {
    let given = check.job_file.as_deref().map(one_job).transpose()?;
    let source = source(&check, given.as_ref())?;
    let defined = defined(&check, given, &source, context)?;
    let spec = &defined.spec;
    let (flink, environment) = (spec.flink_version, spec.environment.clone());
    let progress = context.printer.progress();
    let artifacts = artifacts::upload_dependencies(&context.client, &defined, &progress).await?;
    let body = api::ExplainSql {
        script: source.text.clone(),
        flink_version: flink,
        environment: environment.clone(),
        dependencies: spec.dependencies.clone(),
        artifacts,
        configuration: spec.configuration.clone(),
        parallelism: spec.parallelism,
        variables: spec.variables.clone(),
        resources: spec.resources.clone(),
        pod_templates: spec.pod_templates.clone(),
        timeout_seconds: check.timeout.map(whole_seconds),
    };
    let action = format!("check {} by Flink {flink}", source.name);
    let call = context.client.call(Method::POST, action, &["sql", "explain"]).json(&body);
    let call = call.within(check.timeout.unwrap_or(DEFAULT_TIMEOUT) + MARGIN);
    let mut asked = pin!(call.fetch::<api::SqlExplanation>());
    let answer = if let Ok(answer) = tokio::time::timeout(SILENT, &mut asked).await {
        answer
    } else {
        let what = format!("Flink {flink} checks {} in a pod in {environment}", source.name);
        if context.printer.is_interactive() {
            progress.say(what);
        } else {
            context.printer.note(format!("{what} …"));
        }
        asked.await
    }?;
    drop(progress);
    print::answer(context, &source, (flink, &environment), &answer)
}

/// The script: the one that is named, else that of the job.
fn source(check: &ScriptCheck, job: Option<&Defined>) -> Result<Source, Error> {
    let file = match (&check.script, job) {
        (Some(file), _) => file.clone(),
        (None, Some(job)) => script_of(job)?,
        // The command line asks for one of the two.
        (None, None) => PathBuf::from("-"),
    };
    let (name, text) = if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        ("standard input".to_owned(), read.map(|_| text))
    } else {
        (file.display().to_string(), std::fs::read_to_string(&file))
    };
    let text = text.map_err(|source| Error::ReadScript { file, source })?;
    Ok(Source { name, text })
}

/// The job that the script would be.
fn defined(
    check: &ScriptCheck,
    job: Option<Defined>,
    source: &Source,
    context: &Context<'_>,
) -> Result<Defined, Error> {
    let refused = |problem: String| Error::ScriptJob { file: source.name.clone(), problem };
    let mut defined = match (job, check.flink_version) {
        (Some(job), _) => job,
        (None, None) => {
            return Err(refused("neither --flink-version nor --job-file is given".to_owned()));
        }
        (None, Some(version)) => Defined {
            spec: bare(version, &context.environment)
                .map_err(|error| refused(error.to_string()))?,
            folder: PathBuf::new(),
        },
    };
    let spec = &mut defined.spec;
    spec.flink_version = check.flink_version.unwrap_or(spec.flink_version);
    if let Some(environment) = &check.environment {
        spec.environment = environment.clone();
    }
    spec.variables.extend(check.variables.clone());
    for maven in &check.dependencies {
        let (exclude, role) = (Vec::new(), ArtifactRole::default());
        let wanted = MavenDependency { maven: maven.clone(), exclude, role };
        spec.dependencies.push(Dependency::Maven(wanted));
    }
    for jar in &check.jars {
        // Paths of a job file begin in its folder, and these in that of the command.
        let path = std::path::absolute(jar)
            .map_err(|source| Error::Directory { directory: jar.clone(), source })?;
        let path = path.display().to_string();
        let role = ArtifactRole::default();
        spec.dependencies.push(Dependency::File(FileDependency { path, role }));
    }
    Ok(defined)
}

/// A job with nothing but a script.
fn bare(
    version: FlinkVersion,
    environment: &EnvironmentName,
) -> Result<JobSpec, serde_json::Error> {
    serde_json::from_value(json!({
        "name": "sql-check",
        "environment": environment,
        "flinkVersion": version,
        "kind": "sql",
        "artifact": "script.sql",
    }))
}

fn one_job(file: &Path) -> Result<Defined, Error> {
    let mut jobs = job_files::read(&[file.to_owned()])?;
    match (jobs.len(), jobs.pop()) {
        (1, Some(job)) => Ok(job),
        (jobs, _) => Err(Error::OneJob { file: file.to_owned(), jobs }),
    }
}

fn script_of(job: &Defined) -> Result<PathBuf, Error> {
    let artifact = &job.spec.artifact;
    if job.spec.kind == JobKind::Sql && !ArtifactUrl::is_meant(artifact) {
        return Ok(job.folder.join(artifact));
    }
    let problem = format!("the job {} has no script beside its file; name one", job.spec.name);
    Err(Error::ScriptJob { file: artifact.clone(), problem })
}

/// Up to whole seconds, as the server counts.
fn whole_seconds(time: Duration) -> u32 {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
