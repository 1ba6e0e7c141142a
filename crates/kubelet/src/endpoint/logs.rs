//! `GET /containerLogs/{namespace}/{pod}/{container}`

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{error::chain, logs, pods::Node};

/// The options of `kubectl logs`, as the API passes them on.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    follow: Option<String>,
    previous: Option<String>,
    timestamps: Option<String>,
    tail_lines: Option<usize>,
    limit_bytes: Option<usize>,
    since_seconds: Option<u64>,
    since_time: Option<Timestamp>,
}

/// Go writes and reads these as truth.
fn is_set(value: Option<&str>) -> bool {
    matches!(value, Some("true" | "1" | "t" | "T" | "True" | "TRUE" | ""))
}

impl Options {
    fn query(&self, now: Timestamp) -> logs::Query {
        let ago = self
            .since_seconds
            .and_then(|seconds| now.checked_sub(Duration::from_secs(seconds)).ok());
        logs::Query {
            follow: is_set(self.follow.as_deref()),
            tail: self.tail_lines,
            since: self.since_time.or(ago),
            timestamps: is_set(self.timestamps.as_deref()),
            limit: self.limit_bytes,
        }
    }
}

pub(super) async fn get(
    State(node): State<Arc<Node>>,
    Path((namespace, pod, container)): Path<(String, String, String)>,
    Query(options): Query<Options>,
) -> Response {
    let refuse = |status: StatusCode, text: String| (status, text).into_response();
    let Some(uid) = node.names.find(&namespace, &pod) else {
        return refuse(
            StatusCode::NOT_FOUND,
            format!("pod {pod:?} in namespace {namespace:?} is not on this node"),
        );
    };
    let history = node.logs.find(&(uid, container.clone()));
    let previous = is_set(options.previous.as_deref());
    // Of a container that waits to be started again both are the log of the attempt that ended.
    let log = if previous { history.previous } else { history.current.or(history.previous) };
    let Some(log) = log else {
        let text = if previous {
            format!("previous terminated container {container:?} in pod {pod:?} not found")
        } else {
            format!("container {container:?} in pod {pod:?} is waiting to start")
        };
        return refuse(StatusCode::BAD_REQUEST, text);
    };
    match logs::stream(log, options.query(Timestamp::now())).await {
        Ok(stream) => {
            ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(stream)).into_response()
        }
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, chain(&error)),
    }
}
