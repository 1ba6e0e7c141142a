//! Projects: sources in git repositories, and their builds. A build is written down here and carried out beside.

mod artifacts;

use flumen_model::{GitReference, OperationId, ProjectName, ProjectSpec};
use flumen_store::{
    Environment, Operation, OperationKind, OperationState, Principal, Project, ProjectBuild,
};

use crate::{
    Control, Error, LogStream, Terms,
    builds::{self, Request},
    clock,
    jobs::{IdempotencyKey, again_if_stale},
    operations::begun,
    versions::PYTHON_PACKAGES,
};

/// A project with its newest builds.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectView {
    /// The project.
    pub project: Project,
    /// Its builds, newest first.
    pub builds: Vec<ProjectBuild>,
}

/// How many builds are shown with a project.
const SHOWN: u32 = 10;

/// More builds than a project keeps.
const ALL: u32 = 10_000;

impl Control {
    /// Creates a project or changes it to what its file says. A build that goes on is not touched by that.
    ///
    /// # Errors
    /// [`Error::Name`] for what cannot be, [`Error::NotFound`] for an unknown environment, [`Error::Changed`] if the terms
    /// name another version, [`Error::Conflict`] if another team has a project of this name.
    pub async fn save_project(
        &self,
        principal: &Principal,
        spec: &ProjectSpec,
        terms: &Terms,
    ) -> Result<ProjectView, Error> {
        spec.check()?;
        self.environment(&spec.environment).await?;
        let what = || format!("project {}", spec.name);
        let known = self.store().project(&spec.name).await?;
        if known.as_ref().is_some_and(|known| known.team != principal.team) {
            let message = format!("another team has a project {}; choose another name", spec.name);
            return Err(Error::Conflict { message });
        }
        if terms.if_match.is_some() {
            let known = known.ok_or_else(|| Error::not_found(what()))?;
            terms.check(what(), known.version)?;
        }
        let store = self.store();
        let written =
            store.save_project(principal.team, spec, terms.if_match, clock::now()).await?;
        let saved = self.project(principal, &spec.name).await?;
        if !written && saved.project.spec != *spec {
            terms.check(what(), saved.project.version)?;
        }
        Ok(saved)
    }

    /// The projects of the team by name, each with its newest build.
    pub async fn projects(&self, principal: &Principal) -> Result<Vec<ProjectView>, Error> {
        let mut views = Vec::new();
        for project in self.store().projects(principal.team).await? {
            let builds = self.store().builds(&project.spec.name, 1).await?;
            views.push(ProjectView { project, builds });
        }
        Ok(views)
    }

    /// One project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has none of that name.
    pub async fn project(
        &self,
        principal: &Principal,
        name: &ProjectName,
    ) -> Result<ProjectView, Error> {
        let project = self.store().project(name).await?;
        let project = project.filter(|project| project.team == principal.team);
        let project = project.ok_or_else(|| Error::NotFound {
            what: format!("project {name}"),
            hint: "; see `flumen project list`".to_owned(),
        })?;
        let builds = self.store().builds(name, SHOWN).await?;
        Ok(ProjectView { project, builds })
    }

    /// Forgets a project and its builds. Jobs keep the jars that they have.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has none of that name, [`Error::Conflict`] while it is being built.
    pub async fn delete_project(
        &self,
        principal: &Principal,
        name: &ProjectName,
    ) -> Result<(), Error> {
        self.project(principal, name).await?;
        let builds = self.store().builds(name, ALL).await?;
        if let Some(build) = builds.iter().find(|build| build.removed_at.is_none()) {
            let message = match build.state {
                OperationState::Running => format!(
                    "project {name} is being built; wait for that, or end it with `flumen operation cancel {}`",
                    build.operation
                ),
                _ => format!(
                    "the pod of build {} of project {name} is being removed; repeat this then",
                    build.number
                ),
            };
            return Err(Error::Conflict { message });
        }
        for build in builds {
            self.remove_build_log(build.operation).await?;
        }
        if self.store().delete_project(name).await? {
            return Ok(());
        }
        let message = format!("project {name} is being built; wait for that");
        Err(Error::Conflict { message })
    }

