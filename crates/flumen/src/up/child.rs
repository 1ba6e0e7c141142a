use std::{
    ffi::OsString,
    fmt,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use flumen_cli::Explained;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::Told;
use crate::{
    settings::{Settings, keys},
    supervised::Message,
};

/// A log that is larger is put aside when its process starts.
const LOG_BYTES: u64 = 10 << 20;

/// A child that can be started.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// What it is called in messages.
    pub(super) name: &'static str,
    arguments: Vec<OsString>,
    pub(super) log: PathBuf,
}

/// A child that has started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) process: Child,
    pub(super) said: Message,
    /// The pipe whose end tells the child that we are gone. Awaiting the process would close it there.
    _alive: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// The local cluster.
    pub(super) fn local(settings: &Settings, config: Option<&Path>) -> Self {
        let cpu = settings.allocatable_cpu.map(|cores| cores.to_string());
        let memory = settings.allocatable_memory.map(|size| size.to_string());
        let control_plane = settings.control_plane.as_ref();
        let control_plane = control_plane.map(|directory| directory.display().to_string());
        Self::new("local cluster", "local", settings, config)
            .with(keys::KUBERNETES_LISTEN, &settings.kubernetes_listen)
            .with(keys::REGISTRY_LISTEN, &settings.registry_listen)
            .with(keys::NODES, &settings.nodes)
            .with(keys::PRETEND_NODES, &settings.pretend_nodes)
            .with_some(keys::ALLOCATABLE_CPU, cpu)
            .with_some(keys::ALLOCATABLE_MEMORY, memory)
            .with_some(keys::CONTROL_PLANE, control_plane)
    }

    /// The server.
    pub(super) fn server(settings: &Settings, config: Option<&Path>) -> Self {
        let pod_url = settings.pod_url.as_ref().map(ToString::to_string);
        let maven = settings.maven.as_ref().map(|file| file.display().to_string());
        let policy = settings.release_policy.as_ref().map(|file| file.path.display().to_string());
        let credentials = settings.registry_credentials.as_ref();
        let authorities = settings.registry_ca.as_ref();
        let insecure = settings.insecure_registries.as_ref().map(ToString::to_string);
        let commands = settings.cluster_commands.as_ref().map(ToString::to_string);
        let key = settings.secret_key_file.as_ref().map(|file| file.display().to_string());
        Self::new("server", "serve", settings, config)
            .with(keys::LISTEN, &settings.listen)
            .with(keys::UI_LISTEN, &settings.ui_listen)
            .with(keys::ARTIFACT_LIMIT, &settings.artifact_limit)
            .with(keys::KEEP_RELEASES, &settings.keep_releases)
            .with(keys::KEEP_UNUSED, &settings.keep_unused)
            .with(keys::CACHE_DIRECTORY, &settings.cache_directory.display())
            .with(keys::PYTHON_INDEX, &settings.python_index)
            .with_some(keys::MAVEN_SETTINGS, maven)
            .with_some(keys::POD_URL, pod_url)
            .with_some(keys::RELEASE_POLICY, policy)
            .with_some(keys::REGISTRY_CREDENTIALS, credentials.map(|it| it.0.display().to_string()))
            .with_some(keys::REGISTRY_CA, authorities.map(|it| it.path.display().to_string()))
            .with_some(keys::INSECURE_REGISTRIES, insecure)
            .with_some(keys::CLUSTER_COMMANDS, commands)
            .with_some(keys::SECRET_KEY_FILE, key)
    }

    fn new(name: &'static str, command: &str, settings: &Settings, config: Option<&Path>) -> Self {
        let mut arguments: Vec<OsString> = vec![command.into(), "--supervised".into()];
        if let Some(config) = config {
            arguments.extend(["--config".into(), config.into()]);
        }
        let file = if command == "serve" { "server.log" } else { "local.log" };
        Self { name, arguments, log: settings.logs_directory().join(file) }
            .with(keys::DATA_DIRECTORY, &settings.data_directory.display())
            .with(keys::LOG, &settings.log)
            .with(keys::LOG_FORMAT, &settings.log_format)
    }

    /// The program with this setting instead of the one that it had.
    pub(super) fn with(mut self, key: &str, value: &impl fmt::Display) -> Self {
        let prefix = format!("--{key}=");
        self.arguments.retain(|argument| !argument.to_string_lossy().starts_with(&prefix));
        self.arguments.push(format!("{prefix}{value}").into());
        self
    }

    fn with_some(self, key: &str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.with(key, &value),
            None => self,
        }
    }

    /// Starts the child and waits until it takes requests.
    pub(super) async fn start(&self) -> Result<Started> {
        let program =
            std::env::current_exe().context("could not find out where this program lies")?;
        let mut process = Command::new(program)
            .args(&self.arguments)
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(self.open_log()?)
            // Ctrl-C at the terminal is for us; we tell the children in their order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start the {}", self.name))?;
        let alive = process.stdin.take();
        let output = process.stdout.take().context("a child has no standard output")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) =
            lines.next_line().await.with_context(|| format!("could not hear the {}", self.name))?
        {
            match serde_json::from_str(&line) {
                Ok(Message::Failed { message, causes, hint }) => {
                    let _ = process.wait().await;
                    bail!(Told(Explained { message, causes, hint }));
                }
                Ok(said) => return Ok(Started { process, said, _alive: alive, lines }),
                Err(_) => {}
            }
        }
        let status =
            process.wait().await.with_context(|| format!("could not await the {}", self.name))?;
        bail!(
            "the {} ended before it was ready ({status}); its log is {}",
            self.name,
            self.log.display()
        )
    }

    fn open_log(&self) -> Result<File> {
        let unusable = || format!("could not use the log file {}", self.log.display());
        if let Some(folder) = self.log.parent() {
            std::fs::create_dir_all(folder).with_context(unusable)?;
        }
        if std::fs::metadata(&self.log).is_ok_and(|log| log.len() > LOG_BYTES) {
            std::fs::rename(&self.log, self.log.with_extension("log.1")).with_context(unusable)?;
        }
        OpenOptions::new().create(true).append(true).open(&self.log).with_context(unusable)
    }
}

impl Started {
    /// Waits until the process has ended; says why, where it told us.
    pub(super) async fn ended(&mut self) -> String {
        let mut reason = None;
        while let Ok(Some(line)) = self.lines.next_line().await {
            if let Ok(Message::Failed { message, causes, .. }) = serde_json::from_str(&line) {
                reason =
                    Some(std::iter::once(message).chain(causes).collect::<Vec<_>>().join(": "));
            }
        }
        match (reason, self.process.wait().await) {
            (Some(reason), _) => reason,
            (None, Ok(status)) => status.to_string(),
            (None, Err(error)) => error.to_string(),
        }
    }
}
