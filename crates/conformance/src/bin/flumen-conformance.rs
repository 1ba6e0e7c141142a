//! Runs the suite against a cluster: `flumen-conformance local|kubernetes|record [CACHE [FILTER]]`. With `build CACHE` it builds the
//! programs of the real one alone, and its last line is where they are.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};
use flumen_conformance::{Kubernetes, Local, Outcome, Suite, build, rights};

const USAGE: &str = "usage: flumen-conformance local|kubernetes|record CACHE [FILTER]\n       flumen-conformance build CACHE";
/// The word by which the program starts itself again in namespaces of its own.
const INSIDE: &str = "inside";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["build", cache] => {
            tell(&build(&PathBuf::from(cache), tell)?.display().to_string());
            Ok(ExitCode::SUCCESS)
        }
        ["local", _, filter @ ..] => local(filter.first().unwrap_or(&"")),
        ["kubernetes" | "record", cache, filter @ ..] => {
            let programs = build(&PathBuf::from(cache), tell)?;
            enter(words[0], &programs, filter.first().unwrap_or(&""))
        }
        [INSIDE, mode, programs, filter] => inside(mode, Path::new(programs), filter),
        _ => bail!("{USAGE}"),
    }
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[tokio::main]
async fn local(filter: &str) -> Result<ExitCode> {
    let cluster = Local::start().await?;
    Ok(report(&Suite::read(filter)?.compare(cluster.target(), true).await?))
}

fn report(outcome: &Outcome) -> ExitCode {
    tell(&outcome.to_string());
    if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Goes on in network and process namespaces of its own: all ports are free there, and whatever ends this program,
/// nothing that it started stays.
fn enter(mode: &str, programs: &Path, filter: &str) -> Result<ExitCode> {
    let me = std::env::current_exe().context("could not find this program")?;
    let status = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .arg(me)
        .args([INSIDE, mode])
        .arg(programs)
        .arg(filter)
        .status()
        .context("could not run unshare (of util-linux)")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[tokio::main]
async fn inside(mode: &str, programs: &Path, filter: &str) -> Result<ExitCode> {
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    ensure!(
        up.context("could not run ip (of iproute2)")?.success(),
        "the loopback device stays down"
    );
    tokio::select! {
        code = ask(mode, programs, filter) => code,
        // The first process of a namespace is not ended by signals that it does not ask for.
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
    }
}

async fn ask(mode: &str, programs: &Path, filter: &str) -> Result<ExitCode> {
    let mut suite = Suite::read(filter)?;
    let cluster = Kubernetes::start(programs).await?;
    tell(&format!("Kubernetes {} is ready", Kubernetes::VERSION));
    if mode == "record" {
        let count = suite.record(cluster.target(), Kubernetes::VERSION).await?;
        tell(&format!("Recorded {count} cases"));
    }
    let code = report(&suite.compare(cluster.target(), false).await?);
    let count = rights(cluster.target()).await.context("the rights that Flumen needs")?;
    tell(&format!(
        "rights: `cluster rbac` gives {count} and no other, and each is missed without it"
    ));
    Ok(code)
}
