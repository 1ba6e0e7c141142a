//! Projects and their builds: what is asked of the cluster, what is taken, and what is left.

use flumen_control::{Applied, ApplyJob, Error, Operation, OperationState, StepState, Terms};
use flumen_model::{GitReference, Kind, OperationId, ProjectName, ProjectSpec};
use flumen_testkit::{eventually_async, program};
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::{
    build_node::{COMMIT, Stage},
    clusters::{name as cluster, save, second_cluster},
    server::{
        ARTIFACT_LIMIT, JAR, PATIENCE, TestServer, application, digest, done, environment, job,
        refusal,
    },
};

pub(crate) fn project() -> Value {
    json!({
        "name": "orders", "environment": "local", "repository": "https://git.example/orders.git",
        "ref": "main", "builder": "maven",
    })
}

pub(crate) fn orders() -> ProjectName {
    "orders".parse().unwrap()
}

impl TestServer {
    pub(crate) async fn save_project(&self, file: Value) -> Result<i64, Error> {
        let spec: ProjectSpec = serde_json::from_value(file).unwrap();
        let saved = self.control().save_project(&self.principal, &spec, &Terms::default()).await?;
        Ok(saved.project.version)
    }

    pub(crate) async fn build(&self, key: Option<&str>) -> Result<OperationId, Error> {
        let key = key.map(|key| (key.to_owned(), "the request".to_owned()));
        self.control().build_project(&self.principal, &orders(), None, key).await
    }

    /// Builds the project as the node lets it, and waits until nothing of it is in the cluster.
    async fn built(&self) -> Operation {
        let id = self.build(None).await.unwrap();
        let ended = self.operation_ended(id).await;
        self.nothing_left().await;
        ended
    }

    pub(crate) async fn nothing_left(&self) {
        let look = || async {
            let left = self.world.objects().await;
            let builds = self.control().project_builds(&self.principal, &orders()).await.unwrap();
            let standing = builds.iter().filter(|build| build.removed_at.is_none()).count();
            if left.is_empty() && standing == 0 { Ok(()) } else { Err((left, standing)) }
        };
        eventually_async(PATIENCE, look).await;
    }

    async fn project_log(&self, number: Option<i64>, follow: bool) -> Result<String, Error> {
        let log = self.control().project_log(&self.principal, &orders(), number, follow).await?;
        let pieces: Vec<bytes::Bytes> = log.try_collect().await?;
        Ok(String::from_utf8(pieces.concat()).unwrap())
    }

    async fn standing_pod(&self) -> Pod {
        let look = || async {
            let pods = self.world.list::<Pod>().await;
            pods.into_iter().next().ok_or("no pod")
        };
        eventually_async(PATIENCE, look).await
    }

    /// Waits until this step of the operation is underway.
    async fn in_step(&self, id: OperationId, name: &str) {
        let look = || async {
            let steps = self.operation(id).await.steps;
            let is_it = |step: &&flumen_control::Step| step.state == StepState::Running;
            match steps.iter().find(is_it) {
                Some(step) if step.name == name => Ok(()),
                other => Err(format!("{other:?}")),
            }
        };
        eventually_async(PATIENCE, look).await;
    }

    async fn apply_built(&self) -> Applied {
        let mut file = job();
        file["artifact"] = json!("project://orders");
        let apply = ApplyJob { artifacts: Vec::new(), start: false, ..application(file, &JAR) };
        done(self.control().apply_job(&self.principal, apply).await.unwrap())
    }
}

