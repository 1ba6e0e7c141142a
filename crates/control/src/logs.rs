//! Logs of a run: from its pods while they stand, from saved files afterwards.

mod kept;

use std::path::PathBuf;

use bytes::Bytes;
use flumen_k8s::{LogRequest, MAIN_CONTAINER, PodSeen};
use flumen_model::{ClusterId, EnvironmentName, JobName, Kind, RunId};
use flumen_store::{Job, Principal};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::{Control, Error, jobs};
pub(crate) use kept::{Tail, write_whole};

/// How much of each container's log is kept when a run ends: its newest part.
pub(crate) const KEPT_BYTES: u64 = 10 << 20;

/// Which log to read.
#[derive(Debug, Clone, Default)]
pub struct LogsQuery {
    /// The run. Default: the newest.
    pub run: Option<RunId>,
    /// Whose log. Default: the JobManager's.
    pub source: LogSource,
    /// Go on as more is written.
    pub follow: bool,
    /// Only so many last lines. Default: all.
    pub tail_lines: Option<u32>,
}

/// Whose log to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LogSource {
    /// The JobManager's.
    #[default]
    JobManager,
    /// All TaskManagers', one after the other.
    TaskManagers,
    /// This pod's: of its main container, or of another that is named behind a dot.
    Pod(String),
}

impl LogSource {
    /// Whether the log of that name, see [`log_name`], is meant.
    fn takes(&self, cluster_id: &ClusterId, log: &str) -> bool {
        let rest = log.strip_prefix(cluster_id.as_str()).unwrap_or(log);
        let task_manager = rest.starts_with("-taskmanager-");
        match self {
            Self::JobManager => !task_manager && !log.contains('.'),
            Self::TaskManagers => task_manager && !log.contains('.'),
            Self::Pod(name) => log == name,
        }
    }
}

/// The name of a container's log: the pod's for the container that runs Flink, else with the container's
/// behind a dot, which no name of a pod of Flink has.
pub(crate) fn log_name(pod: &str, container: &str) -> String {
    if container == MAIN_CONTAINER { pod.to_owned() } else { format!("{pod}.{container}") }
}

/// The bytes of a log as they come.
pub type LogStream = BoxStream<'static, Result<Bytes, Error>>;

impl Control {
    /// The log of a run of the job.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job, run or pod.
    pub async fn logs(
        &self,
        principal: &Principal,
        (environment, name): (&EnvironmentName, &JobName),
        query: LogsQuery,
    ) -> Result<LogStream, Error> {
        let job = self.owned(principal, environment, name).await?;
        let run = match query.run {
            Some(run) => {
                let known = self.store().run(run).await?.is_some_and(|known| known.job == job.id);
                known
                    .then_some(run)
                    .ok_or_else(|| Error::not_found(format!("run {run} of job {name}")))?
            }
            None => {
                job.status.run.ok_or_else(|| Error::not_found(format!("a run of job {name}")))?
            }
        };
        if job.status.run == Some(run) {
            let live = self.live_logs(&job, &query).await;
            match live {
                Ok(Some(stream)) => return Ok(stream),
                Ok(None) => {}
                // Saved logs are better than none, and the reason is in the server's log.
                Err(error) => {
                    tracing::debug!(job.id = %job.id, error = error.paragraph(), "no live log");
                }
            }
        }
        self.saved_logs(&job.cluster_id, run, &query).await?.ok_or_else(|| Error::NotFound {
            what: format!("a log of run {run} of job {name}"),
            hint: "; the pods of the run are not there and nothing was saved of them".to_owned(),
        })
    }

