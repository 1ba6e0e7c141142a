//! `make demo`: the main job, from nothing to a result that is right; orders in SQL, into a database and in Python; and a
//! streaming job with state through everything that may happen to it; each step with its time.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the demo is what it prints")]

mod orders;
mod steps;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use flumen_e2e::{
    CPU_LIMITS, Flumen, Remains, Streaming, WordCount, connector_jar, example_jar, job_file,
};
use serde_json::Value;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use steps::{STOPPED, print_indented, step, told};

/// The Flink version that the demo takes.
const VERSION: &str = "1.20.5";
const TEXT_BYTES: u64 = 100 << 20;
const JOB: &str = "word-count";

/// What a shell answers for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(binary), Some(cache)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: flumen-demo FLUMEN_BINARY CACHE_DIRECTORY");
        return ExitCode::FAILURE;
    };
    if let Err(error) = listen_for_stop() {
        eprintln!("Ctrl-C cannot be listened for: {error:#}");
        return ExitCode::FAILURE;
    }
    match demo(Path::new(&binary), Path::new(&cache)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if STOPPED.load(Ordering::SeqCst) => {
            eprintln!("\nStopped; nothing is left.");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Keeps Ctrl-C and SIGTERM from ending us before everything is cleared away.
fn listen_for_stop() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("could not listen for signals")?;
    thread::Builder::new()
        .spawn(move || signals.forever().for_each(|_| STOPPED.store(true, Ordering::SeqCst)))
        .context("could not start a thread")?;
    Ok(())
}

fn demo(binary: &Path, cache: &Path) -> Result<()> {
    let directory = tempfile::Builder::new()
        .prefix("flumen-demo-")
        .tempdir()
        .context("no temporary directory")?;
    let before = Remains::of(directory.path());
    let result = show(binary, cache, directory.path());
    let data = directory.path().join("data");
    let is_nothing_left = || {
        let left = Remains::of(&data).since(&before);
        ensure!(left.is_empty(), "left behind: {left:?}");
        Ok(())
    };
    if STOPPED.load(Ordering::SeqCst) {
        if let Err(left) = is_nothing_left() {
            STOPPED.store(false, Ordering::SeqCst);
            return Err(left);
        }
        return result;
    }
    if result.is_err() {
        let kept = directory.keep();
        eprintln!("The logs are in {}.", kept.join("data/logs").display());
        return result;
    }
    step("nothing is left running or mounted", is_nothing_left)
}

fn show(binary: &Path, cache: &Path, directory: &Path) -> Result<()> {
    let input = directory.join("input");
    let output = directory.join("output");
    std::fs::create_dir(&input).context("no directory for the text")?;
    let jar = step("get Flink's example jar", || example_jar(cache, VERSION))?;
    let connector = step("get the connector of its streams", || connector_jar(cache, VERSION))?;
    let words = step("write 100 MiB of text", || {
        WordCount::generate(&input.join("words.txt"), TEXT_BYTES)
    })?;
    let flumen = step("flumen up: server and local cluster", || {
        Flumen::up(binary, (&directory.join("data"), cache))
    })?;
    step(
        "flumen environment apply: pods may take more of the processors than they ask for",
        || {
            flumen.change_environment(|environment| {
                environment["configuration"] = CPU_LIMITS.into_iter().collect();
            })
        },
    )?;
    step(&format!("flumen version add {VERSION}: base image of Flink"), || {
        flumen.succeed(&["version", "add", VERSION, "--wait"])
    })?;
    let file = write_job(directory, &jar, (&input, &output))?;
    told("flumen apply --wait: release, image, objects, until it runs", || {
        flumen.succeed(&["apply", "--file", &file, "--wait"])
    })?;
    step("the job runs to its end", || watch(&flumen))?;
    told("compare the counted words", || words.check(&output))?;
    told("read the saved log of the JobManager", || {
        flumen.succeed(&["job", "logs", JOB, "--tail", "3"])
    })?;
    orders::in_sql(&flumen, cache, directory)?;
    stream(&flumen, directory, (jar, connector))?;
    orders::in_python(&flumen, cache, directory)?;
    print_indented(&flumen.succeed(&["job", "list"])?);
    if std::io::stdout().is_terminal() {
        println!("\nFlumen stays up. Try `{} job show {JOB}", binary.display());
        println!("  --data-directory {}`; Ctrl-C ends it all.", flumen.directory().display());
        while !STOPPED.load(Ordering::SeqCst) && is_running(&flumen) {
            thread::sleep(Duration::from_millis(200));
        }
        STOPPED.store(false, Ordering::SeqCst);
    }
    step("stop everything", || flumen.stop())
}

fn stream(
    flumen: &Flumen,
    directory: &Path,
    (examples, connector): (PathBuf, Option<PathBuf>),
) -> Result<()> {
    let mut streaming = Streaming {
        flumen,
        version: VERSION,
        examples,
        connector,
        directory: directory.to_owned(),
    };
    for (what, work) in Streaming::STEPS {
        told(what, || work(&mut streaming))?;
    }
    Ok(())
}

fn write_job(directory: &Path, jar: &Path, paths: (&Path, &Path)) -> Result<String> {
    let file: PathBuf = directory.join("job.yaml");
    std::fs::write(&file, job_file(JOB, VERSION, jar, paths))
        .context("could not write the job file")?;
    Ok(file.display().to_string())
}

/// Prints each new state, and how many records a second go through the job while it runs.
fn watch(flumen: &Flumen) -> Result<()> {
    let began = Instant::now();
    let mut last = String::new();
    let mut rate = Rate { records: 0, at: began };
    loop {
        let job = flumen.json(&["job", "show", JOB])?;
        let state = job["state"].as_str().unwrap_or_default();
        let line = format!("{state}{}", rate.since_last(&job["live"]));
        if line != last {
            print_indented(&line);
            last.clone_from(&line);
        }
        match state {
            "FINISHED" => return Ok(()),
            _ if STOPPED.load(Ordering::SeqCst) => bail!("stopped"),
            "FAILED" | "CANCELED" | "ENDED_UNKNOWN" => {
                bail!("the job is {state}: {}", job["reason"])
            }
            _ if began.elapsed() > Duration::from_mins(5) => {
                bail!("the job is {state} after 5 minutes")
            }
            _ => thread::sleep(Duration::from_millis(500)),
        }
    }
}

/// Records a second between two looks. Flink's own meters speak of the last minute, which is longer than
/// this job runs.
struct Rate {
    records: u64,
    at: Instant,
}

impl Rate {
    fn since_last(&mut self, live: &Value) -> String {
        let vertices = live["vertices"].as_array().into_iter().flatten();
        let records: u64 = vertices.filter_map(|vertex| vertex["recordsOut"].as_u64()).sum();
        if records <= self.records {
            return String::new();
        }
        let new = Self { records, at: Instant::now() };
        let old = std::mem::replace(self, new);
        let seconds = self.at.duration_since(old.at).as_secs_f64();
        // Exact up to 2^32 records between two looks.
        let new = f64::from(u32::try_from(records - old.records).unwrap_or(u32::MAX));
        format!(", {:.0} records/s", new / seconds)
    }
}

fn is_running(flumen: &Flumen) -> bool {
    Path::new(&format!("/proc/{}", flumen.id())).exists()
}
