use std::{collections::BTreeMap, path::PathBuf};

use flumen_image::{Append, Attributes, Compression, Content, Layer, LayerBuilder, Reference};
use flumen_lifecycle::Action;
use flumen_model::{ArtifactRole, FlinkVersion, OperationId, RunId, TeamId};
use flumen_store::{Environment, Job, Release, ReleaseArtifact, Run};

use super::{Done, run_of};
use crate::{
    Control, Error, clock, delivery, identity, progress,
    release::{self, JOB_PACKAGES, is_package, path_in_image, python_path},
    sbom,
    storage::{self, Delivery},
};

/// Digits of what an image is made of that tell it apart.
const SHORT: usize = 12;

/// Makes the run's image: the base image of the Flink version and the job's files on top.
pub(super) async fn build_image(control: &Control, job: &Job, run: RunId) -> Result<Done, Error> {
    let run = run_of(control, run).await?;
    let release = control.store().release(job.id, &run.release).await?;
    let release = release.ok_or_else(|| Error::not_found(format!("release {}", run.release)))?;
    let environment = control.environment(&job.environment).await?;
    let registry = &environment.document.registry;
    let base = base_of(control, job, &run, &release).await?;
    let files = (release.content.flink_version, release.content.artifacts.as_slice());
    let artifacts = layered(control, &environment, files, &base).await?;
    let spec = release::spec(&release.content, &job.environment)?;
    let is_fetched =
        delivery::chosen(&spec, &environment.document) != flumen_model::Delivery::Image;
    if is_fetched && !artifacts.is_empty() {
        let delivery = control.plan_delivery(&spec, &environment, &artifacts).await?;
        let image = format!("{registry}/{base}");
        control.store().save_run_delivery(run.id, (&image, &base), &delivery).await?;
        control.prepare_delivery(&environment, &delivery).await?;
        let count = delivery.files.len();
        return Ok(Done::with(format!("{image}, the base image; its pods fetch {count} files")));
    }
    if artifacts.is_empty() {
        let image = format!("{registry}/{base}");
        control.store().save_run_image(run.id, &image, &base).await?;
        return Ok(Done::with(format!("{image}, the base image as it is")));
    }
    // Until the run has it, no image is removed.
    let _building = control.keeping().building().await;
    let recipe = Recipe {
        team: job.team,
        step: job
            .desired
            .operation
            .map(|operation| (operation, Action::BuildImage { run: run.id })),
        registry,
        base: &base,
        repository: format!("flumen/{}", job.name),
        tag: Some(run.release.short().to_string()),
        title: job.name.to_string(),
        artifacts: &artifacts,
    };
    let made = recipe.make(control).await?;
    control.store().save_run_image(run.id, &made.image, &base).await?;
    Ok(Done::with(made.describe()))
}

/// What an image is made of, and where it goes.
pub(crate) struct Recipe<'a> {
    /// Whose it is.
    pub(crate) team: TeamId,
    /// The operation, and its step, that shows how far it is.
    pub(crate) step: Option<(OperationId, Action)>,
    pub(crate) registry: &'a str,
    /// The base image, without the registry.
    pub(crate) base: &'a str,
    pub(crate) repository: String,
    /// Default: what it is made of, in short.
    pub(crate) tag: Option<String>,
    pub(crate) title: String,
    pub(crate) artifacts: &'a [ReleaseArtifact],
}

/// An image that is in its registry.
pub(crate) struct Made {
    /// The image by digest, with the registry.
    pub(crate) image: String,
    /// What it is made of, in short.
    pub(crate) key: String,
    /// How many bytes were sent for it; none if it was there.
    pub(crate) sent: Option<u64>,
    /// Why the registry does not take the document about it.
    refusal: Option<String>,
}

impl Made {
    fn describe(&self) -> String {
        let Self { image, sent, refusal, .. } = self;
        let Some(sent) = sent else { return format!("{image}, unchanged") };
        let refusal = refusal.as_ref();
        let refusal = refusal.map(|why| format!("; without its SPDX document: {why}"));
        format!("{image}, {sent} bytes sent{}", refusal.unwrap_or_default())
    }
}

