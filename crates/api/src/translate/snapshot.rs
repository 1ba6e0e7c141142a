use flumen_api_types as api;
use flumen_control as control;
use flumen_model::ByteSize;

pub(crate) fn snapshot(snapshot: control::Snapshot) -> api::Snapshot {
    let kind = match snapshot.kind {
        control::SnapshotKind::Checkpoint => api::SnapshotKind::Checkpoint,
        control::SnapshotKind::Savepoint => api::SnapshotKind::Savepoint,
    };
    let cause = match snapshot.cause {
        control::SnapshotCause::Periodic => api::SnapshotCause::Periodic,
        control::SnapshotCause::Savepoint => api::SnapshotCause::Savepoint,
        control::SnapshotCause::Stop => api::SnapshotCause::Stop,
        control::SnapshotCause::Other => api::SnapshotCause::Other,
    };
    api::Snapshot {
        id: snapshot.id,
        kind,
        cause,
        job: api::JobReference { environment: snapshot.environment, name: snapshot.job_name },
        run: snapshot.run,
        operation: snapshot.operation,
        number: snapshot.number,
        format: snapshot.format,
        path: snapshot.path,
        size_bytes: snapshot.size.map(ByteSize::bytes),
        duration_ms: snapshot
            .duration
            .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        triggered_at: snapshot.triggered_at,
        completed_at: snapshot.completed_at,
    }
}
