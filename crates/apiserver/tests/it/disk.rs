//! A disk that is full, and then is not.

use std::{fs, path::Path, process::Command};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::Cluster;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// Makes this binary the one that has the small disk; its value is where that is.
const SMALL_DISK: &str = "FLUMEN_TEST_SMALL_DISK";

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    // In a mount namespace of its own, so that it goes with the process.
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c"])
        .arg("mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$1\" --exact disk::the_disk_is_small --nocapture")
        .arg(directory.path())
        .arg(std::env::current_exe().unwrap())
        .env(SMALL_DISK, directory.path())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

fn config_map(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"x": "y".repeat(20_000)}})
}

fn assert_refused((status, answer): &(StatusCode, Value)) {
    assert_eq!(*status, StatusCode::INTERNAL_SERVER_ERROR, "{answer}");
    // As the real server when etcd has no room: a sentence and no reason.
    assert_eq!(answer["reason"], Value::Null);
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("No space left on device"), "{message}");
}

/// Does nothing unless the test above runs it.
#[tokio::test]
async fn the_disk_is_small() {
    let Some(disk) = std::env::var_os(SMALL_DISK) else { return };
    let disk = Path::new(&disk);
    let filler = disk.join("filler");
    fs::write(&filler, vec![0; 1 << 20]).unwrap();
    let cluster = Cluster::start_in(tempfile::tempdir_in(disk).unwrap(), |settings| {
        settings.compact_after_bytes = 100_000;
    })
    .await;
    let mut kept = Vec::new();
    let refusal = loop {
        let name = format!("before-{}", kept.len());
        let answer = cluster.call(Method::POST, CONFIG_MAPS, &config_map(&name)).await;
        if answer.0 != StatusCode::CREATED {
            break answer;
        }
        kept.push(name);
    };
    assert_refused(&refusal);
    let first = format!("{CONFIG_MAPS}/before-0");
    let patch = json!({"data": {"x": "z".repeat(20_000)}});
    assert_refused(&cluster.call(Method::PATCH, &first, &patch).await);
    assert_eq!(names(&cluster).await, sorted(&kept), "what was refused is not seen");
    assert_eq!(cluster.get("/readyz").await.0, StatusCode::OK);

    fs::remove_file(&filler).unwrap();
    for number in 0..10 {
        let name = format!("after-{number}");
        cluster.must(Method::POST, CONFIG_MAPS, &config_map(&name)).await;
        kept.push(name);
    }
    cluster.must(Method::PATCH, &first, &patch).await;
    let cluster = cluster.restart().await;
    assert_eq!(names(&cluster).await, sorted(&kept));
    let (_, changed) = cluster.get(&first).await;
    assert_eq!(changed["data"], patch["data"]);
}

async fn names(cluster: &Cluster) -> Vec<String> {
    // All but the one that the server makes.
    let own = format!("{CONFIG_MAPS}?fieldSelector=metadata.name!=kube-root-ca.crt");
    let (_, list) = cluster.get(&own).await;
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}
