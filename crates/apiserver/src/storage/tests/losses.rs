//! Files that are missing or cut short: an error, unless nobody was ever told of what they held.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    faults::{assert_whole, copy, snapshot_of, two_objects},
    files, only_log, open, put, value_of,
};
use crate::{
    Error,
    storage::log::{Log, MAGIC, Operation, Version, decode, log_path},
};

fn cut(path: &Path, length: usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..length]).unwrap();
}

/// Where the records of a file begin, and where the last one ends.
fn boundaries(path: &Path) -> Vec<usize> {
    let bytes = fs::read(path).unwrap();
    let mut boundaries = vec![MAGIC.len()];
    while let Some((_, length)) = decode(&bytes[boundaries[boundaries.len() - 1]..], Version::Two) {
        boundaries.push(boundaries[boundaries.len() - 1] + length);
    }
    boundaries
}

#[tokio::test]
async fn a_snapshot_that_was_cut_short_anywhere_is_an_error() {
    let (directory, last) = two_objects().await;
    let written = snapshot_of(directory.path(), last);
    Log::create(written.path(), last).unwrap();
    assert_whole(copy(written.path()).path(), last, "the whole snapshot").await;
    let name = files(written.path(), "snapshot-").remove(0);
    for length in 0..fs::read(&name).unwrap().len() {
        let copy = copy(written.path());
        cut(&copy.path().join(name.file_name().unwrap()), length);
        let opened = open(copy.path());
        assert!(matches!(opened, Err(Error::Damaged { .. })), "cut at {length}");
    }
}

#[tokio::test]
async fn a_snapshot_of_another_revision_or_with_records_behind_its_end_is_an_error() {
    let (directory, last) = two_objects().await;
    let written = snapshot_of(directory.path(), last);
    Log::create(written.path(), last).unwrap();
    let name = files(written.path(), "snapshot-").remove(0);
    let bytes = fs::read(&name).unwrap();
    fs::write(&name, [&bytes[..], &bytes[MAGIC.len()..]].concat()).unwrap();
    assert!(matches!(open(written.path()), Err(Error::Damaged { .. })));
    fs::remove_file(&name).unwrap();
    fs::write(written.path().join(format!("snapshot-{:020}", last + 1)), &bytes).unwrap();
    assert!(matches!(open(written.path()), Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_snapshot_and_its_log_do_not_go_without_each_other() {
    let (directory, last) = two_objects().await;
    let written = snapshot_of(directory.path(), last);
    let log = log_path(written.path(), last);
    assert!(matches!(open(written.path()), Err(Error::Missing { path }) if path == log));
    Log::create(written.path(), last).unwrap();
    fs::remove_file(&files(written.path(), "snapshot-")[0]).unwrap();
    assert!(matches!(open(written.path()), Err(Error::Gap { path, .. }) if path == log));
}

/// A directory with three logs, and where they are.
async fn three_logs() -> (tempfile::TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    let mut last = None;
    for number in 0..3 {
        if let Some(last) = last {
            Log::create(directory.path(), last).unwrap();
        }
        let store = open(directory.path()).unwrap();
        for key in 0..3 {
            last = Some(put(&store, &format!("n/{number}-{key}"), None, "1").await);
        }
    }
    let logs = files(directory.path(), "log-");
    assert_eq!(logs.len(), 3);
    (directory, logs)
}

#[tokio::test]
async fn a_log_that_is_missing_or_cut_short_before_another_is_an_error() {
    let (directory, logs) = three_logs().await;
    assert!(open(copy(directory.path()).path()).is_ok());
    for log in &logs[..2] {
        let name = log.file_name().unwrap();
        let without = copy(directory.path());
        fs::remove_file(without.path().join(name)).unwrap();
        assert!(
            matches!(open(without.path()), Err(Error::Gap { .. })),
            "without {}",
            log.display()
        );
        let boundaries = boundaries(log);
        for length in &boundaries[..boundaries.len() - 1] {
            for length in [*length, length + 1, length - 1] {
                let short = copy(directory.path());
                cut(&short.path().join(name), length);
                let opened = open(short.path());
                let refused = matches!(opened, Err(Error::Gap { .. } | Error::Damaged { .. }));
                assert!(refused, "{} cut at {length}", log.display());
            }
        }
    }
}

#[tokio::test]
async fn a_log_that_does_not_go_on_where_it_was_is_an_error() {
    let (directory, last) = two_objects().await;
    let log = only_log(directory.path());
    let boundaries = boundaries(&log);
    let bytes = fs::read(&log).unwrap();
    // One record less in the midst of it, another one twice.
    let without = [&bytes[..boundaries[2]], &bytes[boundaries[3]..]].concat();
    let twice = [&bytes[..boundaries[3]], &bytes[boundaries[2]..]].concat();
    for bytes in [without, twice] {
        fs::write(&log, bytes).unwrap();
        let Err(Error::Gap { reached, .. }) = open(directory.path()) else { panic!() };
        assert!(reached < last);
    }
}

#[tokio::test]
async fn a_kind_that_is_not_known_is_an_error_that_names_it() {
    let (directory, last) = two_objects().await;
    let log = only_log(directory.path());
    let mut log = Log::resume(&log, fs::metadata(&log).unwrap().len()).unwrap();
    let operation = Operation { storage: "widgets", key: "n/a", delete: false, json: b"{}" };
    log.append((last + 1, last), std::iter::once(operation)).unwrap();
    let message = open(directory.path()).err().unwrap().to_string();
    assert!(message.contains("holds widgets, which"), "{message}");
}

/// Appends writes that never reached the disk behind what is on it.
fn append_unsynced(log: &mut Log, from: u64, synced: u64) {
    for revision in from..from + 3 {
        let key = format!("n/late-{revision}");
        let operation = Operation { storage: "configmaps", key: &key, delete: false, json: b"{}" };
        log.append((revision, synced), std::iter::once(operation)).unwrap();
    }
}

#[tokio::test]
async fn a_hole_between_writes_that_were_promised_to_nobody_is_cut_off() {
    let (directory, last) = two_objects().await;
    let path = only_log(directory.path());
    let end = fs::metadata(&path).unwrap().len();
    append_unsynced(&mut Log::resume(&path, end).unwrap(), last + 1, last);
    let whole = fs::read(&path).unwrap();
    let hole = usize::try_from(end).unwrap();
    for length in [1, 40, 100, 150] {
        let mut bytes = whole.clone();
        bytes[hole..hole + length].fill(0);
        fs::write(&path, bytes).unwrap();
        let copy = copy(directory.path());
        assert_whole(copy.path(), last, &format!("a hole of {length} bytes")).await;
    }
    // The same, but the last of them knew that the first was on disk.
    fs::write(&path, &whole[..hole]).unwrap();
    let mut log = Log::resume(&path, end).unwrap();
    append_unsynced(&mut log, last + 1, last);
    append_unsynced(&mut log, last + 4, last + 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[hole..hole + 10].fill(0);
    fs::write(&path, bytes).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Damaged { offset, .. }) if offset == end));
}

#[tokio::test]
async fn a_new_log_behind_one_that_was_not_yet_on_disk_is_cut_off_as_well() {
    let (directory, last) = two_objects().await;
    let path = only_log(directory.path());
    let end = fs::metadata(&path).unwrap().len();
    append_unsynced(&mut Log::resume(&path, end).unwrap(), last + 1, last);
    let whole = fs::read(&path).unwrap();
    append_unsynced(&mut Log::start(directory.path(), last + 3, last).unwrap(), last + 4, last);
    assert_eq!(open(copy(directory.path()).path()).unwrap().revision(), last + 6);
    let end = usize::try_from(end).unwrap();
    for length in [end, end + 30] {
        fs::write(&path, &whole[..length]).unwrap();
        let copy = copy(directory.path());
        assert_whole(copy.path(), last, &format!("{length} bytes of the log before")).await;
        assert_eq!(files(copy.path(), "log-").len(), 1);
    }
    fs::write(&path, &whole[..end]).unwrap();
    Log::start(directory.path(), last + 3, last + 3).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Gap { .. })), "it was on disk");
}

