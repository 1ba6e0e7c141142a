//! A database file that cannot be used: SQLite itself refuses, and it is said what, where, why, and what to do.

use std::{error::Error as _, path::Path};

use flumen_store::{Error, Store, Trouble};
use flumen_testkit::{ReadOnlyFile, SmallDisk};
use sqlx::{Connection as _, SqliteConnection};
use tokio::task::JoinSet;

use crate::{at, store, team};

/// A failure of this file: its words, what to do, and SQLite's own words behind it.
fn told(error: &Error, path: &Path, words: &str, cause: &str) {
    assert_eq!(error.to_string(), words.replace("FILE", &path.display().to_string()));
    let hint = error.hint().expect("something can be done");
    let directory = path.parent().expect("a directory").display().to_string();
    assert!(hint.contains(&directory), "{hint}");
    let source = error.source().expect("a cause").to_string();
    assert!(source.contains(cause), "{source}");
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("opened")
}

#[tokio::test]
async fn a_full_disk_takes_writes_again_once_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(disk) = SmallDisk::mount(directory.path(), 2) else { return };
    let path = directory.path().join("flumen.db");
    let store = Store::open(&path).await.expect("opened");
    assert!(store.create_first_token(team(), "hash", at(0)).await.expect("saved"));
    disk.fill();
    let mut number = 0;
    let error = loop {
        number += 1;
        if let Err(error) = store
            .save_image((&format!("key {number}"), team()), ("registry", "image"), 0, at(0))
            .await
        {
            break error;
        }
    };
    let words = "could not save images in the database FILE: the disk is full";
    told(&error, &path, words, "database or disk is full");
    assert_eq!(error.trouble(), Some(Trouble::Full));
    let lost = store.image(&format!("key {number}")).await.expect("it can be read");
    assert_eq!(lost, None, "what was refused is not there");
    disk.make_room();
    store
        .save_image(("key", team()), ("registry", "image"), 0, at(0))
        .await
        .expect("there is room");
}

#[tokio::test]
async fn a_read_only_file_is_read_and_written_once_it_can_be() {
    let (directory, store) = store().await;
    let path = directory.path().join("flumen.db");
    store.save_image(("key", team()), ("registry", "image"), 0, at(0)).await.expect("saved");
    store.close().await;
    let Some(read_only) = ReadOnlyFile::over(&path) else { return };
    let store = Store::open(&path).await.expect("it can be read");
    let error = store
        .save_image(("key", team()), ("registry", "other"), 0, at(0))
        .await
        .expect_err("it is read-only");
    let words = "could not save images in the database FILE: it is read-only";
    told(&error, &path, words, "readonly database");
    assert_eq!(store.image("key").await.expect("read").as_deref(), Some("image"));
    drop(read_only);
    store
        .save_image(("key", team()), ("registry", "other"), 0, at(0))
        .await
        .expect("the same store can write");
}

#[tokio::test]
async fn writes_that_wait_for_a_lock_do_not_hold_up_reads() {
    let (directory, store) = store().await;
    let path = directory.path().join("flumen.db");
    let mut other = open(&path).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.expect("locked");
    let mut writes = JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        writes.spawn(async move {
            store
                .save_image((&format!("key {number}"), team()), ("registry", "image"), 0, at(0))
                .await
        });
    }
    // Lets each write begin.
    tokio::task::yield_now().await;
    assert_eq!(store.image("key").await.expect("it can be read"), None);
    assert!(writes.try_join_next().is_none(), "the writes wait longer than the read");
    let write = writes.join_next().await.expect("there are eight");
    let error = write.expect("no panic").expect_err("it is locked");
    let words = "could not save images in the database FILE: another program holds its write lock";
    assert_eq!(error.to_string(), words.replace("FILE", &path.display().to_string()));
    assert_eq!(error.trouble(), Some(Trouble::Locked));
    lock.rollback().await.expect("unlocked");
    store.save_image(("key", team()), ("registry", "image"), 0, at(0)).await.expect("it is free");
}

#[tokio::test]
async fn what_is_no_database_is_called_so_and_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("flumen.db");
    std::fs::write(&path, "a text that somebody put here ".repeat(200)).expect("written");
    let error = Store::open(&path).await.expect_err("it is no database");
    let words = "could not open the database FILE: its file is damaged, or no database";
    told(&error, &path, words, "not a database");
    assert!(std::fs::read_to_string(&path).expect("read").starts_with("a text"));
}

#[tokio::test]
async fn a_damaged_page_is_called_so() {
    let (directory, store) = store().await;
    let path = directory.path().join("flumen.db");
    store.close().await;
    let mut bytes = std::fs::read(&path).expect("read");
    let pages = bytes.len() / 4096;
    assert!(pages > 2);
    bytes[4096..].fill(0xa5);
    std::fs::write(&path, bytes).expect("written");
    let store = match Store::open(&path).await {
        Ok(store) => store,
        Err(error) => return assert_eq!(error.trouble(), Some(Trouble::Damaged), "{error}"),
    };
    let error = store.environments().await.expect_err("it is damaged");
    let words =
        "could not load environments from the database FILE: its file is damaged, or no database";
    told(&error, &path, words, "malformed");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("flumen.db");
    std::fs::create_dir(&path).expect("made");
    let error = Store::open(&path).await.expect_err("it is a directory");
    let words = "could not open the database FILE: its file cannot be opened, read or written";
    told(&error, &path, words, "unable to open database file");
}

#[tokio::test]
async fn a_database_that_was_taken_away_is_not_replaced_by_an_empty_one() {
    let (directory, store) = store().await;
    let path = directory.path().join("flumen.db");
    store.close().await;
    let store = Store::open(&path).await.expect("opened");
    std::fs::remove_file(&path).expect("removed");
    // Side by side, so that the pool has to open the file again.
    let reads = (store.environments(), store.environments(), store.environments());
    let _ = tokio::join!(reads.0, reads.1, reads.2);
    assert!(!path.exists());
}
