//! Flumen and Flink's client in turns, on the same cluster with the same job.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flumen_e2e::Flumen;

use crate::{
    cluster::{Cluster, Creation},
    figures::{Series, Table},
    peer::{CLUSTER_ID, FLINK, Peer, job_file},
    process::{self, Spent},
};

const JOB: &str = "bench";
/// JVMs of the turn before are gone from the process list a moment before they are gone from the cores.
const BREATH: Duration = Duration::from_secs(1);

pub(crate) struct Contest<'a> {
    flumen: &'a Flumen,
    binary: PathBuf,
    cluster: Cluster,
    peer: Peer,
    /// The job file in two releases, which are both there already.
    files: [PathBuf; 2],
    /// The process of the server.
    server: u32,
    /// How many objects each side creates.
    objects: (usize, usize),
}

/// One submission.
struct Submission {
    command: Spent,
    /// From the start of the command until the last object stood.
    wall: Duration,
    /// The CPU time of the server in that time.
    server: Duration,
    /// When its Deployment stood.
    deployment: Instant,
    objects: usize,
}

impl<'a> Contest<'a> {
    /// Makes both releases, and goes through everything once so that images and caches are warm.
    pub(crate) fn prepare(
        flumen: &'a Flumen,
        binary: &Path,
        directory: &Path,
        (cache, jar): (&Path, &Path),
    ) -> Result<Self> {
        let files = [0, 1].map(|number| directory.join(format!("release-{number}.yaml")));
        for (number, file) in files.iter().enumerate() {
            std::fs::write(file, job_file(JOB, jar, number)).context("no job file")?;
        }
        let kubeconfig = flumen.directory().join("local/kubeconfig");
        let cluster = Cluster::connect(&kubeconfig)?;
        let server = process::family(flumen.id())
            .into_iter()
            .find(|(_, command)| command.split(' ').nth(1) == Some("serve"))
            .map(|(id, _)| id)
            .context("flumen up has no server")?;
        flumen.succeed(&["version", "add", FLINK, "--wait"])?;
        let mut image = String::new();
        for file in &files {
            flumen.succeed(&["apply", "--file", &file.display().to_string()])?;
            cluster.wait_until_all_run(JOB)?;
            let job = flumen.json(&["job", "show", JOB])?;
            job["run"]["image"].as_str().context("the run has no image")?.clone_into(&mut image);
            flumen.succeed(&["job", "cancel", JOB, "--wait"])?;
            cluster.wait_until_gone(JOB)?;
        }
        let home = cache.join("flink").join(FLINK);
        let jar = jar.file_name().unwrap_or_default().to_string_lossy();
        let with_token = directory.join("kubeconfig");
        std::fs::write(&with_token, cluster.kubeconfig_with_token(&kubeconfig)?)
            .context("no kubeconfig for Flink's client")?;
        let peer = Peer::new(&home, directory, &with_token, (&image, &jar))?;
        let binary = binary.to_owned();
        let mut contest = Self { flumen, binary, cluster, peer, files, server, objects: (1, 1) };
        let flumen = contest.apply(0)?.objects;
        contest.end_job()?;
        let peer = contest.run_application()?.objects;
        contest.cluster.wait_until_all_run(CLUSTER_ID)?;
        contest.end_peer()?;
        contest.objects = (flumen, peer);
        Ok(contest)
    }

    /// From a command to objects in the API server.
    pub(crate) fn submit(&self, runs: usize, table: &mut Table) -> Result<()> {
        let (mut flumen, mut peer) = (Submissions::default(), Submissions::default());
        for run in 0..runs {
            // `prepare` ended with release 0, so this starts with the other one: each apply is a change.
            let applied = self.apply((run + 1) % 2)?;
            flumen.push(&applied, applied.server);
            self.end_job()?;
            peer.push(&self.run_application()?, Duration::ZERO);
            self.end_peer()?;
        }
        let (ours, theirs) = self.objects;
        let what = format!("until the last object stands ({ours} and {theirs})");
        table.less(&what, &flumen.wall, &peer.wall, "1 : 50");
        table.less("until the command has ended", &flumen.command, &peer.command, "");
        table.less("CPU of the command and of the server", &flumen.cpu, &peer.cpu, "1 : 100");
        table.less("CPU of the command alone", &flumen.command_cpu, &peer.command_cpu, "");
        Ok(())
    }

    /// From the start to a job all of whose tasks run.
    pub(crate) fn run(&self, runs: usize, table: &mut Table) -> Result<()> {
        let (mut flumen, mut peer) = (Series::default(), Series::default());
        for _ in 0..runs {
            let started = self.start_job()?.command.began;
            flumen.push(self.cluster.wait_until_all_run(JOB)? - started);
            self.end_job()?;
            let deployed = self.run_application()?.deployment;
            peer.push(self.cluster.wait_until_all_run(CLUSTER_ID)? - deployed);
            self.end_peer()?;
        }
        let what = "`flumen job start`; the peer from its Deployment's creation";
        table.times(what, &flumen, &peer, "1.1 ×");
        Ok(())
    }

    fn apply(&self, release: usize) -> Result<Submission> {
        let file = self.files[release].display().to_string();
        self.submission((JOB, self.objects.0), &mut self.command(&["apply", "--file", &file]))
    }

    fn start_job(&self) -> Result<Submission> {
        self.submission((JOB, self.objects.0), &mut self.command(&["job", "start", JOB]))
    }

    fn run_application(&self) -> Result<Submission> {
        self.submission((CLUSTER_ID, self.objects.1), &mut self.peer.command())
    }

    fn submission(
        &self,
        (id, objects): (&str, usize),
        command: &mut Command,
    ) -> Result<Submission> {
        thread::sleep(BREATH);
        let creations = self.cluster.watch(id, self.server)?;
        let server = process::cpu(self.server)?;
        let (_, command) = process::measured(command)?;
        let deployment = creations.deployment()?.at;
        let seen = creations.settled(objects)?;
        let last: &Creation =
            seen.iter().max_by_key(|one| one.at).context("nothing was created")?;
        Ok(Submission {
            command,
            wall: last.at - command.began,
            server: last.cpu.saturating_sub(server),
            deployment,
            objects: seen.len(),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--data-directory").arg(self.flumen.directory());
        command.stdin(Stdio::null());
        command
    }

    fn end_job(&self) -> Result<()> {
        self.flumen.succeed(&["job", "cancel", JOB, "--wait"])?;
        self.cluster.wait_until_gone(JOB)
    }

    fn end_peer(&self) -> Result<()> {
        self.cluster.delete_deployment(CLUSTER_ID)
    }
}

#[derive(Default)]
struct Submissions {
    wall: Series,
    command: Series,
    cpu: Series,
    command_cpu: Series,
}

impl Submissions {
    fn push(&mut self, one: &Submission, server: Duration) {
        self.wall.push(one.wall);
        self.command.push(one.command.wall);
        self.cpu.push(one.command.cpu + server);
        self.command_cpu.push(one.command.cpu);
    }
}
