//! Files as a crash or a bad disk leaves them: what was answered is there, or the start says what is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{config_maps, files, only_log, open, put, value_of};
use crate::{
    Error,
    resources::Registry,
    storage::{
        directory::Snapshot,
        log::{Log, MAGIC, log_path},
    },
};

/// A directory with two objects, one of them changed once, and the last revision.
pub(super) async fn two_objects() -> (TempDir, u64) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let first = put(&store, "n/a", None, "1").await;
    put(&store, "n/b", None, "kept").await;
    let last = put(&store, "n/a", Some(first), "2").await;
    (directory, last)
}

/// The two objects are as they were answered; the next write is kept as well, and nothing stops the starts after it.
pub(super) async fn assert_whole(directory: &Path, last: u64, when: &str) {
    let store = open(directory).unwrap_or_else(|error| panic!("{when}: {error}"));
    assert_eq!(store.revision(), last, "{when}");
    let values = [value_of(&store, "n/a"), value_of(&store, "n/b")];
    assert_eq!(values, [Some("2".to_owned()), Some("kept".to_owned())], "{when}");
    let next = put(&store, "n/c", None, "3").await;
    drop(store);
    for _ in 0..2 {
        let store = open(directory).unwrap_or_else(|error| panic!("after {when}: {error}"));
        assert_eq!((store.revision(), value_of(&store, "n/c").as_deref()), (next, Some("3")));
    }
}

pub(super) fn copy(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for path in files(directory, "") {
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[tokio::test]
async fn damage_at_any_byte_before_the_last_write_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let log = only_log(directory.path());
    put(&store, "n/a", None, "1").await;
    put(&store, "n/b", None, "1").await;
    let end = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    put(&store, "n/c", None, "1").await;
    drop(store);
    let whole = fs::read(&log).unwrap();
    for at in MAGIC.len()..end {
        for flipped in [1, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= flipped;
            fs::write(&log, &bytes).unwrap();
            let opened = open(directory.path());
            assert!(matches!(opened, Err(Error::Damaged { .. })), "byte {at} of {end}");
        }
    }
}

#[tokio::test]
async fn a_new_log_that_was_not_finished_is_made_again() {
    let (directory, last) = two_objects().await;
    for length in 0..=MAGIC.len() {
        let copy = copy(directory.path());
        fs::write(log_path(copy.path(), last), &MAGIC[..length]).unwrap();
        assert_whole(copy.path(), last, &format!("a new log of {length} bytes")).await;
    }
}

#[test]
fn a_log_that_cannot_be_made_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // Every write to it fails, as on a full disk.
    std::os::unix::fs::symlink("/dev/full", log_path(directory.path(), 7)).unwrap();
    assert!(matches!(Log::create(directory.path(), 7), Err(Error::WriteFile { .. })));
    assert_eq!(files(directory.path(), ""), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_snapshot_may_be_interrupted_at_every_step() {
    let (directory, last) = two_objects().await;
    let old_log = only_log(directory.path());
    let written = snapshot_of(directory.path(), last);
    let name = written.path().join(format!("snapshot-{last:020}"));
    let bytes = fs::read(&name).unwrap();
    Log::create(directory.path(), last).unwrap();
    for length in 0..=bytes.len() {
        let copy = copy(directory.path());
        fs::write(copy.path().join("snapshot.new"), &bytes[..length]).unwrap();
        assert_whole(copy.path(), last, &format!("{length} bytes of the snapshot")).await;
        assert_eq!(files(copy.path(), "snapshot"), Vec::<PathBuf>::new());
    }
    fs::copy(&name, directory.path().join(name.file_name().unwrap())).unwrap();
    assert_whole(copy(directory.path()).path(), last, "the snapshot beside the old log").await;
    fs::remove_file(old_log).unwrap();
    assert_whole(directory.path(), last, "the snapshot without the old log").await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_an_error_and_not_a_loss() {
    let (directory, last) = two_objects().await;
    let written = snapshot_of(directory.path(), last);
    let name = files(written.path(), "snapshot-").remove(0);
    let whole = fs::read(&name).unwrap();
    for at in MAGIC.len()..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&name, &bytes).unwrap();
        let opened = open(written.path());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "byte {at}");
    }
}

/// Another directory with nothing but a snapshot of this one.
pub(super) fn snapshot_of(directory: &Path, revision: u64) -> TempDir {
    let another = copy(directory);
    let store = open(another.path()).unwrap();
    let storage = Registry::global().by_id(config_maps()).storage;
    let (entries, _) = store.list(config_maps(), None);
    let objects = entries.into_iter().map(|(key, object)| (storage, key, object)).collect();
    let snapshot = Snapshot { directory: another.path().to_owned(), revision, objects };
    snapshot.write().unwrap();
    another
}
