//! What a release is made from beside the job's own jar.

use std::path::Path;

use flumen_control::{Change, Error, Release, RollBackOrder, Terms};
use flumen_model::{ArtifactRole, Kind};
use flumen_testkit::jar;
use serde_json::json;

use crate::server::{JAR, TestServer, application, environment, job, name};

/// A Maven repository in a directory, which the server's settings name: g:a:1, which needs g:b:1.
pub(crate) fn maven_repository(server: &TestServer) -> std::path::PathBuf {
    let repository = server.world.directory.join("repository");
    settings(server, &format!("file://{}", repository.display()));
    if repository.exists() {
        return repository;
    }
    let needs = "<dependencies><dependency><groupId>g</groupId><artifactId>b</artifactId><version>1</version>\
                 </dependency></dependencies>";
    put(&repository, "a", needs);
    put(&repository, "b", "");
    repository
}

/// Has the server ask this repository for everything.
pub(crate) fn settings(server: &TestServer, url: &str) {
    let settings = format!(
        "<settings><mirrors><mirror><id>here</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror></mirrors></settings>"
    );
    // A server may read them at this moment.
    let part = server.world.directory.write("home/.m2/settings.xml.part", settings);
    std::fs::rename(&part, part.with_extension("")).unwrap();
}

fn put(repository: &Path, artifact: &str, more: &str) {
    let directory = repository.join(format!("g/{artifact}/1"));
    std::fs::create_dir_all(&directory).unwrap();
    let pom = format!(
        "<project><groupId>g</groupId><artifactId>{artifact}</artifactId><version>1</version>{more}</project>"
    );
    std::fs::write(directory.join(format!("{artifact}-1.pom")), pom).unwrap();
    let jar = jar(&[("META-INF/artifact", artifact.as_bytes())]);
    std::fs::write(directory.join(format!("{artifact}-1.jar")), jar).unwrap();
}

async fn newest(server: &TestServer) -> Release {
    let releases = server.control().releases(&server.principal, &environment(), &name()).await;
    releases.unwrap().remove(0)
}

pub(crate) fn with_maven(role: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut file = job();
    file["dependencies"] = json!([{"maven": "g:a:1", "role": role}]);
    if let Some(exclude) = more.as_array() {
        file["dependencies"][0]["exclude"] = json!(exclude);
    }
    file
}

#[tokio::test]
async fn what_is_named_by_maven_coordinates_is_fetched_with_what_it_needs_and_kept() {
    let server = TestServer::start().await;
    let repository = maven_repository(&server);
    let apply = |file| server.prepare(application(file, &JAR));
    let id = apply(with_maven("lib", &json!(null))).await.unwrap();
    let operation = server.released(id).await;
    assert_eq!(operation.outcome.expect("the release is made").change, Change::Created);
    let release = newest(&server).await;
    let steps: Vec<_> =
        operation.steps.iter().map(|one| (&*one.name, one.detail.clone())).collect();
    let size: u64 = release.content.artifacts[1..].iter().map(|one| one.size).sum();
    let expected = [
        ("resolve-dependencies", "2 artifacts".to_owned()),
        ("fetch-dependencies", format!("2 files, {size} B; 0 from the cache")),
        ("check-jars", "0 warnings".to_owned()),
        ("make-release", release.id.short().to_owned()),
    ];
    assert_eq!(steps[..4], expected.map(|(name, detail)| (name, Some(detail))));
    let shown: Vec<_> = release
        .content
        .artifacts
        .iter()
        .map(|one| (one.name.as_str(), one.role, one.maven.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            ("job.jar", ArtifactRole::Usrlib, None),
            ("a-1.jar", ArtifactRole::Lib, Some("g:a:jar:1")),
            ("b-1.jar", ArtifactRole::Lib, Some("g:b:jar:1")),
        ]
    );
    let run = server.wished_run().await;
    server.world.flink.add_job(&run.to_string(), "word-count", "RUNNING");
    server.until_state("RUNNING").await;

    // The repository is away, and nothing is needed of it.
    std::fs::remove_dir_all(repository).unwrap();
    let again = server.apply(with_maven("lib", &json!(null))).await.unwrap();
    assert_eq!(again.operation, None);
    server.operation_ended(server.cancel().await).await;

    let fewer = server.released(apply(with_maven("lib", &json!(["g:b"]))).await.unwrap()).await;
    let fetched = fewer.steps[1].detail.as_deref().unwrap_or_default();
    assert!(fetched.starts_with("1 file,") && fetched.ends_with("; 1 from the cache"), "{fetched}");
    assert_eq!(newest(&server).await.content.artifacts.len(), 2);
    server.operation_ended(server.cancel().await).await;

    let place = (&environment(), &name());
    let order = RollBackOrder { release: 1, start: false, force: false };
    let control = server.control();
    let back = control.roll_back_job(&server.principal, place, order, Terms::default()).await;
    assert_eq!(back.unwrap().job.job.release, release.id, "the very same files");
    server.finish().await;
}

#[tokio::test]
async fn each_file_has_the_role_of_what_it_is_there_for_also_where_one_is_named_twice() {
    let server = TestServer::start().await;
    maven_repository(&server);
    let mut file = job();
    file["dependencies"] = json!([
        {"maven": "g:a:1", "role": "lib", "exclude": ["g:b"]}, {"maven": "g:a:1", "role": "lib", "exclude": ["g:b"]},
        {"maven": "g:b:1"},
    ]);
    server.released(server.prepare(application(file, &JAR)).await.unwrap()).await;
    let artifacts = newest(&server).await.content.artifacts;
    let roles: Vec<_> = artifacts.iter().map(|one| (one.name.as_str(), one.role)).collect();
    assert_eq!(
        roles,
        [
            ("job.jar", ArtifactRole::Usrlib),
            ("a-1.jar", ArtifactRole::Lib),
            ("b-1.jar", ArtifactRole::Usrlib),
        ]
    );
    server.operation_ended(server.cancel().await).await;
    server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_fetched_is_named_and_nothing_is_made() {
    let server = TestServer::start().await;
    maven_repository(&server);
    let refused = async |file| {
        let id = server.prepare(application(file, &JAR)).await.unwrap();
        let operation = server.operation_ended(id).await;
        let refusal = operation.refusal.expect("a request would be refused for it");
        let failed = operation.steps.last().expect("a step");
        assert_eq!(failed.error, operation.error, "the step says it too");
        (refusal.kind, operation.error.expect("a reason"))
    };
    let mut missing = job();
    missing["dependencies"] = json!([{"maven": "g:nobody:1"}]);
    let (kind, text) = refused(missing).await;
    assert_eq!(kind, Kind::NotFound);
    assert!(text.contains("word-count") && text.contains("g:nobody:1"), "{text}");
    let (kind, text) = refused(with_maven("plugin", &json!(null))).await;
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("g:a:1 depends on g:b:jar:1"), "{text}");
    let (kind, text) = refused(with_maven("lib", &json!(["nonsense"]))).await;
    assert_eq!(kind, Kind::Invalid);
    assert!(text.contains("nonsense"), "{text}");
    std::fs::write(server.world.directory.join("home/.m2/settings.xml"), "<html/>").unwrap();
    let (kind, text) = refused(with_maven("lib", &json!(null))).await;
    assert_eq!(kind, Kind::Unavailable);
    assert!(text.contains("settings.xml"), "{text}");
    assert!(matches!(server.view().await, Err(Error::NotFound { .. })), "no job was made");
    server.finish().await;
}
