use std::{collections::BTreeMap, error::Error as _, path::Path, time::Duration};

use flumen_maven::{
    Access, Client, Environment, Error, Remote, Request, Resolution, Settings, Wanted,
};
use flumen_model::{Kind, Secret};
use tokio::time::Instant;

use crate::{
    record::{cases, differences, repository},
    server::{Quirks, Server, client, settings},
};

fn pom(artifact: &str, version: &str, inner: &str) -> (String, String) {
    (
        format!("g/{artifact}/{version}/{artifact}-{version}.pom"),
        format!(
            "<project><groupId>g</groupId><artifactId>{artifact}</artifactId><version>{version}</version>{inner}</project>"
        ),
    )
}

fn jar(artifact: &str, version: &str, content: &str) -> (String, String) {
    (format!("g/{artifact}/{version}/{artifact}-{version}.jar"), content.to_owned())
}

/// g:a:1, which depends on g:b:1.
fn two() -> BTreeMap<String, String> {
    let depends = "<dependencies><dependency><groupId>g</groupId><artifactId>b</artifactId><version>1</version>\
                   </dependency></dependencies>";
    BTreeMap::from([
        pom("a", "1", depends),
        pom("b", "1", ""),
        jar("a", "1", "jar of a"),
        jar("b", "1", &"jar of b".repeat(1000)),
    ])
}

async fn resolve(client: &Client, of: &[&str]) -> Result<Resolution, Error> {
    let wanted = of.iter().map(|one| Wanted::whole(one.parse().expect("coordinates")));
    let request = Request { wanted: wanted.collect() };
    client.resolve(&request, Environment::linux("17.0.15")).await
}

fn local() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn parts_in(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let count = |entry: std::fs::DirEntry| {
        let is_part = entry.file_name().to_string_lossy().ends_with(".part");
        usize::from(is_part) + parts_in(&entry.path())
    };
    entries.flatten().map(count).sum()
}

#[tokio::test]
async fn recorded_trees_are_mavens_over_http_and_then_offline() {
    // Each of them is compared in `trees.rs`; here it is about how POMs come.
    const EVERY: usize = 10;
    let server = Server::start(repository(), Quirks::default()).await;
    let directory = local();
    let online = client(directory.path(), vec![server.remote("central")]);
    let mut trees = Vec::new();
    for case in cases().into_iter().step_by(EVERY) {
        let tree = online.resolve(&case.request, Environment::linux("17.0.15")).await;
        trees.push((case, tree.map_err(|error| format!("{error:?}"))));
    }
    assert_eq!(differences(&trees), [""; 0]);
    assert_eq!(parts_in(directory.path()), 0);
    let before = server.requests();
    let remotes = vec![server.remote("central")];
    let offline = Settings { offline: true, ..settings(directory.path(), remotes) };
    let offline = Client::new(offline);
    let mut again = Vec::new();
    for (case, _) in trees {
        let tree = offline.resolve(&case.request, Environment::linux("17.0.15")).await;
        again.push((case, tree.map_err(|error| format!("{error:?}"))));
    }
    assert_eq!(differences(&again), [""; 0]);
    assert_eq!(server.requests(), before, "nothing is asked offline");
}

#[tokio::test]
async fn files_are_fetched_checked_and_kept_in_mavens_layout() {
    let server = Server::start(two(), Quirks::default()).await;
    let directory = local();
    let client = client(directory.path(), vec![server.remote("own")]);
    let resolution = resolve(&client, &["g:a:1"]).await.expect("resolved");
    let paths = client.fetch(&resolution.artifacts).await.expect("fetched");
    assert_eq!(std::fs::read_to_string(&paths[0]).expect("read"), "jar of a");
    let kept = directory.path().join("g/a/1");
    for name in ["a-1.pom", "a-1.pom.sha1", "a-1.jar", "a-1.jar.sha1", "_remote.repositories"] {
        assert!(kept.join(name).is_file(), "{name}");
    }
    assert_eq!((client.progress().files(), client.progress().artifacts()), (4, (2, 2)));
    let before = server.requests();
    client.fetch(&resolution.artifacts).await.expect("found");
    assert_eq!(server.requests(), before, "what is here is not asked for");
}

