use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use clap::Args;
use flumen_maven::{Artifact, Copied, file_names};
use serde_json::json;

use super::{Listed, Wanted, plan::Session};
use crate::{Error, Streams, progress::megabytes};

/// More files at a time gain nothing on one disk.
const MOST_COPIES: usize = 4;

/// Files, and where they go.
type Pairs<'a> = Vec<(&'a PathBuf, &'a PathBuf)>;

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
    let request = Session::request(&arguments.wanted)?;
    let wanted = request.wanted.iter().map(|one| &one.coordinates);
    let here: HashSet<PathBuf> = wanted.filter_map(|one| session.here(one)).collect();
    let (to, java) = (&arguments.to, &arguments.wanted.sources.java);
    let is_new = !to.exists();
    let copied = thread::scope(|scope| {
        // What is asked for is part of what is needed, unless it moved; so it is copied while the rest is worked out.
        let begun = scope.spawn(|| begin(&here, to));
        let artifacts = session.resolve_request(&request, java, streams)?.artifacts;
        let kept = session.fetch(&artifacts, streams)?;
        let targets: Vec<_> = file_names(&artifacts).iter().map(|name| to.join(name)).collect();
        let pairs = kept.iter().zip(&targets);
        let (early, late) = pairs.partition(|(from, _)| here.contains(*from));
        copy(late)?;
        let begun = begun.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        finish(early, begun)?;
        Ok::<_, Error>((artifacts, targets))
    });
    if is_new && copied.is_err() {
        // Only if nothing lies in it.
        let _ = fs::remove_dir(to);
    }
    let (artifacts, targets) = copied?;
    show(&artifacts, &targets, to, streams)
}

/// Prints the paths of all artifacts.
fn show(
    artifacts: &[Artifact],
    targets: &[PathBuf],
    to: &Path,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let paths = targets.iter().map(|path| path.display().to_string());
    if streams.json {
        let listed = artifacts.iter().zip(paths).map(|(one, path)| Listed::new(one, Some(path)));
        return streams.print_json(&json!({ "artifacts": listed.collect::<Vec<_>>() }));
    }
    for path in paths {
        streams.print(&format!("{path}\n"))?;
    }
    let sizes = targets.iter().filter_map(|path| path.metadata().ok());
    let size = megabytes(sizes.map(|file| file.len()).sum());
    let count = artifacts.len();
    let files = if count == 1 { "file" } else { "files" };
    streams.note(&format!("{count} {files}, {size}, lie in {}.", to.display()))
}

/// Copies files that may be wanted into the directory. One that fails is tried again when it is wanted, which says why.
fn begin(files: &HashSet<PathBuf>, directory: &Path) -> HashMap<PathBuf, Copied> {
    let copied =
        |from: &PathBuf| Some((from.clone(), Copied::into_directory(from, directory).ok()?));
    files.iter().filter_map(copied).collect()
}

/// Gives those copies their names that are wanted.
fn finish(pairs: Pairs<'_>, mut begun: HashMap<PathBuf, Copied>) -> Result<(), Error> {
    for (from, to) in pairs {
        match begun.remove(from) {
            Some(copied) => copied.keep_as(to)?,
            None => copy_one(from, to)?,
        }
    }
    Ok(())
}

/// Copies each file to its target, several at a time, the largest first: one that is begun last is waited for alone.
fn copy(mut pairs: Pairs<'_>) -> Result<(), Error> {
    let size = |file: &Path| file.metadata().map_or(0, |file| file.len());
    pairs.sort_by_cached_key(|(from, _)| Reverse(size(from)));
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), Error> {
        while let Some((from, to)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
            copy_one(from, to)?;
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

fn copy_one(from: &Path, to: &Path) -> Result<(), Error> {
    let directory = to.parent().unwrap_or(Path::new("."));
    Ok(Copied::into_directory(from, directory)?.keep_as(to)?)
}
