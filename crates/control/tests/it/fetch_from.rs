//! Jobs whose pods fetch their files from the storage of their environment.

use std::sync::Arc;

use bytes::Bytes;
use flumen_control::{Environment, EnvironmentDocument, Error, OperationState, StorageKeys, Terms};
use flumen_faults::{Faults, Hit, Plan};
use flumen_model::{Delivery, FetchFrom, Kind, RunId, Storage};
use flumen_storage::{Bucket, Keys};
use flumen_testkit::{S3Keys, S3Server, eventually_async};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use tokio::sync::Notify;

use crate::{
    server::{JAR, PATIENCE, TestServer, application, digest, environment, job, refusal},
    storage::{PREFIX, s3, secret, with_plugin},
    world::World,
};

/// How many points are struck, if not all.
const STRIKES: usize = 8;

struct Bench {
    server: TestServer,
    s3: S3Server,
    bucket: Bucket,
}

impl Bench {
    async fn start(faults: Faults) -> Self {
        let server = TestServer::start_with(World::start().await, faults).await;
        with_plugin(&server);
        let s3_server = S3Server::start();
        let storage = storage(s3(&s3_server.endpoint()));
        let Storage::S3(place) = &storage else { unreachable!("it is S3") };
        let S3Keys { access_key, secret_key } = &s3_server.keys;
        let keys = Keys { access_key: secret(access_key), secret_key: secret(secret_key) };
        let bucket = Bucket::new(place, &keys, None).unwrap();
        let bench = Self { server, s3: s3_server, bucket };
        bench.save(|document| document.storage = storage).await.unwrap();
        bench.fetch_from(FetchFrom::Storage).await;
        bench
    }

    async fn fetch_from(&self, from: FetchFrom) {
        let change = |document: &mut EnvironmentDocument| {
            (document.delivery, document.fetch_from) = (Delivery::InitContainer, from);
        };
        self.save(change).await.unwrap();
    }

    /// Changes what the environment says.
    async fn save(
        &self,
        change: impl FnOnce(&mut EnvironmentDocument),
    ) -> Result<Environment, Error> {
        let control = self.server.control();
        let mut document = control.environment(&environment()).await?.document;
        change(&mut document);
        let S3Keys { access_key, secret_key } = &self.s3.keys;
        let keys = StorageKeys { access_key: secret(access_key), secret_key: secret(secret_key) };
        let change = (&document, document.storage.credentials().is_some().then_some(&keys));
        let (name, terms) = (environment(), Terms::default());
        control.save_environment(&self.server.principal, &name, change, &terms).await
    }

    async fn apply(&self) -> RunId {
        self.server.apply(job()).await.unwrap();
        let run = self.server.wished_run().await;
        self.server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
        self.server.until_state("RUNNING").await;
        run
    }

    /// The links of a run, with the path in the pod that each is for.
    async fn links(&self, run: RunId) -> Vec<(String, String)> {
        let list = self.server.list_of(run).await.expect("a Secret");
        let parts = |line: &str| {
            let parts: Vec<_> = line.split('\t').collect();
            (parts[2].to_owned(), parts[3].to_owned())
        };
        list.lines().map(parts).collect()
    }

    /// Where the job's jar lies in the bucket.
    async fn key(&self) -> String {
        let teams = self.bucket.folders(&format!("{PREFIX}/artifacts")).await.unwrap();
        format!("{PREFIX}/artifacts/{}/{}/job.jar", teams[0], digest(&JAR).hex())
    }

    async fn end(&self) {
        self.server.operation_ended(self.server.cancel().await).await;
        self.server.until_state("CANCELED").await;
        self.server.operation_ended(self.server.delete().await).await;
        self.server.until_gone().await;
    }
}

fn storage(value: Value) -> Storage {
    serde_json::from_value(value).unwrap()
}

async fn fetch(link: &str) -> (u16, Bytes) {
    let answer = reqwest::get(link).await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap())
}

