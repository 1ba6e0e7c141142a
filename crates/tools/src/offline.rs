//! From job files to plans without a server: what an environment would say comes from arguments.

use std::{collections::BTreeSet, io::Read as _, path::Path};

use flumen_flink_conf::{Layer, Layers};
use flumen_flink_manifest::{
    JobDeployment, JobPlan, Manifests, Program, PythonFunctions, Restore, RunPlace, Storage,
    StorageVolume, USRLIB, VolumeSource, job_deployment, render,
};
use flumen_model::{ArtifactRole, ArtifactUrl, ClusterId, Dependency, JobKind, JobSpec, Mode};
use flumen_sql::{Script, resolve, uses_python};
use flumen_sql_runner::{FILE_NAME, JAR_NAME, MAIN_CLASS};

use crate::{Error, JobArguments, Streams};

/// The environment that is there from the start and adds nothing to a job's configuration.
const LOCAL: &str = "local";

/// A job with everything that follows from its file.
pub(crate) struct Planned {
    pub(crate) spec: JobSpec,
    pub(crate) plan: JobPlan,
    pub(crate) manifests: Manifests,
}

/// Plans every job of the files, and says what is doubtful about them.
pub(crate) fn plan_all(
    arguments: &JobArguments,
    streams: &mut Streams<'_>,
) -> Result<Vec<Planned>, Error> {
    let mut planned = Vec::new();
    for file in &arguments.files {
        let (name, text) = load(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for spec in flumen_job_file::parse(&name, &text)? {
            planned.push(plan(spec, folder, arguments, streams)?);
        }
    }
    for job in &planned {
        let name = &job.spec.name;
        for warning in job.plan.warnings.iter().chain(&job.manifests.warnings) {
            streams.note(&format!("warning: job {name}: {warning}"))?;
        }
        let environment = &job.spec.environment;
        let is_given = arguments.layers.iter().any(|file| file.layer == Layer::Environment);
        if environment.as_str() != LOCAL && !is_given {
            streams.note(&format!(
                "note: job {name}: what the environment {environment} adds is known to the server only and not shown; --layer environment=FILE adds it here"
            ))?;
        }
    }
    Ok(planned)
}

pub(crate) fn load(file: &Path) -> Result<(String, String), Error> {
    let is_standard_input = file == Path::new("-");
    let name =
        if is_standard_input { "standard input".to_owned() } else { file.display().to_string() };
    let text = if is_standard_input {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    match text {
        Ok(text) => Ok((name, text)),
        Err(source) => Err(Error::ReadFile { file: name, source }),
    }
}

fn plan(
    spec: JobSpec,
    folder: &Path,
    arguments: &JobArguments,
    streams: &mut Streams<'_>,
) -> Result<Planned, Error> {
    let job = spec.name.to_string();
    if let (Mode::Session, session) = (spec.mode, &spec.session) {
        return Err(Error::InSession { job, session: session.clone().unwrap_or_default() });
    }
    let mut layers = Layers::new(spec.flink_version.minor());
    for file in &arguments.layers {
        file.add(&mut layers, spec.flink_version, streams)?;
    }
    layers
        .add_file(Layer::Job, &spec.configuration)
        .map_err(|source| Error::Configuration { job: job.clone(), source })?;
    let image = arguments.image.clone();
    let place = RunPlace {
        run: arguments.run,
        cluster_id: ClusterId::for_job(&spec.name),
        namespace: arguments.namespace.clone(),
        image: image.unwrap_or_else(|| format!("flink:{}", spec.flink_version)),
        program: program(&spec, folder, streams)?,
        layers,
        storage: storage(arguments),
        restore: Restore::default(),
    };
    let deployment = JobDeployment::new(&spec, place);
    let failed = |source| Error::Render { job: job.clone(), source };
    let plan = job_deployment(&deployment).map_err(failed)?;
    let manifests = render(&plan.spec).map_err(failed)?;
    Ok(Planned { spec, plan, manifests })
}

fn program(spec: &JobSpec, folder: &Path, streams: &mut Streams<'_>) -> Result<Program, Error> {
    if spec.kind == JobKind::Sql {
        return of_script(spec, folder, streams);
    }
    if spec.kind == JobKind::Python {
        let files = files(spec);
        let files: Vec<_> = files.iter().map(|(name, role)| (name.as_str(), *role)).collect();
        return Ok(Program::of_python(spec, &files));
    }
    // A jar beside the job file goes into the image under its own name.
    let artifact = &spec.artifact;
    let jar = if artifact.starts_with("local:") {
        artifact.clone()
    } else {
        format!("{USRLIB}/{}", file_name(artifact))
    };
    Ok(Program::of_jar(spec, jar))
}

/// The program of a SQL job. A script that is not here does not keep its job from being rendered.
fn of_script(spec: &JobSpec, folder: &Path, streams: &mut Streams<'_>) -> Result<Program, Error> {
    let (mut secrets, mut python) = (BTreeSet::new(), false);
    if let Ok(text) = std::fs::read_to_string(folder.join(&spec.artifact)) {
        let resolved = resolve(&text, &spec.variables);
        secrets.extend(resolved.secrets().iter().map(|it| it.name.to_string()));
        python = uses_python(&Script::of(&resolved));
    } else {
        streams.note(&format!(
            "note: job {}: its script {} is not here; Secrets and Python that it may need are not shown",
            spec.name, spec.artifact
        ))?;
    }
    let roles = [ArtifactRole::Python, ArtifactRole::Archive, ArtifactRole::Requirements];
    python |= spec.dependencies.iter().any(|one| roles.contains(&one.role()));
    // The script itself is not for Python.
    let files = files(spec);
    let files: Vec<_> = files.iter().skip(1).map(|(name, role)| (name.as_str(), *role)).collect();
    let secrets = secrets.into_iter().collect();
    let program = Program::of_file(JAR_NAME, MAIN_CLASS, FILE_NAME, secrets);
    Ok(Program { functions: python.then(|| PythonFunctions::of(&files)), ..program })
}

/// The files of a job with Python as they are named in its image.
fn files(spec: &JobSpec) -> Vec<(String, ArtifactRole)> {
    // A directory becomes an archive of its name.
    let name = |path: &str| {
        let name = file_name(path.trim_end_matches('/'));
        if name.contains('.') { name } else { format!("{name}.zip") }
    };
    let main = (!spec.artifact.starts_with("local:")).then(|| &*spec.artifact);
    let main = main.map(|artifact| (name(artifact), ArtifactRole::Python));
    let others = spec.dependencies.iter().filter_map(|dependency| match dependency {
        Dependency::File(file) => Some((name(&file.path), file.role)),
        Dependency::Url(file) => Some((file.url.file_name().to_owned(), file.role)),
        Dependency::Maven(_) => None,
    });
    main.into_iter().chain(others).collect()
}

fn file_name(artifact: &str) -> String {
    let url = artifact.parse::<ArtifactUrl>();
    let path = artifact.rsplit('/').next().unwrap_or(artifact);
    url.as_ref().map_or(path, ArtifactUrl::file_name).to_owned()
}

fn storage(arguments: &JobArguments) -> Storage {
    let path = arguments.storage.strip_prefix("file:").map(|path| path.trim_start_matches("//"));
    let volume = path.map(|mount_path| StorageVolume {
        source: VolumeSource::HostPath(arguments.storage_directory.clone()),
        mount_path: mount_path.to_owned(),
    });
    Storage::under(&arguments.storage, volume)
}
