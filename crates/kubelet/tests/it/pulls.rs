//! Images from registries that want to know who asks.

use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, eventually},
    guarded::{Ask, Gate},
};

async fn secret(cluster: &Cluster, name: &str, kind: (&str, &str), config: &Value) {
    let api: Api<Secret> = Api::namespaced(cluster.client.clone(), "default");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
        "type": kind.0, "stringData": {kind.1: config.to_string()}});
    let secret = serde_json::from_value(secret).unwrap();
    api.create(&PostParams::default(), &secret).await.unwrap();
}

const FORM: (&str, &str) = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");
const OLD_FORM: (&str, &str) = ("kubernetes.io/dockercfg", ".dockercfg");

fn from(gate: &Gate, name: &str, secrets: &[&str]) -> impl FnOnce(&mut Value) + use<> {
    let image = format!("{}/{name}", gate.address);
    let secrets: Vec<Value> = secrets.iter().map(|name| json!({"name": name})).collect();
    move |pod| {
        pod["spec"]["containers"][0]["image"] = image.into();
        pod["spec"]["imagePullSecrets"] = secrets.into();
    }
}

fn waits_for(reason: &'static str) -> impl Fn(&Pod) -> bool {
    move |pod| {
        let status = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        let state = status.and_then(|all| all.first()?.state.as_ref()?.waiting.as_ref());
        state.is_some_and(|waiting| waiting.reason.as_deref() == Some(reason))
    }
}

#[tokio::test]
async fn a_pod_pulls_as_whom_its_secrets_say() {
    let cluster = Cluster::start().await;
    for ask in [Ask::Basic, Ask::Token] {
        let gate = Gate::open(&cluster.registry, ask).await;
        let user = |password: &str| json!({"username": "ann", "password": password});
        let name = |name: &str| format!("{name}-{}", gate.address.replace([':', '.'], "-"));
        let (wrong, right, old) = (name("wrong"), name("right"), name("old"));
        let place = format!("http://{}/base", gate.address);
        let auths = json!({"auths": {place.as_str(): user("hunter2")}});
        secret(&cluster, &wrong, FORM, &auths).await;
        let auths = json!({"auths": {gate.address.as_str(): user("secret")}});
        secret(&cluster, &right, FORM, &auths).await;
        secret(
            &cluster,
            &old,
            OLD_FORM,
            &json!({gate.address.as_str(): {"auth": "YW5uOnNlY3JldA=="}}),
        )
        .await;

        // The more exact one is tried first, is refused, and the other one is tried.
        let both = name("both");
        let change = from(&gate, "base:1", &[&wrong, &right]);
        cluster.run_to_end(&both, "exit 0", change).await;
        assert!(gate.was_asked_by("Basic YW5uOmh1bnRlcjI="), "the wrong password was tried");
        let change = from(&gate, "base:1", &[&old]);
        let always =
            |pod: &mut Value| pod["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
        let (pod, _) = cluster
            .run_to_end(&name("older"), "exit 0", |pod| {
                change(pod);
                always(pod);
            })
            .await;
        assert_eq!(pod["status"]["phase"], "Succeeded");

        let refused = name("refused");
        let change = from(&gate, "base:1", &[&wrong, "not-there"]);
        cluster
            .run(&refused, "exit 0", |pod| {
                change(pod);
                always(pod);
            })
            .await;
        let pod = cluster.wait(&refused, waits_for("ErrImagePull")).await;
        let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"];
        let message = waiting.as_str().unwrap();
        assert!(message.contains(&gate.address) && !message.contains("hunter2"), "{message}");
        let missing = async || {
            let events = cluster.events(&refused).await;
            events.get("FailedToRetrieveImagePullSecret").cloned()
        };
        let said = eventually("an event about the Secret", missing).await;
        assert_eq!(
            said,
            "Unable to retrieve some image pull secrets (not-there); attempting to pull the image may not succeed."
        );
    }
}

#[tokio::test]
async fn a_service_account_lends_its_secrets_to_its_pods() {
    let cluster = Cluster::start().await;
    let gate = Gate::open(&cluster.registry, Ask::Token).await;
    let auths =
        json!({"auths": {gate.address.as_str(): {"username": "ann", "password": "secret"}}});
    secret(&cluster, "pull", FORM, &auths).await;
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), "default");
    let patch = Patch::Merge(json!({"imagePullSecrets": [{"name": "pull"}]}));
    eventually("the account is there", async || {
        accounts.patch("default", &PatchParams::default(), &patch).await.ok()
    })
    .await;
    let image = format!("{}/base:1", gate.address);
    let (pod, _) = cluster
        .run_to_end("lent", "exit 0", |pod| pod["spec"]["containers"][0]["image"] = image.into())
        .await;
    assert_eq!(pod["status"]["phase"], "Succeeded");
    assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "pull"}]));
}

#[tokio::test]
async fn what_cannot_be_had_is_said_in_the_words_of_kubernetes() {
    let cluster = Cluster::start().await;
    let registry = &cluster.registry;
    let policy = |image: String, policy: &'static str| {
        move |pod: &mut Value| {
            pod["spec"]["containers"][0]["image"] = image.into();
            pod["spec"]["containers"][0]["imagePullPolicy"] = policy.into();
        }
    };
    cluster.run("never", "exit 0", policy(format!("{registry}/base:none"), "Never")).await;
    let never = cluster.wait("never", waits_for("ErrImageNeverPull")).await;
    cluster.run("name", "exit 0", policy("Not/A:Name:At:All".to_owned(), "Always")).await;
    let name = cluster.wait("name", waits_for("InvalidImageName")).await;
    cluster.run("gone", "exit 0", policy(format!("{registry}/base:none"), "Always")).await;
    let gone = cluster.wait("gone", waits_for("ImagePullBackOff")).await;
    let message = |pod: &Value| {
        let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
        waiting["message"].as_str().unwrap().to_owned()
    };
    let absent = format!(
        "Container image \"{registry}/base:none\" is not present with pull policy of Never"
    );
    assert_eq!(message(&never), absent);
    assert!(
        message(&name).starts_with("Failed to apply default image tag \"Not/A:Name:At:All\": "),
        "{}",
        message(&name)
    );
    let pause = format!("Back-off pulling image \"{registry}/base:none\"");
    assert!(message(&gone).starts_with(&format!("{pause}: ErrImagePull: ")), "{}", message(&gone));
    for (pod, reason, text) in [
        ("never", "ErrImageNeverPull", absent.as_str()),
        ("never", "Failed", "Error: ErrImageNeverPull"),
        ("name", "InspectFailed", message(&name).as_str()),
        ("gone", "BackOff", pause.as_str()),
        ("gone", "Pulling", format!("Pulling image \"{registry}/base:none\"").as_str()),
    ] {
        let said = async || (cluster.events(pod).await.get(reason)? == text).then_some(());
        eventually(&format!("{reason} is said of {pod}"), said).await;
    }
}
