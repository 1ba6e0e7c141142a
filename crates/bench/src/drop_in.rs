//! The drop-in beside the client that it stands in for: the same arguments and configuration.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    figures::{Series, Table},
    peer::FLINK,
    process::measured,
};

/// How long a JobManager may take to answer.
const START: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(500);

/// `flumen flink` with the arguments of the peer's command.
pub(crate) fn command(binary: &Path, peer: &Command) -> Command {
    let mut command = flumen_e2e::command(binary);
    command.arg("flink").args(peer.get_args()).env("FLINK_VERSION", FLINK).stdin(Stdio::null());
    for (name, value) in peer.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

/// `list` of both sides, at one JobManager that has no jobs.
pub(crate) fn list(binary: &Path, home: &Path, directory: &Path, runs: usize) -> Result<Table> {
    let job_manager = JobManager::start(home, directory)?;
    let peer = || {
        let mut command = Command::new(home.join("bin/flink"));
        command
            .args(["list", "-m", &job_manager.address])
            .env("FLINK_CONF_DIR", &job_manager.configuration)
            .env("FLINK_LOG_DIR", &job_manager.configuration)
            .stdin(Stdio::null());
        command
    };
    job_manager.wait_for(|| command(binary, &peer()))?;
    let (mut walls, mut cpus) =
        ((Series::default(), Series::default()), (Series::default(), Series::default()));
    for _ in 0..runs {
        let (_, ours) = measured(&mut command(binary, &peer()))?;
        let (_, theirs) = measured(&mut peer())?;
        walls.0.push(ours.wall);
        walls.1.push(theirs.wall);
        cpus.0.push(ours.cpu);
        cpus.1.push(theirs.cpu);
    }
    let mut table = Table::new("7. `flumen flink list` beside `flink list`, the same JobManager");
    table.less("until the command has ended", &walls.0, &walls.1, "1 : 50");
    table.less("its CPU", &cpus.0, &cpus.1, "1 : 100");
    Ok(table)
}

/// A JobManager of the distribution, outside of Kubernetes so that both sides reach it alike.
struct JobManager {
    process: Child,
    address: String,
    configuration: PathBuf,
}

impl JobManager {
    fn start(home: &Path, directory: &Path) -> Result<Self> {
        let configuration = directory.join("job-manager-conf");
        std::fs::create_dir_all(&configuration).context("no directory for its configuration")?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = free.context("no free port")?.port();
        let text = format!(
            "rest.address: localhost\nrest.bind-address: localhost\nrest.port: {port}\n\
             jobmanager.rpc.address: localhost\njobmanager.rpc.port: 0\n\
             jobmanager.memory.process.size: 1g\ntaskmanager.memory.process.size: 1g\n"
        );
        std::fs::write(configuration.join("config.yaml"), text).context("no configuration")?;
        let process = Command::new(home.join("bin/jobmanager.sh"))
            .arg("start-foreground")
            .env("FLINK_CONF_DIR", &configuration)
            .env("FLINK_LOG_DIR", &configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start a JobManager")?;
        Ok(Self { process, address: format!("localhost:{port}"), configuration })
    }

    fn wait_for(&self, list: impl Fn() -> Command) -> Result<()> {
        let end = Instant::now() + START;
        loop {
            match measured(list().arg("-Drest.retry.max-attempts=0")) {
                Ok(_) => return Ok(()),
                Err(_) if Instant::now() < end => thread::sleep(LOOK),
                Err(error) => {
                    bail!("the JobManager at {} does not answer: {error:#}", self.address)
                }
            }
        }
    }
}

impl Drop for JobManager {
    fn drop(&mut self) {
        // The script has become the JVM, so this is all of it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
