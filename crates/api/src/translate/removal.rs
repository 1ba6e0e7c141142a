use flumen_api_types as api;
use flumen_control as control;

pub(crate) fn pruned(disposal: control::Disposal) -> api::Pruned {
    let item = |one: control::Disposed| {
        let (fate, until, reason) = match one.fate {
            control::Fate::Removed => (api::Fate::Removed, None, None),
            control::Fate::Due => (api::Fate::Due, None, None),
            control::Fate::Kept { until, reason } => (api::Fate::Kept, until, reason),
        };
        let (kind, name, bytes) = (kind(one.kind), one.name, one.bytes);
        api::PrunedItem { kind, name, bytes, fate, until, reason }
    };
    let items = disposal.items.into_iter().map(item).collect();
    api::Pruned { dry_run: disposal.dry_run, items }
}

pub(crate) fn removal(removal: control::Removal) -> api::Removal {
    let control::Removal { at, name, bytes, .. } = removal;
    api::Removal { at, kind: kind(removal.kind), name, bytes }
}

const fn kind(kind: control::RemovalKind) -> api::RemovalKind {
    match kind {
        control::RemovalKind::Release => api::RemovalKind::Release,
        control::RemovalKind::Artifact => api::RemovalKind::Artifact,
        control::RemovalKind::Image => api::RemovalKind::Image,
    }
}
