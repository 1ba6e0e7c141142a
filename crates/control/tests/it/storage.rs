//! Jobs whose state lies in S3: a server that checks keys and signatures.

use bytes::Bytes;
use flumen_control::{
    Check, CheckOutcome, Error, OperationState, SavepointOrder, StartOrder, StartSource,
    StorageKeys, Terms,
};
use flumen_model::{Kind, OperationId, Secret, Storage};
use flumen_storage::{Bucket, Keys};
use flumen_testkit::{S3Keys, S3Server, eventually_async, jar};
use k8s_openapi::api::core::v1::{ConfigMap, Secret as SecretObject};
use serde_json::{Value, json};

use crate::{
    dependencies::settings,
    server::{JAR, PATIENCE, TestServer, application, environment, job, name, refusal},
};

/// What lies below this is the environment's.
pub(crate) const PREFIX: &str = "prod";

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn s3(endpoint: &str) -> Value {
    json!({
        "kind": "s3", "place": format!("s3://{}/{PREFIX}", S3Server::BUCKET), "endpoint": endpoint,
        "pathStyleAccess": true, "credentials": {"secret": "flumen-storage-local"},
    })
}

/// Says that state lies there, with these keys.
async fn lie_in(server: &TestServer, storage: Value, keys: Option<&S3Keys>) -> Result<(), Error> {
    let control = server.control();
    let mut document = control.environment(&environment()).await?.document;
    document.storage = serde_json::from_value(storage).unwrap();
    let keys = keys.map(|keys| StorageKeys {
        access_key: secret(&keys.access_key),
        secret_key: secret(&keys.secret_key),
    });
    let change = (&document, keys.as_ref());
    let (name, terms) = (environment(), Terms::default());
    control.save_environment(&server.principal, &name, change, &terms).await.map(drop)
}

/// A repository that has Flink's plugin for an earlier patch of the minor only.
pub(crate) fn with_plugin(server: &TestServer) {
    let repository = server.world.directory.join("repository");
    settings(server, &format!("file://{}", repository.display()));
    let plugin = repository.join("org/apache/flink/flink-s3-fs-presto");
    let version = plugin.join("1.20.0");
    std::fs::create_dir_all(&version).unwrap();
    let metadata = "<metadata><groupId>org.apache.flink</groupId><artifactId>flink-s3-fs-presto</artifactId>\
        <versioning><versions><version>1.19.3</version><version>1.20.0</version></versions></versioning></metadata>";
    std::fs::write(plugin.join("maven-metadata.xml"), metadata).unwrap();
    let pom = "<project><groupId>org.apache.flink</groupId><artifactId>flink-s3-fs-presto</artifactId>\
        <version>1.20.0</version></project>";
    std::fs::write(version.join("flink-s3-fs-presto-1.20.0.pom"), pom).unwrap();
    let jar = jar(&[("META-INF/plugin", b"s3")]);
    std::fs::write(version.join("flink-s3-fs-presto-1.20.0.jar"), jar).unwrap();
}

struct Bench {
    server: TestServer,
    s3: S3Server,
    bucket: Bucket,
}

impl Bench {
    async fn start() -> Self {
        let server = TestServer::start().await;
        with_plugin(&server);
        let s3_server = S3Server::start();
        lie_in(&server, s3(&s3_server.endpoint()), Some(&s3_server.keys)).await.unwrap();
        let Ok(Storage::S3(storage)) = serde_json::from_value(s3(&s3_server.endpoint())) else {
            unreachable!("it is S3")
        };
        let keys = Keys {
            access_key: secret(&s3_server.keys.access_key),
            secret_key: secret(&s3_server.keys.secret_key),
        };
        let bucket = Bucket::new(&storage, &keys, None).unwrap();
        Self { server, s3: s3_server, bucket }
    }

    /// What Flink writes last of a snapshot.
    async fn complete(&self, path: &str) {
        let key = self.key(&format!("{path}/_metadata"));
        self.bucket.write(&key, Bytes::from_static(b"snapshot")).await.unwrap();
    }

    fn key(&self, path: &str) -> String {
        let key = path.strip_prefix(&format!("s3://{}/", self.bucket.name()));
        key.expect(path).to_owned()
    }

    async fn check(&self) -> Vec<Check> {
        self.server.control().check_environment(&environment()).await.unwrap()
    }

    async fn start_from(&self, path: &str) -> Result<OperationId, Error> {
        let place = (&environment(), &name());
        let from = Some(StartSource::Path(path.to_owned()));
        let order = StartOrder { from, ..StartOrder::default() };
        self.server
            .control()
            .start_job(&self.server.principal, place, order, Terms::default())
            .await
    }

