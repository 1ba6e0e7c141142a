//! Becoming the container's command.

use std::{
    collections::HashMap,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::failure::{Failure, during};

/// Most processes and threads that a user of a pod has. Flink's JVMs have some hundreds of threads.
const PROCESSES: u64 = 8192;
/// Searched when the environment has no `PATH`.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Replaces this process; returns only with the reason why it could not.
pub(super) fn execute(
    command: &[String],
    environment: Vec<(String, String)>,
    working_directory: &str,
    home: &str,
) -> Result<(), Failure> {
    let Some((name, arguments)) = command.split_first() else {
        return Err(Failure::new("no command specified", io::ErrorKind::InvalidInput.into()));
    };
    let directory = if working_directory.is_empty() { "/" } else { working_directory };
    std::env::set_current_dir(directory)
        .map_err(during(format!("enter the working directory {directory}")))?;
    // Java raises its own soft limit, other programs do not.
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum })
        .map_err(during("raise the number of open files"))?;
    limit_processes()?;

    let mut environment: HashMap<String, String> = environment.into_iter().collect();
    environment.entry("HOME".to_owned()).or_insert_with(|| home.to_owned());
    environment.entry("PATH".to_owned()).or_insert_with(|| USUAL_PATH.to_owned());
    let path = find(name, &environment["PATH"])?;
    let error = Command::new(path).arg0(name).args(arguments).env_clear().envs(environment).exec();
    Err(Failure::new(format!("exec: {name:?}"), error))
}

/// A pod that multiplies must not take the machine with it. The kernel counts by user in the pod's user namespace.
fn limit_processes() -> Result<(), Failure> {
    let now = getrlimit(Resource::Nproc);
    let least = |limit: Option<u64>| Some(limit.map_or(PROCESSES, |limit| limit.min(PROCESSES)));
    let limit = Rlimit { current: least(now.current), maximum: least(now.maximum) };
    setrlimit(Resource::Nproc, limit).map_err(during("limit the number of processes"))
}

fn find(name: &str, path: &str) -> Result<PathBuf, Failure> {
    if name.contains('/') {
        let found = fs::metadata(name).map_err(during(format!("exec: {name:?}: stat {name}")))?;
        return if found.is_dir() {
            Err(Failure::new(format!("exec: {name:?}"), io::ErrorKind::IsADirectory.into()))
        } else {
            Ok(name.into())
        };
    }
    path.split(':')
        .map(|directory| Path::new(if directory.is_empty() { "." } else { directory }).join(name))
        .find(|candidate| is_executable(candidate))
        .ok_or_else(|| {
            let source =
                io::Error::new(io::ErrorKind::NotFound, "executable file not found in $PATH");
            Failure::new(format!("exec: {name:?}"), source)
        })
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file())
        && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
