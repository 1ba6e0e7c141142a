use std::collections::BTreeMap;

use flumen_image::{Append, Client, Credential, Progress, Settings};
use flumen_model::Kind;

use crate::support::{Registry, Workshop, client, settings};

fn client_of(registry: &Registry, credential: Credential) -> Client {
    let credentials = BTreeMap::from([(registry.host.clone(), credential)]);
    Client::new(Settings { credentials, ..settings() }).unwrap()
}

#[tokio::test]
async fn a_mount_asks_for_a_token_that_may_read_the_source_too() {
    let registry = Registry::start();
    let base = registry.reference("base:v1");
    let workshop = Workshop::new();
    workshop.push_base(&base).await;
    {
        let mut rules = registry.rules();
        (rules.wants_token, rules.user) = (true, Some(("ann".into(), "secret".into())));
    }
    registry.take_seen();
    let target = registry.reference("team/job:v1");
    let layers = [workshop.layer("job.jar", b"job").await];
    let nothing = BTreeMap::new();
    let append = Append {
        base: &base,
        target: &target,
        layers: &layers,
        labels: &nothing,
        environment: &nothing,
    };
    let client = client_of(&registry, Credential::basic("ann", "secret"));
    client.append(&append, &Progress::silent()).await.unwrap();
    let seen = registry.take_seen();
    let mount = seen
        .iter()
        .find(|seen| seen.target.contains("mount=") && seen.authorization.is_some())
        .unwrap();
    let token = mount.authorization.as_deref().unwrap();
    assert!(token.contains("repository:team/job:pull,push;repository:base:pull"), "{token}");
    let base_layer =
        client.pull_manifest(&base).await.unwrap().manifest.layers()[0].digest().to_string();
    let sent_again = seen
        .iter()
        .any(|seen| seen.method == "PUT" && seen.target.contains(&base_layer.replace(':', "%3A")));
    assert!(!sent_again, "the base layer was mounted");
    let tokens = seen.iter().filter(|seen| seen.target.starts_with("/token")).count();
    registry.take_seen();
    client.pull_manifest(&base).await.unwrap();
    let again = registry.take_seen();
    assert!(
        tokens <= 6 && again.iter().all(|seen| !seen.target.starts_with("/token")),
        "tokens are kept: {again:?}"
    );
}

#[tokio::test]
async fn wrong_and_missing_passwords_are_denied_without_being_shown() {
    let registry = Registry::start();
    for wants_token in [true, false] {
        {
            let mut rules = registry.rules();
            (rules.wants_token, rules.user) = (wants_token, Some(("ann".into(), "secret".into())));
        }
        let wrong = client_of(&registry, Credential::basic("ann", "hunter2"));
        for client in [client(), wrong] {
            let error = client.ping(&registry.host).await.expect_err("not accepted");
            assert_eq!(error.kind(), Kind::Denied, "{error}");
            let text = format!("{error} {error:?}");
            assert!(text.contains(&registry.host) && !text.contains("hunter2"), "{text}");
        }
        let right = client_of(&registry, Credential::basic("ann", "secret"));
        right.ping(&registry.host).await.unwrap();
    }
}