#[tokio::test]
async fn pods_get_links_to_the_storage_that_stand_in_the_secret_only() {
    let bench = Bench::start(Faults::default()).await;
    let run = bench.apply().await;
    let server = &bench.server;
    let links = bench.links(run).await;
    let paths: Vec<_> = links.iter().map(|(path, _)| path.as_str()).collect();
    let plugin = "opt/flink/plugins/flink-s3-fs-presto-1.20.0/flink-s3-fs-presto-1.20.0.jar";
    assert_eq!(paths, ["opt/flink/usrlib/job.jar", plugin]);
    let key = bench.key().await;
    let start = format!("{}/{}/{key}?", bench.s3.endpoint(), S3Server::BUCKET);
    assert!(links[0].1.starts_with(&start), "{}", links[0].1);
    assert!(links[0].1.contains("X-Amz-Expires=3600&"), "{}", links[0].1);
    assert_eq!(fetch(&links[0].1).await, (200, Bytes::from_static(&JAR)));
    assert_eq!(fetch(&links[1].1).await.0, 200);
    assert_eq!(fetch(&links[0].1.replace("Signature=", "Signature=0")).await.0, 403);

    let known = server.runs().await.remove(0);
    let operations = server.control().operations(&server.principal, None, 10).await.unwrap();
    let mut places = vec![format!("{known:?} {operations:?}").into_bytes()];
    for file in ["flumen.db", "flumen.db-wal"] {
        places.extend(std::fs::read(server.world.directory.join("data").join(file)));
    }
    for part in ["X-Amz-", bench.s3.keys.secret_key.as_str()] {
        let has = |place: &Vec<u8>| place.windows(part.len()).any(|it| it == part.as_bytes());
        assert!(!places.iter().any(has), "{part} is written down");
    }

    server.control().dispose(None, false).await.unwrap();
    assert_eq!(fetch(&links[0].1).await.0, 200, "it was removed under a running job");
    bench.end().await;
    // It is marked, and then removed.
    for _ in 0..2 {
        server.control().dispose(None, false).await.unwrap();
    }
    assert!(bench.bucket.is_empty(PREFIX).await.unwrap(), "nothing needs it any more");
    bench.server.finish().await;
}

#[tokio::test]
async fn a_server_that_starts_renews_links_and_puts_what_is_gone() {
    let mut bench = Bench::start(Faults::default()).await;
    let run = bench.apply().await;
    let key = bench.key().await;
    bench.server.stop().await;
    bench.bucket.delete(&key).await.unwrap();
    let before = bench.links(run).await.remove(0).1;
    assert_eq!(fetch(&before).await.0, 404);
    bench.server.open().await;
    let put = async || match fetch(&bench.links(run).await.remove(0).1).await {
        (200, content) => Ok(content),
        other => Err(other),
    };
    assert_eq!(eventually_async(PATIENCE, put).await, Bytes::from_static(&JAR));

    // What the environment says counts for what runs, too: its pods may have no way to the old place.
    bench.fetch_from(FetchFrom::Server).await;
    bench.server.restart().await;
    let here = async || match bench.links(run).await.remove(0).1 {
        link if link.starts_with("http://10.96.0.1:7600/") => Ok(()),
        link => Err(link),
    };
    eventually_async(PATIENCE, here).await;
    bench.end().await;
    bench.server.finish().await;
}

