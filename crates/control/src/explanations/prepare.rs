//! From a script to the pod that explains it.

use std::{sync::OnceLock, time::Duration};

use flumen_flink_manifest::{
    Explanation as Wanted, ExplanationObjects, Program, PythonFunctions, Restore, explanation,
};
use flumen_jar::ImageScala;
use flumen_k8s::Cluster;
use flumen_model::{ArtifactRole, ClusterId, Dependency, JobSpec, Namespace};
use flumen_sql::{Finding, MissingFactory, Resolved, Script};
use flumen_sql_runner::{FILE_NAME, JAR_NAME, MAIN_CLASS};
use flumen_store::{Environment, Explanation, ReleaseArtifact, ScriptNeeds};
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use tokio::time::Instant;

use super::{
    Progress, Work,
    answer::{SqlExplanation, SqlFinding},
};
use crate::{
    Error,
    actions::{
        Recipe, layered,
        render_objects::{Place, built_in_plugin, planned},
    },
    artifacts::is_jar,
    by_url::Fetching,
    clock, identity,
    jobs::{Prepared as Sources, distinct, jar_of, needs},
};

/// The repository of the images in which scripts are explained. No job has it: theirs are below `flumen/`.
const REPOSITORY: &str = "flumen-sql-check";
/// The name of the job that would be.
const NAME: &str = "sql-check";
/// How much fits into a ConfigMap, in bytes.
const MAX_FILES: usize = 1_000_000;
/// Pause before something that the cluster did not answer is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of a script without Flink.
pub(super) enum Checked {
    /// Flink would refuse it.
    Wrong(SqlExplanation),
    /// Flink is to be asked.
    Good(Box<Prepared>),
}

/// A script, and what is needed to explain it.
pub(super) struct Prepared {
    /// The job that would be.
    pub(super) spec: JobSpec,
    /// What is doubtful about the script.
    pub(super) findings: Vec<Finding>,
    /// What is doubtful about the jars.
    pub(super) warnings: Vec<String>,
    environment: Environment,
    statements: String,
    needs: ScriptNeeds,
    artifacts: Vec<ReleaseArtifact>,
    scala: ImageScala,
}

impl Prepared {
    /// The coordinates of the jar that brings what Flink did not find, if one is known.
    pub(super) fn jar_of(&self, missing: &MissingFactory) -> Option<String> {
        jar_of((missing.kind, &missing.identifier), self.spec.flink_version, &self.scala)
    }
}

/// A pod that was created.
pub(super) struct Placed {
    pub(super) cluster: Cluster,
    pub(super) namespace: Namespace,
    pub(super) name: ClusterId,
    pub(super) uid: String,
    /// The container whose log has the report.
    pub(super) container: String,
}

