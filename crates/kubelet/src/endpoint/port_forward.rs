//! `/portForward/{namespace}/{pod}`: connections to ports inside a pod.

mod halves;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{
        Path, Query, Request, State,
        ws::{WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

use super::upgrade::{self, Wish, refuse};
use crate::{
    pods::{Node, Place},
    streams::{
        Incoming, Outgoing, PIECE,
        spdy::{Session, Stream},
        web_socket::{Channels, tunnel},
    },
};
use halves::{Added, Halves, Kind};

const OVER_SPDY: &str = "portforward.k8s.io";
/// SPDY inside of a WebSocket.
const TUNNELLED: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
/// Each port has two channels, and a byte names them.
const MOST_PORTS: usize = 127;

/// A pod that ports are forwarded to.
#[derive(Clone)]
struct Target {
    node: Arc<Node>,
    pod: String,
    place: Place,
}

pub(super) async fn port_forward(
    State(node): State<Arc<Node>>,
    Path((namespace, pod)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let uid = node.names.find(&namespace, &pod);
    let Some(place) = uid.and_then(|uid| node.present.place(&uid)) else {
        let text = format!("pod {pod} of namespace {namespace} does not run on this node");
        return refuse(StatusCode::NOT_FOUND, text);
    };
    let target = Target { node, pod, place };
    match upgrade::of(request).await {
        Ok(Wish::WebSocket(upgrade)) => over_web_socket(*upgrade, &query, target),
        Ok(Wish::Spdy(spdy)) => {
            spdy.accept(OVER_SPDY, async move |session| target.pairs(session).await)
        }
        Err(refusal) => *refusal,
    }
}

fn over_web_socket(
    upgrade: WebSocketUpgrade,
    query: &[(String, String)],
    target: Target,
) -> Response {
    let upgrade = upgrade.protocols([TUNNELLED, CHANNELS]);
    if upgrade.selected_protocol().is_some_and(|protocol| protocol == TUNNELLED) {
        return upgrade
            .on_upgrade(async move |socket| target.pairs(Session::open(tunnel(socket))).await);
    }
    match ports(query) {
        Ok(ports) if (1..=MOST_PORTS).contains(&ports.len()) => {
            upgrade.on_upgrade(async move |socket| target.channels(socket, &ports).await)
        }
        Ok(ports) => refuse(
            StatusCode::BAD_REQUEST,
            format!(
                "query parameter \"port\" must be given 1 to {MOST_PORTS} times, and it is {} times",
                ports.len()
            ),
        ),
        Err(port) => refuse(
            StatusCode::BAD_REQUEST,
            format!("query parameter \"port\" is {port:?}: expected a number from 1 to 65535"),
        ),
    }
}

/// The ports of a query, of which one value may name several; an error is what is none.
fn ports(query: &[(String, String)]) -> Result<Vec<u16>, &str> {
    let values = query.iter().filter(|(name, _)| name == "port");
    values
        .flat_map(|(_, ports)| ports.split(','))
        .map(|port| port.parse().ok().filter(|port| *port > 0).ok_or(port))
        .collect()
}

impl Target {
    /// Two streams for each connection, one with the data and one for what goes wrong.
    async fn pairs(self, mut session: Session) {
        let gone = session.link.gone();
        let mut halves = Halves::<Stream>::default();
        let mut forwarding = JoinSet::new();
        loop {
            let stream = tokio::select! {
                () = self.place.ended.cancelled() => break,
                () = gone.cancelled() => return,
                Some(_) = forwarding.join_next() => continue,
                stream = halves.overdue() => {
                    forwarding.spawn(async move { stream.outgoing.refuse().await });
                    continue;
                }
                stream = session.accept() => stream,
            };
            let Some(stream) = stream else { return };
            let id = stream.header("requestid").to_owned();
            let kind = Kind::parse(stream.header("streamtype"));
            match halves.add(&id, kind, stream) {
                Added::Waits => {}
                Added::Pair { data, error } => {
                    let target = self.clone();
                    forwarding.spawn(async move { target.pair(data, &error.outgoing).await });
                }
                Added::Refused(stream) => {
                    forwarding.spawn(async move { stream.outgoing.refuse().await });
                }
                Added::TooMany => {
                    tracing::debug!("a client opened too many streams that belong to no other");
                    break;
                }
            }
        }
        forwarding.shutdown().await;
        drop(halves);
        session.link.finish().await;
    }

    async fn pair(&self, data: Stream, error: &Outgoing) {
        let port = data.header("port").parse().unwrap_or_default();
        let Stream { incoming, outgoing, .. } = data;
        let forward = async {
            match self.connect(port).await {
                Ok(connection) => {
                    let (source, sink) = connection.into_split();
                    tokio::join!(inward(incoming, sink), outward(source, &outgoing));
                }
                Err(problem) => {
                    error.send(problem.into()).await;
                    outgoing.end().await;
                }
            }
        };
        tokio::select! {
            () = forward => {}
            // The client wants no more of it, and waits for the end of its errors.
            () = outgoing.unwanted().cancelled_owned() => {}
        }
        error.end().await;
    }

    /// A channel with the data and one for what goes wrong, for each port; both begin with the port's number.
    async fn channels(self, socket: WebSocket, ports: &[u16]) {
        let mut channels = Channels::open(socket, ports.len() * 2, false);
        let gone = channels.link.gone();
        let mut forwarding = JoinSet::new();
        let incoming = std::mem::take(&mut channels.incoming).into_iter().step_by(2);
        for ((index, port), incoming) in (0_u8..).zip(ports.iter().copied()).zip(incoming) {
            let (data, error) = (channels.outgoing(index * 2), channels.outgoing(index * 2 + 1));
            let target = self.clone();
            forwarding.spawn(async move { target.channel(port, incoming, &data, &error).await });
        }
        let all = async { while forwarding.join_next().await.is_some() {} };
        tokio::select! {
            () = all => {}
            () = self.place.ended.cancelled() => {}
            () = gone.cancelled() => return,
        }
        forwarding.shutdown().await;
        channels.link.finish().await;
    }

    async fn channel(&self, port: u16, incoming: Incoming, data: &Outgoing, error: &Outgoing) {
        let number = Bytes::copy_from_slice(&port.to_le_bytes());
        if !(data.send(number.clone()).await && error.send(number).await) {
            return;
        }
        match self.connect(port).await {
            Ok(connection) => {
                let (source, sink) = connection.into_split();
                // Neither side can end one direction alone here, so the pod's end is the end.
                tokio::select! {
                    () = outward(source, data) => {}
                    () = async { inward(incoming, sink).await; std::future::pending().await } => {}
                }
            }
            Err(problem) => {
                error.send(problem.into()).await;
            }
        }
    }

    /// As a process of the pod connects to its own host.
    async fn connect(&self, port: u16) -> Result<TcpStream, String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let network = Arc::clone(&self.place.network);
        let connected = self.node.network.connect_in(network, address).await;
        let connected = connected.and_then(|connection| {
            connection.set_nodelay(true)?;
            Ok(connection)
        });
        connected.map_err(|error: io::Error| {
            format!(
                "error forwarding port {port} to pod {}: failed to connect to localhost:{port} inside its network: {error}",
                self.pod
            )
        })
    }
}

async fn inward(mut from: Incoming, mut into: OwnedWriteHalf) {
    while let Some(piece) = from.recv().await {
        if into.write_all(&piece).await.is_err() {
            break;
        }
    }
    // The pod may have closed it already.
    let _ = into.shutdown().await;
    while from.recv().await.is_some() {}
}

async fn outward(mut from: OwnedReadHalf, to: &Outgoing) {
    let mut buffer = BytesMut::with_capacity(PIECE);
    loop {
        buffer.reserve(PIECE);
        match from.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if !to.send(buffer.split().freeze()).await {
            return;
        }
    }
    to.end().await;
}

#[cfg(test)]
mod tests {
    use super::ports;

    #[test]
    fn a_value_may_name_several_ports() {
        let query = |values: &[&str]| -> Vec<(String, String)> {
            values.iter().map(|value| ("port".into(), (*value).into())).collect()
        };
        assert_eq!(ports(&query(&["80", "81,82"])), Ok(vec![80, 81, 82]));
        assert_eq!(ports(&query(&["80,"])), Err(""));
        assert_eq!(ports(&query(&["0"])), Err("0"));
    }
}
