//! Which namespaces of which clusters are watched: those that jobs are in or may be started in.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{Control, Error};

/// How often it is looked for what another server on the same database changed; two short queries.
const EVERY: Duration = Duration::from_secs(5);

/// Follows what is changed, until told to stop.
pub(crate) async fn follow(control: Control, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = follow_places(&control).await {
            let error = error.paragraph();
            tracing::warn!(error, "it is not known which clusters are to be watched");
        }
    }
}

/// Watches what is to be watched now, and forgets handles of what was changed.
pub(crate) async fn follow_places(control: &Control) -> Result<(), Error> {
    let clusters = control.store().clusters().await?;
    let versions: HashMap<_, _> =
        clusters.into_iter().map(|cluster| (cluster.name, cluster.version)).collect();
    control.clusters_handle().keep(&versions);
    let places = control.store().places().await?.into_iter();
    let wanted: BTreeMap<_, _> = places
        .filter_map(|place| versions.get(&place.0).map(|version| (place.clone(), *version)))
        .collect();
    control.tracker().watch(&wanted);
    Ok(())
}
