//! The control plane: Flumen's own, or the one of Kubernetes.

use std::net::{Ipv4Addr, SocketAddr};

use flumen_apiserver::{ApiServer, Authority};
use flumen_kubelet::NodeNetwork;
use futures::FutureExt;
use kube::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cluster::{API, Part};
use crate::directory::DataDirectory;
use crate::kubernetes::{INSIDE, Kubernetes};
use crate::{Error, Settings, access, passage};

/// How pods reach the API server, inside the node's network.
const ADVERTISED: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 96, 0, 1), 443);

#[derive(Debug)]
pub(crate) enum ControlPlane {
    Own(Box<ApiServer>),
    Kubernetes(Box<Kubernetes>),
}

/// Where the API takes requests: on the host, and inside the node's network.
pub(crate) type Serving = [Part<()>; 2];

impl ControlPlane {
    /// Starts it; on the host it answers at this listener, whose address is `url`.
    pub(crate) async fn start(
        (directory, settings, network): (&DataDirectory, &Settings, &NodeNetwork),
        (listener, url): (std::net::TcpListener, &str),
        stop: &CancellationToken,
    ) -> Result<(Self, Serving), Error> {
        let inside = network.listen_tcp(SocketAddr::from(ADVERTISED));
        let inside = inside.map_err(|source| Error::Listen {
            what: API,
            address: SocketAddr::from(ADVERTISED),
            source,
        })?;
        if let Some(programs) = &settings.control_plane {
            let serving = [pass(listener, network, stop)?, pass(inside, network, stop)?];
            let started = Kubernetes::start(programs, directory, network, url).await?;
            return Ok((Self::Kubernetes(Box::new(started)), serving.map(FutureExt::fuse)));
        }
        let server = start_own(directory, settings, network, stop).await?;
        let serving = [
            server.serve(listener).map_err(Error::ApiServer)?.fuse(),
            server.serve(inside).map_err(Error::ApiServer)?.fuse(),
        ];
        Ok((Self::Own(Box::new(server)), serving))
    }

    pub(crate) fn authority(&self) -> &Authority {
        match self {
            Self::Own(server) => server.authority(),
            Self::Kubernetes(kubernetes) => kubernetes.authority(),
        }
    }

    pub(crate) fn administrator_kubeconfig(&self, url: &str) -> String {
        match self {
            Self::Own(server) => server.administrator_kubeconfig(url),
            Self::Kubernetes(kubernetes) => kubernetes.administrator_kubeconfig(url),
        }
    }

    /// A client that may do everything, as this user where the control plane is ours.
    pub(crate) async fn client(&self, user: &str, url: &str) -> Result<Client, Error> {
        match self {
            Self::Own(server) => {
                Ok(Client::new(server.in_process(user, &["system:masters"]), "default"))
            }
            Self::Kubernetes(_) => access::client(&self.administrator_kubeconfig(url)).await,
        }
    }

    /// Starts the controllers, or the scheduler alone where the others are there.
    pub(crate) fn control(&self, client: Client, stop: CancellationToken) -> JoinHandle<()> {
        match self {
            Self::Own(_) => {
                let root_certificate = Some(self.authority().pem().to_owned());
                let settings = flumen_controllers::Settings { root_certificate };
                flumen_controllers::spawn(client, settings, stop)
            }
            Self::Kubernetes(_) => flumen_controllers::spawn_scheduler(client, stop),
        }
    }

    /// The part that ended by itself; never where there is none that could.
    pub(crate) async fn first_end(&mut self) -> &'static str {
        match self {
            Self::Own(_) => std::future::pending().await,
            Self::Kubernetes(kubernetes) => kubernetes.first_end().await,
        }
    }
}

async fn start_own(
    directory: &DataDirectory,
    settings: &Settings,
    network: &NodeNetwork,
    stop: &CancellationToken,
) -> Result<ApiServer, Error> {
    let settings = flumen_apiserver::Settings {
        data_directory: directory.private("apiserver")?,
        advertised: SocketAddr::from(ADVERTISED),
        dialer: network.dialer(),
        wait_for_disk: settings.wait_for_disk,
        ..flumen_apiserver::Settings::default()
    };
    ApiServer::start(settings, stop.clone()).await.map_err(Error::ApiServer)
}

/// Passes connections on to the API server of Kubernetes.
fn pass(
    listener: std::net::TcpListener,
    network: &NodeNetwork,
    stop: &CancellationToken,
) -> Result<JoinHandle<()>, Error> {
    let failed =
        |source| Error::Listen { what: API, address: SocketAddr::from(ADVERTISED), source };
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;
    let dial = network.dialer();
    let connect = move || dial(SocketAddr::from(INSIDE));
    Ok(tokio::spawn(passage::serve(listener, connect, stop.clone())))
}
