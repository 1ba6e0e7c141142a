//! Limits of memory and processors by control groups, of the first version or the second, whichever the machine has.
//!
//! At the top of each hierarchy, where the real kubelet has its own, there is one group for the kubelet, and in there one for
//! each container that has limits. What a kubelet that was killed left, which are empty groups, is removed when the next
//! one starts.

mod delegation;
mod limits;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

pub(crate) use limits::Limits;

use crate::protocol::{Access, ControlGroups, Mount};

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

/// The kubelet's own group, or why there is none, and what begins the names of those that are made in it. It is removed
/// with the last clone, when no container is left.
#[derive(Debug, Clone)]
pub(crate) struct Cgroups {
    own: Result<Arc<Own>, Error>,
    prefix: String,
}

#[derive(Debug)]
struct Own(Hierarchies);

/// The group of a container.
#[derive(Debug)]
pub(crate) struct Group {
    hierarchies: Hierarchies,
}

impl Cgroups {
    /// Makes the group `name` and removes what an earlier kubelet left in it.
    pub(crate) fn open(name: &str) -> Self {
        let opened = find(Path::new(MOUNT), name).and_then(open).map(Arc::new);
        if let Err(error) = &opened {
            tracing::warn!(%error, "the limits of containers are not enforced");
        }
        Self { own: opened, prefix: String::new() }
    }

    /// For the containers of the node with this number.
    pub(crate) fn of_node(&self, number: usize) -> Self {
        Self { own: self.own.clone(), prefix: format!("{number}-") }
    }

    /// Removes all groups of the node, whose containers have ended. Waits for the kernel, so not for a task.
    pub(crate) fn remove_groups(&self) {
        if let Ok(own) = &self.own {
            own.0.remove_inside(&self.prefix);
        }
    }

    /// Makes a group with limits; a process joins it as [`Group::joining`] says.
    pub(crate) fn group(&self, name: &str, limits: &Limits) -> Result<Group, Error> {
        let own = self.own.as_ref().map_err(Clone::clone)?;
        let group = Group { hierarchies: own.0.below(&format!("{}{name}", self.prefix)) };
        let made = group.hierarchies.make_one().and_then(|()| group.hierarchies.limit(limits));
        if made.is_err() {
            group.hierarchies.remove();
        }
        made.map(|()| group)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.remove_all();
    }
}

impl Group {
    /// How its processes join it. In the second version Java looks for its limits where `/proc/self/cgroup` says, below what
    /// is mounted: they are at the top, as in the containers of other engines.
    pub(crate) fn joining(&self) -> ControlGroups {
        let joins = self.hierarchies.directories().map(|directory| directory.join(PROCESSES));
        let on_top = matches!(self.hierarchies, Hierarchies::Second(_));
        ControlGroups { joins: joins.collect(), on_top }
    }

