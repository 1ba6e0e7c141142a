//! PostgreSQL in a pod of the local cluster, and a job that reads one of its tables and writes another.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::{
    Flumen, apply_objects,
    job_file::{Pods, SECRET},
    kubectl,
    payment_fee::PAYMENTS,
};

/// Where Debian has the programs of each version of PostgreSQL.
const VERSIONS: &str = "/usr/lib/postgresql";
/// What pod, Service and Secret are called, so that the pods of jobs find the database under this name.
const NAME: &str = "database";
const USER: &str = "flink";
const SHOP: &str = "shop";
/// What PostgreSQL asks a password of: everyone.
const ACCESS: &str = "local all all scram-sha-256\nhost all all all scram-sha-256\n";
/// PostgreSQL does not run as root. It is the user of Flink in the base image.
const USER_ID: u32 = 9999;

/// A row that an earlier job left, which is not what the orders come to.
const STALE: &str = "INSERT INTO revenue VALUES ('Acquirer', 'product-0', 1, 0.01)";

/// A running database, which everyone on this machine who has its password reaches by a socket.
#[derive(Debug)]
pub struct Database<'a> {
    flumen: &'a Flumen,
    programs: PathBuf,
    socket: PathBuf,
    password: String,
}

impl<'a> Database<'a> {
    /// Starts PostgreSQL, on the base image of this Flink version, and makes the tables of the job in it. Its data goes with its
    /// pod; the socket lies in `directory`.
    ///
    /// # Errors
    /// If PostgreSQL is not installed, or does not start.
    pub fn start(flumen: &'a Flumen, version: &str, directory: &Path) -> Result<Self> {
        let programs = programs()?;
        let socket = directory.join("socket");
        fs::create_dir_all(&socket).context("no directory for the socket")?;
        // Users of pods are others to this machine.
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777))
            .context("could not open the directory of the socket to all")?;
        let database = Self { flumen, programs, socket, password: password()? };
        database.apply(&base_image(flumen, version)?)?;
        database.wait()?;
        database.make_tables()?;
        Ok(database)
    }

    fn apply(&self, image: &str) -> Result<()> {
        let metadata = json!({"name": NAME, "namespace": "default", "labels": {"app": NAME}});
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata,
            "stringData": {
                "password": self.password,
                "pgpass": format!("{NAME}:5432:{SHOP}:{USER}:{}\n", self.password),
                "pg_hba.conf": ACCESS,
            },
        });
        let program = |name: &str| self.programs.join(name);
        let mounts = json!([
            {"name": "data", "mountPath": "/data"},
            {"name": "socket", "mountPath": "/socket"},
            {"name": "secret", "mountPath": SECRET, "readOnly": true},
        ]);
        let initdb = json!([
            program("initdb"),
            "--pgdata=/data/database",
            format!("--username={USER}"),
            format!("--pwfile={SECRET}/password"),
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        let postgres = json!([
            program("postgres"),
            "-D",
            "/data/database",
            "-c",
            "listen_addresses=*",
            "-c",
            "unix_socket_directories=/socket",
            "-c",
            format!("hba_file={SECRET}/pg_hba.conf"),
        ]);
        let is_ready = json!([program("pg_isready"), "--host=/socket"]);
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {
                "securityContext": {
                    "runAsUser": USER_ID, "runAsGroup": USER_ID, "runAsNonRoot": true,
                },
                "initContainers": [
                    {"name": "initdb", "image": image, "command": initdb, "volumeMounts": mounts},
                ],
                "containers": [{
                    "name": "postgres", "image": image, "command": postgres, "volumeMounts": mounts,
                    "readinessProbe": {"exec": {"command": is_ready}, "periodSeconds": 1},
                }],
                "volumes": [
                    {"name": "data", "emptyDir": {}},
                    {"name": "socket", "hostPath": {"path": self.socket, "type": "Directory"}},
                    {"name": "secret", "secret": {"secretName": NAME}},
                ],
            },
        });
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {
                "selector": {"app": NAME}, "ports": [{"port": 5432, "targetPort": 5432}],
            },
        });
        apply_objects(&self.flumen.kubeconfig(), &[secret, pod, service])
    }

    fn wait(&self) -> Result<()> {
        let wait = ["wait", "--for=condition=Ready", "pod/database", "--timeout=2m"];
        let waited = kubectl(&self.flumen.kubeconfig(), &wait)?;
        if !waited.status.success() {
            let logs = ["logs", NAME, "--all-containers", "--tail=10"];
            let logs = kubectl(&self.flumen.kubeconfig(), &logs)?;
            let [said, logs] = [&waited.stderr, &logs.stdout].map(|it| String::from_utf8_lossy(it));
            bail!("the database is not ready: {}\n{logs}", said.trim());
        }
        Ok(())
    }

    fn make_tables(&self) -> Result<()> {
        self.ask("postgres", &format!("CREATE DATABASE {SHOP}"))?;
        let mut tables = "CREATE TABLE providers (payment text PRIMARY KEY, provider text NOT NULL);
            CREATE TABLE revenue (provider text, product text, orders bigint NOT NULL, amount numeric(38, 2) NOT NULL,
                PRIMARY KEY (provider, product));"
            .to_owned();
        for payment in &PAYMENTS {
            let (name, provider) = (payment.name, payment.provider);
            let _ = write!(tables, "INSERT INTO providers VALUES ('{name}', '{provider}');");
        }
        self.ask(SHOP, &format!("{tables}{STALE}")).map(drop)
    }

    /// The rows that the job wrote, as `psql` prints them: a line each, with commas.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn rows(&self) -> Result<String> {
        self.ask(SHOP, "SELECT provider, product, orders, amount FROM revenue")
    }

    fn ask(&self, database: &str, statements: &str) -> Result<String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--no-password", "--csv", "--tuples-only", "--quiet"])
            .args(["--set", "ON_ERROR_STOP=1", "--username", USER, "--dbname", database])
            .args(["--port", "5432", "--host"])
            .arg(&self.socket)
            .args(["--command", statements])
            .env("PGPASSWORD", &self.password)
            .stdin(Stdio::null())
            .output()
            .context("could not run psql")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "psql: {}", said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Ends the database and removes what was made for it.
    ///
    /// # Errors
    /// If that is refused.
    pub fn stop(self) -> Result<()> {
        let delete = ["delete", "pod/database", "service/database", "secret/database", "--now"];
        let deleted = kubectl(&self.flumen.kubeconfig(), &delete)?;
        let said = String::from_utf8_lossy(&deleted.stderr);
        ensure!(deleted.status.success(), "kubectl delete: {}", said.trim());
        Ok(())
    }

    /// The password, which must be nowhere but in the Secret.
    pub fn password(&self) -> &str {
        &self.password
    }
}

