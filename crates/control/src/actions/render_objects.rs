use flumen_flink_conf::{Layer, Layers};
use flumen_flink_manifest::{
    JobDeployment, Manifests, Program, PythonFunctions, Restore, RunPlace, StatePlan, Storage,
    USRLIB,
};
use flumen_model::{ArtifactUrl, ClusterId, JobKind, JobSpec, RestoreMode, RunId};
use flumen_sql_runner::{FILE_NAME, JAR_NAME, MAIN_CLASS};
use flumen_store::{Environment, EnvironmentDocument, Job, JobEvent, ReleaseContent, Run, RunPlan};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;

use super::{Done, run_of};
use crate::{
    Control, Error, clock, identity, release, script_secrets,
    storage::{Delivery, delivery},
};

/// Renders the objects of the run and writes them down: what is created is what was written.
pub(super) async fn render_objects(
    control: &Control,
    job: &Job,
    run: RunId,
) -> Result<Done, Error> {
    let run = run_of(control, run).await?;
    let Some(image) = run.image.clone() else {
        return Err(Error::not_found(format!("the image of run {}", run.id)));
    };
    let environment = control.environment(&job.environment).await?;
    let release = control.store().release(job.id, &run.release).await?;
    let release = release.ok_or_else(|| Error::not_found(format!("release {}", run.release)))?;
    let spec = release::spec(&release.content, &job.environment)?;
    script_secrets::check(control, &environment, &release.content.script).await?;
    let built_in_plugin = built_in_plugin(control, &environment, &run, &release.content).await?;
    let place = Place {
        cluster_id: job.cluster_id.clone(),
        built_in_plugin,
        environment: &environment.document,
        image,
        run: run.id,
        restore: Restore {
            path: run.restored.clone(),
            allow_non_restored_state: run.start.allow_non_restored_state,
            mode: run.start.restore_mode.map(restore_mode),
        },
    };
    let rendered = rendered(&spec, &release.content, place)?;
    let objects = rendered.manifests.objects();
    let text = Value::Array(objects.clone()).to_string();
    control.store().save_run_objects(run.id, &text, &plan(rendered.state)).await?;
    for message in rendered.warnings {
        let event = JobEvent {
            id: identity::event(),
            at: clock::now(),
            kind: "warning".to_owned(),
            message,
        };
        control.store().save_event(job.id, &event).await?;
    }
    Ok(Done::with(format!("{} objects", objects.len())))
}

/// The jar of the image's folder `opt` by which Flink reads the storage, if it is there.
async fn built_in_plugin(
    control: &Control,
    environment: &Environment,
    run: &Run,
    content: &ReleaseContent,
) -> Result<Option<String>, Error> {
    let Some(base) = &run.base else { return Ok(None) };
    let version = content.flink_version;
    let built_in = control.built_in_plugins(version, &environment.name, base).await?;
    let storage = &environment.document.storage;
    Ok(match delivery(storage, (version, &built_in), &content.artifacts) {
        Delivery::BuiltIn(jar) => Some(jar),
        Delivery::None | Delivery::Layer(_) => None,
    })
}

fn plan(state: StatePlan) -> RunPlan {
    let StatePlan { retained_checkpoints, checkpoints, savepoints, high_availability } = state;
    RunPlan { retained_checkpoints, checkpoints, savepoints, high_availability }
}

/// As Flink's command line takes it.
fn restore_mode(mode: RestoreMode) -> String {
    match mode {
        RestoreMode::Claim => "CLAIM",
        RestoreMode::NoClaim => "NO_CLAIM",
        RestoreMode::Legacy => "LEGACY",
    }
    .to_owned()
}

/// Refuses a job file whose objects could not be rendered, before anything is written down.
pub(crate) fn check_renders(
    spec: &JobSpec,
    environment: &Environment,
    content: &ReleaseContent,
) -> Result<(), Error> {
    rendered(spec, content, not_yet(spec, environment)).map(drop)
}

