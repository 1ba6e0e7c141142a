//! Many pods: as objects alone, and as processes.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use flumen_image::{
    Attributes, Build, Compression, Configuration, Content, LayerBuilder, Progress, Reference,
};
use futures::StreamExt as _;
use kube::Client;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    requests::{create_all, read, send, watch},
    side::Side,
};
use crate::figures::{Series, Table, Unit};

const PODS: &str = "/api/v1/namespaces/default/pods";
const ACCOUNT: &str = "/api/v1/namespaces/default/serviceaccounts/default";
const OBJECTS: usize = 10_000;
const PROCESSES: usize = 500;
/// What they run.
const SLEEP: &str = "sleep";
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Of nodes that only pretend, as a label and as a taint.
const PRETEND: &str = "flumen.dev/pretend";

/// Pods on a node that only pretends: what their objects weigh.
pub(crate) fn objects(side: &Side, runs: usize, table: &mut Table) -> Result<()> {
    let before = side.idle_alone()?;
    let pods: Vec<Value> = (0..OBJECTS).map(pretended).collect();
    let spent = side.run(async |client| until_running(&client, &pods).await)?;
    table.alone("10,000 pods on a pretending node, all Running", Unit::Milliseconds, &spent, "");
    let resident = Series::of(side.resident_alone()?);
    table.alone("resident with them", Unit::Mebibytes, &resident, "300 MB");
    table.alone("before", Unit::Mebibytes, &Series::of(before), "");
    let (times, bytes) = side.run(async |client| {
        let (mut times, mut bytes) = (Series::default(), 0);
        for _ in 0..runs {
            let began = Instant::now();
            bytes = read(&client, PODS).await?;
            times.push(began.elapsed());
        }
        Ok((times, bytes))
    })?;
    table.alone("list of all", Unit::Milliseconds, &times, "100 ms");
    table.alone("its size", Unit::Bytes, &Series::of(to_figure(bytes)), "");
    let resident = Series::of(side.resident_alone()?);
    table.alone("resident after it", Unit::Mebibytes, &resident, "300 MB");
    Ok(())
}

/// Pods that sleep, as processes in namespaces of their own.
pub(crate) fn processes(side: &Side, table: &mut Table) -> Result<()> {
    let image = push_image(&side.registry()?)?;
    let pods: Vec<Value> = (0..PROCESSES).map(|one| sleeping(one, &image)).collect();
    let spent = side.run(async |client| until_running(&client, &pods).await)?;
    table.alone("500 sleeping pods, all Running", Unit::Milliseconds, &spent, "60,000 ms");
    let resident = Series::of(side.resident_alone()?);
    table.alone("resident with them, flumen local", Unit::Mebibytes, &resident, "");
    let gone = side.run(async |client| until_gone(&client, side).await)?;
    table.alone("until all are gone", Unit::Milliseconds, &gone, "");
    Ok(())
}

fn pretended(one: usize) -> Value {
    json!({
        "metadata": {"name": format!("p-{one}"), "labels": {"app": "load", "part": format!("{}", one % 10)}},
        "spec": {
            "nodeSelector": {PRETEND: "true"},
            "tolerations": [{"key": PRETEND, "operator": "Exists"}],
            "containers": [{
                "name": "main", "image": "nowhere/none:1",
                "env": [{"name": "ONE", "value": "1"}, {"name": "TWO", "value": "2"}],
                "ports": [{"containerPort": 8081}],
                "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}},
            }],
        },
    })
}

fn sleeping(one: usize, image: &str) -> Value {
    json!({
        "metadata": {"name": format!("s-{one}"), "labels": {"app": "sleep"}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": image, "command": [SLEEP, "100000"]}],
        },
    })
}

/// Creates pods and waits until all run.
async fn until_running(client: &Client, pods: &[Value]) -> Result<Series> {
    // Without its account a namespace takes no pods.
    let account = async {
        while send(client, http::Method::GET, ACCOUNT, &Value::Null).await.is_err() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    timeout(PATIENCE, account).await.context("the namespace has no account")?;
    let mut events = Box::pin(watch(client, PODS).await?);
    let began = Instant::now();
    let running = async {
        let mut running = HashSet::new();
        while running.len() < pods.len() {
            let line = events.next().await.context("the watch ended")??;
            let event: Value = serde_json::from_str(&line)?;
            ensure!(event["type"] != "ERROR", "the watch failed: {line}");
            if event["object"]["status"]["phase"] == "Running" {
                running.insert(
                    event["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
                );
            }
        }
        anyhow::Ok(())
    };
    let all = async { tokio::try_join!(create_all(client, PODS, pods), running) };
    timeout(PATIENCE, all).await.context("not all pods run")??;
    Ok(since(began))
}

/// Deletes all pods and waits until neither objects nor processes of them are left.
async fn until_gone(client: &Client, side: &Side) -> Result<Series> {
    let began = Instant::now();
    send(client, http::Method::DELETE, PODS, &Value::Null).await?;
    let gone = async {
        loop {
            let list =
                send(client, http::Method::GET, &format!("{PODS}?limit=1"), &Value::Null).await?;
            let list: Value = serde_json::from_str(&list)?;
            let is_empty = list["items"].as_array().is_some_and(Vec::is_empty);
            if is_empty && side.pods_of(SLEEP) == 0 {
                return anyhow::Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    timeout(PATIENCE, gone).await.context("not all pods are gone")??;
    Ok(since(began))
}

fn since(began: Instant) -> Series {
    let mut series = Series::default();
    series.push(began.elapsed());
    series
}

/// An image whose programs are the host's.
fn push_image(registry: &str) -> Result<String> {
    let directory = tempfile::tempdir().context("no temporary directory")?;
    let name = format!("{registry}/bench/sleep:1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut layer = LayerBuilder::new();
        layer.add("/tmp/.keep", Content::Bytes(Vec::new()), Attributes::mode(0o644))?;
        let layer = layer.write(Compression::Zstd, directory.path().join("layer")).await?;
        let label = ("dev.flumen.local.host-directories", "/usr,/bin,/sbin,/lib,/lib64");
        let configuration = Configuration {
            labels: BTreeMap::from([(label.0.to_owned(), label.1.to_owned())]),
            ..Configuration::default()
        };
        let target: Reference = name.parse().context("a name of an image")?;
        let build = Build { target: &target, layers: &[layer], configuration: &configuration };
        let client = flumen_image::Client::new(flumen_image::Settings::default())?;
        client.build(&build, &Progress::silent()).await?;
        anyhow::Ok(())
    })?;
    Ok(name)
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn to_figure(count: usize) -> f64 {
    count as f64
}
