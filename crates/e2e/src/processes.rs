//! Processes of others: which there are below one, and when they have ended.

use std::{
    fs,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};

/// A process and all below it, each with its command line; those that end meanwhile are left out.
pub fn family(process: u32) -> Vec<(u32, String)> {
    let command = fs::read_to_string(format!("/proc/{process}/cmdline"));
    let mut all = vec![(process, command.unwrap_or_default().replace('\0', " "))];
    // Each thread has its own list of those that it started.
    for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        all.extend(children.flat_map(family));
    }
    all
}

/// A process that runs now: another one that gets its number later is not taken for it.
///
/// # Errors
/// If there is no such process.
pub fn watch(process: u32) -> Result<OwnedFd> {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw).context("no process id")?;
    pidfd_open(id, PidfdFlags::empty())
        .with_context(|| format!("could not watch process {process}"))
}

/// Whether all of these have ended within this time.
///
/// # Errors
/// If the kernel refuses to say.
pub fn end_within(processes: &[OwnedFd], patience: Duration) -> Result<bool> {
    let deadline = Instant::now() + patience;
    for process in processes {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = left.try_into().context("too long a time")?;
            match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&left)) {
                Ok(0) => return Ok(false),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("could not wait for a process"),
            }
        }
    }
    Ok(true)
}
