//! Steps with their times, and Ctrl-C between them.

#![expect(clippy::print_stdout, reason = "the demo is what it prints")]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

/// Whether Ctrl-C was pressed. The commands underway hear it too and end, so that their step fails.
pub(crate) static STOPPED: AtomicBool = AtomicBool::new(false);

/// Does a step, and prints how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (result, seconds) = timed(work)?;
    print(seconds, if result.is_ok() { "ok" } else { "FAILED" }, what);
    result.with_context(|| what.to_owned())
}

/// A step whose result is told below it.
pub(crate) fn told(what: &str, work: impl FnOnce() -> Result<String>) -> Result<()> {
    print_indented(&step(what, work)?);
    Ok(())
}

/// A step that may not be possible on this machine: nothing then, and it prints why.
pub(crate) fn possible<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    let (result, seconds) = timed(work)?;
    ensure!(!STOPPED.load(Ordering::SeqCst), "stopped");
    match result {
        Ok(found) => {
            print(seconds, "ok", what);
            Ok(Some(found))
        }
        Err(reason) => {
            print(seconds, "skipped", what);
            print_indented(&format!("{reason:#}"));
            Ok(None)
        }
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(Result<T>, f64)> {
    ensure!(!STOPPED.load(Ordering::SeqCst), "stopped");
    let began = Instant::now();
    let result = work();
    Ok((result, began.elapsed().as_secs_f64()))
}

fn print(seconds: f64, mark: &str, what: &str) {
    println!("{seconds:>7.1} s  {mark:<7} {what}");
}

pub(crate) fn print_indented(text: &str) {
    for line in text.lines() {
        println!("                   {line}");
    }
}
