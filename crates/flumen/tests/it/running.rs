use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// The binary with nothing of the surroundings that could reach into a test.
pub(crate) fn bare(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flumen"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).stdin(Stdio::null());
    command
}

/// The binary with a data directory, which is its home too.
pub(crate) fn flumen(data_directory: &Path) -> Command {
    let mut command = bare(data_directory);
    command.arg("--data-directory").arg(data_directory);
    command
}

/// What a command answered, as text.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

pub(crate) fn answer(command: &mut Command) -> Answer {
    let Output { status, stdout, stderr } = command.output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Answer { code: status.code(), output: text(stdout), errors: text(stderr) }
}

/// A command that runs until it is told to stop, at addresses that the system chose.
pub(crate) struct Running {
    pub(crate) process: Child,
    /// What it printed when it was ready.
    pub(crate) said: Value,
}

impl Running {
    /// `flumen up`, which says as JSON where everything is.
    pub(crate) fn up(data_directory: &Path) -> Self {
        let mut command = flumen(data_directory);
        command.args(["up", "--listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0"]);
        Self::start(command)
    }

    /// `flumen local`, likewise.
    pub(crate) fn local(data_directory: &Path) -> Self {
        let mut command = flumen(data_directory);
        command.arg("local");
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let process = command
            .args(["--kubernetes-listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"])
            .args(["--output", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut running = Self { process, said: Value::Null };
        let mut text = String::new();
        let mut lines = BufReader::new(running.process.stdout.take().expect("a pipe")).lines();
        let said = lines.find_map(|line| {
            text.push_str(&line.expect("text"));
            serde_json::from_str(&text).ok()
        });
        running.said = said.expect("it is ready before it ends");
        running
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(pid(self.process.id()), signal).expect("it runs");
    }

    /// The ids of its children, the server and the local cluster.
    pub(crate) fn children(&self) -> Vec<Pid> {
        let id = self.process.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let text = std::fs::read_to_string(path).expect("it runs");
        text.split_whitespace().map(|id| Pid::from_raw(id.parse().expect("a number"))).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.signal(Signal::SIGTERM);
            drop(self.process.wait());
        }
    }
}

pub(crate) fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("a process id is an i32"))
}
