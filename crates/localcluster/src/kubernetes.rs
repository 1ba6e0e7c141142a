//! The control plane of Kubernetes itself: etcd, kube-apiserver and kube-controller-manager as processes in the node's
//! network, where they reach the pods and pods reach them. The node and its pods are this project's own.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use flumen_apiserver::Authority;
use flumen_kubelet::NodeNetwork;
use kube::Client;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::directory::DataDirectory;
use crate::{Error, access};

/// Where the API server listens, in the node's network.
pub(crate) const INSIDE: ([u8; 4], u16) = ([127, 0, 0, 1], 6443);
const ETCD: &str = "http://127.0.0.1:2379";
const ETCD_PEERS: &str = "http://127.0.0.1:2380";
const ADMINISTRATOR: &str = "kubernetes-admin";
const SERVICE_RANGE: &str = "10.96.0.0/16";
/// The key of the tokens of service accounts, and its certificate.
const ACCOUNTS: &str = "accounts.pem";
/// By these names and addresses the API server is called.
const NAMES: [&str; 6] = [
    "kubernetes.default.svc",
    "kubernetes.default",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
    "10.96.0.1",
];
/// They take four seconds on a quiet machine.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A control plane that runs. Its processes are killed when this is dropped, and die with this process; etcd loses
/// nothing by that.
pub(crate) struct Kubernetes {
    authority: Authority,
    token: String,
    processes: Vec<(&'static str, Child)>,
    directory: PathBuf,
}

/// Where the programs are, and how the node's network is entered.
struct Programs<'a> {
    directory: &'a Path,
    namespace: String,
}

impl Kubernetes {
    /// Starts the programs of a directory; `url` is how this process reaches the API server.
    pub(crate) async fn start(
        programs: &Path,
        directory: &DataDirectory,
        network: &NodeNetwork,
        url: &str,
    ) -> Result<Self, Error> {
        let place = directory.private("kubernetes")?;
        let authority = Authority::open(&place).map_err(Error::ApiServer)?;
        let token = directory.kept_private("kubernetes/token", access::random_token)?;
        let line = format!("{token},{ADMINISTRATOR},{ADMINISTRATOR},system:masters\n");
        directory.write_private("kubernetes/tokens", &line)?;
        for (name, (certificate, key)) in [
            (
                "server",
                authority.issue_server(&NAMES.map(str::to_owned)).map_err(Error::ApiServer)?,
            ),
            (
                "kubelet-client",
                authority
                    .issue_client("kube-apiserver-kubelet-client", &[])
                    .map_err(Error::ApiServer)?,
            ),
        ] {
            directory.write_private(&format!("kubernetes/{name}.crt"), &certificate)?;
            directory.write_private(&format!("kubernetes/{name}.key"), &key)?;
        }
        let accounts = authority.issue_client("service-accounts", &[]).map_err(Error::ApiServer)?;
        // The API server takes the public half of such a key from a certificate only.
        directory.kept_private(&format!("kubernetes/{ACCOUNTS}"), || accounts.1 + &accounts.0)?;
        let inside = format!("https://{}", SocketAddr::from(INSIDE));
        let manager = "system:kube-controller-manager";
        let kubeconfig = authority.kubeconfig(&inside, manager, &["system:masters"]);
        let kubeconfig = kubeconfig.map_err(Error::ApiServer)?;
        directory.write_private("kubernetes/manager.kubeconfig", &kubeconfig)?;
        let mut kubernetes = Self { authority, token, processes: Vec::new(), directory: place };
        let namespace = network.namespace().map_err(Error::Network)?;
        let programs = Programs { directory: programs, namespace };
        let at = network.node_address().to_string();
        kubernetes.spawn(&programs, "etcd", kubernetes.etcd())?;
        kubernetes.spawn(&programs, "kube-apiserver", kubernetes.api_server(&at))?;
        let client = access::client(&kubernetes.administrator_kubeconfig(url)).await?;
        kubernetes.ready(&client).await?;
        kubernetes.spawn(&programs, "kube-controller-manager", kubernetes.controller_manager())?;
        Ok(kubernetes)
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) fn administrator_kubeconfig(&self, url: &str) -> String {
        let credential = serde_json::json!({"token": self.token});
        self.authority.kubeconfig_with(url, ADMINISTRATOR, &credential)
    }

    /// Waits for the first program that ends, which none does by itself.
    pub(crate) async fn first_end(&mut self) -> &'static str {
        let ends = self.processes.iter_mut().map(|(name, process)| {
            Box::pin(async move {
                let _ = process.wait().await;
                *name
            })
        });
        futures::future::select_all(ends).await.0
    }

    fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn spawn(
        &mut self,
        programs: &Programs<'_>,
        name: &'static str,
        arguments: Vec<String>,
    ) -> Result<(), Error> {
        let path = programs.directory.join(name);
        let failed = |source| Error::Program { path: path.clone(), source };
        if !path.is_file() {
            return Err(failed(io::Error::from(io::ErrorKind::NotFound)));
        }
        let log = File::create(self.file(&format!("{name}.log"))).map_err(failed)?;
        let entered: [OsString; 6] = [
            "--pdeathsig".into(),
            "KILL".into(),
            "nsenter".into(),
            format!("--net={}", programs.namespace).into(),
            "--".into(),
            path.clone().into(),
        ];
        let process = Command::new("setpriv")
            .args(entered)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        self.processes.push((name, process));
        Ok(())
    }

    fn etcd(&self) -> Vec<String> {
        vec![
            format!("--data-dir={}", self.file("etcd")),
            format!("--listen-client-urls={ETCD}"),
            format!("--advertise-client-urls={ETCD}"),
            format!("--listen-peer-urls={ETCD_PEERS}"),
        ]
    }

    fn api_server(&self, advertised: &str) -> Vec<String> {
        let accounts = self.file(ACCOUNTS);
        let port = INSIDE.1;
        let authority = self.file("ca.crt");
        vec![
            format!("--etcd-servers={ETCD}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--advertise-address={advertised}"),
            format!("--tls-cert-file={}", self.file("server.crt")),
            format!("--tls-private-key-file={}", self.file("server.key")),
            format!("--client-ca-file={authority}"),
            format!("--token-auth-file={}", self.file("tokens")),
            format!("--kubelet-certificate-authority={authority}"),
            format!("--kubelet-client-certificate={}", self.file("kubelet-client.crt")),
            format!("--kubelet-client-key={}", self.file("kubelet-client.key")),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            format!("--service-cluster-ip-range={SERVICE_RANGE}"),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-signing-key-file={accounts}"),
            format!("--service-account-key-file={accounts}"),
        ]
    }

    fn controller_manager(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.file("manager.kubeconfig")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--use-service-account-credentials=false".to_owned(),
            format!("--service-account-private-key-file={}", self.file(ACCOUNTS)),
            format!("--root-ca-file={}", self.file("ca.crt")),
        ]
    }

    async fn ready(&mut self, client: &Client) -> Result<(), Error> {
        let end = Instant::now() + PATIENCE;
        loop {
            let request = http::Request::get("/readyz").body(Vec::new());
            let request = request.map_err(|error| Error::Client(error.into()))?;
            if client.request_text(request).await.is_ok() {
                return Ok(());
            }
            for (name, process) in &mut self.processes {
                let ended = process.try_wait().ok().flatten().is_some();
                if ended || Instant::now() > end {
                    let log = self.directory.join(format!("{name}.log"));
                    return Err(Error::ControlPlane { program: name, log });
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Kubernetes").field("directory", &self.directory).finish_non_exhaustive()
    }
}
