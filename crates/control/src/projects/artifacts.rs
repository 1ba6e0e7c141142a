//! Jars of projects as files of jobs.

use flumen_model::{
    ArtifactRole, ArtifactUrl, Dependency, Digest, JobKind, JobSpec, ProjectName, TeamId,
};
use flumen_store::{ProjectBuild, ReleaseArtifact, ReleaseSource};

use super::ALL;
use crate::{Control, Error, jobs::Prepared};

/// A file of a job that a project makes.
pub(crate) struct ProjectFile {
    /// The file.
    pub(crate) artifact: ReleaseArtifact,
    /// Where it came from.
    pub(crate) source: ReleaseSource,
    /// Whether it is what the job is made from.
    is_main: bool,
}

impl Control {
    /// Adds what the job names of projects: of each the jar of its newest good build, or the one that has the digest.
    ///
    /// # Errors
    /// As [`Control::project_files`].
    pub(crate) async fn add_project_files(
        &self,
        team: TeamId,
        spec: &JobSpec,
        prepared: &mut Prepared,
    ) -> Result<(), Error> {
        for ProjectFile { artifact, source, is_main } in self.project_files(team, spec).await? {
            // Whoever looks at it relies on it.
            if self.artifact(&artifact.digest).await?.is_none() {
                let what = format!("the jar {} of project {}", artifact.digest, source.project);
                let hint =
                    format!("; build it again with `flumen project build {}`", source.project);
                return Err(Error::NotFound { what, hint });
            }
            let place = if is_main { 0 } else { prepared.artifacts.len() };
            prepared.artifacts.insert(place, artifact);
            prepared.sources.push(source);
        }
        Ok(())
    }

    /// What the job names of projects.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a project that is not there or was never built, [`Error::Invalid`] for a jar that is to be
    /// a script.
    pub(crate) async fn project_files(
        &self,
        team: TeamId,
        spec: &JobSpec,
    ) -> Result<Vec<ProjectFile>, Error> {
        let mut files = Vec::new();
        if let Ok(url) = spec.artifact.parse::<ArtifactUrl>()
            && url.in_project().is_some()
        {
            if spec.kind != JobKind::Jar {
                let message = format!(
                    "{} is a jar, and the artifact of this job is a script or program; name the jar under dependencies",
                    url.shown()
                );
                return Err(Error::Invalid { message });
            }
            let role = ArtifactRole::Usrlib;
            files.extend(self.project_file(team, (&url, url.digest()), role, true).await?);
        }
        for dependency in &spec.dependencies {
            if let Dependency::Url(file) = dependency {
                let wanted = (&file.url, file.digest());
                files.extend(self.project_file(team, wanted, file.role, false).await?);
            }
        }
        Ok(files)
    }

    async fn project_file(
        &self,
        team: TeamId,
        (url, digest): (&ArtifactUrl, Option<&Digest>),
        role: ArtifactRole,
        is_main: bool,
    ) -> Result<Option<ProjectFile>, Error> {
        let Some(name) = url.in_project() else { return Ok(None) };
        let name: ProjectName = name.parse()?;
        let project = self.store().project(&name).await?.filter(|project| project.team == team);
        let project = project.ok_or_else(|| Error::NotFound {
            what: format!("project {name}"),
            hint: "; see `flumen project list`".to_owned(),
        })?;
        let build = match digest {
            None => self.store().newest_good_build(&name).await?,
            Some(digest) => {
                let made = |build: &ProjectBuild| {
                    build.artifact.as_ref().is_some_and(|artifact| artifact.digest == *digest)
                };
                self.store().builds(&name, ALL).await?.into_iter().find(made)
            }
        };
        let made = build.and_then(|build| Some((build.number, build.artifact?)));
        let (number, artifact) = made.ok_or_else(|| Error::NotFound {
            what: match digest {
                None => format!("a good build of project {name}"),
                Some(digest) => format!("a build of project {name} that made {digest}"),
            },
            hint: format!("; build it with `flumen project build {name} --wait`"),
        })?;
        let file_name = url.file_name().to_owned();
        Ok(Some(ProjectFile {
            source: ReleaseSource {
                name: file_name.clone(),
                project: name,
                build: number,
                repository: project.spec.repository.to_string(),
                commit: artifact.commit,
            },
            artifact: ReleaseArtifact {
                name: file_name,
                digest: artifact.digest,
                size: artifact.size,
                role,
                maven: None,
            },
            is_main,
        }))
    }
}
