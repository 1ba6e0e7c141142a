//! What a cluster may leave of itself on the machine: nothing.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process that cannot be mistaken for a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    started: String,
    command: String,
}

/// The machine before the cluster started.
pub(crate) struct Leftovers {
    directory: PathBuf,
    interfaces: BTreeSet<String>,
}

impl Leftovers {
    pub(crate) fn look(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), interfaces: interfaces() }
    }

    /// Within five seconds nothing is left: none of these processes, no mount below the directory, no new interface.
    pub(crate) async fn assert_none(&self, family: Vec<Process>) {
        let mut left = Vec::new();
        for _ in 0..250 {
            left = self.left(&family);
            if left.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("left behind: {left:#?}");
    }

    fn left(&self, family: &[Process]) -> Vec<String> {
        let alive = family.iter().filter(|process| {
            read(process.pid)
                .is_some_and(|(now, _, state)| now.started == process.started && state != "Z")
        });
        let mut left: Vec<String> =
            alive.map(|process| format!("process {} {}", process.pid, process.command)).collect();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
        let directory = self.directory.to_str().expect("path");
        left.extend(
            mounts
                .lines()
                .filter(|line| line.contains(directory))
                .map(|line| format!("mount {line}")),
        );
        left.extend(
            interfaces().difference(&self.interfaces).map(|name| format!("interface {name}")),
        );
        left
    }
}

fn interfaces() -> BTreeSet<String> {
    let entries = std::fs::read_dir("/sys/class/net").expect("interfaces");
    entries
        .map(|entry| entry.expect("interface").file_name().to_string_lossy().into_owned())
        .collect()
}

/// The process itself and everything below it.
pub(crate) fn family(pid: u32) -> Vec<Process> {
    let mut children: HashMap<u32, Vec<Process>> = HashMap::new();
    let mut first = None;
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let Some((process, parent, _)) =
            entry.file_name().to_str().and_then(|name| read(name.parse().ok()?))
        else {
            continue;
        };
        if process.pid == pid {
            first = Some(process.clone());
        }
        children.entry(parent).or_default().push(process);
    }
    let mut family: Vec<Process> = first.into_iter().collect();
    let mut next = 0;
    while let Some(process) = family.get(next) {
        family.extend(children.remove(&process.pid).unwrap_or_default());
        next += 1;
    }
    family
}

/// The process, its parent and its state.
fn read(pid: u32) -> Option<(Process, u32, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain anything.
    let (head, tail) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = tail.split(' ').collect();
    let command = head.split_once('(')?.1.to_owned();
    Some((
        Process { pid, started: (*fields.get(19)?).to_owned(), command },
        fields.get(1)?.parse().ok()?,
        (*fields.first()?).to_owned(),
    ))
}
