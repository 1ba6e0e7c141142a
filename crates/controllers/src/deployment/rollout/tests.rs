use super::*;
use k8s_openapi::api::apps::v1 as apps;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("time")
}

fn deployment(spec: &Value) -> Deployment {
    let mut whole = json!({"metadata": {"name": "d", "generation": 3}, "spec": {"selector": {}, "template": {}}});
    whole["spec"]
        .as_object_mut()
        .expect("object")
        .extend(spec.as_object().expect("object").clone());
    let whole: apps::Deployment = serde_json::from_value(whole).expect("deployment");
    Deployment { revision: 1, ..Deployment::from(&whole) }
}

struct Given {
    name: &'static str,
    hash: String,
    replicas: i32,
    running: i32,
    available: i32,
    revision: i64,
    pods: usize,
}

fn given(name: &'static str, hash: &str, replicas: i32, available: i32, revision: i64) -> Given {
    Given {
        name,
        hash: hash.to_owned(),
        replicas,
        running: replicas,
        available,
        revision,
        pods: usize::try_from(replicas).expect("positive"),
    }
}

fn set(hash: &str) -> ReplicaSet {
    let whole: apps::ReplicaSet = serde_json::from_value(json!({
        "metadata": {"generation": 1, "labels": {"pod-template-hash": hash}},
        "spec": {"selector": {}, "template": {"metadata": {"labels": {"of": hash}}}},
    }))
    .expect("replica set");
    ReplicaSet::from(&whole)
}

/// What is decided, without the status.
fn actions(deployment: &Deployment, given: &[Given]) -> Vec<Action> {
    let mut all = decision(deployment, given).actions;
    all.retain(|action| !matches!(action, Action::Status(_)));
    all
}

fn decision(deployment: &Deployment, given: &[Given]) -> Decision {
    let facts: Vec<ReplicaSet> = given
        .iter()
        .map(|given| ReplicaSet {
            replicas: given.replicas,
            revision: given.revision,
            created: Timestamp::from_second(given.revision).expect("time"),
            ..set(&given.hash)
        })
        .zip(given)
        .map(|(set, given)| ReplicaSet {
            status: apps::ReplicaSetStatus {
                replicas: given.running,
                ready_replicas: Some(given.available),
                available_replicas: Some(given.available),
                ..apps::ReplicaSetStatus::default()
            },
            ..set
        })
        .collect();
    let sets: Vec<Set<'_>> = given
        .iter()
        .zip(&facts)
        .map(|(given, facts)| Set {
            uid: given.name.into(),
            name: given.name,
            deleting: false,
            facts,
            pods: given.pods,
        })
        .collect();
    decide("d", deployment, false, &sets, now())
}

fn scaled(name: &str, from: i32, to: i32) -> Action {
    Action::Scale { uid: name.into(), name: name.to_owned(), from, to }
}

#[test]
fn a_new_deployment_gets_one_replica_set_of_full_size() {
    let deployment = deployment(&json!({"replicas": 3}));
    assert_eq!(actions(&deployment, &[]), [Action::Create { replicas: 3, revision: 1 }]);
    let decision = decision(&deployment, &[]);
    let Some(Action::Status(status)) = decision.actions.last() else { panic!("no status") };
    assert_eq!(status.observed_generation, Some(3));
    let reasons: Vec<_> = status
        .conditions
        .iter()
        .flatten()
        .filter_map(|condition| condition.reason.clone())
        .collect();
    assert_eq!(reasons, ["MinimumReplicasUnavailable", "NewReplicaSetCreated"]);
    assert_eq!(decision.wake_in, Some(600));
}

