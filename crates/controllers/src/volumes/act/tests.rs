use flumen_apiserver::ApiServer;
use kube::api::{DeleteParams, PostParams};
use serde::de::DeserializeOwned;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use crate::volumes::facts::Volume;

/// An API server without controllers.
struct Scene {
    client: Client,
    _stop: DropGuard,
    _directory: tempfile::TempDir,
}

fn from<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).expect("object")
}

impl Scene {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("directory");
        let stop = CancellationToken::new();
        let settings = flumen_apiserver::Settings {
            data_directory: directory.path().to_owned(),
            wait_for_disk: false,
            ..flumen_apiserver::Settings::default()
        };
        let server = ApiServer::start(settings, stop.clone()).await.expect("API server");
        let client = Client::new(server.in_process("test", &["system:masters"]), "default");
        Self { client, _stop: stop.drop_guard(), _directory: directory }
    }

    fn claims(&self) -> Api<PersistentVolumeClaim> {
        Api::default_namespaced(self.client.clone())
    }

    async fn claim(&self, name: &str) -> PersistentVolumeClaim {
        let claim = json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
        self.claims().create(&PostParams::default(), &from(claim)).await.expect("claim")
    }
}

#[tokio::test]
async fn a_volume_that_another_claim_got_meanwhile_is_not_taken_from_it() {
    let scene = Scene::start().await;
    let volumes: Api<PersistentVolume> = Api::all(scene.client.clone());
    let volume = json!({"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/v"}}});
    let volume = volumes.create(&PostParams::default(), &from(volume)).await.expect("volume");
    let seen = Volume::from(&volume);
    let mut outcomes = Vec::new();
    for name in ["first", "second"] {
        let uid = scene.claim(name).await.metadata.uid.expect("uid");
        let binding = Binding { claim: Key::new("default", name), uid, volume: seen.clone() };
        outcomes.push(act(&scene.client, &Action::Bind(Box::new(binding))).await);
    }
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    assert!(outcomes[1].as_ref().is_err_and(Error::is_conflict), "{outcomes:?}");
    let owner = volumes.get("v").await.expect("volume").spec.and_then(|spec| spec.claim_ref);
    assert_eq!(owner.and_then(|owner| owner.name).as_deref(), Some("first"));
    let second = scene.claims().get("second").await.expect("claim");
    assert_eq!(second.spec.and_then(|spec| spec.volume_name), None);
}

#[tokio::test]
async fn a_claim_that_a_pod_uses_is_not_let_go_whatever_was_seen_of_the_pod() {
    let scene = Scene::start().await;
    scene.claim("data").await;
    let pods: Api<Pod> = Api::default_namespaced(scene.client.clone());
    let pod = json!({"metadata": {"name": "p"}, "spec": {
        "nodeName": "n", "containers": [{"name": "c", "image": "i"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}});
    pods.create(&PostParams::default(), &from(pod)).await.expect("pod");
    scene.claims().delete("data", &DeleteParams::default()).await.expect("deleted");
    let free = Action::FreeClaim(Key::new("default", "data"));
    act(&scene.client, &free).await.expect("looked");
    let there = scene.claims().get_opt("data").await.expect("looked").expect("the claim");
    assert_eq!(there.metadata.finalizers, Some(vec![CLAIM_PROTECTION.to_owned()]));
    let now = DeleteParams::default().grace_period(0);
    pods.delete("p", &now).await.expect("deleted");
    act(&scene.client, &free).await.expect("freed");
    assert!(scene.claims().get_opt("data").await.expect("looked").is_none());
}
