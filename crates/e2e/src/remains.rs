//! What a local cluster left on the machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Things that only a running local cluster has: mounts below its directory, network interfaces, processes
/// that name its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    mounts: BTreeSet<String>,
    interfaces: BTreeSet<String>,
    /// By their ids, with their command lines.
    processes: BTreeMap<u32, String>,
}

impl Remains {
    /// Looks at the machine; `directory` is the data directory in question.
    pub fn of(directory: &Path) -> Self {
        let text = directory.display().to_string();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mounts =
            mounts.lines().filter(|line| line.contains(&text)).map(str::to_owned).collect();
        let names = |path: &str| -> BTreeSet<String> {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        let processes = names("/proc")
            .into_iter()
            .filter_map(|name| name.parse().ok())
            .filter(|pid| *pid != std::process::id())
            .filter_map(|pid| {
                let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
                let command = String::from_utf8_lossy(&command).replace('\0', " ");
                command.contains(&text).then_some((pid, command))
            })
            .collect();
        Self { mounts, interfaces: names("/sys/class/net"), processes }
    }

    /// What is here and was not there before; empty is good.
    pub fn since(&self, before: &Self) -> Vec<String> {
        let mut new: Vec<String> =
            self.mounts.difference(&before.mounts).map(|mount| format!("mount {mount}")).collect();
        new.extend(
            self.interfaces.difference(&before.interfaces).map(|name| format!("interface {name}")),
        );
        let processes =
            self.processes.iter().filter(|one| before.processes.get(one.0) != Some(one.1));
        new.extend(processes.map(|(id, command)| format!("process {id}: {command}")));
        new
    }
}
