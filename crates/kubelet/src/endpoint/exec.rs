//! `/exec/{namespace}/{pod}/{container}`: a command in a container that runs.

mod options;
mod process;
mod status;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        Path, Query, Request, State,
        ws::{WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use http::StatusCode;

use super::upgrade::{self, Wish, refuse};
use crate::{
    pods::{Node, Running},
    streams::{
        Incoming, Link, Outgoing,
        spdy::{Session, Stream},
        web_socket::Channels,
    },
};
use options::Options;

/// In this version the client can end one channel by itself.
const WITH_ENDS: &str = "v5.channel.k8s.io";
const WITH_STATUS: &str = "v4.channel.k8s.io";
/// Channels of a WebSocket by number.
const STDIN: usize = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: usize = 4;
const CHANNELS: usize = 5;
/// How long a client of SPDY may take to open the streams that it asked for.
const ALL_STREAMS: Duration = Duration::from_secs(30);

/// The client's ends of a command. What was not asked for is absent.
struct Client {
    stdin: Option<Incoming>,
    stdout: Option<Outgoing>,
    stderr: Option<Outgoing>,
    resize: Option<Incoming>,
    /// Where the result goes to.
    status: Outgoing,
    link: Link,
}

pub(super) async fn exec(
    State(node): State<Arc<Node>>,
    Path((namespace, pod, container)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let options = match Options::read(&query) {
        Ok(options) => options,
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, problem.to_string()),
    };
    let uid = node.names.find(&namespace, &pod);
    let Some(running) = uid.and_then(|uid| node.present.container(&uid, &container)) else {
        let text = format!(
            "container not found (\"{container}\"): pod {pod} of namespace {namespace} has no such container that runs on this node"
        );
        return refuse(StatusCode::NOT_FOUND, text);
    };
    match upgrade::of(request).await {
        Ok(Wish::WebSocket(upgrade)) => over_web_socket(*upgrade, node, running, options),
        Ok(Wish::Spdy(spdy)) => spdy.accept(WITH_STATUS, async move |session| {
            let opened = tokio::time::timeout(ALL_STREAMS, of_streams(session, &options)).await;
            match opened {
                Ok(Some(client)) => serve(&node, &running, &options, client).await,
                Ok(None) => {}
                Err(_) => tracing::debug!("a client did not open all streams of its command"),
            }
        }),
        Err(refusal) => *refusal,
    }
}

/// The output of containers is in their logs, and their input is `/dev/null`.
pub(super) async fn attach() -> Response {
    let text = "this node cannot attach to containers: read the log, or run a command with exec";
    refuse(StatusCode::BAD_REQUEST, text)
}

fn over_web_socket(
    upgrade: WebSocketUpgrade,
    node: Arc<Node>,
    running: Running,
    options: Options,
) -> Response {
    let upgrade = upgrade.protocols([WITH_ENDS, WITH_STATUS]);
    let ends = upgrade.selected_protocol().is_some_and(|protocol| protocol == WITH_ENDS);
    upgrade.on_upgrade(async move |socket| {
        let client = of_channels(socket, &options, ends);
        serve(&node, &running, &options, client).await;
    })
}

async fn serve(node: &Node, running: &Running, options: &Options, client: Client) {
    let Client { stdin, stdout, stderr, resize, status, link } = client;
    let ends = process::Ends { stdin, stdout, stderr, resize };
    let result = process::run(node, running, options, ends, link.gone()).await;
    // Without a result there is nobody to tell it to.
    if let Some(result) = result {
        status.send(result.to_string().into()).await;
        status.end().await;
        drop(status);
        link.finish().await;
    }
}

fn of_channels(socket: WebSocket, options: &Options, ends: bool) -> Client {
    let mut channels = Channels::open(socket, CHANNELS, ends);
    let outgoing = |channel| channels.outgoing(channel);
    let (stdout, stderr, status) = (
        options.stdout.then(|| outgoing(STDOUT)),
        options.stderr.then(|| outgoing(STDERR)),
        outgoing(ERROR),
    );
    let resize = channels.incoming.swap_remove(RESIZE);
    let stdin = channels.incoming.swap_remove(STDIN);
    Client {
        stdin: options.stdin.then_some(stdin),
        stdout,
        stderr,
        resize: options.terminal.then_some(resize),
        status,
        link: channels.link,
    }
}

/// Waits for the streams that were asked for; `None` if the client goes before.
async fn of_streams(mut session: Session, options: &Options) -> Option<Client> {
    let (mut stdin, mut stdout, mut stderr, mut resize) = (None, None, None, None);
    let mut error: Option<Stream> = None;
    let mut missing = 1 + [options.stdin, options.stdout, options.stderr, options.terminal]
        .into_iter()
        .filter(|asked| *asked)
        .count();
    while missing > 0 {
        let stream = session.accept().await?;
        let slot = match stream.header("streamtype") {
            "stdin" => &mut stdin,
            "stdout" => &mut stdout,
            "stderr" => &mut stderr,
            "resize" => &mut resize,
            "error" => &mut error,
            other => {
                tracing::debug!(stream = other, "a client opened a stream that no command has");
                return None;
            }
        };
        missing -= usize::from(slot.is_none());
        *slot = Some(stream);
    }
    Some(Client {
        stdin: stdin.map(|stream: Stream| stream.incoming),
        stdout: stdout.map(|stream: Stream| stream.outgoing),
        stderr: stderr.map(|stream: Stream| stream.outgoing),
        resize: resize.map(|stream: Stream| stream.incoming),
        status: error?.outgoing,
        link: session.link,
    })
}
