//! `python3 -m pip download` as a child process.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use flumen_model::FlinkVersion;
use tokio::process::Command;

use crate::Error;

/// What Python is told to run: `-m pip`, but not longer than we live.
const PIP: &str = include_str!("pip.py");

/// In which form a package is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As source. pip runs its setup script to learn its name, and nothing else of it.
    Source,
    /// Built for this Python.
    Wheel,
    /// Built for another Python.
    WheelFor(&'static str),
}

pub(super) struct Pip<'a> {
    python: &'a Path,
    target: &'a Path,
    scratch: PathBuf,
    version: FlinkVersion,
}

impl<'a> Pip<'a> {
    /// Packages go to `target`, what pip itself writes meanwhile below `scratch`.
    pub(super) fn new(
        python: &'a Path,
        target: &'a Path,
        scratch: &Path,
        version: FlinkVersion,
    ) -> Result<Self, Error> {
        let scratch = scratch.join("pip");
        std::fs::create_dir_all(&scratch)
            .map_err(|source| Error::Write { path: scratch.clone(), source })?;
        Ok(Self { python, target, scratch, version })
    }

    /// Downloads `package` in the first of the forms that the index has.
    pub(super) async fn download(
        &self,
        package: &'static str,
        forms: &[Form],
    ) -> Result<(), Error> {
        let mut first_failure = None;
        for form in forms {
            match self.run(package, *form).await {
                Ok(()) => return Ok(()),
                // The index may have the version in another form.
                Err(error @ Error::FindVersion { .. }) => {
                    first_failure.get_or_insert(error);
                }
                // A package as source that cannot be prepared is no better than none.
                Err(error @ Error::Download { .. }) if first_failure.is_some() => {
                    tracing::debug!(%error, "a form of a package cannot be used");
                }
                Err(error) => return Err(error),
            }
        }
        let none_asked =
            || Error::FindVersion { package, version: self.version, available: String::new() };
        Err(first_failure.unwrap_or_else(none_asked))
    }

    async fn run(&self, package: &'static str, form: Form) -> Result<(), Error> {
        match self.run_once(package, form, true).await {
            // An index that has Flink but no build tools is enough where those are installed.
            Err(Error::Download { .. } | Error::FindVersion { .. }) if form == Form::Source => {
                self.run_once(package, form, false).await
            }
            result => result,
        }
    }

    async fn run_once(
        &self,
        package: &'static str,
        form: Form,
        is_isolated: bool,
    ) -> Result<(), Error> {
        let mut command = Command::new(self.python);
        command
            .args(["-c", PIP, "download", "--no-deps", "--no-cache-dir", "--no-input"])
            .args(["--disable-pip-version-check", "--progress-bar", "off", "--dest"])
            .arg(self.target)
            // Packages may bring programs that run while they are built.
            .env_remove("FLUMEN_SECRET_KEY")
            .env_remove("FLUMEN_TOKEN");
        match form {
            Form::Source => command.args(["--no-binary", ":all:"]),
            Form::Wheel => command.args(["--only-binary", ":all:"]),
            Form::WheelFor(python) => {
                command.args(["--only-binary", ":all:", "--python-version", python])
            }
        };
        if !is_isolated {
            command.arg("--no-build-isolation");
        }
        let run_error = |source| Error::RunPython { python: self.python.to_owned(), source };
        let mut child = command
            .arg(format!("{package}=={}", self.version))
            // pip unpacks sources there; the cache's disk has the room that /tmp may lack.
            .env("TMPDIR", &self.scratch)
            // The group that ends as one when the pipe closes: because this future is dropped, or we are killed.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(run_error)?;
        let alive = child.stdin.take();
        let output = child.wait_with_output().await.map_err(run_error)?;
        drop(alive);
        if output.status.success() {
            return Ok(());
        }
        let said = format!(
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Err(self.explain(package, &said))
    }

    /// What pip means by what it said.
    fn explain(&self, package: &'static str, said: &str) -> Error {
        let version = self.version;
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&["No module named pip"]) {
            return Error::FindPip { python: self.python.to_owned() };
        }
        if says(&["No space left on device", "Errno 28", "Disk quota exceeded"]) {
            let path = self.target.ancestors().nth(2).unwrap_or(self.target).to_owned();
            return Error::DiskFull { path, version };
        }
        // Before the version: an index that is not reached leaves pip without any version.
        if says(&[
            "Max retries exceeded",
            "NewConnectionError",
            "ReadTimeoutError",
            "ConnectionError",
            "connection broken",
        ]) {
            return Error::ReachIndex { package, version, detail: last_words(said) };
        }
        // Not of a build tool that is missing on the index.
        if says(&[&format!("No matching distribution found for {package}")]) {
            return Error::FindVersion { package, version, available: available(said, version) };
        }
        Error::Download { package, version, detail: last_words(said) }
    }
}

