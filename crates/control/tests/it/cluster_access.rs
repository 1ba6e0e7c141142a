//! What stands between Flumen and a cluster: tokens, authorities, commands, the key of what is stored.

use std::{fs, os::unix::fs::PermissionsExt as _};

use flumen_control::{ClusterView, Error, Terms};
use flumen_model::{CredentialKind, Kind};
use serde_json::{Value, json};

use crate::{
    clusters::{given, kubeconfig, name, source},
    server::{TestServer, refusal},
    world::World,
};

async fn added(server: &TestServer, text: &Value) -> ClusterView {
    let source = source(text);
    server.control().add_cluster(&server.principal, &name("eu-1"), &source).await.unwrap()
}

fn away(view: &ClusterView) -> &str {
    &view.answer.as_ref().expect_err("it does not answer").reason
}

#[tokio::test]
async fn a_wrong_token_is_told_from_an_unknown_authority_and_neither_shows_the_token() {
    const TOKEN: &str = "hunter2-of-nobody";
    let server = TestServer::start().await;
    let mut text = given(&server.world);
    text["users"][0]["user"] = json!({"token": TOKEN});
    let view = added(&server, &text).await;
    assert_eq!(away(&view), "the API server answered 401: Unauthorized");
    let check = server.control().check_cluster("eu-1", None).await.unwrap();
    let first = &check.findings[0];
    assert!(first.remedy.as_ref().unwrap().contains("flumen cluster edit eu-1"), "{first:?}");
    assert!(!format!("{check:?}").contains(TOKEN), "{check:?}");

    // The authority is not one that the machine knows.
    let mut text = given(&server.world);
    text["clusters"][0]["cluster"].as_object_mut().unwrap().remove("certificate-authority-data");
    let terms = Terms { if_match: Some(view.version), ..Terms::default() };
    let edited = server.control().edit_cluster(&name("eu-1"), &source(&text), &terms).await;
    let edited = edited.unwrap();
    let told = away(&edited);
    assert!(told.contains("that the kubeconfig has to name"), "{told}");
    assert!(!edited.access.private_authority);
    // Who saw an older version changes nothing.
    let stale = server.control().edit_cluster(&name("eu-1"), &source(&text), &terms).await;
    assert!(matches!(stale, Err(Error::Changed { .. })), "{stale:?}");

    let whole = source(&given(&server.world));
    let well = server.control().edit_cluster(&name("eu-1"), &whole, &Terms::default()).await;
    let well = well.unwrap();
    assert!(well.answer.is_ok() && well.access.private_authority, "{well:?}");
    server.finish().await;
}

/// A kubeconfig whose credentials this command makes.
fn commanded(world: &World, command: &str, arguments: &[&str]) -> Value {
    let mut text = given(world);
    text["users"][0]["user"] = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": arguments,
        "interactiveMode": "IfAvailable",
    }});
    text
}

#[tokio::test]
async fn a_command_is_run_only_if_the_server_allows_it_and_what_it_says_is_told() {
    let mut world = World::start().await;
    let user = &given(&world)["users"][0]["user"];
    let pem = |field: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        String::from_utf8(STANDARD.decode(user[field].as_str().unwrap()).unwrap()).unwrap()
    };
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {
            "clientCertificateData": pem("client-certificate-data"),
            "clientKeyData": pem("client-key-data"),
        },
    });
    let credential = world.directory.write("credential", credential.to_string());
    let fifo = world.directory.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let ran = world.directory.join("ran");
    let script = format!(
        "#!/bin/sh\necho $1 >>{}\ncase $1 in\nwell) cat {} ;;\nslow) cat {}; cat {} ;;\n\
         *) echo hunter2-of-nobody; echo log in first >&2; exit 3 ;;\nesac\n",
        ran.display(),
        credential.display(),
        fifo.display(),
        credential.display(),
    );
    let script = world.directory.write("get-credential", script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let command = script.display().to_string();
    world.cluster_commands = vec![command.clone(), "no-such-command".to_owned()];
    let server = TestServer::start_in(world).await;

    // Not allowed: neither another command nor the same one under another path.
    for other in ["sh", "./get-credential", "get-credential"] {
        let text = source(&commanded(&server.world, other, &["well"]));
        let refused =
            refusal(server.control().add_cluster(&server.principal, &name("eu-1"), &text).await);
        assert_eq!(refused.0, Kind::Denied, "{}", refused.1);
        assert!(refused.1.contains("which this server does not run"), "{}", refused.1);
    }
    let missing = source(&commanded(&server.world, "no-such-command", &[]));
    let refused =
        refusal(server.control().add_cluster(&server.principal, &name("eu-1"), &missing).await);
    assert!(refused.1.contains("is not installed on the server's machine"), "{}", refused.1);
    assert!(!ran.exists(), "it was run");

    let view = added(&server, &commanded(&server.world, &command, &["badly"])).await;
    assert!(away(&view).contains("exit status: 3 and said: log in first"), "{view:?}");
    assert!(!format!("{view:?}").contains("hunter2"), "{view:?}");
    assert_eq!(view.access.credentials, Some(CredentialKind::Command));

    let well = source(&commanded(&server.world, &command, &["well"]));
    let well = server.control().edit_cluster(&name("eu-1"), &well, &Terms::default()).await;
    assert!(well.as_ref().unwrap().answer.is_ok(), "{well:?}");
    assert_eq!(fs::read_to_string(&ran).unwrap().lines().last(), Some("well"));

    // It takes its time: nobody waits for it longer than for a cluster, and what it makes then is not lost.
    fs::write(&ran, "").unwrap();
    let slow = source(&commanded(&server.world, &command, &["slow"]));
    let slow = server.control().edit_cluster(&name("eu-1"), &slow, &Terms::default()).await;
    assert!(away(&slow.unwrap()).contains("does not answer within 8 s"));
    let local = server.control().cluster("local").await.unwrap();
    assert!(local.answer.is_ok(), "{local:?}");
    fs::write(&fifo, "").unwrap();
    let view = server.control().cluster("eu-1").await.unwrap();
    assert!(view.answer.is_ok(), "{view:?}");
    assert_eq!(fs::read_to_string(&ran).unwrap(), "slow\n", "it was run once");
    server.finish().await;
}

