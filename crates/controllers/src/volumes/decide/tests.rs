use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::{Value, json};

use super::*;
use crate::volumes::facts::{Change, Update};

struct Scene(World);

impl Scene {
    fn new() -> Self {
        let mut scene = Self(World::default());
        let class = json!({"metadata": {"uid": "k", "name": "local", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "here"});
        let class: StorageClass = serde_json::from_value(class).unwrap();
        scene.0.take(Change::Classes(Update::Is("k".into(), (&class).into())));
        scene
    }

    fn claim(&mut self, change: impl FnOnce(&mut Value)) -> &mut Self {
        let mut claim = json!({
            "metadata": {"uid": "c", "name": "data", "namespace": "ns", "finalizers": ["kubernetes.io/pvc-protection"]},
            "spec": {"storageClassName": "local", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Pending"},
        });
        change(&mut claim);
        let claim: PersistentVolumeClaim = serde_json::from_value(claim).unwrap();
        self.0.take(Change::Claims(Update::Is("c".into(), (&claim).into())));
        self
    }

    fn volume(&mut self, name: &str, change: impl FnOnce(&mut Value)) -> &mut Self {
        let mut volume = json!({
            "metadata": {"uid": name, "name": name, "finalizers": ["kubernetes.io/pv-protection"]},
            "spec": {"storageClassName": "local", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}},
            "status": {"phase": "Available"},
        });
        change(&mut volume);
        let volume: PersistentVolume = serde_json::from_value(volume).unwrap();
        self.0.take(Change::Volumes(Update::Is(name.into(), (&volume).into())));
        self
    }

    fn pod(&mut self, phase: &str) -> &mut Self {
        let pod = json!({
            "metadata": {"uid": "p", "name": "p", "namespace": "ns"},
            "spec": {"nodeName": "n", "containers": [], "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
            "status": {"phase": phase},
        });
        let pod: Pod = serde_json::from_value(pod).unwrap();
        self.0.take(Change::Users(Update::Is("p".into(), (&pod).into())));
        self
    }

    fn decide(&self) -> Vec<Action> {
        decide(&self.0)
    }
}

fn key() -> Key {
    Key::new("ns", "data")
}

fn bound_to(actions: &[Action]) -> Vec<&str> {
    let bound = actions.iter().filter_map(|action| match action {
        Action::Bind(binding) => Some(binding.volume.name.as_str()),
        _ => None,
    });
    bound.collect()
}

#[test]
fn a_claim_gets_the_default_class_then_a_volume_is_asked_for() {
    let mut scene = Scene::new();
    scene.claim(|claim| claim["spec"]["storageClassName"] = Value::Null);
    assert_eq!(scene.decide(), [Action::SetClass { claim: key(), class: "local".into() }]);
    scene.claim(|_| {});
    assert_eq!(scene.decide(), [Action::Ask { claim: key(), provisioner: "here".into() }]);
    scene.claim(|claim| {
        claim["metadata"]["annotations"] =
            json!({"volume.kubernetes.io/storage-provisioner": "here"})
    });
    assert_eq!(scene.decide(), []);
}

#[test]
fn a_claim_without_any_class_waits_for_a_volume_without_one() {
    let mut scene = Scene::new();
    scene.claim(|claim| claim["spec"]["storageClassName"] = "".into()).volume("other", |_| {});
    assert_eq!(scene.decide(), []);
    scene.volume("plain", |volume| volume["spec"]["storageClassName"] = Value::Null);
    assert_eq!(bound_to(&scene.decide()), ["plain"]);
}

#[test]
fn the_smallest_volume_that_fits_is_taken_and_one_that_was_made_for_the_claim_before_it() {
    let mut scene = Scene::new();
    scene
        .claim(|_| {})
        .volume("big", |volume| volume["spec"]["capacity"]["storage"] = "9Gi".into());
    scene.volume("small", |volume| volume["spec"]["capacity"]["storage"] = "1Mi".into());
    scene.volume("many", |volume| volume["spec"]["accessModes"] = json!(["ReadOnlyMany"]));
    scene.volume("fits", |_| {});
    assert_eq!(bound_to(&scene.decide()), ["fits"]);
    scene.volume("made", |volume| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data", "uid": "c"});
    });
    assert_eq!(bound_to(&scene.decide()), ["made"]);
    // One that was another claim's of the same name is not this one's.
    scene.volume("made", |volume| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data", "uid": "before"});
    });
    assert_eq!(bound_to(&scene.decide()), ["fits"]);
}

#[test]
fn what_is_in_use_stays_and_goes_when_it_is_not() {
    let mut scene = Scene::new();
    let deleted = |claim: &mut Value| {
        claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        claim["spec"]["volumeName"] = "v".into();
        claim["status"]["phase"] = "Bound".into();
    };
    let owned = |volume: &mut Value| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data", "uid": "c"});
        volume["status"]["phase"] = "Bound".into();
    };
    scene.claim(deleted).volume("v", owned).pod("Running");
    assert_eq!(scene.decide(), []);
    scene.pod("Succeeded");
    assert_eq!(scene.decide(), [Action::FreeClaim(key())]);
    scene.0.take(Change::Claims(Update::Gone("c".into())));
    let owner = Owner { key: key(), uid: "c".into() };
    assert_eq!(scene.decide(), [Action::Release { volume: "v".into(), owner }]);
    scene.volume("v", |volume| {
        owned(volume);
        volume["status"]["phase"] = "Released".into();
        volume["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    });
    assert_eq!(scene.decide(), [Action::FreeVolume("v".into())]);
}

#[test]
fn a_volume_says_whether_it_can_be_had() {
    let mut scene = Scene::new();
    scene.volume("v", |volume| volume["status"]["phase"] = "Pending".into());
    assert_eq!(scene.decide(), [Action::SetPhase { volume: "v".into(), phase: "Available" }]);
    scene.claim(|claim| {
        claim["spec"]["volumeName"] = "v".into();
        claim["status"]["phase"] = "Bound".into();
    });
    scene.volume("v", |volume| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data", "uid": "c"});
    });
    assert_eq!(scene.decide(), [Action::SetPhase { volume: "v".into(), phase: "Bound" }]);
}
