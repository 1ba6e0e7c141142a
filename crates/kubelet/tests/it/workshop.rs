//! A pod made by hand: no images, no API server.

use std::{
    ffi::OsString,
    fs,
    io::Read,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use flumen_kubelet::{
    Access, Container, ControlGroups, Exit, IdMap, Mount, Output, Process, Runner,
};
use tempfile::TempDir;

pub(crate) const MAP: IdMap = IdMap { host: 1_000_000, size: 65_536 };
pub(crate) const POD: &str = "pod-1";

pub(crate) fn helper() -> Vec<OsString> {
    vec![env!("CARGO_BIN_EXE_flumen-kubelet").into(), "__pod".into()]
}

pub(crate) struct Workshop {
    pub(crate) runner: Runner,
    pub(crate) directory: TempDir,
    map: IdMap,
}

pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) struct Running {
    pub(crate) process: Process,
    stdout: std::thread::JoinHandle<String>,
    stderr: std::thread::JoinHandle<String>,
}

impl Running {
    pub(crate) async fn end(self) -> Ended {
        let exit = self.process.exit.await.unwrap();
        Ended { exit, stdout: self.stdout.join().unwrap(), stderr: self.stderr.join().unwrap() }
    }
}

impl Workshop {
    pub(crate) fn open() -> Self {
        Self::of_users(MAP)
    }

    pub(crate) fn of_users(map: IdMap) -> Self {
        let runner = Runner::new(&helper());
        // A name that the kernel could take for the end of an option.
        let directory = tempfile::Builder::new().prefix("odd, name: ").tempdir().unwrap();
        Self { runner, directory, map }
    }

    pub(crate) async fn with_pod() -> Self {
        let workshop = Self::open();
        workshop.make_pod().await;
        workshop
    }

    pub(crate) async fn make_pod(&self) {
        self.runner.create_sandbox(POD, "pod-one", self.map).await.unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn make(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// A container named `name` with the host's programs and one layer that has `/tmp` and `/greeting`.
    pub(crate) fn container(&self, name: &str, command: &[&str]) -> Container {
        let layer = self.make("layers/base");
        fs::create_dir_all(layer.join("tmp")).unwrap();
        fs::write(layer.join("greeting"), "from the image\n").unwrap();
        for path in [&layer, &layer.join("tmp"), &layer.join("greeting")] {
            self.own(path);
        }
        let upper = self.make(&format!("{name}/upper"));
        self.own(&upper);
        Container {
            root: self.make(&format!("{name}/root")),
            layers_directory: self.path("layers"),
            layers: vec!["base".into()],
            upper,
            work: self.make(&format!("{name}/work")),
            host_directories: [
                "/usr",
                "/bin",
                "/sbin",
                "/lib",
                "/lib64",
                "/etc/alternatives",
                "/etc/java-17-openjdk",
            ]
            .map(PathBuf::from)
            .into(),
            mounts: Vec::new(),
            map: self.map,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            environment: vec![("GREETING".into(), "hello".into())],
            working_directory: "/".into(),
            user: String::new(),
            group: None,
            supplementary_groups: Vec::new(),
            capabilities: vec![0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31],
            read_only_root: false,
            cgroups: ControlGroups::default(),
        }
    }

    fn own(&self, path: &Path) {
        if !self.map.is_one() {
            std::os::unix::fs::chown(path, Some(MAP.host), Some(MAP.host)).unwrap();
        }
    }

    pub(crate) fn shell(&self, name: &str, script: &str) -> Container {
        self.container(name, &["/bin/sh", "-c", script])
    }

    pub(crate) async fn start(
        &self,
        container: &Container,
    ) -> Result<Running, flumen_kubelet::RunnerError> {
        let (stdout, write_stdout) = pipe();
        let (stderr, write_stderr) = pipe();
        let stdout = std::thread::spawn(move || read(stdout));
        let stderr = std::thread::spawn(move || read(stderr));
        let output = Output { stdout: write_stdout, stderr: write_stderr };
        let process = self.runner.start_container(POD, container, output).await?;
        Ok(Running { process, stdout, stderr })
    }

    pub(crate) async fn run(&self, container: &Container) -> Ended {
        self.start(container).await.unwrap().end().await
    }
}

pub(crate) fn mount(source: &Path, target: &str, access: Access) -> Mount {
    Mount { source: source.to_owned(), sub_path: None, target: target.into(), access }
}

fn pipe() -> (OwnedFd, OwnedFd) {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap()
}

fn read(descriptor: OwnedFd) -> String {
    let mut text = String::new();
    fs::File::from(descriptor).read_to_string(&mut text).unwrap();
    text
}
