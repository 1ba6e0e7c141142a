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
            json!({"volume.kubernetes.io/storage-provisioner": "here"});
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
fn without_a_default_a_claim_that_names_no_class_has_none() {
    let mut scene = Scene::new();
    scene.claim(|claim| claim["spec"]["storageClassName"] = Value::Null);
    scene.volume("plain", |volume| volume["spec"]["storageClassName"] = Value::Null);
    assert_eq!(bound_to(&scene.decide()), ["plain"], "before it gets the default class");
    scene.0.take(Change::Classes(Update::Gone("k".into())));
    assert_eq!(bound_to(&scene.decide()), ["plain"]);
    scene.0.take(Change::Volumes(Update::Gone("plain".into())));
    scene.volume("other", |_| {});
    assert_eq!(scene.decide(), [], "a volume of a class is not for it");
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
fn a_volume_that_cannot_serve_the_claim_is_not_taken_whoever_it_names() {
    let cases: [(&str, Value, bool); 6] = [
        ("capacity", json!({"storage": "1Mi"}), false),
        ("accessModes", json!(["ReadOnlyMany"]), false),
        ("volumeMode", json!("Block"), false),
        ("volumeMode", json!("Filesystem"), true),
        // The real controller takes this one too.
        ("storageClassName", json!("other"), true),
        ("claimRef", json!({"namespace": "other", "name": "data"}), false),
    ];
    for (field, value, taken) in cases {
        let mut scene = Scene::new();
        scene.claim(|_| {}).volume("v", |volume| {
            volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data"});
            volume["spec"][field] = value.clone();
        });
        assert_eq!(bound_to(&scene.decide()).len(), usize::from(taken), "{field} {value}");
    }
    let mut scene = Scene::new();
    scene.claim(|claim| claim["spec"]["volumeName"] = "v".into());
    scene.volume("v", |volume| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data"});
        volume["spec"]["storageClassName"] = "other".into();
    });
    assert_eq!(bound_to(&scene.decide()), [""; 0], "both must agree on the class then");
}

#[test]
fn a_claim_gets_only_what_its_selector_selects() {
    let mut scene = Scene::new();
    let selector =
        json!({"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]});
    let selecting = |claim: &mut Value| claim["spec"]["selector"] = selector.clone();
    scene.claim(selecting).volume("plain", |_| {});
    assert_eq!(bound_to(&scene.decide()), [""; 0]);
    scene.volume("ssd", |volume| {
        volume["metadata"]["labels"] = json!({"disk": "ssd"});
        volume["spec"]["capacity"]["storage"] = "9Gi".into();
    });
    assert_eq!(bound_to(&scene.decide()), ["ssd"]);
    scene.claim(|claim| {
        selecting(claim);
        claim["spec"]["volumeName"] = "plain".into();
    });
    assert_eq!(bound_to(&scene.decide()), ["plain"], "what it names needs no labels");
}

#[test]
fn a_claim_whose_class_waits_for_a_pod_gets_its_volume_with_the_pod() {
    let mut scene = Scene::new();
    let class = json!({"metadata": {"uid": "k", "name": "local"}, "provisioner": "here", "volumeBindingMode": "WaitForFirstConsumer"});
    let class: StorageClass = serde_json::from_value(class).unwrap();
    scene.0.take(Change::Classes(Update::Is("k".into(), (&class).into())));
    scene.claim(|_| {});
    assert_eq!(scene.decide(), []);
    scene.pod("Pending");
    assert_eq!(scene.decide(), [Action::Ask { claim: key(), provisioner: "here".into() }]);
    scene.volume("v", |_| {});
    assert_eq!(bound_to(&scene.decide()), ["v"]);
    scene.pod("Succeeded");
    assert_eq!(bound_to(&scene.decide()), [""; 0]);
    scene.volume("v", |volume| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data"});
    });
    assert_eq!(bound_to(&scene.decide()), ["v"], "it was made for the claim");
}

#[test]
fn what_is_in_use_stays_and_goes_when_it_is_not() {
    let mut scene = Scene::new();
    let deleted = |claim: &mut Value| {
        claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        claim["spec"]["volumeName"] = "v".into();
        claim["status"]["phase"] = "Bound".into();
    };
    let of_the_claim = |volume: &mut Value| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data", "uid": "c"});
        volume["status"]["phase"] = "Bound".into();
    };
    scene.claim(deleted).volume("v", of_the_claim).pod("Running");
    assert_eq!(scene.decide(), []);
    scene.pod("Succeeded");
    assert_eq!(scene.decide(), [Action::FreeClaim(key())]);
    scene.0.take(Change::Claims(Update::Gone("c".into())));
    let owner = Owner { key: key(), uid: "c".into() };
    assert_eq!(scene.decide(), [Action::Release { volume: "v".into(), owner }]);
    scene.volume("v", |volume| {
        of_the_claim(volume);
        volume["status"]["phase"] = "Released".into();
        volume["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    });
    assert_eq!(scene.decide(), [Action::FreeVolume("v".into())]);
}

#[test]
fn a_volume_says_whether_it_can_be_had() {
    let mut scene = Scene::new();
    scene.volume("v", |volume| volume["status"]["phase"] = "Pending".into());
    let available = [Action::SetPhase { volume: "v".into(), phase: "Available" }];
    assert_eq!(scene.decide(), available);
    scene.volume("v", |volume| {
        volume["status"]["phase"] = "Pending".into();
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data"});
    });
    assert_eq!(scene.decide(), available, "kept for a claim that is not there yet");
    scene.claim(|claim| {
        claim["spec"]["volumeName"] = "v".into();
        claim["status"]["phase"] = "Bound".into();
    });
    scene.volume("v", |volume| {
        volume["spec"]["claimRef"] = json!({"namespace": "ns", "name": "data", "uid": "c"});
    });
    assert_eq!(scene.decide(), [Action::SetPhase { volume: "v".into(), phase: "Bound" }]);
}
