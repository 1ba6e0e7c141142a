//! The cluster's name server, inside the node's network.
//!
//! It knows services and pods and answers everything else at once with "no such name": programs that ask for the name
//! of an address must not wait for a server that is not there.

mod answer;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::Name,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
};

use crate::{directory::Directory, network::NodeNetwork};

/// Longest answer by UDP to a client that says nothing about it.
const USUAL_UDP_SIZE: usize = 512;
const IDLE_TCP: Duration = Duration::from_secs(10);

/// A bound name server.
#[derive(Debug)]
pub(crate) struct Dns {
    udp: UdpSocket,
    tcp: TcpListener,
    zone: Arc<Zone>,
}

/// What is answered from.
#[derive(Debug)]
pub(crate) struct Zone {
    /// `cluster.local.`
    domain: Name,
    directory: Directory,
}

impl Dns {
    /// Binds `address` in the node's network.
    pub(crate) async fn bind(
        network: &NodeNetwork,
        address: SocketAddr,
        domain: &str,
        directory: Directory,
    ) -> io::Result<Self> {
        let tcp = network.listen(address).await?;
        let network = network.clone();
        let udp = tokio::task::spawn_blocking(move || network.bind_udp(address))
            .await
            .map_err(io::Error::other)??;
        let domain = Name::from_ascii(format!("{domain}."))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Self { udp: UdpSocket::from_std(udp)?, tcp, zone: Arc::new(Zone { domain, directory }) })
    }

    /// Answers until the future is dropped.
    pub(crate) async fn serve(self) {
        let Self { udp, tcp, zone } = self;
        tokio::join!(serve_udp(udp, Arc::clone(&zone)), serve_tcp(tcp, zone));
    }
}

async fn serve_udp(socket: UdpSocket, zone: Arc<Zone>) {
    let mut buffer = vec![0; 4096];
    loop {
        let (length, from) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "could not receive a DNS question");
                continue;
            }
        };
        if let Some(answer) = respond(&buffer[..length], &zone, true)
            && let Err(error) = socket.send_to(&answer, from).await
        {
            tracing::debug!(%error, %from, "could not send a DNS answer");
        }
    }
}

async fn serve_tcp(listener: TcpListener, zone: Arc<Zone>) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                tokio::spawn(serve_connection(connection, Arc::clone(&zone)));
            }
            Err(error) => {
                tracing::debug!(%error, "could not accept a DNS connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_connection(mut connection: TcpStream, zone: Arc<Zone>) -> io::Result<()> {
    loop {
        let length = match tokio::time::timeout(IDLE_TCP, connection.read_u16()).await {
            Ok(Ok(length)) => usize::from(length),
            _ => return Ok(()),
        };
        let mut question = vec![0; length];
        connection.read_exact(&mut question).await?;
        let Some(answer) = respond(&question, &zone, false) else { return Ok(()) };
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        connection.write_u16(length).await?;
        connection.write_all(&answer).await?;
    }
}

/// `None` for what is no question at all.
fn respond(question: &[u8], zone: &Zone, udp: bool) -> Option<Vec<u8>> {
    let Ok(question) = Message::from_vec(question) else {
        let id = u16::from_be_bytes([*question.first()?, *question.get(1)?]);
        return Message::error_msg(id, hickory_proto::op::OpCode::Query, ResponseCode::FormErr)
            .to_vec()
            .ok();
    };
    let answer = answer::answer(&question, &zone.domain, &zone.directory.read());
    let bytes = answer.to_vec().ok()?;
    let allowed =
        question.edns.as_ref().map_or(USUAL_UDP_SIZE, |edns| usize::from(edns.max_payload()));
    if udp && bytes.len() > allowed.max(USUAL_UDP_SIZE) {
        return answer.truncate().to_vec().ok();
    }
    Some(bytes)
}
