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
mod drop_in;
mod figures;
mod idle;
mod local;
mod machine;
mod peer;
mod process;
mod render;

const USAGE: &str = "usage: flumen-bench FLUMEN_BINARY CACHE_DIRECTORY [RUNS]";
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
    match bench(&PathBuf::from(binary), Path::new(&cache), runs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(binary: &Path, cache: &Path, runs: usize) -> Result<()> {
    let directory = tempfile::Builder::new()
        .prefix("flumen-bench-")
        .tempdir()
        .context("no temporary directory")?;
    let jar = example_jar(cache, FLINK)?;
    println!("{}", machine::describe()?);
    println!("Medians of {runs} runs (least to greatest).\n");

    let mut table =
        Table::new("1. Local cluster: from the start of `flumen local` to readyz and a ready node");
    local::measure(binary, &directory.path().join("local"), runs, &mut table)?;
    println!("{table}");

    let flumen = Flumen::up(binary, (&directory.path().join("data"), cache))?;
    let mut table = Table::new("2. `flumen up`, no job, a minute after its start");
    idle::measure(&flumen, &mut table)?;
    println!("{table}");

    let result = Contest::prepare(&flumen, binary, directory.path(), (cache, &jar))
        .and_then(|contest| compare(&flumen, &contest, runs));
    if let Err(error) = result {
        let logs = directory.keep().join("data/logs");
        return Err(error.context(format!("the logs are in {}", logs.display())));
    }
    flumen.stop()?;
    let home = cache.join("flink").join(FLINK);
    println!("{}", drop_in::list(binary, &home, directory.path(), runs)?);
    println!("{}", render::measure(runs)?);
    Ok(())
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