#[test]
fn a_new_template_rolls_within_its_limits_until_only_it_is_left() {
    let mut deployment = deployment(
        &json!({"replicas": 4, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}}),
    );
    deployment.revision = 2;
    let hash = deployment.hash.clone();
    let mut old = given("old", "other", 4, 4, 1);
    assert_eq!(
        actions(&deployment, &[given("old", "other", 4, 4, 1)]),
        [Action::Create { replicas: 1, revision: 2 }]
    );
    let mut new = given("new", &hash, 1, 0, 2);
    // Every pod becomes available at once; the steps must end with the new set alone and never leave the limits.
    for _ in 0..20 {
        let next = actions(
            &deployment,
            &[Given { hash: old.hash.clone(), ..old }, Given { hash: new.hash.clone(), ..new }],
        );
        if next.is_empty() && new.available == new.replicas {
            break;
        }
        for action in next {
            let Action::Scale { name, to, .. } = action else { panic!("{action:?}") };
            let set = if name == "old" { &mut old } else { &mut new };
            set.replicas = to;
            set.running = to;
            set.available = set.available.min(to);
            set.pods = usize::try_from(to).expect("positive");
        }
        assert!(old.replicas + new.replicas <= 5, "too many: {} + {}", old.replicas, new.replicas);
        assert!(
            old.available + new.available >= 3,
            "too few: {} + {}",
            old.available,
            new.available
        );
        new.available = new.replicas;
    }
    assert_eq!((old.replicas, new.replicas), (0, 4));
}

#[test]
fn pods_that_do_not_work_go_before_those_that_do() {
    let mut deployment = deployment(
        &json!({"replicas": 2, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}),
    );
    deployment.revision = 2;
    let hash = deployment.hash.clone();
    let sets = [given("old", "other", 2, 0, 1), given("new", &hash, 1, 1, 2)];
    assert_eq!(actions(&deployment, &sets), [scaled("old", 2, 1)]);
}

#[test]
fn recreate_waits_for_the_last_old_pod_to_be_gone() {
    let mut deployment = deployment(&json!({"replicas": 1, "strategy": {"type": "Recreate"}}));
    deployment.revision = 2;
    assert_eq!(actions(&deployment, &[given("old", "other", 1, 1, 1)]), [scaled("old", 1, 0)]);
    let ending = Given { pods: 1, running: 0, ..given("old", "other", 0, 0, 1) };
    assert_eq!(actions(&deployment, &[ending]), []);
    assert_eq!(
        actions(&deployment, &[given("old", "other", 0, 0, 1)]),
        [Action::Create { replicas: 1, revision: 2 }]
    );
}

#[test]
fn scaling_changes_the_replica_set_and_nothing_else() {
    let hash = deployment(&json!({})).hash;
    for (replicas, expected) in
        [(5, scaled("new", 3, 5)), (1, scaled("new", 3, 1)), (0, scaled("new", 3, 0))]
    {
        let deployment = deployment(&json!({"replicas": replicas}));
        assert_eq!(actions(&deployment, &[given("new", &hash, 3, 3, 1)]), [expected]);
    }
}

#[test]
fn going_back_to_an_old_template_numbers_its_replica_set_anew() {
    let deployment = deployment(&json!({"replicas": 1}));
    let hash = deployment.hash.clone();
    let actions =
        actions(&deployment, &[given("first", &hash, 0, 0, 1), given("second", "other", 1, 1, 2)]);
    assert_eq!(
        actions,
        [
            synced("first", &[("deployment.kubernetes.io/revision", "3")], 0),
            Action::Revision(3),
            scaled("first", 0, 1)
        ]
    );
}

fn synced(name: &str, annotations: &[(&str, &str)], min_ready_seconds: i64) -> Action {
    let annotations = annotations.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let change = Sync { annotations: annotations.collect(), min_ready_seconds };
    Action::Sync { uid: name.into(), name: name.to_owned(), change }
}

#[test]
fn the_current_replica_set_follows_the_deployment_and_the_old_ones_do_not() {
    for paused in [false, true] {
        let mut deployment =
            deployment(&json!({"replicas": 1, "minReadySeconds": 7, "paused": paused}));
        deployment.revision = 2;
        deployment.annotations.insert("team".to_owned(), "a".to_owned());
        let hash = deployment.hash.clone();
        let sets = [given("old", "other", 0, 0, 1), given("new", &hash, 1, 1, 2)];
        assert_eq!(actions(&deployment, &sets), [synced("new", &[("team", "a")], 7)], "{paused}");
    }
}

