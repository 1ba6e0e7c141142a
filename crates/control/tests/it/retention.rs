//! What nothing needs goes, and nothing else, whatever happens meanwhile. Here it goes as soon as it is looked for.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use bytes::Bytes;
use flumen_control::{
    Change, Control, Disposed, Fate, Faults, OperationState, RemovalKind, RollBackOrder, Terms,
};
use flumen_faults::Plan;
use flumen_image::{Client, Reference, Settings};
use flumen_model::Digest;
use flumen_testkit::program;
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    sbom::documents,
    server::{JAR, TestServer, application, digest, done, environment, job, name},
    world::World,
};

impl TestServer {
    async fn dispose(&self) -> Vec<Disposed> {
        self.control().dispose(None, false).await.unwrap().items
    }

    /// A release with other arguments, which is not started.
    async fn define(&self, number: u32, jar: &[u8]) {
        let mut file = job();
        file["arguments"] = json!([number.to_string()]);
        self.upload(jar).await;
        let mut apply = application(file, jar);
        apply.start = false;
        done(self.control().apply_job(&self.principal, apply).await.unwrap());
    }

    async fn release_numbers(&self) -> Vec<i64> {
        let releases = self.control().releases(&self.principal, &environment(), &name()).await;
        releases.unwrap().into_iter().map(|release| release.number).collect()
    }

    /// The files that are kept, by the first digits of their digests.
    fn kept(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.world.directory.join("data/artifacts")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.contains('.')).collect()
    }

    fn has_file(&self, digest: &Digest) -> bool {
        self.kept().contains(digest.hex())
    }

    async fn has_image(&self, image: &str) -> bool {
        let reference: Reference = image.parse().unwrap();
        let client = Client::new(Settings::default()).unwrap();
        client.manifest_digest(&reference).await.unwrap().is_some()
    }

    async fn run_image(&self) -> String {
        self.runs().await[0].image.clone().expect("it is built")
    }
}

fn removed(items: &[Disposed], kind: RemovalKind) -> usize {
    items.iter().filter(|item| item.kind == kind && item.fate == Fate::Removed).count()
}

#[tokio::test]
async fn a_job_keeps_its_newest_releases_and_the_one_that_runs() {
    let server = TestServer::start().await;
    server.running().await;
    let image = server.run_image().await;
    for number in 2..=5 {
        server.define(number, &program(&format!("release {number}"))).await;
    }
    let planned = server.control().dispose(None, true).await.unwrap();
    let due: Vec<_> = planned.items.iter().map(|item| (&*item.name, &item.fate)).collect();
    assert_eq!(due, [("local/word-count 2", &Fate::Due), ("local/word-count 3", &Fate::Due)]);
    assert_eq!(server.release_numbers().await, [5, 4, 3, 2, 1], "it was only looked at");

    let items = server.dispose().await;
    assert_eq!(server.release_numbers().await, [5, 4, 1]);
    assert_eq!(removed(&items, RemovalKind::Artifact), 2, "{items:?}");
    assert!(server.has_file(&digest(&JAR)) && server.has_image(&image).await);
    let removals = server.control().removals(&server.principal, None, 10).await.unwrap();
    assert_eq!(removals.len(), items.len(), "what was removed is remembered");

    // It ends, and there is no snapshot of it: nothing is left to go back to.
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    let items = server.dispose().await;
    assert_eq!(server.release_numbers().await, [5, 4]);
    assert_eq!(removed(&items, RemovalKind::Image), 1, "{items:?}");
    assert!(!server.has_file(&digest(&JAR)) && !server.has_image(&image).await);
    assert_eq!(server.dispose().await, [], "once more is nothing");
    let order = RollBackOrder { release: 4, start: false, force: false };
    let place = (&environment(), &name());
    let back = server.control().roll_back_job(&server.principal, place, order, Terms::default());
    assert_eq!(back.await.unwrap().change, Change::Configured);
    server.finish().await;
}

