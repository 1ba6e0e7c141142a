use std::{env, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use flumen_image::{Credential, Error};
use flumen_model::{Kind, Secret};

use crate::support::Workshop;

fn file(workshop: &Workshop, name: &str, text: &str) -> PathBuf {
    let path = workshop.path(name);
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn the_first_file_that_knows_a_registry_is_believed() {
    let workshop = Workshop::new();
    // ann:secret and bob:other
    let docker = r#"{ "auths": { "https://index.docker.io/v1/": { "auth": "YW5uOnNlY3JldA==" },
        "r.example:5000": { "auth": "YW5uOnNlY3JldA==" }, "t.example": { "identitytoken": "long" } } }"#;
    let podman = r#"{ "auths": { "r.example:5000": { "auth": "Ym9iOm90aGVy" }, "p.example": { "auth": "Ym9iOm90aGVy" } } }"#;
    let files = [
        workshop.path("none.json"),
        file(&workshop, "config.json", docker),
        file(&workshop, "auth.json", podman),
    ];
    for (registry, expected) in [
        ("docker.io", Some(Credential::basic("ann", "secret"))),
        ("r.example:5000", Some(Credential::basic("ann", "secret"))),
        ("p.example", Some(Credential::basic("bob", "other"))),
        ("t.example", Some(Credential::IdentityToken(Secret::new("long".into())))),
        ("r.example", None),
    ] {
        let found = Credential::from_files(registry, &files).await.unwrap();
        assert_eq!(found, expected, "{registry}");
    }
}

#[tokio::test]
async fn a_broken_file_is_named_and_not_taken_for_an_empty_one() {
    let workshop = Workshop::new();
    for text in [
        "{ \"auths\": ",
        r#"{ "auths": { "r.example": { "auth": "hunter2!" } } }"#,
        r#"{ "credHelpers": { "r.example": "there-is-no-such-helper" } }"#,
    ] {
        let files = [file(&workshop, "config.json", text)];
        let error = Credential::from_files("r.example", &files).await.expect_err(text);
        assert!(matches!(error, Error::LookUpCredential { .. }), "{error}");
        assert_eq!(error.kind(), Kind::Invalid);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("config.json") && !shown.contains("hunter2"), "{shown}");
    }
}

const CHILD: &str = "FLUMEN_TEST_CREDENTIALS";

/// Helpers are found on the PATH, which a process cannot change for itself: the test runs itself again.
#[tokio::test]
async fn credential_helpers_are_asked_and_their_output_is_not_shown() {
    if let Some(config) = env::var_os(CHILD) {
        let files = [PathBuf::from(config)];
        let of = async |registry: &str| Credential::from_files(registry, &files).await;
        assert_eq!(of("r.example").await.unwrap(), Some(Credential::basic("ann", "secret")));
        let token = Credential::IdentityToken(Secret::new("secret".into()));
        assert_eq!(of("t.example").await.unwrap(), Some(token));
        assert_eq!(of("n.example").await.unwrap(), None);
        let error = of("x.example").await.expect_err("it fails");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("docker-credential-fake failed"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        return;
    }
    let workshop = Workshop::new();
    let helper = file(
        &workshop,
        "docker-credential-fake",
        "#!/bin/sh
case $(cat) in
    r.example) echo '{\"Username\": \"ann\", \"Secret\": \"secret\"}' ;;
    t.example) echo '{\"Username\": \"<token>\", \"Secret\": \"secret\"}' ;;
    n.example) echo credentials not found in native keychain; exit 1 ;;
    *) echo hunter2; exit 1 ;;
esac
",
    );
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = file(&workshop, "config.json", r#"{ "credsStore": "fake" }"#);
    let path = format!("{}:/usr/bin:/bin", workshop.directory.path().display());
    let name = "credentials::credential_helpers_are_asked_and_their_output_is_not_shown";
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name])
        .env(CHILD, config)
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}