/// The programs of the newest PostgreSQL on this machine, which pods see too.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let servers = versions.map(|it| it.path()).filter(|it| it.join("bin/postgres").exists());
    let newest = servers.max_by_key(|path| number(path));
    let newest = newest.with_context(|| {
        format!(
            "there is no PostgreSQL in {VERSIONS}: install it with `apt-get install postgresql`"
        )
    })?;
    Ok(newest.join("bin"))
}

/// The base image of a Flink version in the local registry.
///
/// # Errors
/// If the version was not added.
pub fn base_image(flumen: &Flumen, version: &str) -> Result<String> {
    let shown = flumen.json(&["version", "show", version])?;
    let environment = flumen.json(&["environment", "show", "local"])?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let registry = text(&environment["registry"]).context("the environment has no registry")?;
    let image = text(&shown["baseImage"]).context("the version has no base image")?;
    Ok(format!("{registry}/{image}"))
}

fn password() -> Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    let mut random = fs::File::open("/dev/urandom").context("no random numbers")?;
    random.read_exact(&mut bytes).context("no random numbers")?;
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// A script that reads a table of the database and writes another, by `INSERT … ON CONFLICT DO UPDATE`, as orders come.
pub const DATABASE_SCRIPT: &str = "-- Revenue by provider of payments and product, in a database. As a stream, the join would keep every order in memory.
SET 'execution.runtime-mode' = 'batch';

CREATE TABLE orders (id BIGINT, product STRING, payment STRING, amount DECIMAL(10, 2), ordered_at TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = 'file:///data/input/orders.csv', 'format' = 'csv');

CREATE TABLE providers (payment STRING, provider STRING)
WITH (
  'connector' = 'jdbc', 'url' = 'jdbc:postgresql://database:5432/shop?user=flink', 'table-name' = 'providers'
);

CREATE TABLE revenue (
  provider STRING, product STRING, orders BIGINT, amount DECIMAL(38, 2),
  PRIMARY KEY (provider, product) NOT ENFORCED
) WITH (
  'connector' = 'jdbc', 'url' = 'jdbc:postgresql://database:5432/shop?user=flink', 'table-name' = 'revenue',
  'sink.buffer-flush.max-rows' = '20000'
);

INSERT INTO revenue
SELECT provider, product, COUNT(*), SUM(amount)
FROM orders JOIN providers ON orders.payment = providers.payment
GROUP BY provider, product;
";

/// The job file of that script, which lies beside it as `revenue.sql`; the path is the node's. PostgreSQL's driver takes the password
/// from the Secret, as `psql` would.
pub fn database_job_file(name: &str, version: &str, input: &Path) -> String {
    let passwords = format!("{SECRET}/pgpass");
    let variable = Some(("PGPASSFILE", passwords.as_str()));
    let pods = Pods { input: Some(input), secret: Some(NAME), variable, ..Pods::default() };
    format!(
        "name: {name}
environment: local
flinkVersion: {version}
kind: sql
artifact: revenue.sql
dependencies:
  - {{maven: \"org.apache.flink:flink-connector-jdbc:3.3.0-1.20\", role: lib}}
  - {{maven: \"org.postgresql:postgresql:42.7.11\", role: lib}}
parallelism: 1
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 1}}
{}",
        pods.templates()
    )
}