impl Recipe<'_> {
    /// Makes the image. It is a cache: what was made for the same base and files before, and still stands in the registry, is
    /// used. Whoever calls this keeps images from being removed until it is written down who needs it.
    pub(crate) async fn make(&self, control: &Control) -> Result<Made, Error> {
        let Self { registry, base, repository, tag, title, artifacts, .. } = self;
        let key = key(registry, repository, base, artifacts);
        let base = parse(&format!("{registry}/{base}"))?;
        let client = control.registries().client(base.registry()).await?;
        if let Some(known) = control.store().image(&key).await? {
            let image = format!("{registry}/{known}");
            if client.manifest_digest(&parse(&image)?).await?.is_some() {
                return Ok(Made { image, key, sent: None, refusal: None });
            }
        }
        let layers = layers(control, artifacts, &key).await?;
        let tag = tag.as_deref().unwrap_or(&key[..SHORT]);
        let target = parse(&format!("{registry}/{repository}:{tag}"))?;
        let labels = BTreeMap::from([("org.opencontainers.image.title".to_owned(), title.clone())]);
        let path = ("PYTHONPATH".to_owned(), python_path());
        let environment = artifacts.iter().any(is_package).then_some(path).into_iter().collect();
        let append = Append {
            base: &base,
            target: &target,
            layers: &layers,
            labels: &labels,
            environment: &environment,
        };
        let begin = |(operation, step): &(OperationId, Action)| {
            control.steps_under_way().begin(*operation, step.name())
        };
        let progress = progress::of_image(self.step.as_ref().map(begin));
        let pushing = push(control, registry, client.append(&append, &progress));
        // The files are read while layers are sent, so that the document costs no time of its own.
        let listing = Box::pin(sbom::files(control, artifacts));
        let (pushed, listed) = tokio::join!(pushing, listing);
        for Layer { path, .. } in &layers {
            if let Err(source) = tokio::fs::remove_file(path).await {
                tracing::warn!(path = %path.display(), error = %source, "a layer file was not removed");
            }
        }
        let pushed = pushed?;
        // Before the image is known, so that a server that dies here does both again.
        let document = sbom::attach(control, (&pushed, &base), &listed?).await?;
        let sent = pushed.sent_bytes + document.bytes;
        let known = format!("{repository}@{}", pushed.digest);
        let place = (*registry, known.as_str());
        let owned = (key.as_str(), self.team);
        control.store().save_image(owned, place, sent, clock::now()).await?;
        let (image, refusal) = (format!("{registry}/{known}"), document.refusal);
        Ok(Made { image, key, sent: Some(sent), refusal })
    }
}

/// What goes on top of the base image: these files, and the plugin by which Flink reads the storage.
pub(crate) async fn layered(
    control: &Control,
    environment: &Environment,
    (version, artifacts): (FlinkVersion, &[ReleaseArtifact]),
    base: &str,
) -> Result<Vec<ReleaseArtifact>, Error> {
    let is_delivered = |one: &&ReleaseArtifact| one.role != ArtifactRole::Requirements;
    let mut artifacts: Vec<_> = artifacts.iter().filter(is_delivered).cloned().collect();
    let built_in = control.built_in_plugins(version, &environment.name, base).await?;
    let place = &environment.document.storage;
    if let Delivery::Layer(plugin) = storage::delivery(place, (version, &built_in), &artifacts) {
        artifacts.push(control.plugin_artifact(&environment.name, plugin, version).await?);
    }
    Ok(artifacts)
}

/// The base image of a run: the one that was settled when its job was applied; of a start or restart, the one that the
/// release ran on before. So a job goes from one base image to the next only when it is applied.
async fn base_of(
    control: &Control,
    job: &Job,
    run: &Run,
    release: &Release,
) -> Result<String, Error> {
    if let Some(base) = &run.base {
        return Ok(base.clone());
    }
    if let Some(base) = control.store().last_base(job.id, &run.release).await? {
        return Ok(base);
    }
    let version = release.content.flink_version;
    Ok(control.version_row(version, &job.environment).await?.image)
}

/// Waits for an image to be pushed.
pub(crate) async fn push<T>(
    control: &Control,
    registry: &str,
    pushing: impl Future<Output = Result<T, flumen_image::Error>>,
) -> Result<T, flumen_image::Error> {
    sent(control, "image.push", registry, pushing).await
}

/// Waits for something to be sent to a registry.
pub(crate) async fn sent<T>(
    control: &Control,
    effect: &'static str,
    registry: &str,
    sending: impl Future<Output = Result<T, flumen_image::Error>>,
) -> Result<T, flumen_image::Error> {
    let no_answer = || flumen_image::Error::Refused {
        registry: registry.to_owned(),
        step: "push an image".to_owned(),
        status: http::StatusCode::GATEWAY_TIMEOUT,
        detail: String::new(),
    };
    control.faults().around(effect, sending, no_answer).await
}

fn parse(reference: &str) -> Result<Reference, Error> {
    Ok(reference.parse::<Reference>()?)
}

/// What an image is made of, in short.
fn key(registry: &str, repository: &str, base: &str, artifacts: &[ReleaseArtifact]) -> String {
    let mut lines = vec![registry.to_owned(), repository.to_owned(), base.to_owned()];
    lines.extend(
        artifacts.iter().map(|artifact| format!("{} {}", path_in_image(artifact), artifact.digest)),
    );
    identity::sha256_hex(lines.join("\n").as_bytes())
}

