//! What an API server is started with.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::net::TcpStream;

/// Connects to an address of the pod network, which this process may not be part of.
pub type Dialer =
    Arc<dyn Fn(SocketAddr) -> BoxFuture<'static, io::Result<TcpStream>> + Send + Sync>;

/// A block of IPv4 addresses, such as `10.96.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    /// The first address of the block.
    pub base: Ipv4Addr,
    /// How many leading bits all addresses of the block share (8 to 30).
    pub prefix: u8,
}

impl AddressRange {
    /// Whether the address lies in the block.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX << (32 - u32::from(self.prefix.clamp(1, 32)));
        u32::from(self.base) & mask == u32::from(address) & mask
    }

    /// How many addresses the block has.
    pub fn size(&self) -> u32 {
        1 << (32 - u32::from(self.prefix.clamp(8, 30)))
    }

    /// The address with this offset in the block.
    pub fn nth(&self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.base).wrapping_add(offset))
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.prefix)
    }
}

/// What an API server is started with.
#[derive(Clone)]
pub struct Settings {
    /// Where state, keys and tokens are kept. Default: `apiserver` in the current directory.
    pub data_directory: PathBuf,
    /// Where cluster IPs of services come from. Default: `10.96.0.0/16`.
    pub service_range: AddressRange,
    /// The first and last port for services of type `NodePort`. Default: 30000 to 32767.
    pub node_ports: (u16, u16),
    /// The address under which pods reach this server, shown by the service `kubernetes`. Default: `10.96.0.1:443`.
    pub advertised: SocketAddr,
    /// Further names and addresses in the server's certificate. Default: none.
    pub server_names: Vec<String>,
    /// How the proxy reaches pods. Default: an ordinary connect.
    pub dialer: Dialer,
    /// How many events of each kind a watch can look back on. Default: 2048.
    pub watch_window: usize,
    /// How often a watch that wants bookmarks gets one. Default: 60 s.
    pub bookmark_interval: Duration,
    /// How long an event is kept after it was last seen. Default: 1 h.
    pub event_lifetime: Duration,
    /// The log is folded into a snapshot when it is longer than this and longer than twice the last snapshot. Default: 8 MiB.
    pub compact_after_bytes: u64,
    /// Whether a write is answered only after it reached the disk. Default: true.
    /// Without it a crash of the process loses nothing, a power failure may.
    pub wait_for_disk: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_directory: PathBuf::from("apiserver"),
            service_range: AddressRange { base: Ipv4Addr::new(10, 96, 0, 0), prefix: 16 },
            node_ports: (30_000, 32_767),
            advertised: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 96, 0, 1)), 443),
            server_names: Vec::new(),
            dialer: Arc::new(|address| Box::pin(TcpStream::connect(address))),
            watch_window: 2048,
            bookmark_interval: Duration::from_mins(1),
            event_lifetime: Duration::from_hours(1),
            compact_after_bytes: 8 << 20,
            wait_for_disk: true,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("data_directory", &self.data_directory)
            .field("service_range", &self.service_range)
            .field("advertised", &self.advertised)
            .finish_non_exhaustive()
    }
}