#[tokio::test]
async fn a_project_is_built_in_a_pod_and_its_jar_is_taken() {
    let server = TestServer::start().await;
    let jar = program("from git");
    server.world.hand_over.offer(&jar);
    assert_eq!(server.save_project(project()).await.unwrap(), 1);
    server.world.node.build_stage(Stage::Builds);
    let id = server.build(None).await.unwrap();
    server.in_step(id, "build-artifact").await;
    let pod = server.standing_pod().await;
    let image = pod.spec.as_ref().unwrap().containers[0].image.clone().unwrap();
    // A project without an image is built in the base image, which has the tools of this machine.
    assert!(image.starts_with(&format!("{}/flink@sha256:", server.world.registry)), "{image}");
    assert_eq!(
        server
            .world
            .list::<ConfigMap>()
            .await
            .iter()
            .filter(|one| one.name_any() == pod.name_any())
            .count(),
        1
    );
    server.world.node.build_stage(Stage::HandsOver);
    let ended = server.operation_ended(id).await;
    assert_eq!(ended.state, OperationState::Succeeded, "{ended:?}");
    let steps: Vec<_> = ended.steps.iter().map(|step| (&*step.name, step.state)).collect();
    let done = StepState::Succeeded;
    assert_eq!(steps, [("fetch-commit", done), ("build-artifact", done), ("take-artifact", done)]);
    assert_eq!(ended.steps[0].detail.as_deref(), Some(COMMIT));
    server.nothing_left().await;

    let view = server.control().project(&server.principal, &orders()).await.unwrap();
    let artifact = view.builds[0].artifact.clone().unwrap();
    assert_eq!((artifact.digest, artifact.commit.as_str()), (digest(&jar), COMMIT));
    assert_eq!(server.control().artifact(&digest(&jar)).await.unwrap(), Some(jar.len() as u64));
    let log = server.project_log(None, false).await.unwrap();
    for container in ["fetch", "build", "hand-over"] {
        assert!(log.contains(&format!("{container} of flumen-build-")), "{log}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_job_takes_the_jar_of_the_newest_good_build_and_its_release_says_the_commit() {
    let server = TestServer::start().await;
    server.save_project(project()).await.unwrap();
    let mut file = job();
    file["artifact"] = json!("project://orders");
    let apply = ApplyJob { artifacts: Vec::new(), start: false, ..application(file, &JAR) };
    let none = server.control().apply_job(&server.principal, apply).await;
    let (kind, words) = refusal(none);
    assert!(kind == Kind::NotFound && words.contains("flumen project build orders"), "{words}");

    server.world.hand_over.offer(&program("first"));
    server.built().await;
    let applied = server.apply_built().await;
    assert_eq!(applied.change, flumen_control::Change::Created);
    assert_eq!(server.apply_built().await.change, flumen_control::Change::Unchanged);
    // A build that fails changes nothing.
    server.world.node.build_stage(Stage::BuildFails(1, "x"));
    assert_eq!(server.built().await.state, OperationState::Failed);
    assert_eq!(server.apply_built().await.change, flumen_control::Change::Unchanged);
    server.world.node.build_stage(Stage::HandsOver);
    server.world.hand_over.offer(&program("second"));
    server.built().await;
    assert_eq!(server.apply_built().await.change, flumen_control::Change::Configured);

    let name = crate::server::name();
    let releases =
        server.control().releases(&server.principal, &crate::server::environment(), &name).await;
    let releases = releases.unwrap();
    let said: Vec<_> =
        releases.iter().map(|one| (one.sources[0].build, &*one.sources[0].commit)).collect();
    assert_eq!(said, [(3, COMMIT), (1, COMMIT)]);
    assert_eq!(releases[0].content.artifacts[0].name, "orders.jar");
    assert_eq!(releases[0].content.artifacts[0].digest, digest(&program("second")));
    server.finish().await;
}

#[tokio::test]
async fn each_way_of_failing_is_told_and_leaves_nothing() {
    let server = TestServer::start().await;
    server.world.hand_over.offer(&program("x"));
    server.save_project(project()).await.unwrap();
    server.world.node.write_log(
        "build",
        false,
        "[INFO] one\n[ERROR] A.java:[1,2] ';' expected\n[ERROR] [Help 1] x\n",
    );
    let large = vec![b'P'; usize::try_from(ARTIFACT_LIMIT).unwrap() + 1];
    for (stage, code, step, words) in [
        (
            Stage::FetchFails(128, "fatal: repository 'x' not found"),
            "project.fetch",
            "fetch-commit",
            "no such repository",
        ),
        (
            Stage::FetchFails(128, "fatal: Authentication failed for 'x'"),
            "project.fetch",
            "fetch-commit",
            "credentials",
        ),
        (Stage::FetchFails(91, "x"), "project.fetch", "fetch-commit", "no branch and no tag"),
        (Stage::BuildFails(1, "the end"), "project.build", "build-artifact", "';' expected"),
        (Stage::BuildFails(95, "x"), "project.build", "build-artifact", "lacks"),
        (Stage::HandOverFails(97, ""), "project.artifact", "take-artifact", "target/*.jar"),
        (
            Stage::HandOverFails(98, "a.jar\nb.jar"),
            "project.artifact",
            "take-artifact",
            "a.jar, b.jar",
        ),
        (Stage::Evicted, "project.pod", "fetch-commit", "low on memory"),
    ] {
        server.world.node.build_stage(stage.clone());
        failed(&server, (code, step, words), &format!("{stage:?}")).await;
    }
    server.world.node.build_stage(Stage::HandsOver);
    server.world.hand_over.offer(&large);
    failed(&server, ("project.artifact", "take-artifact", "serve --artifact-limit"), "large").await;
    server.world.hand_over.offer_as(&program("x"), &"0".repeat(64));
    failed(&server, ("project.artifact", "take-artifact", "what came is not"), "other").await;
    server.world.hand_over.offer(b"<html>");
    failed(&server, ("invalid", "take-artifact", "no jar"), "no jar").await;
    let log = server.project_log(Some(4), false).await.unwrap();
    assert!(log.contains("[INFO] one"), "{log}");
    server.finish().await;
}

async fn failed(server: &TestServer, (code, step, words): (&str, &str, &str), case: &str) {
    let ended = server.built().await;
    assert_eq!(ended.state, OperationState::Failed, "{case}");
    let refusal = ended.refusal.unwrap();
    let text = format!("{} {} {:?}", refusal.message, refusal.causes.join(" "), refusal.hint);
    assert!(refusal.code == code && text.contains(words), "{case}: {} {text}", refusal.code);
    let failed = ended.steps.iter().find(|step| step.state == StepState::Failed).unwrap();
    assert_eq!(failed.name, step, "{case}");
}

#[tokio::test]
async fn what_a_project_names_must_be_there_before_a_pod_is_made() {
    let server = TestServer::start().await;
    let mut file = project();
    file["credentials"] = json!("git");
    server.save_project(file.clone()).await.unwrap();
    failed(&server, ("project.pod", "fetch-commit", "no Secret git in namespace default"), "none")
        .await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "git" }, "data": { "username": "bWU=" },
    });
    server.world.create(secret).await;
    failed(&server, ("project.pod", "fetch-commit", "no entry password"), "half").await;
    file.as_object_mut().unwrap().remove("credentials");
    file["settings"] = json!({ "configMap": "mirror" });
    server.save_project(file).await.unwrap();
    failed(&server, ("project.pod", "fetch-commit", "no ConfigMap mirror"), "settings").await;
    server.finish().await;
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_ended() {
    let server = TestServer::start().await;
    let mut file = project();
    file["timeout"] = json!("1s");
    server.save_project(file).await.unwrap();
    server.world.node.build_stage(Stage::Waits);
    failed(&server, ("project.pod", "fetch-commit", "not built within 1s"), "waits").await;
    server.finish().await;
}

