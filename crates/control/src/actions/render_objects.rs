use flumen_flink_conf::{Layer, Layers};
use flumen_flink_manifest::{
    JobDeployment, JobPlan, Manifests, Program, PythonFunctions, Restore, RunPlace, StatePlan,
    Storage, USRLIB,
};
use flumen_model::{ArtifactUrl, ClusterId, FlinkVersion, JobKind, JobSpec, RestoreMode, RunId};
use flumen_sql_runner::{FILE_NAME, JAR_NAME, MAIN_CLASS};
use flumen_store::{
    Environment, EnvironmentDocument, Job, JobEvent, ReleaseArtifact, ReleaseContent, Run,
    RunDelivery, RunPlan,
};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;

use super::{Done, run_of};
use crate::{
    Control, Error, clock, delivery, identity, release, script_secrets,
    storage::{self, Delivery},
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
    let files = (spec.flink_version, release.content.artifacts.as_slice());
    let base = run.base.as_deref();
    let built_in_plugin = built_in_plugin(control, &environment, base, files).await?;
    let place = Place {
        cluster_id: job.cluster_id.clone(),
        built_in_plugin,
        environment: &environment.document,
        image,
        delivery: run.delivery.clone(),
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
pub(crate) async fn built_in_plugin(
    control: &Control,
    environment: &Environment,
    base: Option<&str>,
    (version, artifacts): (FlinkVersion, &[ReleaseArtifact]),
) -> Result<Option<String>, Error> {
    let Some(base) = base else { return Ok(None) };
    let built_in = control.built_in_plugins(version, &environment.name, base).await?;
    let place = &environment.document.storage;
    Ok(match storage::delivery(place, (version, &built_in), artifacts) {
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
    rendered(spec, content, not_yet(spec, environment, content)).map(drop)
}

/// What the pods of a job pull their images with.
pub(crate) struct Pulling {
    /// The Secrets that they name.
    pub(crate) secrets: Vec<String>,
    /// Their service account.
    pub(crate) account: String,
}

/// What the pods of this job file pull their images with.
pub(crate) fn pulling(
    spec: &JobSpec,
    environment: &Environment,
    content: &ReleaseContent,
) -> Result<Pulling, Error> {
    let place = not_yet(spec, environment, content);
    let objects = rendered(spec, content, place)?.manifests.objects();
    let pod = objects.first().map_or(&Value::Null, |it| &it["spec"]["template"]["spec"]);
    let secrets = pod["imagePullSecrets"].as_array().into_iter().flatten();
    Ok(Pulling {
        secrets: secrets.filter_map(|it| it["name"].as_str().map(str::to_owned)).collect(),
        account: pod["serviceAccountName"].as_str().unwrap_or("default").to_owned(),
    })
}

/// Where a job would go that is not there yet.
fn not_yet<'e>(
    spec: &JobSpec,
    environment: &'e Environment,
    content: &ReleaseContent,
) -> Place<'e> {
    Place {
        cluster_id: ClusterId::for_job(&spec.name),
        built_in_plugin: None,
        environment: &environment.document,
        image: "not-built-yet".to_owned(),
        delivery: delivery::not_yet(spec, &environment.document, content),
        run: RunId::from_bits(1),
        restore: Restore::default(),
    }
}

/// Where a run goes and with what image.
pub(crate) struct Place<'a> {
    pub(crate) cluster_id: ClusterId,
    pub(crate) built_in_plugin: Option<String>,
    pub(crate) environment: &'a EnvironmentDocument,
    pub(crate) image: String,
    pub(crate) delivery: Option<RunDelivery>,
    pub(crate) run: RunId,
    pub(crate) restore: Restore,
}

struct Rendered {
    manifests: Manifests,
    warnings: Vec<String>,
    state: StatePlan,
}

fn rendered(spec: &JobSpec, content: &ReleaseContent, place: Place<'_>) -> Result<Rendered, Error> {
    let plan = planned(spec, program(spec, content), place)?;
    let manifests = flumen_flink_manifest::render(&plan.spec)?;
    let warnings =
        plan.warnings.iter().chain(&manifests.warnings).map(ToString::to_string).collect();
    Ok(Rendered { manifests, warnings, state: plan.state })
}

/// What a run of the job file comes to that goes there.
pub(crate) fn planned(
    spec: &JobSpec,
    mut program: Program,
    place: Place<'_>,
) -> Result<JobPlan, Error> {
    let mut layers = Layers::new(spec.flink_version.minor());
    let conf = |source: flumen_flink_conf::Error| Error::Configuration {
        job: spec.name.to_string(),
        source,
    };
    layers.add_file(Layer::Environment, &place.environment.configuration).map_err(conf)?;
    layers.add_file(Layer::Job, &spec.configuration).map_err(conf)?;
    let fetched = delivery::fetched(spec, &mut program, place.delivery);
    let place = RunPlace {
        run: place.run,
        cluster_id: place.cluster_id,
        namespace: place.environment.namespace.clone(),
        image: place.image,
        program,
        layers,
        fetched,
        storage: Storage::of(&place.environment.storage, place.built_in_plugin),
        restore: place.restore,
    };
    Ok(flumen_flink_manifest::job_deployment(&JobDeployment::new(spec, place))?)
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
