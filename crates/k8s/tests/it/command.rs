//! Credentials that a command makes.

use std::{net::SocketAddr, path::Path, time::Duration};

use axum::{body::Body, response::Response};
use flumen_k8s::{Access, Cause, Cluster, Error, Timeouts};
use flumen_model::{Kind, Secret};
use flumen_testkit::{TempDirectory, eventually_async};
use serde_json::{Value, json};

use crate::fake::{Fake, Seen, reply};

/// A cluster whose credentials a shell makes that runs this.
async fn connect(server: SocketAddr, script: &str, more: &Value) -> Result<Cluster, Error> {
    let mut exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never",
    });
    exec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{server}")}}],
        "users": [{"name": "u", "user": {"exec": exec}}],
    });
    let kubeconfig = Secret::new(kubeconfig.to_string());
    Cluster::connect("test", &Access::Text { kubeconfig, context: None }, Timeouts::default()).await
}

const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Prints the tokens `hunter2-1`, `hunter2-2` and so on, the first of which ends when told.
fn counting(directory: &TempDirectory, first_ends: Option<jiff::Timestamp>) -> String {
    let ran = directory.join("ran");
    let end =
        first_ends.map_or_else(String::new, |end| format!(r#", "expirationTimestamp": "{end}""#));
    format!(
        r#"echo run >>{ran}; n=$(wc -l <{ran}); [ $n = 1 ] && end='{end}'
           echo '{{"kind": "ExecCredential", "status": {{"token": "hunter2-'$n'"'"$end"'}}}}'"#,
        ran = ran.display(),
    )
}

fn runs(directory: &TempDirectory) -> usize {
    std::fs::read_to_string(directory.join("ran")).unwrap_or_default().lines().count()
}

fn version() -> Response<Body> {
    reply(200, r#"{"major": "1", "minor": "34", "gitVersion": "v1.34.4"}"#)
}

fn token(seen: &Seen) -> &str {
    seen.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer hunter2-")
}

fn tokens(fake: &Fake) -> Vec<String> {
    fake.seen().iter().map(|seen| token(seen).to_owned()).collect()
}

#[tokio::test]
async fn it_is_run_once_and_all_requests_show_its_token() {
    let directory = TempDirectory::new();
    let fake = Fake::start(|_, _| version()).await;
    let script = counting(&directory, None);
    let cluster = connect(fake.address(), &script, &json!({})).await.unwrap();
    cluster.check().await.unwrap();
    cluster.check().await.unwrap();
    assert_eq!(tokens(&fake), ["1", "1"]);
    assert_eq!(runs(&directory), 1);
    assert_eq!(cluster.good_until(), None, "it is renewed");
    assert!(!format!("{cluster:?}").contains("hunter2"));
}

#[tokio::test]
async fn it_is_asked_anew_shortly_before_its_token_ends() {
    let directory = TempDirectory::new();
    let fake = Fake::start(|_, _| version()).await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(9);
    let script = counting(&directory, Some(soon));
    let cluster = connect(fake.address(), &script, &json!({})).await.unwrap();
    // Both want a token at once.
    let (one, other) = tokio::join!(cluster.check(), cluster.check());
    one.and(other).unwrap();
    assert_eq!(tokens(&fake), ["2", "2"]);
    assert_eq!(runs(&directory), 2);
}

#[tokio::test]
async fn it_is_asked_anew_when_its_token_is_refused_unless_that_was_made_just_now() {
    let directory = TempDirectory::new();
    let refusing = |seen: &Seen, _| match token(seen) {
        "1" => reply(401, r#"{"kind": "Status", "code": 401, "message": "Unauthorized"}"#),
        _ => version(),
    };
    let fake = Fake::start(refusing).await;
    let script = counting(&directory, None);
    let cluster = connect(fake.address(), &script, &json!({})).await.unwrap();
    let refused = cluster.check().await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied);
    assert_eq!(runs(&directory), 1, "another one would be refused as well");

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    assert_eq!(cluster.check().await.unwrap().git_version, "v1.34.4");
    cluster.check().await.unwrap();
    assert_eq!(tokens(&fake), ["1", "1", "2", "2"]);
}

#[tokio::test]
async fn what_it_says_when_it_fails_later_is_told_of_the_request_and_it_is_left_alone_for_a_moment()
{
    let directory = TempDirectory::new();
    let fake = Fake::start(|_, _| version()).await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(9);
    let script =
        counting(&directory, Some(soon)) + "; [ $n = 1 ] || { echo log in first >&2; exit 3; }";
    let cluster = connect(fake.address(), &script, &json!({})).await.unwrap();
    for _ in 0..2 {
        let error = cluster.check().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        let Error::Check { source: Cause::Credentials { problem }, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            problem,
            "the command that the kubeconfig names ended with exit status: 3 and said: log in first"
        );
    }
    assert_eq!(runs(&directory), 2);
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn one_that_makes_no_token_is_told_with_its_words_and_not_with_its_output() {
    for (script, expected) in [
        (
            "echo hunter2; echo log in first >&2; exit 3",
            "ended with exit status: 3 and said: log in first",
        ),
        ("echo hunter2 >&2; kill -9 $$", "ended with signal: 9 (SIGKILL) and said: hunter2"),
        ("echo hunter2", "gave no ExecCredential with a status"),
        (
            "echo '{\"status\": {}}'",
            "gave an ExecCredential with neither a token nor a certificate",
        ),
    ] {
        let error = connect(NOWHERE, script, &json!({})).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "could not obtain credentials for cluster test: the command that the kubeconfig names {expected}"
            )
        );
        assert_eq!(error.kind(), Kind::Unavailable);
    }
    for (field, value, expected) in [
        ("command", json!("no-such-command"), "cannot be run: No such file"),
        ("interactiveMode", json!("Always"), "needs a terminal"),
    ] {
        if field == "interactiveMode" && std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            continue;
        }
        let error = connect(NOWHERE, "", &json!({field: value})).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn it_is_told_what_it_is_asked_for_and_not_what_is_flumens_own() {
    let script = "echo [$FLUMEN_SECRET_KEY$FLUMEN_TOKEN] $OTHER $KUBERNETES_EXEC_INFO >&2; exit 3";
    let more = json!({"provideClusterInfo": true, "env": [
        {"name": "FLUMEN_SECRET_KEY", "value": "hunter2"}, {"name": "FLUMEN_TOKEN", "value": "hunter2"},
        {"name": "OTHER", "value": "given"},
    ]});
    let error = connect(NOWHERE, script, &more).await.unwrap_err().to_string();
    let (_, said) = error.split_once("and said: ").unwrap();
    let info = said.strip_prefix("[] given ").unwrap_or_else(|| panic!("{said}"));
    assert_eq!(
        serde_json::from_str::<Value>(info).unwrap(),
        json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "spec": {"interactive": false, "cluster": {"server": "http://127.0.0.1:1"}},
        })
    );
}

#[tokio::test]
async fn when_it_is_given_up_nothing_that_it_started_goes_on() {
    let directory = TempDirectory::new();
    let note = directory.join("child");
    let script = format!("sleep 600 & echo $! >{0}.new; mv {0}.new {0}; wait", note.display());
    let waiting =
        tokio::spawn(async move { connect(NOWHERE, &script, &json!({})).await.map(drop) });
    let child = eventually_async(Duration::from_secs(30), || async {
        std::fs::read_to_string(&note).map(|id| format!("/proc/{}", id.trim()))
    })
    .await;
    assert!(Path::new(&child).exists());
    waiting.abort();
    eventually_async(Duration::from_secs(30), || async {
        let state = std::fs::read_to_string(format!("{child}/stat")).unwrap_or_default();
        // Whoever is its parent by now may not have looked at its end yet.
        if state.is_empty() || state.contains(") Z ") { Ok(()) } else { Err(state) }
    })
    .await;
}