#[tokio::test]
async fn a_build_is_cancelled_and_only_one_goes_on_at_a_time() {
    let server = TestServer::start().await;
    server.save_project(project()).await.unwrap();
    server.world.node.build_stage(Stage::Builds);
    let id = server.build(Some("one")).await.unwrap();
    server.in_step(id, "build-artifact").await;
    let (kind, words) = refusal(server.build(Some("two")).await);
    assert!(kind == Kind::Conflict && words.contains(&id.to_string()), "{words}");
    // The same request again is the same build.
    assert_eq!(server.build(Some("one")).await.unwrap(), id);
    let (kind, _) = refusal(server.control().delete_project(&server.principal, &orders()).await);
    assert_eq!(kind, Kind::Conflict);
    let canceled = server.control().cancel_operation(&server.principal, id).await.unwrap();
    assert_eq!(canceled.state, OperationState::Canceled);
    server.nothing_left().await;
    let steps = server.operation(id).await.steps;
    assert_eq!(steps[1].state, StepState::Skipped);
    server.control().delete_project(&server.principal, &orders()).await.unwrap();
    let (kind, _) = refusal(server.control().project(&server.principal, &orders()).await);
    assert_eq!(kind, Kind::NotFound);
    server.finish().await;
}

#[tokio::test]
async fn a_server_that_dies_leaves_its_build_to_the_next_one() {
    let mut server = TestServer::start().await;
    server.world.hand_over.offer(&program("x"));
    server.save_project(project()).await.unwrap();
    server.world.node.build_stage(Stage::Builds);
    let id = server.build(None).await.unwrap();
    server.in_step(id, "build-artifact").await;
    let before = server.standing_pod().await.uid();
    server.kill().await;
    server.open().await;
    server.in_step(id, "build-artifact").await;
    assert_eq!(server.standing_pod().await.uid(), before);
    server.world.node.build_stage(Stage::HandsOver);
    assert_eq!(server.operation_ended(id).await.state, OperationState::Succeeded);
    server.nothing_left().await;
    server.finish().await;
}