#[tokio::test]
async fn a_file_that_is_not_what_its_checksum_says_is_not_kept() {
    let checksum = Some("a9993e364706816aba3e25717850c26c9cd0d89d".to_owned());
    let server = Server::start(two(), Quirks { checksum, ..Quirks::default() }).await;
    let directory = local();
    let client = client(directory.path(), vec![server.remote("own")]);
    let error = resolve(&client, &["g:a:1"]).await.expect_err("damaged");
    assert!(matches!(error, Error::Checksum { algorithm: "sha1", .. }), "{error}");
    assert!(!directory.path().join("g/a/1/a-1.pom").exists());
    assert_eq!(parts_in(directory.path()), 0);
}

#[tokio::test]
async fn a_repository_that_has_another_checksum_only_is_held_to_that() {
    let server = Server::start(two(), Quirks { sha256: true, ..Quirks::default() }).await;
    let directory = local();
    let found = client(directory.path(), vec![server.remote("own")]);
    let resolution = resolve(&found, &["g:b:1"]).await.expect("resolved");
    found.fetch(&resolution.artifacts).await.expect("fetched");
    assert!(directory.path().join("g/b/1/b-1.jar.sha256").is_file());
    let checksum = Some("ab".repeat(32));
    let wrong = Quirks { sha256: true, checksum, ..Quirks::default() };
    let server = Server::start(two(), wrong).await;
    let directory = local();
    let damaged = client(directory.path(), vec![server.remote("own")]);
    let error = damaged.fetch(&resolution.artifacts).await.expect_err("damaged");
    assert!(matches!(error, Error::Checksum { algorithm: "sha256", .. }), "{error}");
    assert_eq!(std::fs::read_dir(directory.path().join("g/b/1")).expect("listed").count(), 0);
}

#[tokio::test]
async fn a_whole_file_of_the_next_repository_is_taken_for_a_damaged_one() {
    let checksum = Some("a9993e364706816aba3e25717850c26c9cd0d89d".to_owned());
    let damaged = Server::start(two(), Quirks { checksum, ..Quirks::default() }).await;
    let whole = Server::start(two(), Quirks::default()).await;
    let directory = local();
    let remotes = vec![damaged.remote("damaged"), whole.remote("whole")];
    let client = client(directory.path(), remotes);
    let resolution = resolve(&client, &["g:a:1"]).await.expect("resolved");
    let paths = client.fetch(&resolution.artifacts).await.expect("fetched");
    assert_eq!(std::fs::read_to_string(&paths[1]).expect("read"), "jar of b".repeat(1000));
    let origins = directory.path().join("g/b/1/_remote.repositories");
    let origins = std::fs::read_to_string(origins).expect("read");
    assert!(origins.contains("b-1.jar>whole=") && !origins.contains("damaged"), "{origins}");
}

#[tokio::test]
async fn the_next_repository_is_asked_if_one_lacks_the_file_or_fails() {
    let lacks = Server::start(BTreeMap::new(), Quirks::default()).await;
    let fails = Server::start(two(), Quirks { status: Some(403), ..Quirks::default() }).await;
    let has = Server::start(two(), Quirks::default()).await;
    let directory = local();
    let remotes = vec![lacks.remote("lacks"), fails.remote("fails"), has.remote("has")];
    let found = client(directory.path(), remotes);
    assert_eq!(resolve(&found, &["g:a:1"]).await.expect("resolved").artifacts.len(), 2);
    let directory = local();
    let remotes = vec![lacks.remote("lacks"), fails.remote("fails")];
    let error = resolve(&client(directory.path(), remotes), &["g:a:1"]).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::Denied, "a failure is not taken for an absence: {error}");
    let directory = local();
    let error = resolve(&client(directory.path(), vec![lacks.remote("lacks")]), &["g:a:1"]).await;
    let error = error.expect_err("nobody has it");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("could not find g:a:1"), "{error}");
    assert_eq!(std::fs::read_dir(directory.path().join("g/a")).expect("listed").count(), 0);
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    // me:hunter2
    let authorization = Some("Basic bWU6aHVudGVyMg==".to_owned());
    let server = Server::start(two(), Quirks { authorization, ..Quirks::default() }).await;
    let directory = local();
    let with = |password: &str| {
        let basic = Some(("me".to_owned(), Secret::new(password.to_owned())));
        let access = Access { basic, headers: Vec::new() };
        client(directory.path(), vec![Remote { access, ..server.remote("own") }])
    };
    let error = resolve(&with("wr0ng"), &["g:a:1"]).await.expect_err("denied");
    assert_eq!(error.kind(), Kind::Denied);
    let mut shown = format!("{error} {error:?} {:?}", error.hint());
    let mut source = error.source();
    while let Some(cause) = source {
        shown.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(!shown.contains("wr0ng"), "{shown}");
    resolve(&with("hunter2"), &["g:a:1"]).await.expect("resolved");
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let server = Server::start(two(), Quirks { breaks: true, ..Quirks::default() }).await;
    let directory = local();
    let client = client(directory.path(), vec![server.remote("own")]);
    let resolution = resolve(&client, &["g:b:1"]).await.expect("resolved");
    let paths = client.fetch(&resolution.artifacts).await.expect("fetched");
    assert_eq!(std::fs::read_to_string(&paths[0]).expect("read"), "jar of b".repeat(1000));
    assert_eq!(server.ranges(), ["bytes=4000-"]);
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_unavailable() {
    let address = Server::start(BTreeMap::new(), Quirks::default()).await.address.clone();
    let directory = local();
    let remote = Remote::new("gone", &address).expect("an address");
    let error =
        resolve(&client(directory.path(), vec![remote]), &["g:a:1"]).await.expect_err("gone");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error.source().is_some() && error.to_string().contains("the repository gone"),
        "{error}"
    );
}

