//! Files that pods fetch, where a job is to run in the base image as it is. The pods get signed links to them, which end soon; as
//! long as the run may be there they are renewed in the Secret that its pods mount, so that a TaskManager that comes after
//! weeks finds links that are good. They lead to the server or to the storage, as the environment says at that time.

mod links;
mod stored;

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use flumen_fetcher::{File, JAR, is_path, list};
use flumen_flink_manifest::{FetchObjects, Fetched, LIST_FILE, Program, fetch_objects_name};
use flumen_model::{
    ArtifactRole, Delivery, Dependency, Digest, FetchFrom, JobKind, JobSpec, RunId, Secret,
};
use flumen_store::{
    DeliveredFile, Environment, EnvironmentDocument, ReleaseArtifact, ReleaseContent, Run,
    RunDelivery,
};
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::stored::check_storage;
pub(crate) use self::{links::Links, stored::check_fetch_from};

use crate::{
    Control, Error,
    artifacts::is_jar,
    clock,
    controller::AFTER_FAULT,
    environments::LOCAL,
    release::{is_in_image, is_package, path_in_image},
    tracker::Place,
};

/// How long a link is good.
const VALID: Duration = Duration::from_hours(1);
/// How often links are renewed: several times before they end.
const EVERY: Duration = Duration::from_mins(10);

/// How the files of a job get into its pods.
pub(crate) fn chosen(spec: &JobSpec, environment: &EnvironmentDocument) -> Delivery {
    spec.delivery.unwrap_or(environment.delivery)
}

/// Refuses files that pods cannot fetch to where Flink looks for them.
pub(crate) fn check_fetched(
    spec: &JobSpec,
    environment: &Environment,
    artifacts: &[ReleaseArtifact],
) -> Result<(), Error> {
    match chosen(spec, &environment.document) {
        Delivery::Image => Ok(()),
        Delivery::InitContainer => artifacts.iter().try_for_each(|one| check_file(spec, one)),
        Delivery::Flink => artifacts.iter().try_for_each(|one| check_jar(spec, one)),
    }
}

/// Flink fetches what belongs to the user's class path and nothing else.
fn check_jar(spec: &JobSpec, artifact: &ReleaseArtifact) -> Result<(), Error> {
    if artifact.role == ArtifactRole::Usrlib && is_jar(&artifact.name) {
        return Ok(());
    }
    let message = format!(
        "Flink cannot fetch the file {} (role {}) of job {} itself: that is for jars of the role usrlib only; write delivery: init-container or image",
        artifact.name,
        artifact.role.as_str(),
        spec.name
    );
    Err(Error::Invalid { message })
}

fn check_file(spec: &JobSpec, artifact: &ReleaseArtifact) -> Result<(), Error> {
    let (job, name) = (&spec.name, &artifact.name);
    if is_package(artifact) || artifact.role == ArtifactRole::Requirements {
        return Err(packages(spec, name));
    }
    if !is_path(below_root(&path_in_image(artifact))) {
        let message = format!(
            "the file {name:?} of job {job} cannot be mounted into a pod by its name, which has a colon or a control character in it; rename it, or write delivery: image"
        );
        return Err(Error::Invalid { message });
    }
    Ok(())
}

fn packages(spec: &JobSpec, name: &str) -> Error {
    let message = format!(
        "job {} brings packages of Python ({name}), which an init container cannot deliver; write delivery: image into its file",
        spec.name
    );
    Error::Invalid { message }
}

/// What would be fetched of a job that is not there yet.
pub(crate) fn not_yet(
    spec: &JobSpec,
    environment: &EnvironmentDocument,
    content: &ReleaseContent,
) -> Option<RunDelivery> {
    let by = chosen(spec, environment);
    let path = |artifact: &ReleaseArtifact| match by {
        Delivery::Flink => format!("file:/not-stored-yet/{}", artifact.name),
        Delivery::Image | Delivery::InitContainer => path_in_image(artifact),
    };
    let file = |artifact: &ReleaseArtifact| {
        let (digest, size) = (artifact.digest.clone(), artifact.size);
        DeliveredFile { path: path(artifact), digest, size }
    };
    let files = content.artifacts.iter().map(file).collect();
    (by != Delivery::Image).then_some(RunDelivery { by, files })
}

/// What the pods of a run fetch, as its objects have it. Where Flink fetches, the program is the first of the files, unless
/// the image has it.
pub(crate) fn fetched(
    spec: &JobSpec,
    program: &mut Program,
    delivery: Option<RunDelivery>,
) -> Fetched {
    let Some(RunDelivery { by, files }) = delivery else { return Fetched::default() };
    let mut paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
    if by != Delivery::Flink {
        return Fetched { paths, jars: Vec::new() };
    }
    if !is_in_image(&spec.artifact) && !paths.is_empty() {
        program.jar = Some(paths.remove(0));
    }
    Fetched { paths: Vec::new(), jars: paths }
}