    async fn end(self) {
        self.server.cancel().await;
        self.server.until_state("CANCELED").await;
        self.server.finish().await;
    }
}

async fn layers(image: &str) -> usize {
    let client = flumen_image::Client::new(flumen_image::Settings::default()).unwrap();
    client.pull_manifest(&image.parse().unwrap()).await.unwrap().manifest.layers().len()
}

async fn succeeds(server: &TestServer, operation: OperationId) {
    let ended = server.operation_ended(operation).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
}

async fn savepoint(server: &TestServer, stops: bool) -> OperationId {
    let (place, order) = ((&environment(), &name()), SavepointOrder::default());
    let (control, terms) = (server.control(), Terms::default());
    let ordered = if stops {
        control.stop_job(&server.principal, place, order, terms).await
    } else {
        control.savepoint_job(&server.principal, place, order, terms).await
    };
    let operation = ordered.unwrap();
    let trigger = operation.as_uuid().simple().to_string();
    let look = || async {
        let known = server.world.flink.triggers();
        if known.contains(&trigger) { Ok(()) } else { Err(known) }
    };
    eventually_async(PATIENCE, look).await;
    operation
}

#[tokio::test]
async fn pods_get_keys_by_a_secret_and_the_plugin_by_a_layer() {
    let bench = Bench::start().await;
    let server = &bench.server;
    server.running().await;
    let deployment = serde_json::to_value(server.world.deployment().await).unwrap();
    let variables = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    let access_key = json!({
        "name": "AWS_ACCESS_KEY_ID",
        "valueFrom": {"secretKeyRef": {"name": "flumen-storage-local", "key": "access-key"}},
    });
    assert!(variables.as_array().is_some_and(|all| all.contains(&access_key)), "{variables}");
    let [kept] = &server.world.list::<SecretObject>().await[..] else { panic!("one Secret") };
    let data = kept.data.clone().unwrap_or_default();
    assert_eq!(data["access-key"].0, bench.s3.keys.access_key.as_bytes());
    assert_eq!(data["secret-key"].0, bench.s3.keys.secret_key.as_bytes());

    // Nowhere else: not in what pods are told, not in what the server keeps.
    let told = serde_json::to_string(&server.world.list::<ConfigMap>().await).unwrap();
    let address = bench.s3.endpoint();
    assert!(told.contains(address.trim_start_matches("http://")), "{told}");
    assert!(told.contains("/checkpoints/local/default/word-count/"), "{told}");
    let mut places = vec![told.into_bytes(), deployment.to_string().into_bytes()];
    for file in ["flumen.db", "flumen.db-wal"] {
        places.extend(std::fs::read(server.world.directory.join("data").join(file)));
    }
    for key in [&bench.s3.keys.access_key, &bench.s3.keys.secret_key] {
        for place in &places {
            assert!(!place.windows(key.len()).any(|part| part == key.as_bytes()), "{key}");
        }
    }
    let image = server.runs().await[0].image.clone().unwrap();
    let base = server.control().versions().await.unwrap()[0].image.clone();
    let below = layers(&format!("{}/{base}", server.world.registry)).await;
    assert_eq!(layers(&image).await, below + 2, "one for the plugin, one for the job's jar");
    bench.end().await;
}

#[tokio::test]
async fn a_job_is_stopped_started_from_its_savepoint_and_removed_with_its_state() {
    let bench = Bench::start().await;
    let server = &bench.server;
    let first = server.running().await;
    let operation = savepoint(server, true).await;
    let trigger = operation.as_uuid().simple().to_string();
    let path = server.world.flink.complete(&trigger);
    let ours =
        format!("s3://flink/{PREFIX}/savepoints/local/default/word-count/{first}/{trigger}/");
    assert!(path.starts_with(&ours), "{path}");
    bench.complete(&path).await;
    server.until_state("STOPPED").await;
    succeeds(server, operation).await;

    let half = format!("s3://flink/{PREFIX}/savepoints/half");
    bench.bucket.write(&bench.key(&format!("{half}/data")), Bytes::new()).await.unwrap();
    let (kind, text) = refusal(bench.start_from(&half).await);
    assert!(kind == Kind::Invalid && text.contains("has no _metadata"), "{text}");
    let (kind, text) = refusal(bench.start_from(&format!("{half}-none")).await);
    assert!(kind == Kind::Invalid && text.contains("is not there"), "{text}");

    let operation = bench.start_from(&path.replace("s3://", "s3a://")).await.unwrap();
    let second = server.wished_run().await.to_string();
    server.world.flink.add_job(&second, "word-count", "INITIALIZING");
    server.world.flink.restore(&second, &path.replace("s3://", "s3a://"), true);
    server.world.flink.set_state(&second, "RUNNING");
    succeeds(server, operation).await;

    let state = |kind: &str, run: &str| format!("{PREFIX}/{kind}/local/default/word-count/{run}/x");
    let others = format!("{PREFIX}/checkpoints/local/default/word-count-2/1/x");
    for key in [state("checkpoints", &second), state("ha", &second), others.clone()] {
        bench.bucket.write(&key, Bytes::from_static(b"x")).await.unwrap();
    }
    server.cancel().await;
    server.until_state("CANCELED").await;
    let operation = server.delete().await;
    succeeds(server, operation).await;
    server.until_gone().await;
    for kind in ["checkpoints", "ha"] {
        assert!(bench.bucket.is_empty(&state(kind, &second)).await.unwrap(), "{kind}");
    }
    assert!(bench.bucket.size(&others).await.unwrap().is_some(), "another job's");
    let kept = bench.key(&format!("{path}/_metadata"));
    assert!(bench.bucket.size(&kept).await.unwrap().is_some(), "savepoints outlive their job");
    bench.server.finish().await;
}

