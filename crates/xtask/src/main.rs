#![doc = include_str!("../README.md")]

mod arrows;
mod files;
mod funnels;

use std::{path::PathBuf, process::ExitCode};

#[expect(
    clippy::print_stderr,
    reason = "a tool for developers: what is wrong goes to the terminal"
)]
fn main() -> ExitCode {
    match run() {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            eprintln!("{}\n{} problems", problems.join("\n"), problems.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<Vec<String>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut problems = Vec::new();
    match std::env::args().nth(1).as_deref() {
        Some("arrows") => problems.extend(arrows::check(&root)?),
        Some("funnels") => problems.extend(funnels::check(&root)?),
        Some("files") => problems.extend(files::check(&root)?),
        Some("check") => {
            problems.extend(arrows::check(&root)?);
            problems.extend(files::check(&root)?);
            problems.extend(funnels::check(&root)?);
        }
        _ => anyhow::bail!("usage: cargo xtask arrows|files|funnels|check"),
    }
    Ok(problems)
}