#[tokio::test]
async fn a_release_of_which_there_is_a_snapshot_stays() {
    let server = TestServer::start().await;
    server
        .world
        .flink
        .map_directory("file:/opt/flink/storage", &server.world.directory.join("storage"));
    server.world.flink.auto_savepoints(true);
    server.running().await;
    let place = (&environment(), &name());
    let order = flumen_control::SavepointOrder::default();
    let stop = server.control().stop_job(&server.principal, place, order, Terms::default()).await;
    server.operation_ended(stop.unwrap()).await;
    server.until_state("STOPPED").await;
    for number in 2..=4 {
        server.define(number, &program(&format!("release {number}"))).await;
    }
    server.dispose().await;
    assert_eq!(server.release_numbers().await, [4, 3, 1]);
    assert!(server.has_file(&digest(&JAR)));
    server.finish().await;
}

#[tokio::test]
async fn what_was_uploaded_and_is_needed_by_nothing_goes_unless_somebody_asks_for_it() {
    let server = TestServer::start().await;
    let needless = server.upload(b"needless").await;
    let items = server.dispose().await;
    assert!(
        items.iter().any(|item| item.name == needless.as_str() && item.bytes == 8),
        "{items:?}"
    );
    assert!(!server.has_file(&needless));
    assert_eq!(server.control().artifact(&needless).await.unwrap(), None);
    // The same again is taken again.
    server.upload(b"needless").await;
    assert!(server.has_file(&needless));
    // What another server left unfinished.
    let lost = digest(b"lost");
    server.world.directory.write(&format!("data/artifacts/{}", lost.hex()), "lost");
    server.dispose().await;
    assert!(!server.has_file(&lost));
    server.finish().await;
}

