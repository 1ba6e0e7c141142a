use std::time::Duration;

use bytes::Bytes;
use flumen_model::Namespace;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::{
    api::{LogParams, Request as RequestBuilder},
    client::Body,
};

use crate::{Cause, Cluster, Error, error::innermost, proxy::status_of};

/// The bytes of a log as they come.
pub type LogStream = BoxStream<'static, Result<Bytes, Error>>;

/// Which part of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// Whether the stream goes on while the container writes. Default: no.
    pub follow: bool,
    /// Only the last lines. Default: all that the node has kept.
    pub tail_lines: Option<u32>,
    /// Only what was written since. Default: all.
    pub since: Option<Timestamp>,
    /// The log of the container before its newest restart. Default: no.
    pub previous: bool,
    /// At most so many bytes, from the beginning of what the rest selects. Default: no limit.
    pub limit_bytes: Option<u64>,
    /// Whether each line begins with its time. Default: no.
    pub timestamps: bool,
}

impl Cluster {
    /// The log of a container. There is a time limit until it begins and, unless it is followed, for each
    /// piece of it.
    ///
    /// # Errors
    /// [`Error::ReadLog`]: not found where the pod, or a previous container, is not there; invalid where
    /// the container has not started.
    pub async fn pod_logs(
        &self,
        namespace: &Namespace,
        pod: &str,
        container: &str,
        request: &LogRequest,
    ) -> Result<LogStream, Error> {
        let at = (format!("{namespace}/{pod}"), container.to_owned());
        let failed =
            move |source| Error::ReadLog { pod: at.0.clone(), container: at.1.clone(), source };
        let params = LogParams {
            container: Some(container.to_owned()),
            follow: request.follow,
            tail_lines: request.tail_lines.map(i64::from),
            since_time: request.since,
            previous: request.previous,
            limit_bytes: request.limit_bytes.and_then(|limit| i64::try_from(limit).ok()),
            timestamps: request.timestamps,
            ..LogParams::default()
        };
        let base = RequestBuilder::new(format!("/api/v1/namespaces/{namespace}/pods"));
        let pause = (!request.follow).then_some(self.timeouts.call);
        let request = base
            .logs(pod, &params)
            .map_err(|error| failed(Cause::Build { problem: error.to_string() }))?;
        let answer = self.once(self.client.send(request.map(Body::from))).await.map_err(&failed)?;
        if !answer.status().is_success() {
            let code = answer.status().as_u16();
            let body = self.once(answer.into_body().collect_bytes()).await.map_err(&failed)?;
            return Err(failed(status_of(code, &body)));
        }
        let server = self.way.clone();
        let pieces = answer.into_body().into_data_stream().map_err(move |error| {
            Cause::Unreachable { server: server.to_string(), problem: innermost(&error) }
        });
        Ok(within(pieces.boxed(), pause).map_err(failed).boxed())
    }
}

/// Ends a stream with an error where a piece of it does not come in time.
fn within(
    pieces: BoxStream<'static, Result<Bytes, Cause>>,
    limit: Option<Duration>,
) -> BoxStream<'static, Result<Bytes, Cause>> {
    let Some(limit) = limit else { return pieces };
    futures::stream::unfold(Some(pieces), move |pieces| async move {
        let mut pieces = pieces?;
        match tokio::time::timeout(limit, pieces.next()).await {
            Ok(piece) => piece.map(|piece| (piece, Some(pieces))),
            Err(_elapsed) => Some((Err(Cause::TimedOut(limit)), None)),
        }
    })
    .boxed()
}