#[tokio::test]
async fn pods_that_fetch_from_the_storage_need_no_way_to_the_server() {
    let mut bench = Bench::start(Faults::default()).await;
    bench.server.stop().await;
    let file = bench.server.world.directory.join("data/flumen.db");
    let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let another = "INSERT INTO clusters (name, team, document) \
        SELECT 'eu', team, replace(document, '\"local\"', '\"eu\"') FROM clusters";
    sqlx::query(another).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    bench.server.open().await;
    let server = &bench.server;
    bench.save(|document| document.cluster = "eu".to_owned()).await.unwrap();
    bench.fetch_from(FetchFrom::Server).await;
    let apply = || flumen_control::ApplyJob { start: false, ..application(job(), &JAR) };
    let (kind, told) = refusal(server.control().apply_job(&server.principal, apply()).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(told.contains("--pod-url") && told.contains("fetchFrom: storage"), "{told}");
    bench.fetch_from(FetchFrom::Storage).await;
    server.control().apply_job(&server.principal, apply()).await.unwrap();
    bench.server.finish().await;
}

#[tokio::test]
async fn a_storage_without_links_is_refused_with_the_reason() {
    let bench = Bench::start(Faults::default()).await;
    let endpoint = bench.s3.endpoint();
    let with = |key: &str, value: Value| {
        let mut storage = s3(&endpoint);
        storage[key] = value;
        storage
    };
    for (place, reason) in [
        (with("credentials", Value::Null), "it has no credentials;"),
        (with("readable", json!(false)), "it has readable: false;"),
        (
            json!({"kind": "hostPath", "hostPath": "/a", "mountPath": "/b"}),
            "it is a directory of the node;",
        ),
        (json!({"kind": "file", "place": "file:///mnt/flink"}), "it is a directory;"),
        (json!({"kind": "hdfs", "place": "hdfs://nn:8020/flink"}), "it is HDFS;"),
    ] {
        let refused = bench.save(|document| document.storage = storage(place.clone())).await;
        let (kind, told) = refusal(refused);
        assert!(kind == Kind::Invalid && told.contains(reason), "{told}");
        assert!(told.contains("s3 with credentials") && told.contains("fetchFrom: server"));
    }
    bench.server.finish().await;
}

#[tokio::test]
async fn a_storage_that_does_not_answer_is_waited_for_and_no_pod_begins_without_links() {
    let bench = Bench::start(Faults::default()).await;
    let server = &bench.server;
    let away = storage(s3("http://127.0.0.1:1"));
    bench.save(|document| document.storage = away).await.unwrap();
    let applied = server.apply(job()).await.unwrap();
    let step = async || {
        let operation = server.operation(applied.operation.unwrap()).await;
        let text = format!("{operation:?}");
        if text.contains("cannot be reached") { Ok(text) } else { Err(text) }
    };
    let told = eventually_async(PATIENCE, step).await;
    assert!(!told.contains("X-Amz-"), "{told}");
    assert!(server.world.deployment().await.is_none(), "a pod could have begun");
    let back = storage(s3(&bench.s3.endpoint()));
    bench.save(|document| document.storage = back).await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!(fetch(&bench.links(run).await[0].1).await.0, 200);
    bench.end().await;
    bench.server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_server_dies_on_the_way_its_files_get_there_the_pods_find_them() {
    let mut bench = Bench::start(Faults::watched()).await;
    let trace = bench.strike(None).await;
    let is_near = |hit: &Hit| {
        [
            "storage.put-artifact",
            "store.save-run-delivery",
            "k8s.create-deployment",
            "k8s.create-owned",
        ]
        .iter()
        .any(|effect| hit.effect() == *effect)
    };
    let near: Vec<Hit> = trace.iter().filter(|hit| is_near(hit)).cloned().collect();
    for effect in ["storage.put-artifact", "store.save-run-delivery"] {
        assert!(near.iter().any(|hit| hit.effect() == effect), "{effect} is not in {trace:?}");
    }
    let mut strikes: Vec<_> = near.iter().cloned().map(|hit| (hit, true)).collect();
    strikes.extend(near.into_iter().filter(Hit::is_after).map(|hit| (hit, false)));
    if std::env::var_os("FLUMEN_ALL_KILLS").is_none() {
        let step = strikes.len().div_ceil(STRIKES);
        strikes = strikes.into_iter().step_by(step).collect();
    }
    for strike in strikes {
        bench.strike(Some(strike)).await;
    }
    bench.server.finish().await;
}

impl Bench {
    /// Starts the job once, with a kill or a lost answer at this point, and looks at the end. It gives the points that were
    /// passed.
    async fn strike(&mut self, strike: Option<(Hit, bool)>) -> Vec<Hit> {
        self.bucket.remove_below(PREFIX).await.unwrap();
        let killed = Arc::new(Notify::new());
        let deployments = self.server.world.deployments_created();
        let applied = self.server.apply(job());
        self.server.faults.follow(match strike.clone() {
            None => Plan::Trace,
            Some((at, false)) => Plan::Cut { at },
            Some((at, true)) => {
                let killed = Arc::clone(&killed);
                Plan::Kill { at, kill: Arc::new(move || killed.notify_one()) }
            }
        });
        let operation = applied.await.unwrap().operation.expect("it is started");
        let run = self.server.wished_run().await;
        self.server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
        loop {
            tokio::select! {
                ended = self.server.operation_ended(operation) => {
                    assert_eq!(ended.state, OperationState::Succeeded, "{strike:?}: {ended:?}");
                    break;
                }
                () = killed.notified() => {
                    self.server.kill().await;
                    self.server.faults = Faults::watched();
                    self.server.open().await;
                }
            }
        }
        let trace = self.server.faults.trace();
        for (_, link) in self.links(run).await {
            assert_eq!(fetch(&link).await.0, 200, "{strike:?}");
        }
        assert_eq!(self.server.world.deployments_created() - deployments, 1, "{strike:?}");
        self.server.faults.follow(Plan::Trace);
        self.end().await;
        trace
    }
}