#[tokio::test]
async fn without_the_key_a_cluster_is_away_until_the_key_is_back_and_the_others_are_well() {
    let mut server = TestServer::start().await;
    let text = given(&server.world);
    assert!(added(&server, &text).await.answer.is_ok());
    let key = server.world.directory.join("data/secret-key");
    let kept = fs::read(&key).unwrap();

    server.stop().await;
    fs::remove_file(&key).unwrap();
    server.open().await;
    let view = server.control().cluster("eu-1").await.unwrap();
    let told = away(&view);
    assert!(
        told.contains("the key of the secrets") && told.contains("secret-key is gone"),
        "{told}"
    );
    assert!(server.control().cluster("local").await.unwrap().answer.is_ok());
    let text = source(&text);
    let refused = server.control().add_cluster(&server.principal, &name("us-1"), &text).await;
    assert!(matches!(refused, Err(Error::SecretKey { .. })), "{refused:?}");
    assert!(!key.exists(), "another key was made");
    let check = server.control().check_cluster("eu-1", None).await.unwrap();
    let remedy = check.findings[0].remedy.as_ref().unwrap();
    assert!(remedy.starts_with("Put the key back"), "{remedy}");
    fs::write(&key, &kept).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(server.control().cluster("eu-1").await.unwrap().answer.is_ok(), "it is back");

    // Another key: what is given again is stored under it.
    server.stop().await;
    server.world.directory.write("data/secret-key", "ab".repeat(32));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    server.open().await;
    let view = server.control().cluster("eu-1").await.unwrap();
    assert!(away(&view).contains("is encrypted under the key"), "{view:?}");
    let again = server.control().add_cluster(&server.principal, &name("us-1"), &text).await;
    assert!(again.unwrap().answer.is_ok());

    fs::write(&key, kept).unwrap();
    let view = server.control().cluster("eu-1").await.unwrap();
    assert!(view.answer.is_ok(), "the right one is in its place: {view:?}");
    server.stop().await;
    server.open().await;
    assert!(server.control().cluster("eu-1").await.unwrap().answer.is_ok());
    let view = server.control().cluster("us-1").await.unwrap();
    assert!(away(&view).contains("is encrypted under the key"), "{view:?}");
    server.finish().await;
}

#[tokio::test]
async fn outside_of_a_pod_there_is_no_account_to_take() {
    let server = TestServer::start().await;
    let inside = flumen_control::ClusterSource::InCluster;
    let refused =
        refusal(server.control().add_cluster(&server.principal, &name("here"), &inside).await);
    assert!(refused.1.contains("of the pod's service account"), "{}", refused.1);
    let nobody = kubeconfig("http://127.0.0.1:1", &json!({}));
    let view = server.control().add_cluster(&server.principal, &name("a"), &source(&nobody)).await;
    assert_eq!(view.unwrap().access.credentials, Some(CredentialKind::None));
    server.finish().await;
}