/// The versions of the same minor in pip's `(from versions: 1.0, 1.1)`.
fn available(said: &str, version: FlinkVersion) -> String {
    let listed = said
        .split("(from versions: ")
        .nth(1)
        .and_then(|rest| rest.split(')').next())
        .unwrap_or_default();
    let prefix = format!("{}.", version.minor());
    let same_minor: Vec<&str> =
        listed.split(", ").filter(|version| version.starts_with(&prefix)).collect();
    if same_minor.is_empty() {
        String::new()
    } else {
        format!("; it has {}", same_minor.join(", "))
    }
}

/// The last lines that say something, which is where pip puts the cause.
fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let errors: Vec<&str> =
        lines.iter().copied().filter(|line| line.to_lowercase().contains("error")).collect();
    let chosen = if errors.is_empty() { &lines } else { &errors };
    let last = &chosen[chosen.len().saturating_sub(2)..];
    if last.is_empty() { "it said nothing".to_owned() } else { last.join(" | ") }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flumen_model::Kind;

    use super::*;

    #[test]
    fn pip_and_what_it_started_end_with_whoever_started_pip() {
        use std::os::unix::process::CommandExt as _;
        let modules = tempfile::tempdir().unwrap();
        std::fs::create_dir(modules.path().join("pip")).unwrap();
        std::fs::write(modules.path().join("pip/__init__.py"), "").unwrap();
        let stand_in = "import subprocess, sys\n\
                        child = subprocess.Popen(['sleep', '1000'], stdin=subprocess.DEVNULL)\n\
                        print(sys.argv[1:], flush=True)\n\
                        child.wait()\n";
        std::fs::write(modules.path().join("pip/__main__.py"), stand_in).unwrap();
        let mut python = std::process::Command::new("python3")
            .args(["-c", PIP, "download"])
            .env("PYTHONPATH", modules.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = python.stdout.take().unwrap();
        let mut said = [0; "['download']\n".len()];
        output.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"['download']\n");
        drop(python.stdin.take());
        // Both hold the pipe, so it ends when both have ended.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert!(!python.wait().unwrap().success());
    }

    fn explain(said: &str) -> Error {
        let (python, target) = (Path::new("python3"), Path::new("/cache/flink/.partial/packages"));
        let version = "1.20.5".parse().unwrap();
        Pip { python, target, scratch: PathBuf::new(), version }.explain("apache-flink", said)
    }

    #[test]
    fn what_pip_says_becomes_what_to_do() {
        for (said, kind, text) in [
            ("/usr/bin/python3: No module named pip", Kind::Invalid, "apt-get install python3-pip"),
            (
                "ERROR: Could not find a version that satisfies the requirement apache-flink==1.20.5 \
                 (from versions: 1.19.3, 1.20.0, 1.20.1)\nERROR: No matching distribution found for apache-flink==1.20.5",
                Kind::NotFound,
                "no apache-flink 1.20.5; it has 1.20.0, 1.20.1",
            ),
            (
                "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n\
                 ERROR: No matching distribution found for apache-flink==1.20.5",
                Kind::Unavailable,
                "could not be reached",
            ),
            (
                "OSError: [Errno 28] No space left on device",
                Kind::Unavailable,
                "no space is left on the disk",
            ),
            ("Traceback\nBoom\nERROR: it broke", Kind::Invalid, "ERROR: it broke"),
        ] {
            let error = explain(said);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
