use serde_json::{Value, json};

use super::*;

fn removes(change: impl FnOnce(&mut Value)) -> bool {
    let mut volume = json!({
        "metadata": {"name": "pvc-1", "annotations": {MADE_BY: PROVISIONER}},
        "spec": {"persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": "/data/volumes/pvc-1_ns_name"}},
        "status": {"phase": "Released"},
    });
    change(&mut volume);
    let volume = serde_json::from_value(volume).unwrap();
    to_remove(&volume, "/data/volumes".as_ref()).is_some()
}

#[test]
fn only_what_was_made_here_and_is_nobodys_is_removed() {
    assert!(removes(|_| {}));
    assert!(!removes(|volume| volume["status"]["phase"] = "Bound".into()));
    assert!(!removes(|volume| volume["spec"]["persistentVolumeReclaimPolicy"] = "Retain".into()));
    assert!(!removes(|volume| volume["metadata"]["annotations"] = json!({MADE_BY: "other"})));
    for path in [
        "/",
        "/etc",
        "/data/volumes",
        "/data/volumes/pvc-2_ns_name",
        "/data/volumes/pvc-1_ns/../../x",
        "/other/pvc-1_ns_name",
    ] {
        assert!(!removes(|volume| volume["spec"]["hostPath"]["path"] = path.into()), "{path}");
    }
}

fn claim(change: impl FnOnce(&mut Value)) -> PersistentVolumeClaim {
    let mut claim = json!({
        "metadata": {"name": "data", "namespace": "ns", "uid": "1", "annotations": {ASKED: PROVISIONER}},
        "spec": {"storageClassName": "kept", "resources": {"requests": {"storage": "1Gi"}}},
    });
    change(&mut claim);
    serde_json::from_value(claim).unwrap()
}

#[test]
fn only_who_can_have_a_directory_of_its_own_waits_for_one() {
    assert!(waits(&claim(|_| {})));
    assert!(waits(&claim(|claim| claim["spec"]["volumeMode"] = "Filesystem".into())));
    assert!(!waits(&claim(|claim| claim["spec"]["volumeMode"] = "Block".into())));
    assert!(!waits(&claim(|claim| claim["spec"]["selector"] = json!({}))));
    assert!(!waits(&claim(|claim| claim["spec"]["volumeName"] = "v".into())));
    assert!(!waits(&claim(|claim| claim["metadata"]["annotations"] = json!({ASKED: "other"}))));
    assert!(!waits(&claim(|claim| {
        claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    })));
}

#[test]
fn a_volume_has_the_policy_and_options_of_its_class_and_no_other_size_than_that_of_storage() {
    let made = |class: Value, claim: &PersistentVolumeClaim| {
        let class = serde_json::from_value(class).unwrap();
        serde_json::to_value(volume(claim, class, &["n".to_owned()], "/data/volumes".as_ref()))
            .unwrap()
    };
    let odd = claim(|claim| claim["spec"]["resources"]["requests"]["x"] = "1".into());
    let plain = made(json!({"provisioner": PROVISIONER}), &odd);
    assert_eq!(plain["spec"]["persistentVolumeReclaimPolicy"], "Delete");
    assert_eq!(plain["spec"]["capacity"], json!({"storage": "1Gi"}));
    assert_eq!(plain["spec"]["hostPath"]["path"], "/data/volumes/pvc-1_ns_data");
    let class =
        json!({"provisioner": PROVISIONER, "reclaimPolicy": "Retain", "mountOptions": ["noatime"]});
    let kept = made(class, &claim(|_| {}));
    assert_eq!(kept["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    assert_eq!(kept["spec"]["mountOptions"], json!(["noatime"]));
    assert_eq!(kept["spec"]["storageClassName"], "kept");
}