#[tokio::test]
async fn a_savepoint_whose_job_manager_died_before_it_answered_is_found_in_the_bucket() {
    let bench = Bench::start().await;
    let server = &bench.server;
    let run = server.running().await;
    let operation = savepoint(server, false).await;
    // Complete, and forgotten before anybody heard.
    server.world.flink.set_ready(false);
    let path = server.world.flink.complete(&operation.as_uuid().simple().to_string());
    bench.complete(&path).await;
    server.world.flink.restart();
    server.world.flink.set_ready(true);
    server.world.flink.set_state(&run.to_string(), "RUNNING");
    succeeds(server, operation).await;
    let place = Some((&environment(), &name()));
    let known = server.control().snapshots(&server.principal, place, None, 10).await.unwrap();
    assert_eq!(known[0].path, path);
    bench.end().await;
}

fn failures(checks: &[Check]) -> Vec<(&str, String)> {
    let failed = checks.iter().filter(|check| check.outcome == CheckOutcome::Failed);
    failed.map(|check| (check.name, format!("{} {:?}", check.detail, check.remedy))).collect()
}

#[tokio::test]
async fn a_check_says_what_is_wrong_and_leaves_nothing() {
    let bench = Bench::start().await;
    let server = &bench.server;
    let checks = bench.check().await;
    let shown: Vec<_> = checks.iter().map(|check| (check.name, check.outcome)).collect();
    let names = ["registry", "write", "list", "read", "delete", "plugin"];
    assert_eq!(shown, names.map(|name| (name, CheckOutcome::Passed)), "{checks:?}");
    assert!(checks[5].detail.contains("flink-s3-fs-presto-1.20.0.jar"), "{}", checks[5].detail);
    assert!(bench.bucket.is_empty("").await.unwrap());

    let endpoint = bench.s3.endpoint();
    let wrong = S3Keys { secret_key: "hunter2hunter2".into(), ..bench.s3.keys.clone() };
    let mut elsewhere = s3(&endpoint);
    elsewhere["place"] = json!("s3://no-such-bucket/prod");
    let away = s3("http://127.0.0.1:1");
    for (storage, keys, name, words) in [
        (s3(&endpoint), &wrong, "write", "the secret key is not that"),
        (s3(&endpoint), &bench.s3.reader, "write", "s3:PutObject"),
        (elsewhere, &bench.s3.keys, "write", "no such bucket"),
        (away, &bench.s3.keys, "write", "cannot be reached"),
    ] {
        lie_in(server, storage, Some(keys)).await.unwrap();
        let checks = bench.check().await;
        let failed = failures(&checks);
        assert_eq!(failed.len(), 1, "{checks:?}");
        assert!(failed[0].0 == name && failed[0].1.contains(words), "{words}: {failed:?}");
        let text = format!("{checks:?}");
        assert!(!text.contains("hunter2") && !text.contains(&keys.access_key), "{text}");
    }
    let mut other = s3(&endpoint);
    other["credentials"]["secret"] = json!("no-such-secret");
    lie_in(server, other, None).await.unwrap();
    let failed = failures(&bench.check().await).first().map(|(_, text)| text.clone());
    assert!(failed.is_some_and(|text| text.contains("no Secret default/no-such-secret")));
    let hdfs = json!({"kind": "hdfs", "place": "hdfs://nn:8020/flink"});
    lie_in(server, hdfs, None).await.unwrap();
    let checks = bench.check().await;
    assert_eq!((checks.len(), checks[1].outcome), (2, CheckOutcome::NotLooked), "{checks:?}");
    assert!(checks[1].detail.contains("Flumen does not read HDFS"), "{checks:?}");
    bench.server.finish().await;
}

