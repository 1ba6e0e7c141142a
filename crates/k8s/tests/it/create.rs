use flumen_k8s::Error;
use flumen_model::Kind;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::real::{OTHER_RUN, RUN, Real, config_map, deployment, namespace, service, word_count};

#[tokio::test]
async fn the_deployment_owns_all_that_is_created_beside_it() {
    let real = Real::start().await;
    let others = [config_map("flink-config-word-count"), service("word-count-rest")];
    let created =
        real.cluster().await.create_objects(&namespace(), &deployment(RUN), &others).await.unwrap();
    assert!(!created.existed);
    for (kind, name) in [("ConfigMap", "flink-config-word-count"), ("Service", "word-count-rest")] {
        let owners = real.api(kind).get(name).await.unwrap().metadata.owner_references.unwrap();
        assert_eq!(owners.len(), 1, "{kind}");
        assert_eq!((owners[0].kind.as_str(), &owners[0].uid), ("Deployment", &created.uid));
        assert_eq!(owners[0].controller, Some(true));
        assert_eq!(owners[0].block_owner_deletion, Some(true));
    }
}

#[tokio::test]
async fn a_creation_that_was_cut_short_anywhere_is_carried_on_by_repeating_it() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let others = [config_map("flink-config-word-count"), service("word-count-rest")];
    let mut uids = Vec::new();
    for made in 0..=others.len() {
        let created =
            cluster.create_objects(&namespace(), &deployment(RUN), &others[..made]).await.unwrap();
        assert_eq!(created.existed, made > 0);
        uids.push(created.uid);
    }
    assert!(uids.iter().all(|uid| *uid == uids[0]), "{uids:?}");
    assert!(real.api("Service").get_opt("word-count-rest").await.unwrap().is_some());
}

#[tokio::test]
async fn a_deployment_of_another_run_is_a_conflict_that_names_it_and_nothing_is_made() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    cluster.create_objects(&namespace(), &deployment(OTHER_RUN), &[]).await.unwrap();
    let others = [config_map("flink-config-word-count")];
    let error = cluster.create_objects(&namespace(), &deployment(RUN), &others).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Deployment default/word-count is there already and belongs to run {OTHER_RUN}")
    );
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(real.api("ConfigMap").get_opt("flink-config-word-count").await.unwrap().is_none());
}

#[tokio::test]
async fn a_deployment_that_nobody_annotated_is_never_taken_for_ours() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    let mut foreign = deployment(RUN);
    foreign.metadata.annotations = None;
    cluster.create_objects(&namespace(), &foreign, &[]).await.unwrap();
    let both = [deployment(RUN), foreign];
    for ours in both {
        let error = cluster.create_objects(&namespace(), &ours, &[]).await.unwrap_err();
        assert!(matches!(error, Error::DeploymentTaken { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_run_whose_deployment_is_being_deleted_is_not_carried_on() {
    let real = Real::start().await;
    let cluster = real.cluster().await;
    cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap();
    let hold = json!({ "metadata": { "finalizers": ["flumen.dev/test"] } });
    let (params, hold) = (PatchParams::default(), Patch::Merge(hold));
    real.api("Deployment").patch("word-count", &params, &hold).await.unwrap();
    cluster
        .delete_deployment(&namespace(), &word_count(), &flumen_k8s::Guard::Run(RUN))
        .await
        .unwrap();
    let error = cluster.create_objects(&namespace(), &deployment(RUN), &[]).await.unwrap_err();
    assert!(matches!(error, Error::DeploymentDeleting { .. }), "{error:?}");
}

#[tokio::test]
async fn an_object_of_somebody_else_under_one_of_the_names_is_left_alone() {
    let real = Real::start().await;
    real.create(config_map("flink-config-word-count")).await;
    let others = [config_map("flink-config-word-count")];
    let cluster = real.cluster().await;
    let error = cluster.create_objects(&namespace(), &deployment(RUN), &others).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ConfigMap default/flink-config-word-count is there already and does not belong to this Deployment"
    );
    assert_eq!(error.kind(), Kind::Conflict);
}
