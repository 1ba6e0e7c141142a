//! From what the control says to what the API says. Nothing is decided here.

use axum::{Json, http::StatusCode};
use flumen_api_types as api;
use flumen_control as control;
use flumen_lifecycle::Effect;
use flumen_model::OperationId;

use crate::{error::Error, state::Api};

mod cluster;
mod environment;
mod job;
mod operation;
mod orders;
mod project;
mod removal;
mod snapshot;
mod sql;

pub(crate) use cluster::{another_place, cluster, cluster_check, cluster_needs, cluster_source};
pub(crate) use environment::{environment, environment_change, environment_check};
pub(crate) use job::{job, job_state, job_summary, run};
pub(crate) use operation::{operation, with_savepoint};
pub(crate) use orders::{restart, savepoint, start, stop};
pub(crate) use project::{project, project_build};
pub(crate) use removal::{pruned, removal};
pub(crate) use snapshot::snapshot;
pub(crate) use sql::{explain_sql, sql_explanation};

/// The answer to a request that started an operation.
pub(crate) async fn accepted(
    api: &Api,
    principal: &control::Principal,
    id: OperationId,
) -> Result<(StatusCode, Json<api::Operation>), Error> {
    let started = api.control.operation(principal, id).await?;
    Ok((StatusCode::ACCEPTED, Json(operation(started))))
}

pub(crate) const fn change(change: control::Change) -> api::Change {
    match change {
        control::Change::Created => api::Change::Created,
        control::Change::Unchanged => api::Change::Unchanged,
        control::Change::Configured => api::Change::Configured,
        control::Change::Restart => api::Change::Restart,
    }
}

pub(crate) fn diff(job: api::JobReference, diff: control::Diff) -> api::JobDiff {
    api::JobDiff {
        job,
        effect: effect(diff.effect()),
        is_new: diff.is_new,
        runs: diff.runs,
        changes: changes(diff.differences),
    }
}

pub(crate) fn changes(differences: Vec<flumen_lifecycle::Difference>) -> Vec<api::FieldChange> {
    let change = |one: flumen_lifecycle::Difference| api::FieldChange {
        field: one.field,
        from: one.from,
        to: one.to,
        effect: effect(one.effect),
        risk: one.risk,
    };
    differences.into_iter().map(change).collect()
}

pub(crate) const fn effect(effect: Effect) -> api::Effect {
    match effect {
        Effect::NoOp => api::Effect::NoOp,
        Effect::InPlace => api::Effect::InPlace,
        Effect::Restart => api::Effect::Restart,
        Effect::StateAtRisk => api::Effect::StateAtRisk,
    }
}

pub(crate) fn artifacts(artifacts: Vec<api::Artifact>) -> Vec<control::UploadedArtifact> {
    let uploaded = artifacts.into_iter().map(|artifact| control::UploadedArtifact {
        name: artifact.name,
        digest: artifact.digest,
        role: artifact.role,
    });
    uploaded.collect()
}

/// The number of a release; one that no release can have is one that is not there.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn applied(
    applied: control::Applied,
    operation: Option<api::Operation>,
) -> api::Applied {
    api::Applied {
        job: job(applied.job),
        operation,
        change: change(applied.change),
        warnings: applied.warnings,
    }
}

pub(crate) fn release(release: control::Release) -> api::Release {
    let artifacts = release.content.artifacts.into_iter().map(|artifact| api::ReleaseArtifact {
        name: artifact.name,
        digest: artifact.digest,
        size: artifact.size,
        role: artifact.role,
        maven: artifact.maven,
    });
    api::Release {
        id: release.id,
        number: count(release.number),
        created_at: release.created_at,
        created_by: release.created_by,
        flink_version: release.content.flink_version,
        artifacts: artifacts.collect(),
        sources: release.sources.into_iter().map(source).collect(),
        job: control::shown_job(release.content.job),
    }
}

fn source(source: control::ReleaseSource) -> api::ReleaseSource {
    api::ReleaseSource {
        name: source.name,
        project: source.project,
        build: count(source.build),
        repository: source.repository,
        commit: source.commit,
    }
}

pub(crate) fn event(event: control::JobEvent) -> api::Event {
    api::Event { id: event.id, at: event.at, kind: event.kind, message: event.message }
}

pub(crate) fn live(live: control::Live) -> api::Live {
    let tasks = live.tasks();
    let vertices: Vec<api::Vertex> = live.vertices.into_iter().map(vertex).collect();
    api::Live {
        observed_at: live.observed_at,
        state: live.state,
        parallelism: vertices
            .iter()
            .filter_map(|vertex| vertex.parallelism)
            .max()
            .unwrap_or_default(),
        task_managers: live.task_managers,
        tasks,
        vertices,
    }
}

fn vertex(live: control::LiveVertex) -> api::Vertex {
    let vertex = live.vertex;
    let tasks =
        control::by_state(&vertex.tasks).map(|(state, count)| (state.to_string(), count)).collect();
    api::Vertex {
        id: vertex.id.to_string(),
        name: vertex.name,
        state: vertex.status.to_string(),
        parallelism: vertex.parallelism.map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
        tasks,
        records_in: vertex.metrics.read_records.unwrap_or_default(),
        records_out: vertex.metrics.write_records.unwrap_or_default(),
        bytes_in: vertex.metrics.read_bytes.unwrap_or_default(),
        bytes_out: vertex.metrics.write_bytes.unwrap_or_default(),
        records_in_per_second: live.records_in_per_second,
        records_out_per_second: live.records_out_per_second,
    }
}

pub(crate) fn version(row: control::FlinkVersionRow) -> api::Version {
    api::Version {
        version: row.version,
        environment: row.environment,
        base_image: row.image,
        source: row.source,
        python: row.python.map(|python| python.version),
        added_at: row.created_at,
        jobs: Vec::new(),
    }
}

/// Counters are positive in the database.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
