//! In the second version a group must pass its controllers on before the groups in it can have limits.

use std::{fs, io, path::Path};

use super::{Error, PROCESSES, during};

/// Where the processes of a container go in which this is run. Other programs that make groups in containers call it so, too.
const FORMER: &str = "init";
/// How often the processes of a group are moved: some may start others meanwhile.
const MOVE_TRIES: u32 = 10;

/// Lets the groups in `directory` have limits. Except at the very top, a group that does so must not have processes itself;
/// but in a container what seems to be the top has all of its processes.
pub(super) fn pass_on(directory: &Path) -> Result<(), Error> {
    let path = directory.join("cgroup.subtree_control");
    let mut tries = 0;
    loop {
        match fs::write(&path, "+memory +cpu") {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && tries < MOVE_TRIES => {
                tries += 1;
                vacate(directory)?;
            }
            done => return done.map_err(during("pass controllers on by", &path)),
        }
    }
}

/// Moves the processes of a group into one below it, where they stay.
fn vacate(directory: &Path) -> Result<(), Error> {
    let former = directory.join(FORMER);
    if let Err(error) = fs::create_dir(&former)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(during("make the control group", &former)(error));
    }
    let processes = directory.join(PROCESSES);
    let text = fs::read_to_string(&processes).map_err(during("read", &processes))?;
    for process in movable(&text) {
        // It may have ended. Whether all are out is seen when controllers are passed on.
        if let Err(error) = fs::write(former.join(PROCESSES), process) {
            tracing::debug!(%error, process, "a process stays in its control group");
        }
    }
    Ok(())
}

/// Those in `cgroup.procs` that have a number here; all others, of which there is nothing to name, are 0.
fn movable(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|process| *process != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_other_namespaces_are_not_moved() {
        assert_eq!(movable("1\n0\n42\n0\n").collect::<Vec<_>>(), ["1", "42"]);
    }
}