fn below_root(path: &str) -> &str {
    path.trim_start_matches('/')
}

impl Control {
    /// Whether an artifact may be read with this link.
    ///
    /// # Errors
    /// [`Error::Link`].
    pub fn check_link(&self, digest: &Digest, expires: i64, signature: &str) -> Result<(), Error> {
        self.links().check(digest, (expires, signature), clock::now())
    }

    /// The path and query of a link to an artifact, good until then.
    pub fn artifact_link(&self, digest: &Digest, expires: Timestamp) -> Secret {
        self.links().link(digest, expires)
    }

    /// Refuses a job whose pods could not fetch its files, as far as its file tells.
    pub(crate) fn check_delivery(
        &self,
        spec: &JobSpec,
        environment: &Environment,
    ) -> Result<(), Error> {
        match chosen(spec, &environment.document) {
            Delivery::Image => Ok(()),
            Delivery::InitContainer => {
                let brings = |one: &&Dependency| one.role() == ArtifactRole::Requirements;
                if spec.dependencies.iter().any(|one| brings(&one)) {
                    return Err(packages(spec, "requirements"));
                }
                self.check_way(spec, environment)
            }
            Delivery::Flink if spec.kind != JobKind::Jar => Err(Error::Invalid {
                message: format!(
                    "job {} is no jar, and Flink fetches nothing else itself; write delivery: init-container or image",
                    spec.name
                ),
            }),
            Delivery::Flink => check_storage(spec, environment),
        }
    }

    /// What the pods of a run fetch; what Flink fetches itself lies in the storage then.
    pub(crate) async fn plan_delivery(
        &self,
        spec: &JobSpec,
        environment: &Environment,
        artifacts: &[ReleaseArtifact],
    ) -> Result<RunDelivery, Error> {
        let by = chosen(spec, &environment.document);
        if by == Delivery::Flink {
            artifacts.iter().try_for_each(|one| check_jar(spec, one))?;
            return self.store_for_flink(spec, environment, artifacts).await;
        }
        self.check_way(spec, environment)?;
        let file = |artifact: &ReleaseArtifact| {
            check_file(spec, artifact)?;
            let (digest, size) = (artifact.digest.clone(), artifact.size);
            Ok(DeliveredFile { path: path_in_image(artifact), digest, size })
        };
        let files = artifacts.iter().map(file).collect::<Result<_, Error>>()?;
        Ok(RunDelivery { by, files })
    }

    /// Sees that init containers will find what was planned. It is written down by then, so that no file is removed meanwhile.
    pub(crate) async fn prepare_delivery(
        &self,
        environment: &Environment,
        RunDelivery { by, files }: &RunDelivery,
    ) -> Result<(), Error> {
        match (by, environment.document.fetch_from) {
            (Delivery::InitContainer, FetchFrom::Storage) => {
                self.store_for_pods(environment, files).await
            }
            (Delivery::Image | Delivery::InitContainer | Delivery::Flink, _) => Ok(()),
        }
    }

    /// Refuses a job whose pods have no way to where they are to fetch from.
    fn check_way(&self, spec: &JobSpec, environment: &Environment) -> Result<(), Error> {
        let document = &environment.document;
        match document.fetch_from {
            FetchFrom::Server => self.pod_url(spec, &document.cluster).map(drop),
            FetchFrom::Storage => check_fetch_from(&environment.name, document),
        }
    }

    /// The objects with which the init containers of a run find what they fetch. They are not part of what is written down: links
    /// are as good as keys.
    pub(crate) async fn fetch_objects(
        &self,
        (place, environment): (&Place, &Environment),
        (run, delivery): (RunId, &RunDelivery),
        deployment: &Deployment,
    ) -> Result<Vec<Value>, Error> {
        if delivery.by != Delivery::InitContainer {
            return Ok(Vec::new());
        }
        let objects = FetchObjects {
            run,
            namespace: &place.namespace,
            labels: deployment.metadata.labels.clone().unwrap_or_default(),
        };
        let list = self.links_of(environment, &place.cluster, delivery).await?;
        Ok(vec![objects.program(JAR), objects.links(&list)])
    }