#[test]
fn a_set_of_the_same_template_is_the_current_one_whatever_its_name() {
    let template = json!({"metadata": {"labels": {"of": "before"}}});
    let deployment = deployment(&json!({"replicas": 2, "template": template}));
    let sets = [given("adopted", "before", 2, 2, 1)];
    assert_ne!(deployment.hash, "before");
    assert_eq!(actions(&deployment, &sets), []);
    let sets = [given("adopted", "other", 2, 2, 1)];
    assert!(matches!(
        actions(&deployment, &sets)[..],
        [_, Action::Create { replicas: 1, revision: 2 }]
    ));
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let deployment = deployment(&json!({"replicas": 3, "paused": true}));
    assert_eq!(actions(&deployment, &[given("old", "other", 2, 2, 1)]), [scaled("old", 2, 3)]);
}

#[test]
fn history_beyond_its_limit_is_removed_oldest_first() {
    let mut deployment = deployment(&json!({"replicas": 1, "revisionHistoryLimit": 1}));
    deployment.revision = 4;
    let hash = deployment.hash.clone();
    let sets = [
        given("c", "c", 0, 0, 3),
        given("a", "a", 0, 0, 1),
        given("b", "b", 0, 0, 2),
        given("new", &hash, 1, 1, 4),
    ];
    let removed: Vec<Action> = actions(&deployment, &sets);
    assert_eq!(
        removed,
        ["a", "b"].map(|name| Action::Remove { uid: name.into(), name: name.to_owned() })
    );
}

#[test]
fn a_deployment_that_is_being_deleted_only_gets_its_status() {
    let deployment = deployment(&json!({"replicas": 1}));
    let decision = decide("d", &deployment, true, &[], now());
    assert!(matches!(decision.actions.as_slice(), [Action::Status(_)]), "{:?}", decision.actions);
}

#[test]
fn the_status_settles_and_a_stuck_rollout_is_called_so() {
    let mut deployment = deployment(&json!({"replicas": 1, "progressDeadlineSeconds": 10}));
    let hash = deployment.hash.clone();
    let settle = |deployment: &mut Deployment, available: i32, seconds: i64| {
        let at = now().as_second() + seconds;
        let facts = ReplicaSet { replicas: 1, revision: 1, created: now(), ..set(&hash) };
        let facts = ReplicaSet {
            status: apps::ReplicaSetStatus {
                replicas: 1,
                available_replicas: Some(available),
                ready_replicas: Some(available),
                ..Default::default()
            },
            ..facts
        };
        let sets =
            [Set { uid: "new".into(), name: "new", deleting: false, facts: &facts, pods: 1 }];
        let decision =
            decide("d", deployment, false, &sets, Timestamp::from_second(at).expect("time"));
        let changed = !decision.actions.is_empty();
        for action in decision.actions {
            if let Action::Status(status) = action {
                deployment.status = *status;
            }
        }
        let condition = deployment
            .status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "Progressing")
            .cloned()
            .expect("condition");
        (changed, condition.reason.unwrap_or_default(), decision.wake_in)
    };
    assert_eq!(settle(&mut deployment, 0, 0), (true, "ReplicaSetUpdated".to_owned(), Some(10)));
    assert_eq!(settle(&mut deployment, 0, 4), (false, "ReplicaSetUpdated".to_owned(), Some(6)));
    assert_eq!(settle(&mut deployment, 0, 11), (true, "ProgressDeadlineExceeded".to_owned(), None));
    assert_eq!(settle(&mut deployment, 1, 12), (true, "NewReplicaSetAvailable".to_owned(), None));
    assert_eq!(settle(&mut deployment, 1, 99), (false, "NewReplicaSetAvailable".to_owned(), None));
}
