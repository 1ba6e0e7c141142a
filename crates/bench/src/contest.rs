//! Flumen and Flink's client in turns, on the same cluster with the same job.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flumen_e2e::{Flumen, processes::family};

use crate::{
    cluster::{Cluster, Creation},
    drop_in,
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
        let server = family(flumen.id())
            .into_iter()
            .find(|(_, command)| command.split(' ').nth(1) == Some("serve"))
            .map(|(id, _)| id)
            .context("flumen up has no server")?;
        flumen.succeed(&["version", "add", FLINK, "--wait"])?;
        flumen.succeed(&["apply", "--file", &files[0].display().to_string()])?;
        cluster.wait_until_all_run(JOB)?;
        let job = flumen.json(&["job", "show", JOB])?;
        let image = job["run"]["image"].as_str().context("the run has no image")?;
        let home = cache.join("flink").join(FLINK);
        let jar = jar.file_name().unwrap_or_default().to_string_lossy();
        let peer = Peer::new(&home, directory, &kubeconfig, (image, &jar))?;
        let binary = binary.to_owned();
        let mut contest = Self { flumen, binary, cluster, peer, files, server, objects: (1, 1) };
        contest.end_job()?;
        let flumen = contest.apply(1)?.objects;
        contest.cluster.wait_until_all_run(JOB)?;
        contest.end_job()?;
        let peer = contest.run_application()?.objects;
        contest.cluster.wait_until_all_run(CLUSTER_ID)?;
        contest.end_peer()?;
        contest.objects = (flumen, peer);
        Ok(contest)
    }

    /// Each side in its turn; each turn ends only when all tasks ran.
    pub(crate) fn rounds(&self, runs: usize) -> Result<Rounds> {
        let mut rounds = Rounds { objects: self.objects, ..Rounds::default() };
        for run in 0..runs {
            // `prepare` ended with release 1, so this starts with the other one: each apply is a change.
            let applied = self.apply(run % 2)?;
            rounds.applied.push(&applied, self.cluster.wait_until_all_run(JOB)?);
            self.end_job()?;
            let started = self.start_job()?;
            rounds.started.push(&started, self.cluster.wait_until_all_run(JOB)?);
            self.end_job()?;
            // The server has no part in what the peer does.
            let submitted = Submission { server: Duration::ZERO, ..self.run_application()? };
            rounds.peer.push(&submitted, self.cluster.wait_until_all_run(CLUSTER_ID)?);
            self.end_peer()?;
            let submitted = Submission { server: Duration::ZERO, ..self.drop_in()? };
            rounds.drop_in.push(&submitted, self.cluster.wait_until_all_run(CLUSTER_ID)?);
            self.end_peer()?;
        }
        Ok(rounds)
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

    /// The drop-in with the peer's arguments.
    fn drop_in(&self) -> Result<Submission> {
        let mut command = drop_in::command(&self.binary, &self.peer.command());
        self.submission((CLUSTER_ID, self.objects.1), &mut command)
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
        let mut command = flumen_e2e::command(&self.binary);
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

/// The figures of all turns.
#[derive(Default)]
pub(crate) struct Rounds {
    applied: Turns,
    started: Turns,
    peer: Turns,
    drop_in: Turns,
    /// How many objects each side created.
    objects: (usize, usize),
}

#[derive(Default)]
struct Turns {
    /// Until the last object stood, from the start of the command.
    objects: Series,
    /// Until the command had ended.
    command: Series,
    /// CPU time of the command, and with the share of the server until the last object stood.
    command_cpu: Series,
    cpu: Series,
    /// Until all tasks ran, from the start of the command.
    running: Series,
    /// The same from the moment when the Deployment stood.
    running_deployed: Series,
}

impl Turns {
    fn push(&mut self, one: &Submission, running: Instant) {
        self.objects.push(one.wall);
        self.command.push(one.command.wall);
        self.command_cpu.push(one.command.cpu);
        self.cpu.push(one.command.cpu + one.server);
        self.running.push(running - one.command.began);
        self.running_deployed.push(running - one.deployment);
    }
}

impl Rounds {
    /// From a command to objects in the API server.
    pub(crate) fn submission(&self) -> Table {
        let mut table = Table::new(
            "3. Submit: `flumen apply` of an existing release beside `flink run-application`, in turns",
        );
        let (ours, theirs) = self.objects;
        let Self { applied, started, peer, .. } = self;
        let what = format!("until the last object stands ({ours} and {theirs})");
        table.less(&what, &applied.objects, &peer.objects, "1 : 50");
        table.less("until the command has ended", &applied.command, &peer.command, "");
        table.less("CPU of the command and of the server", &applied.cpu, &peer.cpu, "1 : 100");
        table.less("CPU of the command", &applied.command_cpu, &peer.command_cpu, "");
        let what = "`flumen job start` until the last object stands";
        table.less(what, &started.objects, &peer.objects, "");
        table.less("its CPU and that of the server", &started.cpu, &peer.cpu, "");
        table
    }

    /// The drop-in beside what it stands in for.
    pub(crate) fn drop_in(&self) -> Table {
        let mut table = Table::new(
            "6. `flumen flink run-application` beside `flink run-application`, in the same turns",
        );
        let (ours, theirs) = (&self.drop_in, &self.peer);
        table.less("until the last object stands", &ours.objects, &theirs.objects, "1 : 50");
        table.less("until the command has ended", &ours.command, &theirs.command, "1 : 50");
        table.less("CPU of the command", &ours.command_cpu, &theirs.command_cpu, "1 : 100");
        let what = "to all tasks RUNNING, from the Deployment's creation";
        table.times(what, &ours.running_deployed, &theirs.running_deployed, "");
        table
    }

    /// From the start to a job all of whose tasks run.
    pub(crate) fn running(&self) -> Table {
        let mut table = Table::new("4. To all tasks RUNNING, in the same turns");
        let Self { applied, started, peer, .. } = self;
        let peer = &peer.running_deployed;
        let what = "from `flumen job start`; the peer from its Deployment's creation";
        table.times(what, &started.running, peer, "1.1 ×");
        let what = "from `flumen apply`; the peer from its Deployment's creation";
        table.times(what, &applied.running, peer, "");
        let what = "both from their Deployment's creation";
        table.times(what, &started.running_deployed, peer, "");
        let what = "from the commands";
        table.times(what, &started.running, &self.peer.running, "");
        table
    }
}
