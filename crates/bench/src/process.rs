//! CPU time and memory of processes, as the kernel accounts for them.

use std::{
    fs,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::{
        resource::{UsageWho, getrusage},
        time::TimeVal,
    },
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What a command took from its start to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) began: Instant,
    pub(crate) wall: Duration,
    /// User and system time of it and of all that it started and waited for.
    pub(crate) cpu: Duration,
}

/// Runs a command that must succeed. Only one at a time: the kernel adds up all children that ended.
pub(crate) fn measured(command: &mut Command) -> Result<(Output, Spent)> {
    let before = of_children()?;
    let began = Instant::now();
    let output = command.output().with_context(|| format!("could not run {command:?}"))?;
    let wall = began.elapsed();
    let cpu = of_children()?.saturating_sub(before);
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    Ok((output, Spent { began, wall, cpu }))
}

/// Runs a command that must succeed; the most memory that it held, which the kernel notes as long as it runs.
pub(crate) fn peak(command: &mut Command) -> Result<(Duration, u64)> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("could not run {command:?}"))?;
    let mut peak = 0;
    let status = loop {
        // The highest so far never falls: whatever was seen last is the peak but for the last moment.
        peak = high_water(child.id()).unwrap_or_default().max(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(LOOK_EVERY);
    };
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok((began.elapsed(), peak))
}

fn high_water(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

/// Whether a program is there.
pub(crate) fn is_installed(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|directory| directory.join(program).is_file())
}

fn of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("the CPU time of children")?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(micros.try_into().unwrap_or_default())
}

/// The CPU time of a running process, all its threads, by its clock: `/proc/PID/stat` counts in
/// hundredths of a second, and what is measured here is less.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let id = Pid::from_raw(process.try_into().context("a process id is an i32")?);
    let clock = clock_getcpuclockid(id).with_context(|| format!("the clock of process {id}"))?;
    let time = clock_gettime(clock).with_context(|| format!("the CPU time of process {id}"))?;
    Ok(Duration::from(time))
}

/// What a process holds in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident bytes, with those that it shares with others.
    pub(crate) resident: u64,
    /// The same with its share only of what it shares.
    pub(crate) proportional: u64,
}

pub(crate) fn memory(process: u32) -> Result<Memory> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    let kibibytes = |name: &str| -> Result<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        number
            .and_then(|number| number.parse::<u64>().ok())
            .with_context(|| format!("{path} has no {name}"))
    };
    Ok(Memory { resident: kibibytes("Rss:")? << 10, proportional: kibibytes("Pss:")? << 10 })
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