    /// By which programs in the container see their limits; Java takes its processors and its memory from there.
    pub(crate) fn mounts(&self) -> Vec<Mount> {
        let mount = |source: &Path, target: &Path| Mount {
            source: source.to_owned(),
            sub_path: None,
            target: target.to_owned(),
            access: Access::RecursivelyReadOnly,
        };
        let top = Path::new(MOUNT);
        match &self.hierarchies {
            Hierarchies::First { memory, cpu } => {
                let (time, set) = (top.join("cpuacct"), top.join("cpuset"));
                // This one and that of `cpu` are often one.
                let time = if same(&time, &top.join("cpu")) { cpu } else { &time };
                [(memory, "memory"), (cpu, "cpu"), (time, "cpuacct"), (&set, "cpuset")]
                    .into_iter()
                    .filter(|(source, _)| source.is_dir())
                    .map(|(source, name)| mount(source, &top.join(name)))
                    .collect()
            }
            Hierarchies::Second(all) => vec![mount(all, top)],
        }
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

/// Where the kubelet's own group is.
fn find(mount: &Path, name: &str) -> Result<Hierarchies, Error> {
    if mount.join("cgroup.controllers").is_file() {
        return Ok(Hierarchies::Second(mount.join(name)));
    }
    let (memory, cpu) = (mount.join("memory"), mount.join("cpu"));
    if memory.is_dir() && cpu.is_dir() {
        return Ok(Hierarchies::First { memory: memory.join(name), cpu: cpu.join(name) });
    }
    Err(Error::None)
}

fn open(hierarchies: Hierarchies) -> Result<Own, Error> {
    hierarchies.remove_all();
    let own = Own(hierarchies);
    own.0.make()?;
    Ok(own)
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
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
        all.parent().into_iter().chain([all.as_path()]).try_for_each(delegation::pass_on)
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
            for tries in 1.. {
                match fs::remove_dir(directory) {
                    Err(error)
                        if error.kind() == io::ErrorKind::ResourceBusy && tries < REMOVE_TRIES =>
                    {
                        thread::sleep(REMOVE_PAUSE);
                    }
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::debug!(%error, path = %directory.display(), "a control group stays");
                        break;
                    }
                    _ => break,
                }
            }
        }
    }

    /// With the groups in it.
    fn remove_all(&self) {
        self.remove_inside("");
        self.remove();
    }

    /// The groups in it whose names begin so.
    fn remove_inside(&self, prefix: &str) {
        for directory in self.directories() {
            let inside = fs::read_dir(directory).into_iter().flatten().flatten();
            let named = |entry: &fs::DirEntry| {
                entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes())
            };
            for entry in inside.filter(|entry| named(entry) && entry.path().is_dir()) {
                Self::Second(entry.path()).remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kubelets_own_group_is_found_in_both_versions() {
        let mount = tempfile::tempdir().unwrap();
        let at = |path: &str| mount.path().join(path);
        assert!(matches!(find(mount.path(), "k"), Err(Error::None)));
        fs::create_dir(at("memory")).unwrap();
        fs::create_dir(at("cpu")).unwrap();
        let first = Hierarchies::First { memory: at("memory/k"), cpu: at("cpu/k") };
        assert_eq!(find(mount.path(), "k").unwrap(), first);
        fs::write(at("cgroup.controllers"), "cpu memory").unwrap();
        assert_eq!(find(mount.path(), "k").unwrap(), Hierarchies::Second(at("k")));
    }

    #[test]
    fn a_node_removes_its_own_groups_and_those_of_no_other() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["1-a", "1-b", "0-a", "11-a"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let own = Arc::new(Own(Hierarchies::Second(directory.path().to_owned())));
        let machine = Cgroups { own: Ok(own), prefix: String::new() };
        machine.of_node(1).remove_groups();
        let left = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: std::collections::BTreeSet<_> = left.collect();
        assert_eq!(left, ["0-a", "11-a"].map(Into::into).into());
    }

    #[test]
    fn processes_join_one_group_of_the_second_version_and_take_it_for_the_top() {
        let group = Group { hierarchies: Hierarchies::Second("/c/k/g".into()) };
        let joins = vec!["/c/k/g/cgroup.procs".into()];
        assert_eq!(group.joining(), ControlGroups { joins, on_top: true });
        let first = Hierarchies::First { memory: "/m/g".into(), cpu: "/c/g".into() };
        let joins = vec!["/m/g/cgroup.procs".into(), "/c/g/cgroup.procs".into()];
        assert_eq!(Group { hierarchies: first }.joining(), ControlGroups { joins, on_top: false });
    }

    #[test]
    fn nothing_is_left_of_a_group_that_cannot_pass_limits_on() {
        let mount = tempfile::tempdir().unwrap();
        let all = mount.path().join("k");
        fs::create_dir(mount.path().join("cgroup.subtree_control")).unwrap();
        assert!(matches!(open(Hierarchies::Second(all.clone())), Err(Error::Use { .. })));
        assert!(!all.exists());
    }
}
