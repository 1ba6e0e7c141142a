//! A streaming job with state through everything that may happen to it: the steps of the demo, and of a
//! test that takes them for each Flink version.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{Flumen, processes};

const JOB: &str = "state-machine";
/// How long a Flink cluster may take to start, recover or end on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(4);
const WAIT: &str = "4m";
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How often the server is killed during one stop, each time as soon as it answers again.
const SERVER_KILLS: usize = 5;

/// What Flink's entry points are called, by which their processes are found.
const JOB_MANAGER: &str = "KubernetesApplicationClusterEntrypoint";
const TASK_MANAGER: &str = "KubernetesTaskExecutorRunner";

/// An option that got another name.
#[derive(Clone, Copy)]
struct Renamed {
    old: &'static str,
    since: [u32; 2],
    new: &'static str,
}

const RESTARTS: Renamed =
    Renamed { old: "restart-strategy", since: [1, 17], new: "restart-strategy.type" };
const RETAINED: Renamed = Renamed {
    old: "state.checkpoints.num-retained",
    since: [1, 20],
    new: "execution.checkpointing.num-retained",
};

/// One step: what it is called, and what it does.
pub type StreamingStep<'a> = (&'static str, fn(&mut Streaming<'a>) -> Result<String>);

/// A streaming job with state, on its way through the steps.
#[derive(Debug)]
pub struct Streaming<'a> {
    /// The server and the local cluster.
    pub flumen: &'a Flumen,
    /// The Flink version, which was added.
    pub version: &'a str,
    /// The jar of Flink's streaming examples.
    pub examples: PathBuf,
    /// The connector that they generate events with, where they need one.
    pub connector: Option<PathBuf>,
    /// Where the job file is written.
    pub directory: PathBuf,
}

impl<'a> Streaming<'a> {
    /// It runs.
    pub const APPLY: StreamingStep<'a> =
        ("flumen apply --wait: a streaming job with state", Self::apply);
    /// A savepoint of the running job.
    pub const SAVEPOINT: StreamingStep<'a> = ("flumen job savepoint --wait", Self::savepoint);
    const STOP: StreamingStep<'a> = ("flumen job stop --wait: with a savepoint", Self::stop);
    const START: StreamingStep<'a> =
        ("flumen job start --wait: from there, and Flink says so", Self::start);
    /// Another release, which goes on from a savepoint.
    pub const UPGRADE: StreamingStep<'a> =
        ("flumen apply --wait: another parallelism, with its state", Self::upgrade);
    /// It goes, with all that is its own.
    pub const DELETE: StreamingStep<'a> = ("flumen job delete --wait", Self::delete);

    /// The steps in their order.
    pub const STEPS: [StreamingStep<'a>; 11] = [
        Self::APPLY,
        ("checkpoints rise", Self::checkpoints_rise),
        Self::SAVEPOINT,
        Self::STOP,
        Self::START,
        Self::UPGRADE,
        ("kill -9 of a TaskManager: the job is back", Self::kill_task_manager),
        ("kill -9 of the JobManager: the same job is back with its state", Self::kill_job_manager),
        ("kill -9 of the local cluster, a reboot: the job is back", Self::kill_cluster),
        ("kill -9 of the server during a stop: the stop is finished", Self::kill_server),
        Self::DELETE,
    ];

