//! The command of a kubeconfig that makes credentials:
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>.

use std::{io::IsTerminal as _, process::Stdio, time::Duration};

use flumen_cluster::ExecCredential;
use kube::config::{ExecConfig, ExecInteractiveMode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command as Program},
};

use crate::clock;

/// Variables that a command which makes credentials has no business with.
const NOT_FOR_COMMANDS: [&str; 2] = ["FLUMEN_SECRET_KEY", "FLUMEN_TOKEN"];

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(15);

/// More is no credential.
const PRINTED: u64 = 1 << 20;

/// How much of what it says is passed on.
const SAID: usize = 300;

pub(crate) struct Command(ExecConfig);

impl Command {
    pub(crate) const fn new(exec: ExecConfig) -> Self {
        Self(exec)
    }

    /// Runs it once. What goes wrong is told as a sentence about "the command that the kubeconfig names".
    pub(crate) async fn run(&self) -> Result<ExecCredential, String> {
        let problem = match tokio::time::timeout(LIMIT, self.printed()).await {
            Ok(Ok(printed)) => match ExecCredential::parse(&printed, clock::now()) {
                Ok(credential) => return Ok(credential),
                Err(problem) => problem.to_string(),
            },
            Ok(Err(problem)) => problem,
            Err(_elapsed) => format!("did not end within {} s", LIMIT.as_secs()),
        };
        Err(format!("the command that the kubeconfig names {problem}"))
    }

    async fn printed(&self) -> Result<String, String> {
        let is_interactive = self.is_interactive()?;
        let mut program = self.program(is_interactive)?;
        let mut child = program.spawn().map_err(|source| format!("cannot be run: {source}"))?;
        let group = Group::of(&child, is_interactive);
        let (printed, said) = tokio::join!(all(child.stdout.take()), all(child.stderr.take()));
        let ended =
            child.wait().await.map_err(|source| format!("cannot be waited for: {source}"))?;
        group.leave();
        if ended.success() {
            return Ok(printed);
        }
        let said: String = said.trim().chars().take(SAID).collect();
        let said = if said.is_empty() { "nothing" } else { &said };
        Err(format!("ended with {ended} and said: {said}"))
    }

    /// Whether it may ask the one who sits before the terminal.
    fn is_interactive(&self) -> Result<bool, String> {
        let has_terminal = std::io::stdin().is_terminal();
        match self.0.interactive_mode {
            Some(ExecInteractiveMode::Never) => Ok(false),
            Some(ExecInteractiveMode::Always) if !has_terminal => {
                Err("needs a terminal (interactiveMode: Always), and there is none".to_owned())
            }
            _ => Ok(has_terminal),
        }
    }

    fn program(&self, is_interactive: bool) -> Result<Program, String> {
        let exec = &self.0;
        let mut program = Program::new(exec.command.as_deref().ok_or("has no name")?);
        program.args(exec.args.iter().flatten());
        for variable in exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                program.env(name, value);
            }
        }
        let mut spec = json!({"interactive": is_interactive});
        if exec.provide_cluster_info {
            spec["cluster"] = json!(exec.cluster);
        }
        let asked = json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec});
        program.env("KUBERNETES_EXEC_INFO", asked.to_string());
        for variable in NOT_FOR_COMMANDS {
            program.env_remove(variable);
        }
        program.stdout(Stdio::piped()).kill_on_drop(true);
        if !is_interactive {
            program.stdin(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        }
        Ok(program)
    }
}

/// What it started has no longer to live than itself if it is given up. One that asks people stays in the terminal's group.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child, is_interactive: bool) -> Self {
        let id = child.id().filter(|_| !is_interactive);
        Self(id.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// What comes through a pipe, which may be none.
async fn all(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What came until then is looked at all the same.
        let _ = pipe.take(PRINTED).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
