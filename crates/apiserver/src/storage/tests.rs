use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{Change, CommitError, Options, Store};
use crate::{Error, resources::Registry};

mod disk;
mod faults;
mod losses;

fn open(directory: &Path) -> Result<Arc<Store>, Error> {
    open_with(directory, 1 << 20)
}

fn open_with(directory: &Path, compact_after_bytes: u64) -> Result<Arc<Store>, Error> {
    let options =
        Options { directory, watch_window: 100, compact_after_bytes, wait_for_disk: true };
    Store::open(&options, Registry::global())
}

fn config_maps() -> usize {
    Registry::global().core("configmaps").id
}

fn change(key: &str, based_on: Option<u64>, value: &str) -> Change {
    let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": key}, "data": {"v": value}});
    Change { resource: config_maps(), key: key.to_owned(), based_on, object, delete: false }
}

async fn put(store: &Store, key: &str, based_on: Option<u64>, value: &str) -> u64 {
    store.commit(vec![change(key, based_on, value)], || {}).await.unwrap()[0].revision
}

fn value_of(store: &Store, key: &str) -> Option<String> {
    let object = store.get(config_maps(), key)?.value();
    object.pointer("/data/v").and_then(Value::as_str).map(str::to_owned)
}

fn files(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix))
        .collect();
    files.sort();
    files
}

fn only_log(directory: &Path) -> PathBuf {
    let logs = files(directory, "log-");
    assert_eq!(logs.len(), 1);
    logs.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_change_based_on_an_old_revision_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let first = put(&store, "n/a", None, "1").await;
    put(&store, "n/a", Some(first), "2").await;
    for stale in [None, Some(first)] {
        let refused = store.commit(vec![change("n/a", stale, "3")], || {}).await;
        assert!(matches!(refused, Err(CommitError::Stale)));
    }
    assert_eq!(value_of(&store, "n/a").as_deref(), Some("2"));
}

#[tokio::test]
async fn all_changes_of_a_commit_are_made_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    put(&store, "n/a", None, "1").await;
    let refused =
        store.commit(vec![change("n/b", None, "1"), change("n/a", None, "2")], || {}).await;
    assert!(refused.is_err());
    assert_eq!(value_of(&store, "n/b"), None);
}

#[tokio::test]
async fn everything_is_there_after_a_restart_with_its_events() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let a = put(&store, "n/a", None, "1").await;
    put(&store, "n/b", None, "1").await;
    let mut removal = change("n/a", Some(a), "1");
    removal.delete = true;
    store.commit(vec![removal], || {}).await.unwrap();
    let revision = store.revision();
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!(store.revision(), revision);
    assert_eq!(value_of(&store, "n/a"), None);
    assert_eq!(value_of(&store, "n/b").as_deref(), Some("1"));
    let (events, complete) = store.events_after(config_maps(), a, 10).unwrap();
    assert_eq!(events.iter().map(|event| event.deleted).collect::<Vec<_>>(), [false, true]);
    assert_eq!(complete, revision);
}

#[tokio::test]
async fn a_last_write_that_was_cut_short_at_any_byte_is_dropped_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let first = put(&store, "n/a", None, "1").await;
    let log = only_log(directory.path());
    let good = fs::metadata(&log).unwrap().len();
    put(&store, "n/a", Some(first), "2").await;
    drop(store);
    let whole = fs::read(&log).unwrap();
    for cut in usize::try_from(good).unwrap()..whole.len() {
        fs::write(&log, &whole[..cut]).unwrap();
        let store = open(directory.path()).unwrap();
        assert_eq!(value_of(&store, "n/a").as_deref(), Some("1"), "cut at {cut}");
        assert_eq!(store.revision(), first);
        drop(store);
    }
    let store = open(directory.path()).unwrap();
    let next = put(&store, "n/a", Some(first), "3").await;
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!((store.revision(), value_of(&store, "n/a").as_deref()), (next, Some("3")));
}

#[tokio::test]
async fn garbage_behind_the_last_write_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    put(&store, "n/a", None, "1").await;
    drop(store);
    let log = only_log(directory.path());
    OpenOptions::new().append(true).open(&log).unwrap().write_all(&[7; 100]).unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(value_of(&store, "n/a").as_deref(), Some("1"));
}

#[tokio::test]
async fn damage_before_good_records_is_an_error_and_not_a_loss() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let log = only_log(directory.path());
    let start = usize::try_from(fs::metadata(&log).unwrap().len()).unwrap();
    put(&store, "n/a", None, "1").await;
    put(&store, "n/b", None, "1").await;
    drop(store);
    let mut bytes = fs::read(&log).unwrap();
    bytes[start + 30] ^= 1;
    fs::write(&log, bytes).unwrap();
    assert!(
        matches!(open(directory.path()), Err(Error::Damaged { offset, .. }) if offset == start as u64)
    );
}

#[tokio::test]
async fn a_file_of_another_format_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let log = only_log(directory.path());
    fs::write(&log, b"flumenK\x03 and more").unwrap();
    assert!(matches!(open(directory.path()), Err(Error::Format { .. })));
    assert_eq!(fs::read(&log).unwrap(), b"flumenK\x03 and more");
}

/// Waits until the snapshot thread has done its work, which shows in the files.
fn wait_for_one_snapshot(directory: &Path) {
    for _ in 0..10_000 {
        if files(directory, "snapshot-").len() == 1 && files(directory, "log-").len() == 1 {
            return;
        }
        std::thread::yield_now();
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    panic!("no snapshot was written: {:?}", fs::read_dir(directory).unwrap().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_long_log_is_folded_into_a_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_with(directory.path(), 2000).unwrap();
    let mut revision = put(&store, "n/a", None, "0").await;
    put(&store, "n/b", None, "kept").await;
    for number in 1..200 {
        revision = put(&store, "n/a", Some(revision), &number.to_string()).await;
    }
    wait_for_one_snapshot(directory.path());
    drop(store);
    let size: u64 =
        files(directory.path(), "").iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(size < 40_000, "{size} bytes are kept for two objects");
    let store = open_with(directory.path(), 2000).unwrap();
    assert_eq!(store.revision(), revision);
    assert_eq!(value_of(&store, "n/a").as_deref(), Some("199"));
    assert_eq!(value_of(&store, "n/b").as_deref(), Some("kept"));
    assert!(
        store.events_after(config_maps(), 2, 10).is_err(),
        "what the snapshot swallowed cannot be watched"
    );
}

#[tokio::test]
async fn a_list_can_be_had_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let a = put(&store, "n/a", None, "1").await;
    let b = put(&store, "n/b", None, "1").await;
    put(&store, "n/a", Some(a), "2").await;
    let mut removal = change("n/b", Some(b), "1");
    removal.delete = true;
    store.commit(vec![removal], || {}).await.unwrap();
    put(&store, "n/c", None, "1").await;
    let at = |revision| -> Vec<String> {
        let entries = store.list_at(config_maps(), Some("n"), revision).unwrap();
        entries
            .iter()
            .map(|(key, object)| format!("{key}={}", object.value()["data"]["v"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(at(a), ["n/a=1"]);
    assert_eq!(at(b), ["n/a=1", "n/b=1"]);
    assert_eq!(at(store.revision()), ["n/a=2", "n/c=1"]);
}
