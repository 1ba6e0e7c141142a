//! Limits of memory and processors by control groups, of the first version or the second, whichever the machine has.
//!
//! Below the kubelet's own group there is one group of its own, and in there one for each container that has limits. What
//! a kubelet that was killed left, which are empty groups, is removed when the next one starts.

mod limits;

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

pub(crate) use limits::Limits;

const MOUNT: &str = "/sys/fs/cgroup";
const PROCESSES: &str = "cgroup.procs";
/// A group can be removed when the kernel has taken the last process out of it, which may be after its end was seen.
const REMOVE_TRIES: u32 = 50;
const REMOVE_PAUSE: Duration = Duration::from_millis(20);

/// Why limits cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    #[error("this machine has no control groups at {MOUNT}, so nothing is limited")]
    None,
    #[error("could not {step} {}: {reason}; nothing is limited, unless the kubelet may write its control groups", path.display())]
    Use { step: &'static str, path: PathBuf, reason: String },
}

fn during(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::Use { step, path, reason: error.to_string() }
}

/// The hierarchies of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hierarchies {
    /// One each for memory and processors.
    First { memory: PathBuf, cpu: PathBuf },
    /// One for all.
    Second(PathBuf),
}

/// The kubelet's own group, or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Cgroups(Result<Hierarchies, Error>);

/// The group of a container.
#[derive(Debug)]
pub(crate) struct Group {
    hierarchies: Hierarchies,
}

impl Cgroups {
    /// Makes the group `name` and removes what an earlier kubelet left in it.
    pub(crate) fn open(name: &str) -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let opened = find(Path::new(MOUNT), &own, name).and_then(|hierarchies| {
            hierarchies.remove_all();
            hierarchies.make()?;
            Ok(hierarchies)
        });
        if let Err(error) = &opened {
            tracing::warn!(%error, "the limits of containers are not enforced");
        }
        Self(opened)
    }

    /// Makes a group with limits; a process joins it by writing 0 into each of [`Group::joins`].
    pub(crate) fn group(&self, name: &str, limits: &Limits) -> Result<Group, Error> {
        let group = Group { hierarchies: self.0.as_ref().map_err(Clone::clone)?.below(name) };
        group.hierarchies.make_one()?;
        match group.hierarchies.limit(limits) {
            Ok(()) => Ok(group),
            Err(error) => {
                group.hierarchies.remove();
                Err(error)
            }
        }
    }

    /// Removes everything. No container is left by then.
    pub(crate) fn close(&self) {
        if let Ok(hierarchies) = &self.0 {
            hierarchies.remove_all();
        }
    }
}

impl Group {
    pub(crate) fn joins(&self) -> Vec<PathBuf> {
        self.hierarchies.directories().map(|directory| directory.join(PROCESSES)).collect()
    }

    /// Whether the kernel has killed a process of it because it had too much memory.
    pub(crate) fn was_out_of_memory(&self) -> bool {
        let path = match &self.hierarchies {
            Hierarchies::First { memory, .. } => memory.join("memory.oom_control"),
            Hierarchies::Second(all) => all.join("memory.events"),
        };
        limits::kills(&fs::read_to_string(path).unwrap_or_default()) > 0
    }

    /// Does not wait for it: processes may still be leaving.
    pub(crate) fn remove(self) {
        tokio::task::spawn_blocking(move || self.hierarchies.remove());
    }
}

/// Where the kubelet's own group is, from what the kernel says about the kubelet.
fn find(mount: &Path, own: &str, name: &str) -> Result<Hierarchies, Error> {
    let path = |controller: &str| {
        let mut lines = own.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        lines
            .find(|(known, _)| known.split(',').any(|known| known == controller))
            .map(|(_, path)| path)
    };
    let below = |directory: &Path, controller: &str| {
        let own = path(controller).unwrap_or("/").trim_start_matches('/');
        // Seen from inside a container the path may be one of the outside.
        let inside = directory.join(own);
        if inside.is_dir() { inside.join(name) } else { directory.join(name) }
    };
    if mount.join("cgroup.controllers").is_file() {
        return Ok(Hierarchies::Second(below(mount, "")));
    }
    let (memory, cpu) = (mount.join("memory"), mount.join("cpu"));
    if memory.is_dir() && cpu.is_dir() {
        let (memory, cpu) = (below(&memory, "memory"), below(&cpu, "cpu"));
        return Ok(Hierarchies::First { memory, cpu });
    }
    Err(Error::None)
}

