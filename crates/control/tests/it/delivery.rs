//! Jobs whose pods fetch their files.

use flumen_control::Error;
use flumen_model::{Digest, Kind, RunId};
use flumen_testkit::eventually_async;
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret},
};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::server::{JAR, PATIENCE, TestServer, application, digest, environment, job, refusal};

fn fetching() -> Value {
    let mut file = job();
    file["delivery"] = json!("init-container");
    file
}

impl TestServer {
    pub(crate) async fn list_of(&self, run: RunId) -> Option<String> {
        let name = format!("flumen-fetch-{run}");
        let secret = self.world.api::<Secret>().get_opt(&name).await.unwrap()?;
        let ByteString(bytes) = secret.data?.remove("files")?;
        Some(String::from_utf8(bytes).unwrap())
    }

    /// Whether the link of this line opens the artifact.
    fn opens(&self, line: &str, digest: &Digest) -> Result<(), Error> {
        let (_, query) = line.split_once("?expires=").expect("a link");
        let (expires, signature) = query.split_once("&signature=").expect("a signature");
        self.control().check_link(digest, expires.parse().unwrap(), signature)
    }
}

#[tokio::test]
async fn pods_of_the_base_image_fetch_the_files_and_no_image_is_made() {
    let server = TestServer::start().await;
    server.apply(fetching()).await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;

    let base = server.control().versions().await.unwrap()[0].image.clone();
    let known = server.runs().await.remove(0);
    assert_eq!(known.image, Some(format!("{}/{base}", server.world.registry)));
    let written = known.objects.expect("they are written down");
    assert!(!written.contains("signature="), "a link is written down: {written}");

    let list = server.list_of(run).await.expect("a Secret");
    let line = list.strip_suffix('\n').expect("a line");
    let jar = digest(&JAR);
    let start =
        format!("{}\t{}\topt/flink/usrlib/job.jar\thttp://10.96.0.1:7600/", jar.hex(), JAR.len());
    assert!(line.starts_with(&start), "{line}");
    server.opens(line, &jar).unwrap();
    let program =
        server.world.api::<ConfigMap>().get(&format!("flumen-fetch-{run}")).await.unwrap();
    let jars = program.binary_data.unwrap();
    assert!(jars["flumen-fetcher.jar"].0.starts_with(b"PK"));

    let pod = server.world.deployment().await.unwrap().spec.unwrap().template.spec.unwrap();
    let init = &pod.init_containers.unwrap()[0];
    assert_eq!(init.image, known.image);
    let mounts = pod.containers[0].volume_mounts.as_ref().unwrap();
    let mount = mounts.iter().find(|it| it.mount_path == "/opt/flink/usrlib/job.jar").unwrap();
    assert_eq!(mount.sub_path.as_deref(), Some("opt/flink/usrlib/job.jar"));

    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    assert_eq!(server.list_of(run).await, None, "the links outlive the run");
    server.finish().await;
}