/// What comes of fetching a jar that the repository puts off, and how long that took on the clock of the test.
async fn put_off(again: &'static str) -> (Result<usize, Error>, Duration) {
    let puts_off = Some((again, "Sun, 06 Nov 1994 08:49:37 GMT"));
    let server = Server::start(two(), Quirks { puts_off, ..Quirks::default() }).await;
    let directory = local();
    let client = client(directory.path(), vec![server.remote("own")]);
    let resolution = resolve(&client, &["g:b:1"]).await.expect("resolved");
    let begun = Instant::now();
    let fetched = client.fetch(&resolution.artifacts).await;
    (fetched.map(|paths| paths.len()), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_names_a_time_is_asked_again_then() {
    for (again, seconds) in [("90", 90), ("Sun, 06 Nov 1994 08:51:07 GMT", 90), ("120", 120)] {
        let (fetched, time) = put_off(again).await;
        assert_eq!((fetched.expect("fetched"), time.as_secs()), (1, seconds), "{again}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_wants_too_much_time_is_not_waited_for() {
    let (fetched, time) = put_off("121").await;
    let error = fetched.expect_err("put off");
    assert_eq!((error.kind(), time.as_secs()), (Kind::Unavailable, 0));
    let expected = "could not fetch g/b/1/b-1.jar: the repository own answers with status 503, and that it is to be asked \
                    again in 121 s";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_snapshot_is_the_newest_build_that_the_repository_lists() {
    let (_, text) = pom("s", "1-SNAPSHOT", "");
    let directory = "g/s/1-SNAPSHOT";
    let metadata = "<metadata><versioning><snapshot><timestamp>20240101.120000</timestamp><buildNumber>3</buildNumber>\
                    </snapshot><lastUpdated>20240101120000</lastUpdated></versioning></metadata>";
    let files = BTreeMap::from([
        (format!("{directory}/maven-metadata.xml"), metadata.to_owned()),
        (format!("{directory}/s-1-20240101.120000-3.pom"), text),
        (format!("{directory}/s-1-20240101.120000-3.jar"), "newest".to_owned()),
    ]);
    let server = Server::start(files, Quirks::default()).await;
    let kept = local();
    let client = client(kept.path(), vec![server.remote("own")]);
    let resolution = resolve(&client, &["g:s:1-SNAPSHOT"]).await.expect("resolved");
    let paths = client.fetch(&resolution.artifacts).await.expect("fetched");
    assert_eq!(paths[0], kept.path().join(directory).join("s-1-SNAPSHOT.jar"));
    assert_eq!(std::fs::read_to_string(&paths[0]).expect("read"), "newest");
    assert!(kept.path().join(directory).join("maven-metadata-own.xml").is_file());
}

#[tokio::test]
async fn a_directory_is_a_repository_too() {
    let (from, to) = (local(), local());
    for (path, text) in two() {
        let path = from.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let remote = Remote::new("disk", &format!("file://{}", from.path().display()));
    let client = client(to.path(), vec![remote.expect("an address")]);
    let resolution = resolve(&client, &["g:a:1"]).await.expect("resolved");
    assert_eq!(client.fetch(&resolution.artifacts).await.expect("fetched").len(), 2);
}