    async fn links_of(
        &self,
        environment: &Environment,
        cluster: &str,
        delivery: &RunDelivery,
    ) -> Result<Secret, Error> {
        let files = &delivery.files;
        let links = match environment.document.fetch_from {
            FetchFrom::Server => self.server_links(cluster, files)?,
            FetchFrom::Storage => self.storage_links(environment, files, VALID).await?,
        };
        let file = |(file, url): (&DeliveredFile, Secret)| File {
            path: below_root(&file.path).to_owned(),
            digest: file.digest.clone(),
            size: file.size,
            url,
        };
        Ok(list(&files.iter().zip(links).map(file).collect::<Vec<_>>()))
    }

    fn server_links(&self, cluster: &str, files: &[DeliveredFile]) -> Result<Vec<Secret>, Error> {
        let base = self.known_pod_url(cluster).ok_or_else(|| no_pod_url("a job", cluster))?;
        let base = base.as_str().trim_end_matches('/');
        let expires = clock::now().saturating_add(VALID).unwrap_or(Timestamp::MAX);
        let link = |file: &DeliveredFile| {
            let path = self.artifact_link(&file.digest, expires);
            Secret::new(format!("{base}{}", path.expose()))
        };
        Ok(files.iter().map(link).collect())
    }

    fn pod_url(&self, spec: &JobSpec, cluster: &str) -> Result<&Url, Error> {
        let job = format!("job {}", spec.name);
        self.known_pod_url(cluster).ok_or_else(|| no_pod_url(&job, cluster))
    }

    fn known_pod_url(&self, cluster: &str) -> Option<&Url> {
        let settings = self.settings();
        match &settings.local {
            Some(local) if cluster == LOCAL => Some(&local.pod_url),
            _ => settings.pod_url.as_ref(),
        }
    }

    /// Gives the runs that are there new links. Says whether all have them.
    async fn renew_links(&self) -> Result<bool, Error> {
        let mut by_cluster: BTreeMap<String, Vec<Run>> = BTreeMap::new();
        for run in self.store().delivered_runs().await? {
            if let Some(job) = self.store().job(run.job).await? {
                by_cluster.entry(job.cluster).or_default().push(run);
            }
        }
        // Side by side: a cluster that is away keeps nobody's links but its own from being renewed.
        let all = by_cluster.into_values().map(|runs| self.renew_links_in_cluster(runs));
        Ok(join_all(all).await.into_iter().all(|renewed| renewed))
    }

    async fn renew_links_in_cluster(&self, runs: Vec<Run>) -> bool {
        let mut all = true;
        // One run waits for a storage that does not answer, and not all of its environment, whose links end meanwhile.
        let mut silent = HashSet::new();
        for run in runs {
            if silent.contains(&run.environment) {
                continue;
            }
            if let Err(error) = self.renew_links_of(&run).await {
                all = false;
                if matches!(error, Error::Storage { .. }) {
                    silent.insert(run.environment.clone());
                }
                tracing::warn!(run.id = %run.id, error = error.paragraph(), "the links of a run could not be renewed");
                let is_away = matches!(error, Error::Cluster(_) | Error::Away { .. });
                if is_away && error.kind().is_transient() {
                    // The others would wait for it one after the other, and are tried again soon.
                    break;
                }
            }
        }
        all
    }

    async fn renew_links_of(&self, run: &Run) -> Result<(), Error> {
        let (Some(delivery), Some(job)) = (&run.delivery, self.store().job(run.job).await?) else {
            return Ok(());
        };
        if delivery.by != Delivery::InitContainer {
            return Ok(());
        }
        let cluster = self.clusters_handle().get(&job.cluster).await?;
        let name = fetch_objects_name(run.id);
        let environment = self.environment(&job.environment).await?;
        let list = self.links_of(&environment, &job.cluster, delivery).await?;
        // One that is not there yet, or not any more, needs none.
        cluster.renew_secret(&job.namespace, &name, (LIST_FILE, &list)).await?;
        Ok(())
    }
}

fn no_pod_url(job: &str, cluster: &str) -> Error {
    let message = format!(
        "the pods of {job} are to fetch its files (delivery: init-container), and it is not known where pods of cluster {cluster} reach this server; start it with --pod-url URL, write fetchFrom: storage into the environment, or delivery: image into the job"
    );
    Error::Invalid { message }
}

/// Renews links until told to stop, at once after the start: they may have ended while there was no server.
pub(crate) async fn run(control: Control, stop: CancellationToken) {
    loop {
        let renewed = tokio::select! {
            () = stop.cancelled() => return,
            renewed = control.renew_links() => renewed,
        };
        let wait = match renewed {
            Ok(true) => EVERY,
            Ok(false) => AFTER_FAULT,
            Err(error) => {
                tracing::warn!(error = error.paragraph(), "links could not be renewed");
                AFTER_FAULT
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