#[tokio::test]
async fn a_server_that_starts_renews_the_links_of_what_runs() {
    let mut server = TestServer::start().await;
    server.apply(fetching()).await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    server.stop().await;
    // As good as links that have ended.
    let patch = Patch::Merge(json!({"data": {"files": "b2xk"}}));
    let name = format!("flumen-fetch-{run}");
    server.world.api::<Secret>().patch(&name, &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(server.list_of(run).await.as_deref(), Some("old"));
    server.open().await;
    let look = async || match server.list_of(run).await {
        Some(list) if list != "old" => Ok(list),
        other => Err(other),
    };
    let list = eventually_async(PATIENCE, look).await;
    server.opens(list.trim_end(), &digest(&JAR)).unwrap();
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn the_word_of_the_job_counts_more_than_that_of_the_environment() {
    let server = TestServer::start().await;
    let mut document = server.control().environment(&environment()).await.unwrap().document;
    document.delivery = flumen_model::Delivery::InitContainer;
    let terms = flumen_control::Terms::default();
    server
        .control()
        .save_environment(&server.principal, &environment(), (&document, None), &terms)
        .await
        .unwrap();
    for (word, fetches) in [(None, true), (Some("image"), false)] {
        let mut file = job();
        file["delivery"] = json!(word);
        file["upgradeMode"] = json!("stateless");
        server.apply(file).await.unwrap();
        let run = server.wished_run().await;
        server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
        server
            .until(|view| {
                view.run.as_ref().is_some_and(|it| it.id == run) && view.state.as_str() == "RUNNING"
            })
            .await;
        assert_eq!(server.list_of(run).await.is_some(), fetches, "{word:?}");
    }
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

#[tokio::test]
async fn what_pods_cannot_fetch_is_refused_before_anything_is_written_down() {
    let server = TestServer::start().await;
    let mut requirements = fetching();
    requirements["kind"] = json!("python");
    requirements["artifact"] = json!("job.py");
    requirements["mainClass"] = Value::Null;
    requirements["dependencies"] = json!([{"path": "requirements.txt", "role": "requirements"}]);
    let (kind, told) = refusal(server.apply(requirements).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(told.contains("packages of Python"), "{told}");

    let mut colon = application(fetching(), &JAR);
    colon.artifacts[0].name = "a:b.jar".to_owned();
    let (_, told) = refusal(server.control().apply_job(&server.principal, colon).await);
    assert!(told.contains("a:b.jar") && told.contains("delivery: image"), "{told}");
    server.finish().await;
}

#[tokio::test]
async fn what_flink_fetches_lies_in_the_storage_as_long_as_it_is_needed() {
    let server = TestServer::start().await;
    let mut file = job();
    file["delivery"] = json!("flink");
    server.apply(file.clone()).await.unwrap();
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;
    assert_eq!(server.list_of(run).await, None, "Flink needs no links");

    let below = server.world.directory.join("storage/artifacts");
    let team = std::fs::read_dir(&below).unwrap().next().unwrap().unwrap().file_name();
    let team = team.to_str().unwrap();
    let path = format!("{team}/{}/job.jar", digest(&JAR).hex());
    assert_eq!(std::fs::read(below.join(&path)).unwrap(), *JAR);
    let objects = server.runs().await.remove(0).objects.unwrap();
    assert!(objects.contains(&format!("file:/opt/flink/storage/artifacts/{path}")), "{objects}");

    server.control().dispose(None, false).await.unwrap();
    assert!(below.join(&path).exists(), "it was removed under a running job");
    server.operation_ended(server.delete().await).await;
    server.until_gone().await;
    // It is marked, and then removed.
    for _ in 0..2 {
        server.control().dispose(None, false).await.unwrap();
    }
    assert!(!below.join(&path).exists(), "nothing needs it any more");
    server.finish().await;
}

#[tokio::test]
async fn what_flink_cannot_fetch_is_refused_before_anything_is_written_down() {
    let server = TestServer::start().await;
    let mut file = job();
    file["delivery"] = json!("flink");
    let mut library = application(file.clone(), &JAR);
    library.artifacts[0].role = flumen_model::ArtifactRole::Lib;
    let (kind, told) = refusal(server.control().apply_job(&server.principal, library).await);
    assert_eq!(kind, Kind::Invalid);
    assert!(told.contains("role lib") && told.contains("delivery: init-container"), "{told}");

    let mut document = server.control().environment(&environment()).await.unwrap().document;
    document.storage =
        serde_json::from_value(json!({"kind": "file", "place": "file:///mnt/flink"})).unwrap();
    let terms = flumen_control::Terms::default();
    let (name, change) = (environment(), (&document, None));
    server.control().save_environment(&server.principal, &name, change, &terms).await.unwrap();
    let (_, told) = refusal(server.apply(file).await);
    assert!(told.contains("Flumen cannot put them there"), "{told}");
    server.finish().await;
}