impl Work<'_> {
    /// Checks what can be checked without Flink, and has what the script needs.
    pub(super) async fn check(
        &self,
        (script, resolved): (&Script<'_>, &Resolved<'_>),
        progress: &Progress,
    ) -> Result<Checked, Error> {
        let control = self.control;
        let spec = self.spec()?;
        let environment = control.checked(&spec).await?;
        let artifacts = control.uploaded(&self.order.artifacts).await?;
        progress.say("checking the script");
        // What is wrong is so whatever the jars bring.
        let (findings, statements) = control.read_script(&spec, script, &artifacts).await?;
        if statements.is_none() {
            let findings = findings.iter().map(SqlFinding::of).collect();
            return Ok(Checked::Wrong(SqlExplanation { findings, ..SqlExplanation::default() }));
        }
        let early = needs(script, resolved, &artifacts);
        control.check_needs(&spec, &environment, &early).await?;
        let sources = self.sources(&spec, artifacts, progress).await?;
        let mut warnings = sources.warnings.clone();
        // It goes far, and is seldom waited for.
        warnings.extend(Box::pin(control.check_artifacts(&spec, &sources)).await?);
        let (findings, statements) = control.read_script(&spec, script, &sources.artifacts).await?;
        let needs = needs(script, resolved, &sources.artifacts);
        let mut artifacts = distinct(&sources.artifacts)?;
        artifacts.push(control.runner().await?);
        let statements = statements.unwrap_or_default();
        let scala = control.image_scala(&spec).await?;
        Ok(Checked::Good(Box::new(Prepared {
            spec,
            findings,
            warnings,
            environment,
            statements,
            needs,
            artifacts,
            scala,
        })))
    }

    /// The job file that a job with this script would have.
    fn spec(&self) -> Result<JobSpec, Error> {
        let order = self.order;
        let file = json!({
            "name": NAME,
            "environment": order.environment,
            "flinkVersion": order.flink_version,
            "kind": "sql",
            "artifact": "script.sql",
            // However the files of the job get into its pods.
            "delivery": "image",
            "dependencies": order.dependencies,
            "configuration": order.configuration,
            "parallelism": order.parallelism,
            "resources": order.resources,
            "podTemplates": order.pod_templates,
        });
        serde_json::from_value(file).map_err(|error| Error::Invalid {
            message: format!("what is asked for cannot be a job: {error}"),
        })
    }

    /// All files beside the script, of which these were uploaded.
    async fn sources(
        &self,
        spec: &JobSpec,
        artifacts: Vec<ReleaseArtifact>,
        progress: &Progress,
    ) -> Result<Sources, Error> {
        let control = self.control;
        let mut sources = Sources { artifacts, ..Sources::default() };
        progress.say("fetching dependencies");
        let fetching = Fetching::default();
        control.add_artifacts_by_url(spec, &mut sources.artifacts, &fetching).await?;
        if spec.dependencies.iter().any(|one| matches!(one, Dependency::Maven(_))) {
            let resolved = control.resolve_dependencies(spec).await?;
            sources.warnings.extend(resolved.warnings.iter().cloned());
            let fetched = control.fetch_dependencies(spec, &resolved).await?;
            sources.artifacts.extend(fetched.artifacts);
        }
        if sources.artifacts.iter().any(|one| one.role == ArtifactRole::Requirements) {
            progress.say("fetching packages of Python");
            let packages = control.resolve_requirements(spec, &sources.artifacts).await?;
            sources.warnings.extend(packages.warnings.iter().cloned());
            sources.artifacts.extend(control.fetch_wheels(spec, &packages).await?);
        }
        Ok(sources)
    }

    /// Makes the image and creates the pod, which is written down in `written` and in the database before.
    pub(super) async fn place(
        &self,
        name: &ClusterId,
        (prepared, deadline): (&Prepared, Instant),
        written: &OnceLock<Explanation>,
        progress: &Progress,
    ) -> Result<Placed, Error> {
        let control = self.control;
        progress.say("making the image");
        let Prepared { environment, spec, .. } = prepared;
        let base = control.version_row(spec.flink_version, &environment.name).await?.image;
        let files = (spec.flink_version, prepared.artifacts.as_slice());
        let artifacts = layered(control, environment, files, &base).await?;
        // Until it is written down who needs the image, none is removed.
        let building = control.keeping().building().await;
        let image = self.image(environment, &base, &artifacts).await?;
        let built_in_plugin = built_in_plugin(control, environment, Some(&base), files).await?;
        let place = Place {
            cluster_id: name.clone(),
            built_in_plugin,
            environment: &environment.document,
            image: image.clone(),
            delivery: None,
            run: identity::run(),
            restore: Restore::default(),
        };
        let objects = objects(prepared, (place, &artifacts), deadline)?;
        let explanation = self.explanation(name, (environment, image), deadline);
        // The answer of the database may be lost.
        let explanation = written.get_or_init(|| explanation);
        control.store().create_explanation(explanation).await?;
        drop(building);
        self.create(explanation, &objects, progress).await
    }

    /// The image with the runner and the jars of the job, with its registry.
    async fn image(
        &self,
        environment: &Environment,
        base: &str,
        artifacts: &[ReleaseArtifact],
    ) -> Result<String, Error> {
        let registry = &environment.document.registry;
        let recipe = Recipe {
            team: self.principal.team,
            step: None,
            registry,
            base,
            repository: REPOSITORY.to_owned(),
            tag: None,
            title: NAME.to_owned(),
            artifacts,
        };
        let made = recipe.make(self.control).await?;
        if made.sent.is_none() {
            // Used again, it stays as long as a new one.
            let known = made.image.strip_prefix(&format!("{registry}/")).unwrap_or(&made.image);
            let place = (registry.as_str(), known);
            let owned = (made.key.as_str(), self.principal.team);
            self.control.store().save_image(owned, place, 0, clock::now()).await?;
        }
        Ok(made.image)
    }

    fn explanation(
        &self,
        name: &ClusterId,
        (environment, image): (&Environment, String),
        deadline: Instant,
    ) -> Explanation {
        let now = clock::now();
        let left = deadline.saturating_duration_since(Instant::now());
        Explanation {
            name: name.clone(),
            team: self.principal.team,
            principal: self.principal.name.clone(),
            server: self.control.explanations().server,
            cluster: environment.document.cluster.clone(),
            namespace: environment.document.namespace.clone(),
            image,
            created_at: now,
            ends_at: now.saturating_add(left).unwrap_or(now),
        }
    }

    /// Creates the pod; again where the cluster does not answer, as long as somebody waits.
    async fn create(
        &self,
        explanation: &Explanation,
        objects: &ExplanationObjects,
        progress: &Progress,
    ) -> Result<Placed, Error> {
        let cluster = self.control.clusters_handle().get(&explanation.cluster).await?;
        let namespace = explanation.namespace.clone();
        progress.say("creating the pod");
        let created = loop {
            let ExplanationObjects { pod, config_map, .. } = objects;
            match cluster.create_pod(&namespace, pod, config_map).await {
                Err(error) if error.kind().is_transient() => {
                    progress.say(format!("creating the pod: {}", Error::from(error).paragraph()));
                    tokio::time::sleep(PAUSE).await;
                }
                created => break created?,
            }
        };
        let (name, container) = (explanation.name.clone(), objects.container.clone());
        Ok(Placed { cluster, namespace, name, uid: created.uid, container })
    }
}

