//! The log of a build: from its pod while that stands, from a file afterwards.

use std::time::Duration;

use flumen_k8s::{Cluster, LogRequest};
use flumen_model::{Kind, OperationId};
use flumen_project::CONTAINERS;
use flumen_store::{OperationState, ProjectBuild};
use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::io::ReaderStream;

use super::Request;
use crate::{Control, Error, LogStream};

/// How often it is looked whether a container has something to say.
const LOOK: Duration = Duration::from_millis(500);

/// The log of a build, also after its pod is gone. One that is followed ends with the build.
///
/// # Errors
/// [`Error::NotFound`] if nothing of it was kept.
pub(crate) async fn log(
    control: &Control,
    build: &ProjectBuild,
    follow: bool,
) -> Result<LogStream, Error> {
    let path = control.build_log(build.operation);
    match tokio::fs::File::open(&path).await {
        Ok(file) => {
            let read = move |source| Error::File { what: "read", path: path.clone(), source };
            return Ok(ReaderStream::new(file).map_err(read).boxed());
        }
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::file("open", path)(source));
        }
        Err(_) => {}
    }
    let nothing = || Error::NotFound {
        what: format!("a log of build {} of project {}", build.number, build.project),
        hint: "; its pod is not there and nothing was saved of it".to_owned(),
    };
    if build.removed_at.is_some() {
        return Err(nothing());
    }
    let operation = control.store().operation(build.operation).await?.ok_or_else(nothing)?;
    let request = Request::of(&operation)?;
    let live = Live {
        cluster: control.clusters_handle().get(&request.cluster).await?,
        request,
        control: control.clone(),
        id: build.operation,
        follow: follow && build.state == OperationState::Running,
    };
    let parts = stream::iter(CONTAINERS).then(move |container| {
        let live = live.clone();
        async move { live.part(container).await }
    });
    Ok(parts.flatten().boxed())
}

#[derive(Clone)]
struct Live {
    control: Control,
    cluster: Cluster,
    request: Request,
    id: OperationId,
    follow: bool,
}

impl Live {
    /// The log of one container; nothing of one that is not to run any more.
    async fn part(&self, container: &str) -> LogStream {
        let name = flumen_project::name(self.id);
        let request = LogRequest { follow: self.follow, ..LogRequest::default() };
        loop {
            let log = self.cluster.pod_logs(&self.request.namespace, &name, container, &request);
            let error = match log.await {
                Ok(log) => return log.map_err(Error::from).boxed(),
                Err(error) => error,
            };
            // It has not started, or its pod is not there yet.
            if !matches!(error.kind(), Kind::Invalid | Kind::NotFound) {
                return stream::iter([Err(Error::from(error))]).boxed();
            }
            let goes_on = self.follow
                && matches!(
                    self.control.store().build(self.id).await,
                    Ok(Some(ProjectBuild { state: OperationState::Running, .. }))
                );
            if !goes_on {
                return stream::empty().boxed();
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