#[tokio::test]
async fn a_start_that_is_underway_is_not_harmed() {
    let server = TestServer::start().await;
    server.running().await;
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    for number in 2..=4 {
        server.define(number, &program(&format!("release {number}"))).await;
    }
    // The image of the first release is there, and nothing needs it, until this is written down.
    let applied = server.apply(job()).await.unwrap();
    let disposing = async {
        loop {
            server.control().dispose(None, false).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let starting = async {
        let run = server.wished_run().await;
        server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
        server.until_state("RUNNING").await
    };
    tokio::select! {
        () = disposing => unreachable!("it goes on"),
        _ = starting => {}
    }
    let ended = server.operation_ended(applied.operation.expect("it is started")).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    assert!(server.has_file(&digest(&JAR)) && server.has_image(&server.run_image().await).await);
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.finish().await;
}

/// A job that ran and is gone, of which an image and a file are left.
async fn leave_something(server: &TestServer) -> (String, Digest) {
    server.upload(&JAR).await;
    server.running().await;
    let image = server.run_image().await;
    server.operation_ended(server.cancel().await).await;
    server.until_state("CANCELED").await;
    server.delete().await;
    server.until_gone().await;
    (image, digest(&JAR))
}

/// How the effects of a round begin.
const REMOVING: [&str; 6] =
    ["store.mark-", "store.remove-", "store.begin-image-", "store.end-image-", "image.", "file."];

#[tokio::test]
async fn wherever_the_server_dies_the_next_round_removes_the_same() {
    let mut server = TestServer::start_with(World::start().await, Faults::watched()).await;
    leave_something(&server).await;
    server.faults.follow(Plan::Trace);
    server.dispose().await;
    let mut hits = server.faults.trace();
    // A job is seen to be gone a little before who deleted it is done.
    hits.retain(|hit| REMOVING.iter().any(|effect| hit.effect().starts_with(effect)));
    assert!(hits.iter().any(|hit| hit.to_string().starts_with("image.delete")), "{hits:?}");
    for hit in hits {
        for is_cut in [false, true] {
            if is_cut && !hit.is_after() {
                continue;
            }
            let (image, file) = leave_something(&server).await;
            let killed = Arc::new(Notify::new());
            let told = Arc::clone(&killed);
            server.faults.follow(if is_cut {
                Plan::Cut { at: hit.clone() }
            } else {
                Plan::Kill { at: hit.clone(), kill: Arc::new(move || told.notify_one()) }
            });
            let control: Control = server.control().clone();
            tokio::select! {
                _ = control.dispose(None, false) => {}
                () = killed.notified() => {}
            }
            assert!(server.faults.struck(), "{hit}");
            drop(control);
            if !is_cut {
                server.kill().await;
                server.faults = Faults::watched();
                server.open().await;
            }
            server.faults.follow(Plan::Trace);
            server.dispose().await;
            assert!(!server.has_image(&image).await, "{hit}: the image");
            assert_eq!(documents(&image).await, [], "{hit}: what is about the image");
            assert!(!server.has_file(&file), "{hit}: the file");
            assert_eq!(server.dispose().await, [], "{hit}: all is done");
        }
    }
    server.finish().await;
}

/// A `docker-registry`, as Debian packages it.
struct DockerRegistry(Child);

impl DockerRegistry {
    /// Starts it and says where it listens; `more` is added to what it is told of its storage.
    fn start(world: &World, more: &str) -> (Self, String) {
        let data = world.directory.join("docker-registry");
        let configuration = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n{more}http:\n  addr: 127.0.0.1:0\n",
            data.display()
        );
        let file = world.directory.write("docker-registry.yml", configuration);
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry must be installed: `make setup` sees to it");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let host = log.find_map(|line| {
            let line = line.unwrap();
            let (_, host) = line.split_once("listening on ")?;
            host.split('"').next().map(str::to_owned)
        });
        // It must not come to wait for a reader.
        std::thread::spawn(move || log.for_each(drop));
        (Self(process), host.expect("it says where it listens"))
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn a_registry_that_does_not_delete_keeps_images_and_that_is_said() {
    for (more, deletes) in [("", false), ("  delete:\n    enabled: true\n", true)] {
        let mut world = World::start().await;
        let (_process, host) = DockerRegistry::start(&world, more);
        world.registry = host;
        let server = TestServer::start_in(world).await;
        let (image, _) = leave_something(&server).await;
        let items = server.dispose().await;
        let fate = items.into_iter().find(|item| item.name == image).expect("it is told of").fate;
        if deletes {
            assert_eq!(fate, Fate::Removed);
        } else {
            let Fate::Kept { reason: Some(reason), .. } = fate else { panic!("{fate:?}") };
            assert!(reason.contains("refused to delete"), "{reason}");
        }
        assert_eq!(server.has_image(&image).await, !deletes);
        assert_eq!(documents(&image).await.is_empty(), deletes, "the document goes with its image");
        // The image that stays is used again.
        let (again, _) = leave_something(&server).await;
        assert_eq!(again, image);
        server.finish().await;
    }
}

#[tokio::test]
async fn what_has_arrived_of_a_file_goes_when_nobody_goes_on_with_it() {
    let server = TestServer::start().await;
    let jar = program("a program");
    let digest = digest(&jar);
    let whole = Bytes::from(jar);
    let upload = async |offset: u64, pieces: Vec<Result<Bytes, std::io::Error>>| {
        let body = futures::stream::iter(pieces);
        server.control().upload_artifact(&server.principal, (&digest, offset), body).await
    };
    let broken = || vec![Ok(whole.slice(..7)), Err(std::io::Error::other("broken"))];
    let arrived =
        async || server.control().uploaded_part(&server.principal, &digest).await.unwrap();
    upload(0, broken()).await.expect_err("it broke off");
    assert_eq!(arrived().await, 7);
    // Here a file goes as soon as nothing needs it, but for what is being written.
    let begun = Arc::new(Notify::new());
    let slow = {
        let (begun, whole) = (Arc::clone(&begun), whole.clone());
        let rest = futures::stream::once(async move {
            begun.notify_one();
            std::future::pending::<()>().await;
            Ok::<_, std::io::Error>(whole)
        });
        let (control, principal) = (server.control().clone(), server.principal.clone());
        let digest = digest.clone();
        tokio::spawn(async move { control.upload_artifact(&principal, (&digest, 7), rest).await })
    };
    begun.notified().await;
    server.dispose().await;
    assert_eq!(arrived().await, 7, "it is being written");
    slow.abort();
    slow.await.expect_err("it is given up");
    assert_eq!(arrived().await, 7, "who was gone may come again");
    server.dispose().await;
    assert_eq!(arrived().await, 0);
    upload(0, broken()).await.expect_err("it broke off");
    upload(7, vec![Ok(whole.slice(7..))]).await.unwrap();
    assert!(server.has_file(&digest));
    server.finish().await;
}