    /// The steps of a short way: with its state to another run.
    pub const JOURNEY: [StreamingStep<'a>; 5] =
        [Self::APPLY, Self::SAVEPOINT, Self::STOP, Self::START, Self::DELETE];

    fn apply(&mut self) -> Result<String> {
        self.apply_with(2)?;
        self.describe()
    }

    fn apply_with(&self, parallelism: u32) -> Result<()> {
        let file = self.directory.join("state-machine.yaml");
        std::fs::write(&file, self.job_file(parallelism))
            .context("could not write the job file")?;
        let file = file.display().to_string();
        self.flumen.succeed(&["apply", "--file", &file, "--wait", "--timeout", WAIT]).map(drop)
    }

    fn job_file(&self, parallelism: u32) -> String {
        let Self { version, examples, .. } = self;
        let connector = self.connector.iter().map(|jar| format!("  - path: {}\n", jar.display()));
        let dependencies = match connector.collect::<String>() {
            none if none.is_empty() => none,
            some => format!("dependencies:\n{some}"),
        };
        let (restarts, retained) = (self.key(RESTARTS), self.key(RETAINED));
        format!(
            "name: {JOB}
environment: local
flinkVersion: {version}
artifact: {examples}
{dependencies}mainClass: org.apache.flink.streaming.examples.statemachine.StateMachineExample
arguments: [--rps, '500', --sleep, '2']
parallelism: {parallelism}
configuration:
  execution.checkpointing.interval: 5 s
  {retained}: 2
  {restarts}: fixed-delay
  restart-strategy.fixed-delay.attempts: 10
  restart-strategy.fixed-delay.delay: 1 s
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 1}}
",
            examples = examples.display()
        )
    }

    /// The key as this version spells it.
    fn key(&self, key: Renamed) -> &'static str {
        let numbers: Vec<_> = self.version.split('.').filter_map(|it| it.parse().ok()).collect();
        if numbers[..] < key.since[..] { key.old } else { key.new }
    }

    fn checkpoints_rise(&mut self) -> Result<String> {
        let first = self.until("a checkpoint", Self::newest_checkpoint)?;
        let second = self.until("a newer checkpoint", |this| {
            this.newest_checkpoint().filter(|number| *number > first)
        })?;
        Ok(format!("checkpoint {first}, then {second}"))
    }

    fn savepoint(&mut self) -> Result<String> {
        self.flumen.succeed(&["job", "savepoint", JOB, "--wait", "--timeout", WAIT])?;
        let taken = self.snapshot("savepoint")?;
        ensure!(self.state()? == "RUNNING", "the job is {}", self.state()?);
        Ok(text(&taken, "path"))
    }

    fn stop(&mut self) -> Result<String> {
        self.flumen.succeed(&["job", "stop", JOB, "--wait", "--timeout", WAIT])?;
        ensure!(self.state()? == "STOPPED", "the job is {}", self.state()?);
        Ok(text(&self.snapshot("stop")?, "path"))
    }

    fn start(&mut self) -> Result<String> {
        let savepoint = text(&self.snapshot("stop")?, "path");
        let start = ["job", "start", JOB, "--from", "latest", "--wait", "--timeout", WAIT];
        self.flumen.succeed(&start)?;
        let restored = text(&self.job()?["run"], "restoredFrom");
        ensure!(restored == savepoint, "restored {restored:?}, not {savepoint:?}");
        self.describe()
    }

    fn upgrade(&mut self) -> Result<String> {
        let before = text(&self.job()?["run"], "id");
        self.apply_with(1)?;
        let job = self.job()?;
        ensure!(text(&job["run"], "id") != before, "the run is the same");
        let savepoint = text(&self.snapshot("stop")?, "path");
        let restored = text(&job["run"], "restoredFrom");
        ensure!(restored == savepoint, "restored {restored:?}, not {savepoint:?}");
        self.until("parallelism 1", |this| {
            let live = this.job().ok()?["live"].clone();
            (live["parallelism"] == 1).then_some(())
        })?;
        self.describe()
    }

    fn kill_task_manager(&mut self) -> Result<String> {
        self.until("every task to run", Self::all_tasks_run)?;
        let run = text(&self.job()?["run"], "id");
        self.kill_one(TASK_MANAGER)?;
        let killed = Instant::now();
        self.until("the failure to be seen", |this| {
            this.state().ok().filter(|state| state != "RUNNING")
        })?;
        let seen = killed.elapsed();
        self.until("every task to run again", Self::all_tasks_run)?;
        let back = killed.elapsed();
        ensure!(text(&self.job()?["run"], "id") == run, "another run was started");
        // The words that the server listens for.
        let log = self.flumen.succeed(&["job", "logs", JOB])?;
        let words = format!("({run}) switched from state RUNNING to RESTARTING");
        ensure!(log.contains(&words), "the JobManager's log has no {words:?}");
        Ok(format!("seen after {seen:.1?}, every task runs after {back:.1?}"))
    }

    fn kill_job_manager(&mut self) -> Result<String> {
        let number = self.until("a checkpoint", Self::newest_checkpoint)?;
        let run = text(&self.job()?["run"], "id");
        self.kill_one(JOB_MANAGER)?;
        let killed = Instant::now();
        self.until("the silence to be seen", |this| {
            this.job().ok().filter(|job| job["unreachableSince"].is_string()).map(drop)
        })?;
        let seen = killed.elapsed();
        self.until("every task to run again", Self::all_tasks_run)?;
        let back = killed.elapsed();
        ensure!(text(&self.job()?["run"], "id") == run, "another run was started");
        // A job that began anew would count from 1.
        let newer = self.until("a newer checkpoint", |this| {
            this.newest_checkpoint().filter(|newer| *newer > number)
        })?;
        Ok(format!(
            "seen after {seen:.1?}, every task runs after {back:.1?}, checkpoint {newer} after {number}"
        ))
    }

    fn kill_cluster(&mut self) -> Result<String> {
        let number = self.until("a checkpoint", Self::newest_checkpoint)?;
        let run = text(&self.job()?["run"], "id");
        self.kill_one(" local --supervised")?;
        let killed = Instant::now();
        self.until("the outage to be seen", |this| {
            this.job().ok().filter(|job| job["unreachableSince"].is_string()).map(drop)
        })?;
        self.until("every task to run again", Self::all_tasks_run)?;
        let back = killed.elapsed();
        ensure!(text(&self.job()?["run"], "id") == run, "another run was started");
        let newer = self.until("a newer checkpoint", |this| {
            this.newest_checkpoint().filter(|newer| *newer > number)
        })?;
        Ok(format!("every task runs after {back:.1?}, checkpoint {newer} after {number}"))
    }

    fn kill_server(&mut self) -> Result<String> {
        let stop = self.flumen.json(&["job", "stop", JOB])?;
        let operation = text(&stop, "id");
        ensure!(!operation.is_empty(), "no operation in {stop}");
        let mut back = Duration::ZERO;
        for _ in 0..SERVER_KILLS {
            self.kill_one(" serve --supervised")?;
            let killed = Instant::now();
            self.until("the server to answer", |this| this.state().ok())?;
            back = back.max(killed.elapsed());
        }
        self.until("the stop to be finished", |this| {
            this.state().ok().filter(|state| state == "STOPPED")
        })?;
        let taken = self.snapshot("stop")?;
        ensure!(text(&taken, "operation") == operation, "{taken} is not of operation {operation}");
        Ok(format!(
            "{SERVER_KILLS} times, the server back after at most {back:.1?}; {}",
            text(&taken, "path")
        ))
    }

    fn delete(&mut self) -> Result<String> {
        self.flumen.succeed(&["job", "delete", JOB, "--wait", "--timeout", WAIT])?;
        let jobs = self.flumen.json(&["job", "list"])?;
        let left = jobs["items"].as_array().into_iter().flatten();
        ensure!(left.clone().all(|job| job["name"] != JOB), "the job is still there: {jobs}");
        Ok("nothing of it is in the cluster".to_owned())
    }

    fn job(&self) -> Result<Value> {
        self.flumen.json(&["job", "show", JOB])
    }

    fn state(&self) -> Result<String> {
        Ok(text(&self.job()?, "state"))
    }

    fn describe(&self) -> Result<String> {
        self.until("every task to run", Self::all_tasks_run)?;
        let job = self.job()?;
        let tasks = &job["live"]["tasks"]["RUNNING"];
        Ok(format!("{}, {tasks} tasks run, run {}", text(&job, "state"), text(&job["run"], "id")))
    }

    fn all_tasks_run(&self) -> Option<()> {
        let job = self.job().ok()?;
        let tasks = job["live"]["tasks"].as_object()?;
        let runs = job["state"] == "RUNNING" && !job["unreachableSince"].is_string();
        (runs && tasks.len() == 1 && tasks.contains_key("RUNNING")).then_some(())
    }

    fn snapshots(&self) -> Result<Vec<Value>> {
        let found = self.flumen.json(&["snapshot", "list", "--job", JOB])?;
        found["items"].as_array().cloned().context("no list of snapshots")
    }

    /// The newest snapshot that was made for this cause.
    fn snapshot(&self, cause: &str) -> Result<Value> {
        let all = self.snapshots()?;
        let found = all.iter().find(|one| one["cause"] == cause);
        found.cloned().with_context(|| format!("no snapshot by {cause} among {all:?}"))
    }

    /// Flink's number of the newest checkpoint.
    fn newest_checkpoint(&self) -> Option<u64> {
        let all = self.snapshots().ok()?;
        all.iter()
            .filter(|one| one["kind"] == "checkpoint")
            .filter_map(|one| one["number"].as_u64())
            .max()
    }

    fn kill_one(&self, command: &str) -> Result<()> {
        let all = processes::family(self.flumen.id());
        let found = all.iter().find(|(_, line)| line.contains(command));
        let (id, _) = found.with_context(|| format!("no process {command} among {all:?}"))?;
        let id = i32::try_from(*id).context("a process id is an i32")?;
        kill(Pid::from_raw(id), Signal::SIGKILL)
            .with_context(|| format!("could not kill {command}"))
    }

    fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            if began.elapsed() > PATIENCE {
                bail!("waited {PATIENCE:?} for {what}; the job: {:?}", self.job());
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
