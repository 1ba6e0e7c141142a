use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use clap::Args;
use flumen_maven::{Client, file_names};
use serde_json::json;

use super::{Listed, Wanted, plan::Session};
use crate::{Error, Streams, progress::megabytes};

/// More files at a time gain nothing on one disk.
const MOST_COPIES: usize = 4;

/// Fetch artifacts and all that they depend on into a directory
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen maven fetch org.apache.flink:flink-connector-kafka:3.4.0-1.20 --platform-rules --to lib
  flumen maven fetch org.postgresql:postgresql:42.7.3 --to lib --output json | jq -r '.artifacts[].path'
  flumen maven fetch com.example:job:1.0 --to lib --offline

Files are kept in the local repository, which Maven shares, and copied from there. Other files
in the directory stay.")]
pub struct Fetch {
    #[command(flatten)]
    wanted: Wanted,

    /// Directory that the files are copied into; it is made if it is not there
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
}

pub(super) fn run(arguments: &Fetch, streams: &mut Streams<'_>) -> Result<(), Error> {
    let session = Session::start(&arguments.wanted.sources, streams)?;
    let resolution = session.resolve(&arguments.wanted, streams)?;
    let artifacts = resolution.artifacts;
    let kept = session.fetch(&artifacts, streams)?;
    let names = file_names(&artifacts);
    let targets: Vec<_> = names.iter().map(|name| arguments.to.join(name)).collect();
    copy(&kept, &targets)?;
    let sizes = targets.iter().filter_map(|path| path.metadata().ok());
    let bytes = sizes.map(|file| file.len()).sum();
    let paths = targets.iter().map(|path| path.display().to_string());
    if streams.json {
        let listed = artifacts.iter().zip(paths).map(|(one, path)| Listed::new(one, Some(path)));
        return streams.print_json(&json!({ "artifacts": listed.collect::<Vec<_>>() }));
    }
    for path in paths {
        streams.print(&format!("{path}\n"))?;
    }
    let (count, size) = (artifacts.len(), megabytes(bytes));
    let files = if count == 1 { "file" } else { "files" };
    streams.note(&format!("{count} {files}, {size}, lie in {}.", arguments.to.display()))
}

/// Copies each file to its target, several at a time.
fn copy(files: &[PathBuf], targets: &[PathBuf]) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), Error> {
        let pairs = || files.iter().zip(targets).nth(next.fetch_add(1, Ordering::Relaxed));
        while let Some((from, to)) = pairs() {
            Client::copy(from, to)?;
        }
        Ok(())
    };
    let others =
        thread::available_parallelism().map_or(0, |count| count.get().min(MOST_COPIES) - 1);
    thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let own = work();
        let ended = others
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.fold(own, Result::and)
    })
}
