//! What the figures were taken on.

use std::{fs, process::Command};

use anyhow::{Context, Result};

/// Cores, memory, kernel, Java, and how busy the machine is before anything starts.
pub(crate) fn describe() -> Result<String> {
    let cores = std::thread::available_parallelism().context("the number of cores")?;
    let processor = line_after("/proc/cpuinfo", "model name")?.unwrap_or_default();
    let memory = line_after("/proc/meminfo", "MemTotal")?.unwrap_or_default();
    let kibibytes: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
    let kernel = read("/proc/sys/kernel/osrelease")?;
    let load = read("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    Ok(format!(
        "{cores} cores ({processor}), {:.1} GiB of memory, Linux {}, {}, load average {load} before.",
        kibibytes / f64::from(1 << 20),
        kernel.trim(),
        java()?
    ))
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {path}"))
}

fn line_after(path: &str, name: &str) -> Result<Option<String>> {
    let text = read(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.and_then(|rest| rest.split_once(':')).map(|(_, value)| value.trim().to_owned()))
}

fn java() -> Result<String> {
    let output = Command::new("java").arg("-version").output().context("could not run java")?;
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(said.lines().nth(1).unwrap_or("a Java of unknown version").trim().to_owned())
}