impl Hierarchies {
    fn directories(&self) -> impl Iterator<Item = &PathBuf> {
        let (one, other) = match self {
            Self::First { memory, cpu } => (memory, Some(cpu)),
            Self::Second(all) => (all, None),
        };
        std::iter::once(one).chain(other)
    }

    fn below(&self, name: &str) -> Self {
        match self {
            Self::First { memory, cpu } => {
                Self::First { memory: memory.join(name), cpu: cpu.join(name) }
            }
            Self::Second(all) => Self::Second(all.join(name)),
        }
    }

    /// The kubelet's own group, which passes its controllers on.
    fn make(&self) -> Result<(), Error> {
        self.make_one()?;
        let Self::Second(all) = self else { return Ok(()) };
        for directory in all.parent().into_iter().chain([all.as_path()]) {
            let path = directory.join("cgroup.subtree_control");
            fs::write(&path, "+memory +cpu").map_err(during("pass controllers on by", &path))?;
        }
        Ok(())
    }

    fn make_one(&self) -> Result<(), Error> {
        for directory in self.directories() {
            match fs::create_dir(directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(during("make the control group", directory)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn limit(&self, limits: &Limits) -> Result<(), Error> {
        let files = match self {
            Self::First { memory, cpu } => {
                let memory =
                    limits.memory_first().into_iter().map(|(file, text)| (memory.join(file), text));
                let cpu = limits.cpu_first().into_iter().map(|(file, text)| (cpu.join(file), text));
                memory.chain(cpu).collect::<Vec<_>>()
            }
            Self::Second(all) => {
                limits.second().into_iter().map(|(file, text)| (all.join(file), text)).collect()
            }
        };
        for (path, text) in files {
            // Not every kernel counts swap.
            if limits::is_optional(&path) && !path.exists() {
                continue;
            }
            fs::write(&path, text).map_err(during("write", &path))?;
        }
        Ok(())
    }

    fn remove(&self) {
        for directory in self.directories() {
            for _ in 0..REMOVE_TRIES {
                match fs::remove_dir(directory) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        thread::sleep(REMOVE_PAUSE);
                    }
                    _ => break,
                }
            }
        }
    }

    /// With the groups in it.
    fn remove_all(&self) {
        for directory in self.directories() {
            let inside = fs::read_dir(directory).into_iter().flatten().flatten();
            for entry in inside.filter(|entry| entry.path().is_dir()) {
                // What is in use stays, and with it the group itself.
                let _ = fs::remove_dir(entry.path());
            }
        }
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kubelets_own_group_is_found_in_both_versions() {
        let mount = tempfile::tempdir().unwrap();
        let at = |path: &str| mount.path().join(path);
        let own = "4:memory:/outer/a\n1:cpu,cpuacct:/\n0::/slice/b\n";
        assert!(matches!(find(mount.path(), own, "k"), Err(Error::None)));
        fs::create_dir_all(at("memory/outer/a")).unwrap();
        fs::create_dir_all(at("cpu")).unwrap();
        let first = Hierarchies::First { memory: at("memory/outer/a/k"), cpu: at("cpu/k") };
        assert_eq!(find(mount.path(), own, "k").unwrap(), first);
        let elsewhere = Hierarchies::First { memory: at("memory/k"), cpu: at("cpu/k") };
        assert_eq!(find(mount.path(), "4:memory:/not/here\n", "k").unwrap(), elsewhere);
        fs::write(at("cgroup.controllers"), "cpu memory").unwrap();
        assert_eq!(find(mount.path(), own, "k").unwrap(), Hierarchies::Second(at("k")));
        fs::create_dir_all(at("slice/b")).unwrap();
        assert_eq!(find(mount.path(), own, "k").unwrap(), Hierarchies::Second(at("slice/b/k")));
    }
}
