//! The node's own network: a namespace of its own with a bridge, one address per pod, and sockets made in there.
//!
//! ```text
//!   host (nothing of this is visible)   node namespace               pod namespace
//!   ── sockets handed out ────────────► lo: cluster IPs, DNS          eth0 10.244.0.5/24
//!                                       bridge 10.244.0.1/24 ── veth ─┘ default via 10.244.0.1
//! ```
//! One thread of the process lives in the namespace; a socket made there keeps its namespace wherever it is used.

mod addresses;
mod links;
mod thread;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::BoxFuture;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use tokio::net::{TcpSocket, TcpStream};

use addresses::Addresses;
pub use addresses::Range;
use thread::NetworkThread;

/// Why the node's network, or a pod's part in it, could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thread or its namespace could not be made.
    #[error(
        "could not make the node's network namespace; it needs CAP_SYS_ADMIN, which root in a container often lacks, and which an ordinary user gets by a user namespace"
    )]
    CreateNamespace(#[source] io::Error),
    /// A link, address or route was refused.
    #[error("could not {step}")]
    Configure {
        /// What was being done.
        step: String,
        /// The kernel's answer.
        #[source]
        source: rtnetlink::Error,
    },
    /// A namespace could not be entered, or a netlink socket not be made in it.
    #[error("could not {step}")]
    Enter {
        /// What was being done.
        step: String,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// Every address of the pods' range is taken.
    #[error("no pod address is left in {range}")]
    NoAddressLeft {
        /// The pods' range.
        range: Range,
    },
    /// The thread has ended.
    #[error("the node's network thread has ended")]
    Gone,
}

/// Ranges and limits of the node's network.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Addresses of the pods of all nodes; the first one is the bridge's. Default `10.244.0.0/16`.
    pub cluster_range: Range,
    /// Addresses of this node's pods, the first ones of all. Default `10.244.0.0/24`.
    pub pod_range: Range,
}

impl Default for Settings {
    fn default() -> Self {
        let range = |prefix| Range::new(Ipv4Addr::new(10, 244, 0, 0), prefix);
        Self { cluster_range: range(16), pod_range: range(24) }
    }
}

/// Connects to addresses inside the node's network.
pub type Dialer =
    Arc<dyn Fn(SocketAddr) -> BoxFuture<'static, io::Result<TcpStream>> + Send + Sync>;

/// Handle to the node's network; the namespace ends with the process, or when the last handle and socket are gone.
#[derive(Debug, Clone)]
pub struct NodeNetwork {
    thread: NetworkThread,
    addresses: Arc<Mutex<Addresses>>,
    settings: Settings,
}

/// A pod's place in the network; its address is free again when this is dropped.
#[derive(Debug)]
pub struct Attachment {
    address: Ipv4Addr,
    namespace: Arc<OwnedFd>,
    addresses: Arc<Mutex<Addresses>>,
}

impl Attachment {
    /// The pod's address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The pod's network namespace.
    pub(crate) fn namespace(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.namespace)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).release(self.address);
    }
}

impl NodeNetwork {
    /// Makes the namespace and its bridge.
    pub fn create(settings: Settings) -> Result<Self, Error> {
        let thread = NetworkThread::start(settings.cluster_range)?;
        let addresses = Arc::new(Mutex::new(Addresses::new(settings.pod_range)));
        Ok(Self { thread, addresses, settings })
    }

    /// The same network for the node of this number, whose pods have addresses of their own.
    pub fn of_node(&self, number: u8) -> Result<Self, Error> {
        let pod_range = self.settings.pod_range.after(number);
        let addresses = Arc::new(Mutex::new(Addresses::new(pod_range)));
        let settings = Settings { pod_range, ..self.settings.clone() };
        self.thread.add_loopback_address_blocking(pod_range.first().into())?;
        Ok(Self { thread: self.thread.clone(), addresses, settings })
    }

    /// Addresses of the node's pods.
    pub fn pod_range(&self) -> Range {
        self.settings.pod_range
    }

    /// How pods see the node; of the first one this is the bridge's address.
    pub fn node_address(&self) -> Ipv4Addr {
        self.settings.pod_range.first()
    }

    /// The file by which others enter the namespace while this process lives.
    pub fn namespace(&self) -> Result<String, Error> {
        self.thread.call_blocking(|| {
            let thread = rustix::thread::gettid();
            format!("/proc/{}/task/{thread}/ns/net", std::process::id())
        })
    }

    /// Connects to an address inside the network from anywhere in the process.
    pub fn dialer(&self) -> Dialer {
        let network = self.clone();
        Arc::new(move |address| {
            let network = network.clone();
            Box::pin(async move { network.connect(address).await })
        })
    }

    /// Connects to an address inside the network.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = self
            .thread
            .call(move || make_socket(address, SocketType::STREAM))
            .await
            .map_err(io::Error::other)??;
        TcpSocket::from_std_stream(socket.into()).connect(address).await
    }

    /// Listens on an address inside the network; an address that the namespace lacks is added to its loopback.
    pub fn listen_tcp(&self, address: SocketAddr) -> io::Result<std::net::TcpListener> {
        self.thread.add_loopback_address_blocking(address.ip()).map_err(io::Error::other)?;
        self.thread.call_blocking(move || open_listener(address)).map_err(io::Error::other)?
    }

    /// Binds a UDP socket inside the network; an address that the namespace lacks is added to its loopback.
    pub fn bind_udp(&self, address: SocketAddr) -> io::Result<std::net::UdpSocket> {
        self.thread.add_loopback_address_blocking(address.ip()).map_err(io::Error::other)?;
        self.thread
            .call_blocking(move || {
                let socket = make_socket(address, SocketType::DGRAM)?;
                bind(&socket, &address)?;
                Ok(socket.into())
            })
            .map_err(io::Error::other)?
    }

    /// As [`Self::listen_tcp`], without blocking the caller's thread.
    pub async fn listen(&self, address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
        self.thread.add_loopback_address(address.ip()).await.map_err(io::Error::other)?;
        let listener =
            self.thread.call(move || open_listener(address)).await.map_err(io::Error::other)??;
        tokio::net::TcpListener::from_std(listener)
    }

    /// Removes an address that [`Self::listen`] added.
    pub async fn forget_address(&self, address: std::net::IpAddr) -> Result<(), Error> {
        self.thread.remove_loopback_address(address).await
    }

    /// Gives a pod's network namespace an address and a way to the node.
    pub async fn attach(&self, namespace: OwnedFd) -> Result<Attachment, Error> {
        let range = self.settings.pod_range;
        let address = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or(Error::NoAddressLeft { range })?;
        let namespace = Arc::new(namespace);
        let attachment = Attachment {
            address,
            namespace: Arc::clone(&namespace),
            addresses: Arc::clone(&self.addresses),
        };
        self.thread.attach(namespace, address).await?;
        Ok(attachment)
    }

    /// Connects to an address as a process inside a pod's network would.
    pub(crate) async fn connect_in(
        &self,
        namespace: Arc<OwnedFd>,
        address: SocketAddr,
    ) -> io::Result<TcpStream> {
        let socket = self
            .thread
            .call_in(namespace, move || make_socket(address, SocketType::STREAM))
            .await
            .map_err(io::Error::other)??;
        TcpSocket::from_std_stream(socket.into()).connect(address).await
    }
}

fn make_socket(address: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    Ok(socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?)
}

fn open_listener(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = make_socket(address, SocketType::STREAM)?;
    sockopt::set_socket_reuseaddr(socket.as_fd(), true)?;
    bind(&socket, &address)?;
    listen(&socket, 1024)?;
    Ok(socket.into())
}