#[tokio::test]
async fn a_build_whose_pod_somebody_deletes_says_so() {
    let server = TestServer::start().await;
    server.save_project(project()).await.unwrap();
    server.world.node.build_stage(Stage::Builds);
    let id = server.build(None).await.unwrap();
    server.in_step(id, "build-artifact").await;
    let pod = server.standing_pod().await.name_any();
    server.world.api::<Pod>().delete(&pod, &kube::api::DeleteParams::default()).await.unwrap();
    let ended = server.operation_ended(id).await;
    assert!(ended.error.unwrap().contains("deleted by somebody else"));
    server.nothing_left().await;
    server.finish().await;
}

#[tokio::test]
async fn a_build_in_a_cluster_that_was_removed_is_not_looked_for_any_more() {
    let server = TestServer::start().await;
    second_cluster(&server).await;
    server.add_version_to("eu").await;
    let mut file = project();
    file["environment"] = json!("eu");
    server.save_project(file).await.unwrap();
    server.world.node.build_stage(Stage::Builds);
    let id = server.build(None).await.unwrap();
    server.in_step(id, "build-artifact").await;
    // The environment moves on, and nothing that holds the cluster is in it.
    let local = server.control().environment(&environment()).await.unwrap().document;
    save(&server, "eu", local).await;
    server.control().remove_cluster(&cluster("eu-1")).await.unwrap();
    server.control().cancel_operation(&server.principal, id).await.unwrap();
    let look = || async {
        let builds = server.control().project_builds(&server.principal, &orders()).await.unwrap();
        if builds.iter().all(|build| build.removed_at.is_some()) { Ok(()) } else { Err(builds) }
    };
    eventually_async(PATIENCE, look).await;
    let pod = server.standing_pod().await.name_any();
    server.world.api::<Pod>().delete(&pod, &kube::api::DeleteParams::default()).await.unwrap();
    server.finish().await;
}

#[tokio::test]
async fn a_log_that_is_followed_ends_with_the_build() {
    let server = TestServer::start().await;
    server.world.hand_over.offer(&program("x"));
    server.save_project(project()).await.unwrap();
    server.world.node.build_stage(Stage::HandsOver);
    let id = server.build(None).await.unwrap();
    server.operation_ended(id).await;
    server.nothing_left().await;
    let followed = server.project_log(None, true).await.unwrap();
    assert_eq!(followed, server.project_log(Some(1), false).await.unwrap());
    let (kind, words) = refusal(server.project_log(Some(7), false).await);
    assert!(kind == Kind::NotFound && words.contains("build 7 of project orders"), "{words}");
    server.finish().await;
}

#[tokio::test]
async fn builds_that_are_more_than_a_project_keeps_go_with_their_jars() {
    let server = TestServer::start().await;
    server.save_project(project()).await.unwrap();
    for text in ["1", "2", "3"] {
        server.world.hand_over.offer(&program(text));
        assert_eq!(server.built().await.state, OperationState::Succeeded);
    }
    // What is unused goes in the round after the one that saw it.
    for _ in 0..2 {
        server.control().dispose(None, false).await.unwrap();
    }
    let builds = server.control().project_builds(&server.principal, &orders()).await.unwrap();
    assert_eq!(builds.iter().map(|build| build.number).collect::<Vec<_>>(), [3, 2]);
    let there = async |text: &str| {
        server.control().artifact(&digest(&program(text))).await.unwrap().is_some()
    };
    assert_eq!([there("1").await, there("2").await, there("3").await], [false, true, true]);
    let logs = server.world.directory.join("data/logs/builds");
    assert_eq!(std::fs::read_dir(logs).unwrap().count(), 2);
    server.finish().await;
}

#[tokio::test]
async fn another_reference_is_built_without_a_change_of_the_project() {
    let server = TestServer::start().await;
    server.world.hand_over.offer(&program("x"));
    server.save_project(project()).await.unwrap();
    server.world.node.build_stage(Stage::Fetches);
    let reference: GitReference = "v1.4.0".parse().unwrap();
    let orders = orders();
    let build = server.control().build_project(&server.principal, &orders, Some(reference), None);
    let id = build.await.unwrap();
    let pod = server.standing_pod().await;
    let containers = pod.spec.unwrap().init_containers.unwrap();
    let fetch = &containers[0];
    let value = fetch.env.iter().flatten().find(|one| one.name == "REF").unwrap().value.clone();
    assert_eq!(value.as_deref(), Some("v1.4.0"));
    server.world.node.build_stage(Stage::HandsOver);
    assert_eq!(server.operation_ended(id).await.state, OperationState::Succeeded);
    server.nothing_left().await;
    let view = server.control().project(&server.principal, &orders).await.unwrap();
    assert_eq!(view.builds[0].reference, "v1.4.0");
    assert_eq!(view.project.spec.reference.as_str(), "main");
    server.finish().await;
}
