//! Cluster IPs: a listener per service port inside the node's network, each connection handed to a ready endpoint.
//!
//! A port without ready endpoints has no listener, so that a connection to it is refused at once, as in a real cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    directory::{Directory, Index, Key, Reach},
    network::NodeNetwork,
};

/// How long an endpoint may take to accept.
const CONNECT: Duration = Duration::from_secs(5);

/// Which service's port is behind a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Behind {
    service: Key,
    port: String,
}

/// Keeps the listeners up to date until the future is dropped. `reserved` is served by someone else.
pub(crate) async fn serve(network: NodeNetwork, directory: Directory, reserved: Vec<SocketAddr>) {
    let mut listeners: BTreeMap<SocketAddr, (Behind, AbortOnDrop)> = BTreeMap::new();
    let kept: BTreeSet<IpAddr> = reserved.iter().map(SocketAddr::ip).collect();
    let mut updates = directory.changes();
    loop {
        updates.mark_unchanged();
        let wanted = wanted(&directory.read(), &reserved);
        let before: BTreeSet<IpAddr> = listeners.keys().map(SocketAddr::ip).collect();
        listeners.retain(|address, (behind, _)| wanted.get(address) == Some(behind));
        let mut failed = false;
        for (address, behind) in wanted {
            if listeners.contains_key(&address) {
                continue;
            }
            match network.listen(address).await {
                Ok(listener) => {
                    let task = tokio::spawn(accept(
                        listener,
                        network.clone(),
                        directory.clone(),
                        behind.clone(),
                    ));
                    listeners.insert(address, (behind, AbortOnDrop(task)));
                }
                Err(error) => {
                    tracing::warn!(%address, %error, "could not listen on a cluster IP");
                    failed = true;
                }
            }
        }
        let after: BTreeSet<IpAddr> = listeners.keys().map(SocketAddr::ip).collect();
        for address in before.difference(&after).filter(|address| !kept.contains(address)) {
            if let Err(error) = network.forget_address(*address).await {
                tracing::debug!(%address, %error, "could not remove a cluster IP");
            }
        }
        let again = async {
            if failed {
                tokio::time::sleep(Duration::from_secs(1)).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            changed = updates.changed() => if changed.is_err() { return },
            () = again => {}
        }
    }
}

fn wanted(index: &Index, reserved: &[SocketAddr]) -> BTreeMap<SocketAddr, Behind> {
    let mut wanted = BTreeMap::new();
    for (key, service) in &index.services {
        let Reach::ClusterIp(address) = service.reach else { continue };
        for port in service.ports.iter().filter(|port| port.protocol == "TCP") {
            let address = SocketAddr::from((address, port.number));
            if reserved.contains(&address) || index.targets(key, &port.name).is_empty() {
                continue;
            }
            wanted.insert(address, Behind { service: key.clone(), port: port.name.clone() });
        }
    }
    wanted
}

#[derive(Debug)]
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(listener: TcpListener, network: NodeNetwork, directory: Directory, behind: Behind) {
    let next = Arc::new(AtomicUsize::new(0));
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let targets = directory.read().targets(&behind.service, &behind.port);
                let first = next.fetch_add(1, Ordering::Relaxed);
                // Connections outlive the listener: a service that changes does not cut them.
                tokio::spawn(forward(client, network.clone(), targets, first));
            }
            Err(error) => {
                tracing::debug!(%error, "could not accept a connection to a service");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn forward(
    mut client: TcpStream,
    network: NodeNetwork,
    targets: Vec<SocketAddr>,
    first: usize,
) {
    for step in 0..targets.len() {
        let target = targets[(first + step) % targets.len()];
        let Ok(Ok(mut endpoint)) = tokio::time::timeout(CONNECT, network.connect(target)).await
        else {
            continue;
        };
        // Small answers must not wait for more.
        let _ = (client.set_nodelay(true), endpoint.set_nodelay(true));
        // Copies both ways and passes on the end of each direction by itself.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut endpoint).await;
        return;
    }
    tracing::debug!(?targets, "no endpoint of a service could be reached");
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::directory::{Endpoint, Port, Service};

    fn index(ready: bool) -> Index {
        let port = |name: &str, number, protocol: &str| Port {
            name: name.into(),
            number,
            protocol: protocol.into(),
        };
        let key = ("ns".to_owned(), "s".to_owned());
        let service = Service {
            reach: Reach::ClusterIp(Ipv4Addr::new(10, 96, 0, 9)),
            publish_not_ready: false,
            ports: vec![
                port("a", 80, "TCP"),
                port("b", 81, "TCP"),
                port("a", 80, "UDP"),
                port("c", 443, "TCP"),
            ],
        };
        let endpoint = Endpoint {
            address: Ipv4Addr::new(10, 244, 0, 2),
            hostname: None,
            ready,
            ports: BTreeMap::from([("a".to_owned(), 8080), ("c".to_owned(), 8443)]),
        };
        Index {
            services: BTreeMap::from([(key.clone(), service)]),
            endpoints: BTreeMap::from([(key, vec![endpoint])]),
        }
    }

    #[test]
    fn only_ports_with_ready_endpoints_are_listened_on() {
        let reserved = ["10.96.0.9:443".parse().unwrap()];
        let wanted_now: Vec<_> = wanted(&index(true), &reserved).into_keys().collect();
        assert_eq!(wanted_now, ["10.96.0.9:80".parse().unwrap()]);
        assert!(wanted(&index(false), &reserved).is_empty());
    }
}
