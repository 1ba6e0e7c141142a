use std::{fmt, path::Path, time::Duration};

use flumen_faults::Faults;
use flumen_k8s::{Cluster, LogRequest, MAIN_CONTAINER, PodSeen};
use flumen_model::Kind;
use flumen_store::Job;
use futures::TryStreamExt;
use jiff::Timestamp;

use crate::{
    Error, clock,
    logs::{Tail, log_name, write_whole},
};

/// How long logs that cannot be had now, of a node that is away for example, hold up the end of a run.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came of saving logs.
#[derive(Debug, Default)]
pub(super) struct Saved {
    count: usize,
    /// What should be there and could not be had, with the reason.
    missing: Vec<String>,
}

impl fmt::Display for Saved {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} logs", self.count)?;
        if self.missing.is_empty() {
            Ok(())
        } else {
            write!(out, "; not saved: {}", self.missing.join("; "))
        }
    }
}

/// Saves the newest part of the log of each container of the pods of a run that is ending `since` then.
pub(super) async fn save_logs(
    (cluster, faults): (&Cluster, &Faults),
    job: &Job,
    pods: &[PodSeen],
    directory: &Path,
    since: Timestamp,
) -> Result<Saved, Error> {
    tokio::fs::create_dir_all(directory).await.map_err(Error::file("create", directory))?;
    let patient = clock::now().duration_since(since).unsigned_abs() < PATIENCE;
    let mut saved = Saved::default();
    for pod in pods {
        for container in &pod.containers {
            match fetch_log(cluster, job, pod, container).await {
                Ok(None) => {}
                Ok(Some(log)) => {
                    let name = log_name(&pod.name, container);
                    write_whole(faults, directory, &name, log.newest()).await?;
                    saved.count += 1;
                }
                Err(error) if error.kind().is_transient() && patient => return Err(error),
                Err(error) => saved.missing.push(error.paragraph()),
            }
        }
    }
    Ok(saved)
}

/// The log of a container, after that of its start before, if there was one; none if it never started or
/// is gone.
async fn fetch_log(
    cluster: &Cluster,
    job: &Job,
    pod: &PodSeen,
    container: &str,
) -> Result<Option<Tail>, Error> {
    let restarted = container == MAIN_CONTAINER && pod.restarts > 0;
    let mut tail = None;
    for previous in [true, false] {
        if previous && !restarted {
            continue;
        }
        let request = LogRequest { previous, ..LogRequest::default() };
        match cluster.pod_logs(&job.namespace, &pod.name, container, &request).await {
            Ok(mut log) => {
                let tail = tail.get_or_insert_with(Tail::default);
                while let Some(bytes) = log.try_next().await? {
                    tail.push(&bytes);
                }
            }
            Err(error) if matches!(error.kind(), Kind::Invalid | Kind::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tail)
}
