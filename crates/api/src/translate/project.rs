use flumen_api_types as api;
use flumen_control as control;

use super::{count, operation::state};

pub(crate) fn project(view: control::ProjectView) -> api::Project {
    let control::ProjectView { project, builds } = view;
    api::Project {
        spec: project.spec,
        version: count(project.version),
        created_at: project.created_at,
        updated_at: project.updated_at,
        builds: builds.into_iter().map(project_build).collect(),
    }
}

pub(crate) fn project_build(build: control::ProjectBuild) -> api::ProjectBuild {
    api::ProjectBuild {
        number: count(build.number),
        operation: build.operation,
        reference: build.reference,
        state: state(build.state),
        error: build.error,
        artifact: build.artifact.map(|artifact| api::BuiltArtifact {
            commit: artifact.commit,
            digest: artifact.digest,
            size: artifact.size,
            path: artifact.path,
        }),
        created_at: build.created_at,
        created_by: build.created_by,
        finished_at: build.finished_at,
    }
}
