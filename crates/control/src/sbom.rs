//! What a job is released from, as SPDX: of its release, and attached to its image. Both say the same of the same files, and
//! nothing is fetched for it: a licence that nobody noted is not known.

use flumen_image::{
    Attachment, Pushed, Reference, Sbom, SbomFile, SbomJar, SbomLicense, SbomOrigin, SbomPackage,
    SbomSubject, sha1_of,
};
use flumen_model::ArtifactRole;
use flumen_python::wheel_package;
use flumen_release_policy::{Declared, Licence};
use flumen_store::{ArtifactLicense, Job, Release, ReleaseArtifact};
use serde_json::Value;

use crate::{
    Control, Error,
    actions::sent,
    artifacts::is_jar,
    jobs::coordinates,
    release::{JOB_PACKAGES, is_package, path_in_image},
};

/// What became of a document on its way to the registry.
pub(crate) struct Sent {
    /// How many bytes were sent.
    pub(crate) bytes: u64,
    /// Why the registry does not take it.
    pub(crate) refusal: Option<String>,
}

/// Attaches the list of these files to an image that was just pushed. A registry that takes no such documents is no reason
/// to have no image; one that does not answer is, as it is for the image itself.
pub(crate) async fn attach(
    control: &Control,
    (pushed, base): (&Pushed, &Reference),
    files: &[SbomFile],
) -> Result<Sent, Error> {
    let image = &pushed.reference;
    let document = Sbom { subject: SbomSubject::Image(image), base: Some(base), files }.document();
    let attachment = Attachment::sbom(&document);
    let client = control.registries().client(image.registry()).await?;
    // Much is kept on the way, and it is seldom gone.
    let attaching = Box::pin(client.attach(pushed, &attachment));
    match sent(control, "image.attach", image.registry(), attaching).await {
        Ok(attached) => Ok(Sent { bytes: attached.sent_bytes, refusal: None }),
        Err(error) if is_refusal(&error) => {
            let refusal = Error::from(error).paragraph();
            tracing::warn!(%image, error = refusal, "a registry does not take the SPDX document of an image");
            Ok(Sent { bytes: 0, refusal: Some(refusal) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the registry would say the same the next time. Some fail on a manifest of a kind that they do not know.
fn is_refusal(error: &flumen_image::Error) -> bool {
    match error {
        flumen_image::Error::Refused { status, .. } => {
            !matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
        }
        other => !other.kind().is_transient(),
    }
}

/// The document about a release of a job.
pub(crate) async fn of_release(
    control: &Control,
    job: &Job,
    release: &Release,
) -> Result<Value, Error> {
    let files = files(control, &release.content.artifacts).await?;
    let base = base_of(control, job, release).await?;
    let id = release.id.to_string();
    let subject = SbomSubject::Release { name: job.name.as_str(), id: &id };
    Ok(Sbom { subject, base: base.as_ref(), files: &files }.document())
}

/// The base image that the release ran on last, or would now; none if its Flink version is gone.
async fn base_of(
    control: &Control,
    job: &Job,
    release: &Release,
) -> Result<Option<Reference>, Error> {
    let base = match control.store().last_base(job.id, &release.id).await? {
        Some(base) => base,
        None => match control.version_row(release.content.flink_version, &job.environment).await {
            Ok(version) => version.image,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    let registry = control.environment(&job.environment).await?.document.registry;
    Ok(Some(format!("{registry}/{base}").parse::<Reference>()?))
}

/// What is said of these files.
pub(crate) async fn files(
    control: &Control,
    artifacts: &[ReleaseArtifact],
) -> Result<Vec<SbomFile>, Error> {
    let mut files = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        let path = control.artifact_path(&artifact.digest);
        let sha1 = tokio::task::spawn_blocking(move || sha1_of(&path)).await;
        let sha1 = sha1.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let sha1 = sha1.map_err(Error::file("read", &artifact.name))?;
        let sha256 = artifact.digest.hex().to_owned();
        let packages = packages(control, artifact).await?;
        let (path, comment) = place(artifact);
        let is_unpacked = is_package(artifact) && !packages.is_empty();
        let comment = Some(comment);
        files.push(SbomFile { path, sha1, sha256, comment, is_unpacked, packages });
    }
    Ok(files)
}

/// Where a file lies in the image, and what is said of that.
fn place(artifact: &ReleaseArtifact) -> (String, String) {
    let role = artifact.role.as_str();
    if artifact.role == ArtifactRole::Requirements {
        let comment = format!("role {role}: what it names is there, and not the file itself");
        return (artifact.name.clone(), comment);
    }
    let path = path_in_image(artifact);
    let comment = if is_package(artifact) {
        format!("role {role}: unpacked in {JOB_PACKAGES}")
    } else {
        format!("role {role}")
    };
    (path.trim_start_matches('/').to_owned(), comment)
}

async fn packages(
    control: &Control,
    artifact: &ReleaseArtifact,
) -> Result<Vec<SbomPackage>, Error> {
    if is_package(artifact) {
        let package = wheel_package(&artifact.name).map(|(name, version)| SbomPackage {
            origin: SbomOrigin::Python { name },
            version,
            license: SbomLicense::default(),
        });
        return Ok(package.into_iter().collect());
    }
    let mut jar = SbomJar::default();
    if let Some(it) = coordinates(artifact) {
        let said = control.store().artifact_licenses(&artifact.digest).await?;
        let said: Vec<Declared> = said.into_iter().map(declared).collect();
        let license = license(&Licence::declared(&said));
        jar.own = Some(([it.group, it.artifact, it.version], license));
        jar.classifier = classifier(artifact);
    }
    if is_jar(&artifact.name) {
        // One that cannot be looked into is named as a file.
        if let Ok(facts) = control.facts(artifact).await {
            let inside = facts.artifacts.into_iter();
            jar.inside = inside.map(|it| [it.group, it.artifact, it.version]).collect();
            let said = facts.license.as_deref().map(Licence::of_manifest);
            jar.of_manifest = license(&said.unwrap_or_default());
        }
    }
    Ok(jar.packages())
}

fn declared(said: ArtifactLicense) -> Declared {
    Declared { name: said.name, url: said.url }
}

fn license(said: &Licence) -> SbomLicense {
    let unrecognised = said.unrecognised().map(str::to_owned).collect();
    SbomLicense { expression: said.spdx(), unrecognised }
}

/// The classifier in `group:artifact:type:classifier:version`.
fn classifier(artifact: &ReleaseArtifact) -> Option<String> {
    let parts: Vec<&str> = artifact.maven.as_deref()?.split(':').collect();
    (parts.len() == 5).then(|| parts[3].to_owned())
}
