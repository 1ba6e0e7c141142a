#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark is what it prints")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use flumen_e2e::{Flumen, example_jar};

use crate::{contest::Contest, figures::Table, peer::FLINK};

mod cluster;
mod contest;
mod control_plane;
mod drop_in;
mod figures;
mod idle;
mod local;
mod machine;
mod maven;
mod mirror;
mod peer;
mod process;
mod release;
mod render;
mod server_release;
mod steadiness;
mod upload;

const USAGE: &str = "usage: flumen-bench FLUMEN_BINARY CACHE_DIRECTORY [RUNS [jobs|client|render|maven|releases|cluster]...]";
/// What can be measured alone, in the order of the sections.
const PARTS: [&str; 6] = ["jobs", "client", "render", "maven", "releases", "cluster"];
/// How often each figure is taken; odd, so that the median is one that was measured.
const RUNS: usize = 5;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(binary), Some(cache)) = (arguments.next(), arguments.next()) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let runs = match arguments.next().map(|text| text.to_string_lossy().parse()) {
        None => RUNS,
        Some(Ok(runs)) if runs > 0 => runs,
        Some(_) => {
            eprintln!("RUNS must be a number of at least 1; {USAGE}");
            return ExitCode::FAILURE;
        }
    };
    let parts: Vec<_> = arguments.map(|part| part.to_string_lossy().into_owned()).collect();
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("{unknown} is no part of the benchmark; {USAGE}");
        return ExitCode::FAILURE;
    }
    match bench(&PathBuf::from(binary), Path::new(&cache), runs, &parts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(binary: &Path, cache: &Path, runs: usize, parts: &[String]) -> Result<()> {
    let directory = tempfile::Builder::new()
        .prefix("flumen-bench-")
        .tempdir()
        .context("no temporary directory")?;
    let at = |name: &str| -> Result<PathBuf> {
        let path = directory.path().join(name);
        std::fs::create_dir_all(&path).context("no temporary directory")?;
        Ok(path)
    };
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|one| one == part);
    println!("{}", machine::describe()?);
    println!("Medians of {runs} runs (least to greatest).\n");
    if is_wanted("jobs")
        && let Err(error) = jobs(binary, cache, directory.path(), runs)
    {
        let logs = directory.keep().join("data/logs");
        return Err(error.context(format!("the logs are in {}", logs.display())));
    }
    if is_wanted("client") {
        let home = cache.join("flink").join(FLINK);
        println!("{}", drop_in::list(binary, &home, directory.path(), runs)?);
    }
    if is_wanted("render") {
        println!("{}", render::measure(runs)?);
    }
    if is_wanted("maven") {
        println!("{}", maven::measure(binary, cache, &at("maven")?, runs)?);
    }
    if is_wanted("releases") {
        for table in release::measure(binary, cache, &at("releases")?, runs)? {
            println!("{table}");
        }
    }
    if is_wanted("cluster") {
        control_plane::measure(binary, cache, &at("cluster")?, runs)?;
    }
    Ok(())
}

/// Flumen and its local cluster, alone and beside Flink's client.
fn jobs(binary: &Path, cache: &Path, directory: &Path, runs: usize) -> Result<()> {
    let jar = example_jar(cache, FLINK)?;
    let mut table =
        Table::new("1. Local cluster: from the start of `flumen local` to readyz and a ready node");
    local::measure(binary, &directory.join("local"), runs, &mut table)?;
    println!("{table}");

    let flumen = Flumen::up(binary, (&directory.join("data"), cache))?;
    let mut table = Table::new("2. `flumen up`, no job, a minute after its start");
    idle::measure(&flumen, &mut table)?;
    println!("{table}");

    let contest = Contest::prepare(&flumen, binary, directory, (cache, &jar))?;
    compare(&flumen, &contest, runs)?;
    flumen.stop()
}

fn compare(flumen: &Flumen, contest: &Contest<'_>, runs: usize) -> Result<()> {
    let rounds = contest.rounds(runs)?;
    println!("{}", rounds.submission());
    println!("{}", rounds.running());
    let mut table = Table::new("5. `flumen up` after all these jobs");
    idle::memory(flumen, &mut table)?;
    println!("{table}");
    println!("{}", rounds.drop_in());
    Ok(())
}
