use flumen_k8s::{Deletion, Error, Guard};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::real::{
    OTHER_RUN, RUN, Real, config_map, deployment, namespace, pod, service, word_count,
};

#[tokio::test]
async fn only_the_deployment_that_is_meant_is_deleted() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let created = cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    for guard in [Guard::Run(OTHER_RUN), Guard::Uid("another".into())] {
        let error =
            cluster.delete_deployment(&namespace(), &word_count(), &guard).await.unwrap_err();
        assert!(matches!(error, Error::DeploymentTaken { .. }), "{error:?}");
    }
    assert!(cluster.deployment(&namespace(), &word_count()).await.unwrap().is_some());
    let guard = Guard::Uid(created.uid);
    cluster.delete_deployment(&namespace(), &word_count(), &guard).await.unwrap();
}

#[tokio::test]
async fn a_deletion_is_under_way_until_all_is_gone_and_may_be_asked_for_again() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    let (namespace, id, guard) = (namespace(), word_count(), Guard::Run(RUN));
    for _ in 0..2 {
        let deletion = cluster.delete_deployment(&namespace, &id, &guard).await.unwrap();
        assert_eq!(deletion, Deletion::Underway);
        assert!(cluster.deployment(&namespace, &id).await.unwrap().unwrap().deleting);
    }
    // What the garbage collector does when the pods are gone.
    let done = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    real.api("Deployment").patch("word-count", &PatchParams::default(), &done).await.unwrap();
    let deletion = cluster.delete_deployment(&namespace, &id, &guard).await.unwrap();
    assert_eq!(deletion, Deletion::Gone);
}

#[tokio::test]
async fn leftovers_of_an_earlier_run_are_found_and_what_has_an_owner_is_none() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let job = "00000000000000610000000000000000";
    assert!(cluster.leftovers(&namespace(), &word_count()).await.unwrap().is_empty());

    cluster
        .create_objects(&namespace(), &deployment(RUN), &[config_map("flink-config-word-count")])
        .await
        .unwrap();
    real.create(service("word-count-rest")).await;
    real.create(pod("word-count-taskmanager-1-1", "taskmanager")).await;
    for name in ["cluster-config-map".to_owned(), format!("{job}-config-map")] {
        real.create(config_map(&format!("word-count-{name}"))).await;
    }
    let mut other: Value = config_map("word-count-other-cluster-config-map");
    other["metadata"]["labels"]["app"] = "word-count-other".into();
    real.create(other).await;

    let found = cluster.leftovers(&namespace(), &word_count()).await.unwrap();
    assert_eq!(found.deployment.unwrap().run_id, Some(RUN.to_string()));
    assert_eq!(found.services, ["word-count-rest"]);
    assert_eq!(found.pods[0].name, "word-count-taskmanager-1-1");
    assert_eq!(
        found.ha_config_maps,
        [format!("word-count-{job}-config-map"), "word-count-cluster-config-map".to_owned()]
    );

    for name in &found.ha_config_maps {
        cluster.delete_config_map(&namespace(), name).await.unwrap();
        cluster.delete_config_map(&namespace(), name).await.unwrap();
    }
    let left = cluster.config_maps_of_ha(&namespace(), &word_count()).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}
