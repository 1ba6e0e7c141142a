//! The local cluster answers every case as the real control plane was recorded to, but for intended differences.

use std::{io::Write as _, process::ExitCode};

use flumen_conformance::{Local, Suite};

#[tokio::main]
async fn main() -> ExitCode {
    // What cargo gives a test program: options of its harness, and perhaps a filter.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let suite = Suite::read(&filter.unwrap_or_default()).expect("cases and records");
    let cluster = Local::start().await.expect("a local cluster");
    let outcome = suite.compare(cluster.target(), true).await.expect("answers");
    let _ = writeln!(std::io::stdout(), "{outcome}");
    if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
