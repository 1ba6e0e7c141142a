//! Changes and the wait for the disk.

use std::{cell::Cell, fs, sync::Arc};

use super::{change, config_maps, files, only_log, open, open_with, put, value_of};
use crate::storage::{CommitError, log::log_path};

#[tokio::test]
async fn what_goes_with_a_change_is_done_though_nobody_waits_for_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let made = Cell::new(0);
    let note = || made.set(made.get() + 1);
    {
        let commit = std::pin::pin!(store.commit(vec![change("n/a", None, "1")], note));
        assert_eq!(made.get(), 0);
        let _ = futures::poll!(commit);
    }
    assert_eq!((made.get(), value_of(&store, "n/a").as_deref()), (1, Some("1")));
    let refused = store.commit(vec![change("n/a", None, "1")], note).await;
    assert!(refused.is_err());
    assert_eq!(made.get(), 1);
}

#[tokio::test]
async fn a_disk_that_failed_gets_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    put(&store, "n/a", None, "1").await;
    // It takes writes, but cannot be brought to any disk.
    let nowhere = fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
    store.disk.rotate(Arc::new(nowhere));
    let failed = store.commit(vec![change("n/b", None, "1")], || {}).await;
    assert!(matches!(failed, Err(CommitError::DiskFailed(_))), "{failed:?}");
    assert!(!store.healthy());
    let length = fs::metadata(only_log(directory.path())).unwrap().len();
    let (revision, made) = (store.revision(), Cell::new(false));
    let refused = store.commit(vec![change("n/c", None, "1")], || made.set(true)).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("until the local cluster is restarted"), "{message}");
    assert_eq!((value_of(&store, "n/c"), store.revision(), made.get()), (None, revision, false));
    assert_eq!(fs::metadata(only_log(directory.path())).unwrap().len(), length);
}

#[tokio::test]
async fn a_log_that_cannot_be_followed_by_another_is_not_tried_with_each_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_with(directory.path(), 2000).unwrap();
    for revision in 0..300 {
        // What stands there cannot be opened as a file.
        let _ = fs::create_dir(log_path(directory.path(), revision));
    }
    let mut tries = Vec::new();
    let mut revision = None;
    for number in 0..200 {
        revision = Some(put(&store, "n/a", revision, &number.to_string()).await);
        tries.push(store.lock().compact_at);
    }
    let length = store.lock().log.length();
    tries.dedup();
    let most = usize::try_from(length / 2000).unwrap() + 1;
    assert!(tries.len() > 2 && tries.len() <= most, "{length}: {tries:?}");
    for path in files(directory.path(), "log-").iter().filter(|path| path.is_dir()) {
        fs::remove_dir(path).unwrap();
    }
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!(value_of(&store, "n/a").as_deref(), Some("199"));
    assert_eq!(store.list(config_maps(), None).0.len(), 1);
}
