//! A server that is killed while it writes.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use flumen_apiserver::{ApiServer, Settings};
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::harness::{Cluster, call};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// Makes this binary the server that is to be killed; its value is the data directory.
const VICTIM: &str = "FLUMEN_TEST_VICTIM_DIRECTORY";
const WRITERS: u32 = 8;
const ROUNDS: usize = 4;
const ACKNOWLEDGED: usize = 300;

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    for _ in 0..ROUNDS {
        acknowledged.extend(run_and_kill(directory.path()));
    }
    assert!(acknowledged.len() >= ROUNDS * ACKNOWLEDGED);
    let cluster = Cluster::start_in(directory, |_| {}).await;
    let (_, list) = cluster.get(CONFIG_MAPS).await;
    let names = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap());
    let present: HashSet<String> = names.map(str::to_owned).collect();
    let missing: Vec<&String> =
        acknowledged.iter().filter(|name| !present.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Runs the victim until it has answered enough writes, kills it, and returns the names that it answered.
fn run_and_kill(directory: &std::path::Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_victim_writes_until_it_is_killed", "--nocapture"])
        .env(VICTIM, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut names = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // Another line may be printed before it dies: that write was answered, too.
        names.extend(line.unwrap().strip_prefix("answered ").map(str::to_owned));
        if names.len() == ACKNOWLEDGED {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    names
}

/// Does nothing unless the test above runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_writes_until_it_is_killed() {
    let Some(directory) = std::env::var_os(VICTIM) else { return };
    let settings = Settings {
        data_directory: directory.into(),
        compact_after_bytes: 50_000,
        ..Settings::default()
    };
    let server = ApiServer::start(settings, CancellationToken::new()).await.unwrap();
    let write = async |writer: u32| {
        for number in 0u32.. {
            let name = format!("w{writer}-{}-{number}", std::process::id());
            let object = json!({"metadata": {"name": name}, "data": {"x": "y".repeat(300)}});
            let (status, answer) = call(&server, Method::POST, CONFIG_MAPS, &object).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            // One line in one write, or two writers could mix theirs.
            std::io::stdout().write_all(format!("answered {name}\n").as_bytes()).unwrap();
        }
    };
    join_all((0..WRITERS).map(write)).await;
}