    async fn live_logs(&self, job: &Job, query: &LogsQuery) -> Result<Option<LogStream>, Error> {
        let key = jobs::place(job);
        let cluster = self.clusters_handle().get(&key.cluster).await?;
        let pods = cluster.pods_of(&key.namespace, &key.id).await?;
        let request = LogRequest {
            follow: query.follow,
            tail_lines: query.tail_lines,
            ..LogRequest::default()
        };
        let mut streams = Vec::new();
        let of_pod = |pod: &PodSeen| {
            let name = pod.name.clone();
            pod.containers.clone().into_iter().map(move |container| (name.clone(), container))
        };
        for (pod, container) in pods.iter().flat_map(of_pod) {
            if !query.source.takes(&key.id, &log_name(&pod, &container)) {
                continue;
            }
            match cluster.pod_logs(&key.namespace, &pod, &container, &request).await {
                Ok(log) => streams.push(log.map_err(Error::from)),
                // It has not started, or is gone meanwhile: the others have their say.
                Err(error) if matches!(error.kind(), Kind::Invalid | Kind::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if streams.is_empty() {
            return Ok(None);
        }
        // Followed logs never end, so they are read side by side; others one after the other.
        let all: LogStream = if query.follow {
            stream::select_all(streams).boxed()
        } else {
            stream::iter(streams).flatten().boxed()
        };
        Ok(Some(all))
    }

    async fn saved_logs(
        &self,
        cluster_id: &ClusterId,
        run: RunId,
        query: &LogsQuery,
    ) -> Result<Option<LogStream>, Error> {
        let directory = self.run_logs(run);
        let mut names = Vec::new();
        let Ok(mut entries) = tokio::fs::read_dir(&directory).await else { return Ok(None) };
        while let Some(entry) =
            entries.next_entry().await.map_err(Error::file("read", &directory))?
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            let log = name.strip_suffix(".log");
            names.extend(log.filter(|log| query.source.takes(cluster_id, log)).map(str::to_owned));
        }
        names.sort();
        let mut streams = Vec::new();
        for name in names {
            let path = directory.join(format!("{name}.log"));
            let mut file =
                tokio::fs::File::open(&path).await.map_err(Error::file("open", &path))?;
            if let Some(lines) = query.tail_lines {
                let start = start_of_last_lines(&mut file, lines)
                    .await
                    .map_err(Error::file("read", &path))?;
                file.seek(std::io::SeekFrom::Start(start))
                    .await
                    .map_err(Error::file("read", &path))?;
            }
            let read = move |source| Error::File { what: "read", path: path.clone(), source };
            streams.push(ReaderStream::new(file).map_err(read));
        }
        Ok((!streams.is_empty()).then(|| stream::iter(streams).flatten().boxed()))
    }

    /// Where the saved logs of a run lie.
    pub(crate) fn run_logs(&self, run: RunId) -> PathBuf {
        self.settings().data_directory.join("logs").join("runs").join(run.to_string())
    }
}

/// The offset at which the last `lines` lines begin.
async fn start_of_last_lines(file: &mut tokio::fs::File, lines: u32) -> std::io::Result<u64> {
    let mut content = Vec::new();
    file.read_to_end(&mut content).await?;
    let end = content.len() - usize::from(content.last() == Some(&b'\n'));
    let breaks = content[..end].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let start = match usize::try_from(lines).unwrap_or(usize::MAX) {
        0 => content.len(),
        lines => breaks.map(|(at, _)| at + 1).nth(lines - 1).unwrap_or(0),
    };
    Ok(start as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_manager_is_told_from_task_managers_whatever_the_job_is_called() {
        let id: ClusterId = "my-taskmanager-job".parse().expect("valid");
        let (job_manager, task_manager) =
            ("my-taskmanager-job-5f7-x", "my-taskmanager-job-taskmanager-1-1");
        assert!(LogSource::JobManager.takes(&id, job_manager));
        assert!(!LogSource::JobManager.takes(&id, task_manager));
        assert!(LogSource::TaskManagers.takes(&id, task_manager));
        assert!(!LogSource::TaskManagers.takes(&id, job_manager));
        let sidecar = log_name(job_manager, "sidecar");
        assert!(!LogSource::JobManager.takes(&id, &sidecar));
        assert!(LogSource::Pod(format!("{job_manager}.sidecar")).takes(&id, &sidecar));
    }

    #[tokio::test]
    async fn the_last_lines_begin_after_the_line_break_before_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        std::fs::write(&path, "one\ntwo\nthree\n").expect("written");
        for (lines, start) in [(0, 14), (1, 8), (2, 4), (3, 0), (9, 0)] {
            let mut file = tokio::fs::File::open(&path).await.expect("opened");
            assert_eq!(
                start_of_last_lines(&mut file, lines).await.expect("read"),
                start,
                "{lines}"
            );
        }
    }
}