    /// Begins with a build of a project: of what its file says, or of another branch, tag or commit.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has none of that name, [`Error::Conflict`] while it is being built; what goes wrong
    /// later is in the operation.
    pub async fn build_project(
        &self,
        principal: &Principal,
        name: &ProjectName,
        reference: Option<GitReference>,
        key: IdempotencyKey,
    ) -> Result<OperationId, Error> {
        again_if_stale(|| self.try_build(principal, name, reference.as_ref(), &key)).await
    }

    async fn try_build(
        &self,
        principal: &Principal,
        name: &ProjectName,
        reference: Option<&GitReference>,
        key: &IdempotencyKey,
    ) -> Result<OperationId, Error> {
        let project = self.project(principal, name).await?.project;
        if let Some(operation) = self.replayed(principal, key.as_ref()).await? {
            return Ok(operation);
        }
        let mut spec = project.spec;
        if let Some(reference) = reference {
            spec.reference = reference.clone();
        }
        let environment = self.environment(&spec.environment).await?;
        let image = self.build_image(&spec, &environment).await?;
        let Environment { name: place, document, .. } = environment;
        let reference = spec.reference.as_str().to_owned();
        let request =
            Request { spec, image, cluster: document.cluster, namespace: document.namespace };
        let by = (principal.team, &*principal.name);
        let operation = Operation {
            request: serde_json::to_string(&request).ok(),
            ..begun(by, OperationKind::BuildProject, (&place, name))
        };
        let key = key.as_ref().map(|(key, request)| (key.as_str(), request.as_str()));
        let made = self.store().create_build(&operation, (name, &reference), key).await;
        // Also where the answer was lost: what was not written is not begun.
        self.builds_queue().wake(operation.id);
        if made? {
            return Ok(operation.id);
        }
        let running = self.store().builds(name, 1).await?.into_iter().next();
        let running = running.map(|build| format!(" by operation {}", build.operation));
        let message = format!(
            "project {name} is being built{}; wait for that, or cancel it with `flumen operation cancel`",
            running.unwrap_or_default()
        );
        Err(Error::Conflict { message })
    }

    /// The image that a project is built in: its own, or one that leans on the tools of this machine.
    async fn build_image(
        &self,
        spec: &ProjectSpec,
        environment: &Environment,
    ) -> Result<String, Error> {
        if let Some(image) = &spec.image {
            return Ok(image.clone());
        }
        let leans = |source: &str| source == PYTHON_PACKAGES || source.starts_with('/');
        let rows = self.store().versions().await?;
        let row = rows
            .into_iter()
            .find(|row| row.environment == environment.name && leans(&row.source))
            .ok_or_else(|| Error::Invalid {
                message: format!(
                    "project {} names no image, and no Flink version of environment {} was made on this machine, whose tools it would be built by; name an image that has git, a JDK and {} under `image`, or add a version with `flumen version add`",
                    spec.name,
                    environment.name,
                    spec.builder.as_str()
                ),
            })?;
        Ok(format!("{}/{}", environment.document.registry, row.image))
    }

    /// The log of a build of a project: of this number, or the newest.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such project, build or log.
    pub async fn project_log(
        &self,
        principal: &Principal,
        name: &ProjectName,
        number: Option<i64>,
        follow: bool,
    ) -> Result<LogStream, Error> {
        self.project(principal, name).await?;
        let builds = self.store().builds(name, ALL).await?;
        let build =
            builds.into_iter().find(|build| number.is_none_or(|wanted| wanted == build.number));
        let build = build.ok_or_else(|| Error::NotFound {
            what: match number {
                Some(number) => format!("build {number} of project {name}"),
                None => format!("a build of project {name}"),
            },
            hint: format!("; build it with `flumen project build {name}`"),
        })?;
        builds::log(self, &build, follow).await
    }

    /// The builds of a project, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has none of that name.
    pub async fn project_builds(
        &self,
        principal: &Principal,
        name: &ProjectName,
    ) -> Result<Vec<ProjectBuild>, Error> {
        self.project(principal, name).await?;
        Ok(self.store().builds(name, ALL).await?)
    }
}
