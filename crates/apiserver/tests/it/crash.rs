//! A server that is killed while it writes.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use flumen_apiserver::{ApiServer, Settings};
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::{Cluster, call};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// Makes this binary the server that is to be killed; its value is the data directory.
const VICTIM: &str = "FLUMEN_TEST_VICTIM_DIRECTORY";
const WRITERS: u32 = 8;
/// Each begins where the one before was killed; in `make test-all` there are more.
const ROUNDS: usize = 4;
const ALL_ROUNDS: usize = 60;
const ACKNOWLEDGED: usize = 300;

/// One write of a writer, which makes them one after the other, three for each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step(u32);

impl Step {
    fn object(self) -> u32 {
        self.0 / 3
    }

    /// Creates, changes, and of every other object removes.
    fn method(self) -> Method {
        match (self.0 % 3, self.object() % 2) {
            (0, _) => Method::POST,
            (2, 0) => Method::DELETE,
            _ => Method::PATCH,
        }
    }

    /// What is stored after it under the name of its object.
    fn leaves(self) -> Option<u32> {
        (self.method() != Method::DELETE).then_some(self.0)
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let all = std::env::var_os("FLUMEN_ALL_KILLS").is_some();
    // Of each writer the last step that was answered.
    let mut answered = BTreeMap::new();
    for _ in 0..if all { ALL_ROUNDS } else { ROUNDS } {
        answered.extend(run_and_kill(directory.path()));
    }
    let cluster = Cluster::start_in(directory, |_| {}).await;
    // All but the one that the server makes.
    let own = format!("{CONFIG_MAPS}?fieldSelector=metadata.name!=kube-root-ca.crt");
    let (_, list) = cluster.get(&own).await;
    let items = list["items"].as_array().unwrap().iter();
    let stored: BTreeMap<String, u32> = items.map(name_and_step).collect();
    for (writer, last) in answered {
        let found = |step: Step| stored.get(&format!("{writer}-{}", step.object())).copied();
        for object in 0..last.object() {
            let step = Step(object * 3 + 2);
            assert_eq!(found(step), step.leaves(), "{writer}: object {object} of {last:?}");
        }
        // The one that was under way when it was killed may have been made.
        let next = Step(last.0 + 1);
        let state = found(last);
        let made = next.object() == last.object() && state == next.leaves();
        assert!(state == last.leaves() || made, "{writer}: {state:?} after {last:?}");
    }
}

fn name_and_step(object: &Value) -> (String, u32) {
    let step = object["data"]["step"].as_str().unwrap().parse().unwrap();
    (object["metadata"]["name"].as_str().unwrap().to_owned(), step)
}

/// Runs the victim until it has answered enough writes, and kills it.
fn run_and_kill(directory: &std::path::Path) -> BTreeMap<String, Step> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_victim_writes_until_it_is_killed", "--nocapture"])
        .env(VICTIM, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answered = BTreeMap::new();
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // Another line may be printed before it dies: that write was answered, too.
        let line = line.unwrap();
        let Some(words) = line.strip_prefix("answered ") else { continue };
        let (writer, step) = words.split_once(' ').unwrap();
        answered.insert(writer.to_owned(), Step(step.parse().unwrap()));
        count += 1;
        if count == ACKNOWLEDGED {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(count >= ACKNOWLEDGED, "the victim ended after {count} writes");
    answered
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
        let writer = format!("w{writer}-{}", std::process::id());
        for step in (0u32..).map(Step) {
            make(&server, &writer, step).await;
            // One line in one write, or two writers could mix theirs.
            let line = format!("answered {writer} {}\n", step.0);
            std::io::stdout().write_all(line.as_bytes()).unwrap();
        }
    };
    join_all((0..WRITERS).map(write)).await;
}

async fn make(server: &ApiServer, writer: &str, step: Step) {
    let name = format!("{writer}-{}", step.object());
    let data = json!({"step": step.0.to_string(), "x": "y".repeat(300)});
    let one = format!("{CONFIG_MAPS}/{name}");
    let (path, object, good) = match step.method() {
        Method::POST => {
            (CONFIG_MAPS, json!({"metadata": {"name": name}, "data": data}), StatusCode::CREATED)
        }
        Method::PATCH => (&*one, json!({"data": data}), StatusCode::OK),
        _ => (&*one, Value::Null, StatusCode::OK),
    };
    let (status, answer) = call(server, step.method(), path, &object).await;
    assert_eq!(status, good, "{answer}");
}
