//! `flumen up` in a directory of its own, and commands against it.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::processes;

/// How long `flumen up` may take to be ready or to end.
const PATIENCE: Duration = Duration::from_mins(1);
/// What it says when it is ready.
const READY: &str = "Flumen is up";

/// Where the programs of a real control plane are, if they are to be that of the local cluster.
const CONTROL_PLANE: &str = "FLUMEN_TEST_CONTROL_PLANE";

/// Configuration by which pods that ask for half a processor may take two. With no more than they ask for, Flink starts in four times
/// the time. Flink knows it from 1.15 on.
pub const CPU_LIMITS: [(&str, &str); 2] = [
    ("kubernetes.jobmanager.cpu.limit-factor", "4"),
    ("kubernetes.taskmanager.cpu.limit-factor", "4"),
];

/// A running `flumen up`. Dropped, it is told to stop and waited for.
#[derive(Debug)]
pub struct Flumen {
    binary: PathBuf,
    directory: PathBuf,
    child: Child,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub error: String,
    /// How it ended.
    pub status: ExitStatus,
}

/// A command of this binary that hears nothing of the servers and settings of the shell that it is started from.
pub fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"FLUMEN_") {
            command.env_remove(name);
        }
    }
    command
}

impl Flumen {
    /// Starts `flumen up` with this data directory and this cache of downloads, and waits until it is ready.
    ///
    /// # Errors
    /// If it ends or is not ready within a minute; the message has what it said.
    pub fn up(binary: &Path, (directory, cache): (&Path, &Path)) -> Result<Self> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("could not create {}", directory.display()))?;
        let control_plane =
            std::env::var_os(CONTROL_PLANE).map(|it| ["--control-plane".into(), it]);
        let mut child = command(binary)
            // Ctrl-C at a terminal is for whoever started it: a second one would not wait.
            .process_group(0)
            .args(["up", "--data-directory"])
            .arg(directory)
            .arg("--cache-directory")
            .arg(cache)
            .args(["--listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0"])
            .args(["--kubernetes-listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"])
            .args(control_plane.into_iter().flatten())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", binary.display()))?;
        let error = child.stderr.take().map(collect);
        let (line, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                let said = BufReader::new(output).lines().map_while(Result::ok);
                // Read to the end, so that the writer is never held up.
                said.for_each(|text| drop(line.send(text)));
            });
        }
        let flumen = Self { binary: binary.to_owned(), directory: directory.to_owned(), child };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with(READY) => break,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!(
                    "flumen up is not ready after {PATIENCE:?}; its logs are in {}",
                    directory.join("logs").display()
                ),
                Err(RecvTimeoutError::Disconnected) => {
                    let said = error.and_then(|reader| reader.join().ok()).unwrap_or_default();
                    bail!("flumen up ended before it was ready: {said}");
                }
            }
        }
        Ok(flumen)
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Changes the environment `local`, and returns what it is then.
    ///
    /// # Errors
    /// If it cannot be shown or applied.
    pub fn change_environment(&self, change: impl FnOnce(&mut Value)) -> Result<Value> {
        let mut environment = self.json(&["environment", "show", "local"])?;
        if let Some(shown) = environment.as_object_mut() {
            shown.retain(|key, _| key != "version" && key != "createdAt");
        }
        change(&mut environment);
        let file = self.directory.with_extension("environment.yaml");
        std::fs::write(&file, environment.to_string())
            .with_context(|| format!("could not write {}", file.display()))?;
        self.json(&["environment", "apply", "--file", &file.display().to_string()])
    }

    /// The file by which `kubectl` reaches the local cluster.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.join("local/kubeconfig")
    }

    /// The process of `flumen up`.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command against this server.
    ///
    /// # Errors
    /// If the binary cannot be started; a command that fails is an [`Answer`].
    pub fn run(&self, arguments: &[&str]) -> Result<Answer> {
        let output = command(&self.binary)
            .args(arguments)
            .arg("--data-directory")
            .arg(&self.directory)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("could not run {}", self.binary.display()))?;
        Ok(Answer {
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            error: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status,
        })
    }

    /// Runs a command that must succeed, and returns its standard output.
    ///
    /// # Errors
    /// If it fails; the message has what it said.
    pub fn succeed(&self, arguments: &[&str]) -> Result<String> {
        let answer = self.run(arguments)?;
        ensure!(
            answer.status.success(),
            "flumen {} ended with {}: {}{}",
            arguments.join(" "),
            answer.status,
            answer.error,
            answer.output
        );
        Ok(answer.output)
    }

    /// Runs a command with `--output json` that must succeed, and returns what it printed.
    ///
    /// # Errors
    /// If it fails or does not print JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let output = self.succeed(&all)?;
        serde_json::from_str(&output)
            .with_context(|| format!("flumen {} printed no JSON", arguments.join(" ")))
    }

    /// Tells `flumen up` to stop and waits until it has.
    ///
    /// # Errors
    /// If it has not within a minute or ends with a failure.
    pub fn stop(mut self) -> Result<()> {
        let status = self.end(Signal::SIGINT)?;
        ensure!(status.success(), "flumen up ended with {status}");
        Ok(())
    }

    /// Kills `flumen up` and nothing else.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn kill(mut self) -> Result<()> {
        self.end(Signal::SIGKILL).map(drop)
    }

    fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        let id = i32::try_from(self.child.id()).context("a process id is an i32")?;
        kill(Pid::from_raw(id), signal).context("could not signal flumen up")?;
        ensure!(
            processes::end_within(&[processes::watch(self.id())?], PATIENCE)?,
            "flumen up did not end within {PATIENCE:?} of {signal}"
        );
        Ok(self.child.wait()?)
    }
}

impl Drop for Flumen {
    fn drop(&mut self) {
        if self.end(Signal::SIGINT).is_err() {
            // It did not listen; it must not outlive the test all the same.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Reads a pipe to its end so that the writer is never held up, and keeps the text.
fn collect(pipe: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let lines = BufReader::new(pipe).lines().map_while(Result::ok);
        lines.collect::<Vec<_>>().join("\n")
    })
}