#[tokio::test]
async fn a_new_log_that_could_not_be_removed_is_passed_over() {
    for length in [0, 8, 20, 36] {
        let (directory, last) = two_objects().await;
        Log::start(directory.path(), last - 1, last - 1).unwrap();
        let leftover = log_path(directory.path(), last - 1);
        cut(&leftover, length.min(fs::read(&leftover).unwrap().len()));
        assert_whole(directory.path(), last, &format!("{length} bytes of a log")).await;
    }
}

/// A directory as version 1 of the format left it: a snapshot and its log.
fn version_1() -> tempfile::TempDir {
    let files: [(&str, &[u8]); 2] = [
        (
            "snapshot-00000000000000000016",
            include_bytes!("version-1/snapshot-00000000000000000016"),
        ),
        ("log-00000000000000000016", include_bytes!("version-1/log-00000000000000000016")),
    ];
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

#[tokio::test]
async fn a_directory_of_version_1_is_gone_on_with() {
    let directory = version_1();
    let log = log_path(directory.path(), 16);
    let whole = fs::read(&log).unwrap();
    for torn in [whole.clone(), [&whole[..], &[7; 50]].concat()] {
        let directory = copy(directory.path());
        fs::write(log_path(directory.path(), 16), torn).unwrap();
        for _ in 0..2 {
            let store = open(directory.path()).unwrap();
            let values = [value_of(&store, "n/a"), value_of(&store, "n/b")];
            assert_eq!(values, [Some("19".to_owned()), Some("kept".to_owned())]);
            assert_eq!(store.revision(), 23);
        }
        let next = put(&open(directory.path()).unwrap(), "n/c", None, "3").await;
        let store = open(directory.path()).unwrap();
        assert_eq!((store.revision(), value_of(&store, "n/c").as_deref()), (next, Some("3")));
    }
    fs::write(&log, &whole[..8]).unwrap();
    let next = put(&open(directory.path()).unwrap(), "n/c", None, "3").await;
    assert_eq!(open(directory.path()).unwrap().revision(), next);
}

#[tokio::test]
async fn losses_of_version_1_are_errors_as_far_as_they_show() {
    let directory = version_1();
    let (snapshot, log) =
        (&files(directory.path(), "snapshot-")[0], log_path(directory.path(), 16));
    for length in [0, 8, 100] {
        let copy = copy(directory.path());
        cut(&copy.path().join(snapshot.file_name().unwrap()), length);
        assert!(matches!(open(copy.path()), Err(Error::Damaged { .. })), "cut at {length}");
    }
    let mut bytes = fs::read(&log).unwrap();
    bytes[30] ^= 1;
    fs::write(&log, bytes).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Damaged { offset: 8, .. })));
    fs::remove_file(&log).unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Missing { .. })));
}
