//! A real control plane: built from its published modules, and run as plain processes for as long as it is asked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

pub use self::build::build;
use crate::Target;

mod build;

/// The Kubernetes that `control-plane/go.mod` names.
const VERSION: &str = "v1.34.4";
/// Where pods would reach the server. It refuses to name a loopback address, and nobody connects to this one.
const ADVERTISED: &str = "10.99.0.1";
const ETCD: &str = "http://127.0.0.1:2379";
const PORT: u16 = 16443;
const TOKEN: &str = "conformance";
/// Those whose work the local cluster does too. There is no scheduler: no case has a node for its pods.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,garbage-collector-controller,\
    endpoints-controller,endpointslice-controller,resourcequota-controller,serviceaccount-controller,\
    root-ca-certificate-publisher-controller,namespace-controller,clusterrole-aggregation-controller";
const PATIENCE: Duration = Duration::from_mins(2);
/// How often it is asked whether something is ready.
const PAUSE: Duration = Duration::from_millis(100);

/// A running control plane. Its processes are killed when this is dropped.
pub struct Kubernetes {
    target: Target,
    processes: Vec<Child>,
    directory: tempfile::TempDir,
}

impl Kubernetes {
    /// The version of what is started.
    pub const VERSION: &'static str = VERSION;

    /// Starts etcd, the API server and the controller manager from the programs in a directory. Their ports are
    /// fixed, so this wants a network namespace of its own.
    ///
    /// # Errors
    /// If a program cannot be started, or is not ready in time.
    pub async fn start(programs: &Path) -> Result<Self> {
        let directory = tempfile::tempdir().context("could not make a directory")?;
        let target = Target {
            url: format!("https://127.0.0.1:{PORT}"),
            authority: String::new(),
            token: TOKEN.to_owned(),
        };
        let mut kubernetes = Self { target, processes: Vec::new(), directory };
        kubernetes.write_credentials()?;
        kubernetes.spawn(programs, "etcd", kubernetes.etcd())?;
        kubernetes.until_forgotten().await?;
        kubernetes.spawn(programs, "kube-apiserver", kubernetes.api_server())?;
        let certificate = kubernetes.place("pki/apiserver.crt");
        kubernetes.until_ready(&certificate).await?;
        kubernetes.write_kubeconfig(&certificate)?;
        kubernetes.spawn(programs, "kube-controller-manager", kubernetes.controller_manager())?;
        Ok(kubernetes)
    }

    /// Where it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The processes' names and what they say lie here.
    fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn spawn(&mut self, programs: &Path, name: &str, arguments: Vec<String>) -> Result<()> {
        let log = fs::File::create(self.place(&format!("{name}.log")))?;
        let child = Command::new(programs.join(name))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        self.processes.push(child);
        Ok(())
    }

    fn write_credentials(&self) -> Result<()> {
        let key = rcgen::KeyPair::generate().context("could not make a key")?;
        fs::write(self.place("accounts.key"), key.serialize_pem())?;
        fs::write(self.place("accounts.pub"), key.public_key_pem())?;
        fs::write(self.place("tokens"), format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
        Ok(())
    }

    fn write_kubeconfig(&self, certificate: &Path) -> Result<()> {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "admin",
            "clusters": [{"name": "admin", "cluster": {"server": self.target.url, "certificate-authority": certificate}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "admin", "context": {"cluster": "admin", "user": "admin"}}],
        });
        fs::write(self.place("kubeconfig"), kubeconfig.to_string())?;
        Ok(())
    }

    fn etcd(&self) -> Vec<String> {
        vec![
            format!("--data-dir={}", self.place("etcd").display()),
            format!("--listen-client-urls={ETCD}"),
            format!("--advertise-client-urls={ETCD}"),
            "--listen-peer-urls=http://127.0.0.1:2380".to_owned(),
            "--unsafe-no-fsync".to_owned(),
        ]
    }

    fn api_server(&self) -> Vec<String> {
        let key = self.place("accounts.key");
        vec![
            format!("--etcd-servers={ETCD}"),
            // What is old is what this program compacted, and nothing more.
            "--etcd-compaction-interval=0".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={PORT}"),
            format!("--advertise-address={ADVERTISED}"),
            format!("--cert-dir={}", self.place("pki").display()),
            format!("--token-auth-file={}", self.place("tokens").display()),
            "--authorization-mode=RBAC".to_owned(),
            // As the local cluster has it.
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-signing-key-file={}", key.display()),
            format!("--service-account-key-file={}", self.place("accounts.pub").display()),
        ]
    }

    fn controller_manager(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.place("kubeconfig").display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            format!("--service-account-private-key-file={}", self.place("accounts.key").display()),
            format!("--root-ca-file={}", self.place("pki/apiserver.crt").display()),
            format!("--controllers={CONTROLLERS}"),
        ]
    }

    /// Waits until etcd answers, and has it drop its first revisions, so that there are some that are too old.
    async fn until_forgotten(&mut self) -> Result<()> {
        let end = tokio::time::Instant::now() + PATIENCE;
        while let Err(error) = forget_history().await {
            self.check(end).with_context(|| format!("{error:#}"))?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Waits until the API server says that it is ready. It makes its own certificate, which is then known.
    async fn until_ready(&mut self, certificate: &Path) -> Result<()> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Ok(authority) = fs::read_to_string(certificate)
                && !authority.is_empty()
            {
                self.target.authority = authority;
                let client = self.target.client()?;
                let request = client.get(format!("{}/readyz", self.target.url)).bearer_auth(TOKEN);
                if request.send().await.is_ok_and(|answer| answer.status().is_success()) {
                    return Ok(());
                }
            }
            self.check(end)?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// All programs must run, and there must be time left.
    fn check(&mut self, end: tokio::time::Instant) -> Result<()> {
        for child in &mut self.processes {
            ensure!(
                child.try_wait()?.is_none(),
                "a program ended at once:\n{}",
                last_words(&self.directory)
            );
        }
        let late = tokio::time::Instant::now() > end;
        ensure!(!late, "the control plane was not ready in time:\n{}", last_words(&self.directory));
        Ok(())
    }
}

/// The last lines that the programs wrote.
fn last_words(directory: &tempfile::TempDir) -> String {
    let mut words = String::new();
    for name in ["etcd", "kube-apiserver"] {
        let log = directory.path().join(format!("{name}.log"));
        let log = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        for line in lines.into_iter().rev() {
            words.push_str(line);
            words.push('\n');
        }
    }
    words
}

/// Makes some revisions and drops them, before there is anything.
async fn forget_history() -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let ask = async |path: &str, body: Value| -> Result<Value> {
        let answer =
            client.post(format!("{ETCD}/v3/kv/{path}")).body(body.to_string()).send().await?;
        Ok(serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?)
    };
    let mut revision = Value::Null;
    for _ in 0..8 {
        // "a", a key that nobody else looks at, in base64 as etcd wants it.
        let put = ask("put", json!({"key": "YQ==", "value": "YQ=="}))
            .await
            .context("etcd did not answer")?;
        revision = put["header"]["revision"].clone();
    }
    let compact = ask("compaction", json!({"revision": revision, "physical": true})).await;
    compact.context("etcd did not compact")?;
    Ok(())
}