async fn layers(
    control: &Control,
    artifacts: &[ReleaseArtifact],
    key: &str,
) -> Result<Vec<Layer>, Error> {
    let mut layers = Vec::new();
    for group in groups(artifacts) {
        let mut builder = LayerBuilder::new();
        let (packages, files): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|one| is_package(one));
        for artifact in files {
            let file = Content::File(control.artifact_path(&artifact.digest));
            builder.add(&path_in_image(artifact), file, Attributes::mode(0o644))?;
        }
        // It is needed until the layer is written.
        let unpacked = unpack_wheels(control, &packages).await?;
        if let Some(unpacked) = &unpacked {
            builder.add_tree(JOB_PACKAGES, unpacked.path())?;
        }
        let path = scratch(control, key).await?;
        layers.push(builder.write(Compression::Zstd, path).await?);
    }
    Ok(layers)
}

/// The content of wheels in one directory, as Python looks for it; none where there are no wheels.
async fn unpack_wheels(
    control: &Control,
    wheels: &[&ReleaseArtifact],
) -> Result<Option<tempfile::TempDir>, Error> {
    if wheels.is_empty() {
        return Ok(None);
    }
    let layers = layers_directory(control).await?;
    let directory =
        tempfile::tempdir_in(&layers).map_err(Error::file("create a directory in", &layers))?;
    let wheels: Vec<_> = wheels
        .iter()
        .map(|wheel| (control.artifact_path(&wheel.digest), wheel.name.clone()))
        .collect();
    let unpack = move || {
        for (path, name) in &wheels {
            flumen_python::unpack(path, name, directory.path())?;
        }
        Ok::<_, flumen_python::Error>(directory)
    };
    let unpacked = tokio::task::spawn_blocking(unpack)
        .await
        .unwrap_or_else(|_| Err(flumen_python::Error::Interrupted { step: "unpacking wheels" }));
    Ok(Some(unpacked.map_err(|source| Error::Wheels { source: Box::new(source) })?))
}

/// What changes together, each of it a layer of its own, so that a new jar is all that is sent of a release with a
/// new jar. What changes least comes first: plugins, libraries, packages of Python, archives, what the job's own jar depends
/// on, that jar, scripts.
fn groups(artifacts: &[ReleaseArtifact]) -> Vec<Vec<&ReleaseArtifact>> {
    let mut groups = [const { Vec::new() }; 7];
    for (place, artifact) in artifacts.iter().enumerate() {
        let group: usize = match artifact.role {
            ArtifactRole::Plugin => 0,
            ArtifactRole::Lib => 1,
            _ if is_package(artifact) => 2,
            ArtifactRole::Archive => 3,
            ArtifactRole::Usrlib if place > 0 => 4,
            ArtifactRole::Usrlib => 5,
            ArtifactRole::Script
            | ArtifactRole::Python
            | ArtifactRole::Requirements
            | ArtifactRole::Wheel => 6,
        };
        groups[group].push(artifact);
    }
    groups.into_iter().filter(|group| !group.is_empty()).collect()
}

/// A file for a layer on its way to the registry.
pub(crate) async fn scratch(control: &Control, name: &str) -> Result<PathBuf, Error> {
    let directory = layers_directory(control).await?;
    Ok(directory.join(format!("{name}-{}", uuid::Uuid::new_v4().simple())))
}

async fn layers_directory(control: &Control) -> Result<PathBuf, Error> {
    let directory = control.settings().data_directory.join("layers");
    tokio::fs::create_dir_all(&directory).await.map_err(Error::file("create", &directory))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(name: &str, role: ArtifactRole) -> ReleaseArtifact {
        let digest = identity::sha256(name.as_bytes());
        ReleaseArtifact { name: name.to_owned(), digest, size: 1, role, maven: None }
    }

    #[test]
    fn what_changes_together_is_one_layer_and_what_changes_least_comes_first() {
        let artifacts = [
            artifact("job.jar", ArtifactRole::Usrlib),
            artifact("a.jar", ArtifactRole::Usrlib),
            artifact("kafka.jar", ArtifactRole::Lib),
            artifact("b.jar", ArtifactRole::Usrlib),
            artifact("s3.jar", ArtifactRole::Plugin),
            artifact("job.sql", ArtifactRole::Script),
            artifact("venv.zip", ArtifactRole::Archive),
            artifact("numpy-1-py3-none-any.whl", ArtifactRole::Wheel),
            artifact("geo-1-py3-none-any.whl", ArtifactRole::Python),
            artifact("geo.zip", ArtifactRole::Python),
        ];
        let names = |artifacts| -> Vec<Vec<String>> {
            let names =
                |group: Vec<&ReleaseArtifact>| group.iter().map(|one| one.name.clone()).collect();
            groups(artifacts).into_iter().map(names).collect()
        };
        let expected: [&[&str]; 7] = [
            &["s3.jar"],
            &["kafka.jar"],
            &["numpy-1-py3-none-any.whl", "geo-1-py3-none-any.whl"],
            &["venv.zip"],
            &["a.jar", "b.jar"],
            &["job.jar"],
            &["job.sql", "geo.zip"],
        ];
        assert_eq!(names(&artifacts), expected);
        assert_eq!(names(&artifacts[..1]), [["job.jar"]]);
    }
}
