use std::path::Path;

use flumen_model::{Secret, Storage};
use flumen_storage::{Bucket, Keys};

use super::*;

fn directory(root: &Path) -> Files {
    let tree = Tree::Directory { root: root.to_owned(), mount: "/opt/flink/storage".to_owned() };
    Files { tree }
}

fn bucket(prefix: &str) -> Files {
    let text = r#"{"kind": "s3", "place": "s3://flink"}"#;
    let Ok(Storage::S3(storage)) = serde_json::from_str(text) else { panic!("{text}") };
    let keys = Keys { access_key: Secret::new("a".into()), secret_key: Secret::new("b".into()) };
    let bucket = Bucket::new(&storage, &keys, None).unwrap();
    let (prefix, environment) = (prefix.to_owned(), "prod".to_owned());
    Files { tree: Tree::Bucket { bucket, prefix, environment } }
}

#[tokio::test]
async fn only_what_has_its_metadata_can_be_started_from() {
    let root = tempfile::tempdir().unwrap();
    let files = directory(root.path());
    std::fs::create_dir_all(root.path().join("s/half")).unwrap();
    std::fs::create_dir_all(root.path().join("s/whole")).unwrap();
    std::fs::write(root.path().join("s/whole/_metadata"), "x").unwrap();
    let usable = async |uri: &str| files.usable(uri).await.unwrap();
    assert_eq!(usable("file:///opt/flink/storage/s/whole/").await, Usable::Yes);
    assert_eq!(usable("/opt/flink/storage/s/whole/_metadata").await, Usable::Yes);
    assert!(
        matches!(usable("file:/opt/flink/storage/s/half").await, Usable::No(why) if why.contains("_metadata"))
    );
    assert!(
        matches!(usable("file:/opt/flink/storage/s/none").await, Usable::No(why) if why.ends_with("is not there"))
    );
    for elsewhere in ["s3://bucket/s", "/opt/flink/storage/../../etc", "/opt/flink/storage2/s"] {
        assert_eq!(usable(elsewhere).await, Usable::CannotTell, "{elsewhere}");
    }
    let found = files.savepoint_in("file:///opt/flink/storage/s").await.unwrap();
    assert_eq!(found.as_deref(), Some("file:/opt/flink/storage/s/whole"));
}

#[tokio::test]
async fn the_newest_checkpoint_is_the_one_with_the_highest_number() {
    let root = tempfile::tempdir().unwrap();
    let run = RunId::from_bits(0xabc);
    for number in ["chk-9", "chk-10", "chk-11"] {
        let directory = root.path().join("c").join(run.to_string()).join(number);
        std::fs::create_dir_all(&directory).unwrap();
        if number != "chk-11" {
            std::fs::write(directory.join("_metadata"), "x").unwrap();
        }
    }
    let files = directory(root.path());
    let newest = files.newest_checkpoint("/opt/flink/storage/c", run).await.unwrap();
    let uri = format!("file:/opt/flink/storage/c/{run}/chk-10");
    assert_eq!(newest, Some((10, uri)));
}

#[tokio::test]
async fn the_result_that_flink_left_tells_how_a_run_ended() {
    let root = tempfile::tempdir().unwrap();
    let run = RunId::from_bits(0xabc);
    let cluster: ClusterId = "a".parse().unwrap();
    let store = root.path().join("ha/job-result-store/a");
    std::fs::create_dir_all(&store).unwrap();
    let files = directory(root.path());
    let told = async || files.outcome("/opt/flink/storage/ha", &cluster, run).await.unwrap();
    assert_eq!(told().await, None);
    let text = r#"{"result":{"id":"0","application-status":"CANCELED","accumulator-results":{},"net-runtime":5},"version":1}"#;
    std::fs::write(store.join(format!("{run}_DIRTY.json")), text).unwrap();
    assert_eq!(told().await, Some(Outcome::Canceled));
}

#[tokio::test]
async fn what_cannot_be_looked_into_is_not_taken_for_empty() {
    let root = tempfile::tempdir().unwrap();
    // A directory in the place of the file that is to be read.
    std::fs::create_dir_all(
        root.path().join("ha/job-result-store/a/00000000000000000000000000000abc.json"),
    )
    .unwrap();
    let files = directory(root.path());
    let cluster: ClusterId = "a".parse().unwrap();
    let told = files.outcome("/opt/flink/storage/ha", &cluster, RunId::from_bits(0xabc)).await;
    assert!(told.is_err(), "{told:?}");
}

#[test]
fn a_place_in_the_bucket_is_the_same_by_every_scheme_of_flink() {
    let tree = bucket("prod").tree;
    for uri in ["s3://flink/prod/s/a", "s3a://flink/prod/s/a", "s3p://flink/prod/s/a/"] {
        assert_eq!(tree.key(&plain_path(uri)).as_deref(), Some("prod/s/a"), "{uri}");
    }
    assert_eq!(tree.uri("prod/s/a"), "s3://flink/prod/s/a");
    // What the keys may read is asked of the server, not of the prefix.
    assert_eq!(tree.key("s3://flink/other/s").as_deref(), Some("other/s"));
    for uri in [
        "s3://flink2/prod/s",
        "s3://other/prod",
        "/prod/s",
        "s3://flink/prod/../x",
        "hdfs://flink/a",
    ] {
        assert_eq!(tree.key(uri), None, "{uri}");
    }
}

#[test]
fn only_what_lies_below_the_prefix_may_be_removed() {
    let tree = bucket("prod/a").tree;
    assert!(tree.owns("prod/a/checkpoints/x"));
    for key in ["", "prod", "prod/a", "prod/a/", "prod/ab/x", "other/x"] {
        assert!(!tree.owns(key), "{key:?}");
    }
    let whole = bucket("").tree;
    assert!(whole.owns("checkpoints/x") && !whole.owns(""));
}

#[tokio::test]
async fn removing_keeps_to_the_storage() {
    let root = tempfile::tempdir().unwrap();
    let inside = root.path().join("inside");
    std::fs::create_dir_all(inside.join("c/run")).unwrap();
    std::fs::create_dir_all(root.path().join("outside")).unwrap();
    let files = directory(&inside);
    for uri in ["/opt/flink/storage", "/opt/flink/storage/", "/opt/flink/storage/../outside", "/x"]
    {
        files.remove(uri).await.unwrap();
    }
    assert!(inside.join("c/run").exists() && root.path().join("outside").exists());
    files.remove("file:///opt/flink/storage/c/run").await.unwrap();
    files.remove("file:///opt/flink/storage/c/run").await.unwrap();
    assert!(!inside.join("c/run").exists() && inside.join("c").exists());
}