#[tokio::test]
async fn what_would_give_keys_away_or_take_anothers_secret_is_refused() {
    let bench = Bench::start().await;
    let (server, endpoint) = (&bench.server, bench.s3.endpoint());
    let mut document = server.control().environment(&environment()).await.unwrap().document;
    document
        .configuration
        .insert("s3.secret-key".into(), serde_json::from_value(json!("hunter2")).unwrap());
    let (name, terms, change) = (environment(), Terms::default(), (&document, None));
    let saved = server.control().save_environment(&server.principal, &name, change, &terms).await;
    let (kind, text) = refusal(saved);
    assert!(kind == Kind::Invalid && text.contains("s3.secret-key"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    server
        .world
        .create(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "someone-elses"},
        }))
        .await;
    let mut storage = s3(&endpoint);
    storage["credentials"]["secret"] = json!("someone-elses");
    let (kind, text) = refusal(lie_in(server, storage, Some(&bench.s3.keys)).await);
    assert!(kind == Kind::Conflict && text.contains("someone-elses"), "{text}");
    bench.server.finish().await;
}

#[tokio::test]
async fn a_job_by_a_url_of_s3_is_fetched_with_the_keys_of_its_environment() {
    let bench = Bench::start().await;
    let server = &bench.server;
    bench.bucket.write("jars/job.jar", Bytes::from_static(JAR.as_slice())).await.unwrap();
    let by_url = |url: &str| {
        let mut file = job();
        file["artifact"] = json!(url);
        flumen_control::ApplyJob { artifacts: Vec::new(), start: false, ..application(file, &JAR) }
    };
    let id = server.prepare(by_url("s3://flink/jars/job.jar")).await.unwrap();
    succeeds(server, id).await;
    let releases = server.control().releases(&server.principal, &environment(), &name()).await;
    let [only] = &releases.unwrap()[0].content.artifacts[..] else { panic!("one file") };
    assert_eq!((only.name.as_str(), &only.digest), ("job.jar", &crate::server::digest(&JAR)));
    for (url, kind, words) in [
        ("s3://flink/jars/none.jar", Kind::NotFound, "s3://flink/jars/none.jar does not exist"),
        ("s3://no-such-bucket/job.jar", Kind::NotFound, "no such bucket"),
    ] {
        let id = server.prepare(by_url(url)).await.unwrap();
        let ended = server.operation_ended(id).await;
        assert_eq!(ended.refusal.as_ref().map(|refusal| refusal.kind), Some(kind), "{ended:?}");
        assert!(ended.error.as_ref().is_some_and(|text| text.contains(words)), "{ended:?}");
    }
    let directory = json!({"kind": "hostPath", "hostPath": "/a", "mountPath": "/b"});
    lie_in(server, directory, None).await.unwrap();
    let id = server.prepare(by_url("s3://flink/jars/other.jar")).await.unwrap();
    let ended = server.operation_ended(id).await;
    assert!(
        ended.error.as_ref().is_some_and(|text| text.contains("there is no access")),
        "{ended:?}"
    );
    bench.server.finish().await;
}

#[tokio::test]
async fn a_storage_that_does_not_answer_is_not_taken_for_empty() {
    let bench = Bench::start().await;
    let server = &bench.server;
    server.running().await;
    let operation = savepoint(server, true).await;
    let path = server.world.flink.complete(&operation.as_uuid().simple().to_string());
    bench.complete(&path).await;
    server.until_state("STOPPED").await;
    lie_in(server, s3("http://127.0.0.1:1"), None).await.unwrap();
    let (kind, text) = refusal(bench.start_from(&path).await);
    assert!(kind == Kind::Unavailable && text.contains("cannot be reached"), "{text}");
    // Where the environment says that Flumen cannot look, it goes by what Flink said.
    let mut blind = s3("http://127.0.0.1:1");
    blind["readable"] = json!(false);
    lie_in(server, blind, None).await.unwrap();
    let operation = server.start_again().await.unwrap();
    let run = server.wished_run().await.to_string();
    server.world.flink.add_job(&run, "word-count", "INITIALIZING");
    server.world.flink.restore(&run, &path, true);
    server.world.flink.set_state(&run, "RUNNING");
    succeeds(server, operation).await;
    assert_eq!(server.runs().await[0].restored.as_ref(), Some(&path));
    bench.end().await;
}
