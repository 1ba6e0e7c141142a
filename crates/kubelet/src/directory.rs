//! Services and their endpoints, reduced to what names, proxies and environments need.

mod feed;
mod reduce;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use tokio::sync::watch;

pub(crate) use feed::feed;

/// Namespace and name.
pub(crate) type Key = (String, String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) reach: Reach,
    pub(crate) publish_not_ready: bool,
    pub(crate) ports: Vec<Port>,
}

/// How a service is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By an address of its own.
    ClusterIp(Ipv4Addr),
    /// By the addresses of its pods.
    Headless,
    /// By another name.
    ExternalName(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) number: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub(crate) protocol: String,
}

/// An address behind a service, with the ports it has under the service's port names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: Ipv4Addr,
    pub(crate) hostname: Option<String>,
    pub(crate) ready: bool,
    pub(crate) ports: BTreeMap<String, u16>,
}

impl Endpoint {
    /// The label under which this address is found below a headless service.
    pub(crate) fn label(&self) -> String {
        self.hostname.clone().unwrap_or_else(|| self.address.to_string().replace('.', "-"))
    }
}

/// The whole directory at one moment.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) services: BTreeMap<Key, Service>,
    pub(crate) endpoints: BTreeMap<Key, Vec<Endpoint>>,
}

impl Index {
    pub(crate) fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        self.services.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The endpoints that a name of the service stands for.
    pub(crate) fn published(&self, namespace: &str, name: &str) -> impl Iterator<Item = &Endpoint> {
        let key = (namespace.to_owned(), name.to_owned());
        let all = self.services.get(&key).is_some_and(|service| service.publish_not_ready);
        self.endpoints.get(&key).into_iter().flatten().filter(move |endpoint| endpoint.ready || all)
    }

    /// Where a connection to a port of the service may go.
    pub(crate) fn targets(&self, key: &Key, port: &str) -> Vec<SocketAddr> {
        let endpoints = self.endpoints.get(key).into_iter().flatten();
        endpoints
            .filter(|endpoint| endpoint.ready)
            .filter_map(|endpoint| {
                Some(SocketAddr::from((endpoint.address, *endpoint.ports.get(port)?)))
            })
            .collect()
    }
}

/// Shared, always up to date.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    index: Arc<RwLock<Index>>,
    version: Arc<watch::Sender<u64>>,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self { index: Arc::default(), version: Arc::new(watch::channel(0).0) }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the index and tells everyone who watches, if `change` says that something is new.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Index) -> bool) {
        let changed = change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner));
        if changed {
            self.version.send_modify(|version| *version += 1);
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}