/// The Secrets that the pods of this job file pull their images with, by name.
pub(crate) fn pull_secrets(
    spec: &JobSpec,
    environment: &Environment,
    content: &ReleaseContent,
) -> Result<Vec<String>, Error> {
    let objects = rendered(spec, content, not_yet(spec, environment))?.manifests.objects();
    let secrets = objects.first().map(|it| &it["spec"]["template"]["spec"]["imagePullSecrets"]);
    let secrets = secrets.and_then(Value::as_array).into_iter().flatten();
    Ok(secrets.filter_map(|it| it["name"].as_str().map(str::to_owned)).collect())
}

/// Where a job would go that is not there yet.
fn not_yet<'e>(spec: &JobSpec, environment: &'e Environment) -> Place<'e> {
    Place {
        cluster_id: ClusterId::for_job(&spec.name),
        built_in_plugin: None,
        environment: &environment.document,
        image: "not-built-yet".to_owned(),
        run: RunId::from_bits(1),
        restore: Restore::default(),
    }
}

/// Where a run goes and with what image.
struct Place<'a> {
    cluster_id: ClusterId,
    built_in_plugin: Option<String>,
    environment: &'a EnvironmentDocument,
    image: String,
    run: RunId,
    restore: Restore,
}

struct Rendered {
    manifests: Manifests,
    warnings: Vec<String>,
    state: StatePlan,
}

fn rendered(spec: &JobSpec, content: &ReleaseContent, place: Place<'_>) -> Result<Rendered, Error> {
    let mut layers = Layers::new(spec.flink_version.minor());
    let conf = |source: flumen_flink_conf::Error| Error::Configuration {
        job: spec.name.to_string(),
        source,
    };
    layers.add_file(Layer::Environment, &place.environment.configuration).map_err(conf)?;
    layers.add_file(Layer::Job, &spec.configuration).map_err(conf)?;
    let place = RunPlace {
        run: place.run,
        cluster_id: place.cluster_id,
        namespace: place.environment.namespace.clone(),
        image: place.image,
        program: program(spec, content),
        layers,
        storage: Storage::of(&place.environment.storage, place.built_in_plugin),
        restore: place.restore,
    };
    let deployment = JobDeployment::new(spec, place);
    let plan = flumen_flink_manifest::job_deployment(&deployment)?;
    let manifests = flumen_flink_manifest::render(&plan.spec)?;
    let warnings =
        plan.warnings.iter().chain(&manifests.warnings).map(ToString::to_string).collect();
    Ok(Rendered { manifests, warnings, state: plan.state })
}

fn program(spec: &JobSpec, content: &ReleaseContent) -> Program {
    let files = content.artifacts.iter().map(|one| (one.name.as_str(), one.role));
    let files: Vec<_> = files.collect();
    if spec.kind == JobKind::Sql {
        let secrets = content.script.secrets.keys().cloned().collect();
        let functions = content.script.python.then(|| PythonFunctions::of(&files));
        let program = Program::of_file(JAR_NAME, MAIN_CLASS, FILE_NAME, secrets);
        return Program { functions, ..program };
    }
    if spec.kind == JobKind::Python {
        return Program::of_python(spec, &files);
    }
    let named = spec.artifact.parse::<ArtifactUrl>();
    let jar = match (content.artifacts.first(), &named) {
        (Some(artifact), _) if !release::is_in_image(&spec.artifact) => {
            format!("{USRLIB}/{}", artifact.name)
        }
        // It is not fetched yet.
        (None, Ok(url)) => format!("{USRLIB}/{}", url.file_name()),
        _ => spec.artifact.clone(),
    };
    Program::of_jar(spec, jar)
}

/// The objects that were written down for the run: the Deployment, and the others in their order.
pub(super) fn saved(run: &Run) -> Result<(Deployment, Vec<Value>), Error> {
    let unreadable = || Error::not_found(format!("the rendered objects of run {}", run.id));
    let text = run.objects.as_deref().ok_or_else(unreadable)?;
    let mut objects: Vec<Value> = serde_json::from_str(text).map_err(|_| unreadable())?;
    if objects.is_empty() {
        return Err(unreadable());
    }
    let deployment = serde_json::from_value(objects.remove(0)).map_err(|_| unreadable())?;
    Ok((deployment, objects))
}