/// The pod, and the ConfigMap with the script.
fn objects(
    prepared: &Prepared,
    (place, artifacts): (Place<'_>, &[ReleaseArtifact]),
    deadline: Instant,
) -> Result<ExplanationObjects, Error> {
    let secrets = prepared.needs.secrets.keys().cloned().collect();
    let files = prepared.artifacts.iter().map(|one| (one.name.as_str(), one.role));
    let files: Vec<_> = files.collect();
    let functions = prepared.needs.python.then(|| PythonFunctions::of(&files));
    let program = Program::of_file(JAR_NAME, MAIN_CLASS, FILE_NAME, secrets);
    let runner = Program { functions, ..program };
    let plan = planned(&prepared.spec, runner.clone(), place)?;
    let is_loaded = |one: &&ReleaseArtifact| {
        one.role == ArtifactRole::Usrlib && is_jar(&one.name) && one.name != JAR_NAME
    };
    let left = deadline.saturating_duration_since(Instant::now()).as_secs().max(1);
    let wanted = Wanted {
        runner,
        jars: artifacts.iter().filter(is_loaded).map(|one| one.name.clone()).collect(),
        file: FILE_NAME.to_owned(),
        statements: prepared.statements.clone(),
        seconds: i64::try_from(left).unwrap_or(i64::MAX),
    };
    let objects = explanation(&plan, &wanted)?;
    check_size(&objects.config_map)?;
    Ok(objects)
}

fn check_size(config_map: &ConfigMap) -> Result<(), Error> {
    let files = config_map.data.iter().flatten();
    let size: usize = files.map(|(name, text)| name.len() + text.len()).sum();
    if size <= MAX_FILES {
        return Ok(());
    }
    let message = format!(
        "the script is too large to be explained: with Flink's configuration it has {size} bytes, and a ConfigMap takes {MAX_FILES}"
    );
    Err(Error::Invalid { message })
}
