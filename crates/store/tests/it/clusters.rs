//! Clusters: what an earlier version wrote, and what is used.

use flumen_model::{AccessKind, ClusterAccess};
use flumen_store::{ClusterChange, EnvironmentDocument, Store};
use sqlx::{Connection as _, SqliteConnection};

use crate::{at, store, team};

#[tokio::test]
async fn a_cluster_that_an_earlier_version_wrote_down_is_read_as_a_file() {
    let (directory, store) = store().await;
    store.close().await;
    let path = directory.path().join("flumen.db");
    // As it was before the migration.
    let mut old =
        SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("opened");
    for statement in [
        "ALTER TABLE clusters DROP COLUMN credentials",
        "ALTER TABLE clusters DROP COLUMN version",
        "ALTER TABLE clusters DROP COLUMN created_at",
        "DELETE FROM _sqlx_migrations WHERE version = 14",
        "UPDATE clusters SET document = \
         '{\"name\":\"local\",\"kubeconfig\":\"/data/local/kubeconfig\",\"context\":null}'",
    ] {
        sqlx::query(statement).execute(&mut old).await.expect(statement);
    }
    old.close().await.expect("closed");
    let store = Store::open(&path).await.expect("brought up to date");
    let found = store.clusters().await.expect("read");
    let mut access = ClusterAccess::of(AccessKind::File);
    access.file = Some("/data/local/kubeconfig".to_owned());
    assert_eq!((found.len(), &found[0].access, found[0].version), (1, &access, 1));
    assert_eq!(store.cluster_credentials("local").await.expect("read"), None);
    assert!(!store.has_secrets().await.expect("read"));
}

#[tokio::test]
async fn a_cluster_is_changed_by_version_and_removed_when_nothing_is_in_it() {
    let (_directory, store) = store().await;
    let access = ClusterAccess::of(AccessKind::Kubeconfig);
    let change = |name| ClusterChange { name, access: &access, credentials: Some("sealed") };
    assert!(store.add_cluster(team(), change("eu"), at(1)).await.expect("saved"));
    for name in ["local", "eu"] {
        assert!(!store.add_cluster(team(), change(name), at(1)).await.expect("refused"));
    }
    assert!(store.has_secrets().await.expect("read"));
    assert!(!store.replace_cluster(change("eu"), Some(2)).await.expect("refused"));
    assert!(store.replace_cluster(change("eu"), Some(1)).await.expect("saved"));
    let places = store.places().await.expect("read");
    assert_eq!(places, [("local".to_owned(), "default".parse().expect("valid"))]);
    assert!(!store.remove_cluster("local").await.expect("refused"), "an environment is in it");
    assert!(store.remove_cluster("eu").await.expect("removed"));
    assert_eq!(store.clusters().await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_cluster_that_is_removed_meanwhile_gets_no_environment() {
    let (_directory, store) = store().await;
    let access = ClusterAccess::of(AccessKind::Kubeconfig);
    let change = ClusterChange { name: "eu", access: &access, credentials: None };
    assert!(store.add_cluster(team(), change, at(1)).await.expect("saved"));
    let local = store.environments().await.expect("read").remove(0);
    let document = EnvironmentDocument { cluster: "eu".into(), ..local.document.clone() };
    assert!(store.remove_cluster("eu").await.expect("removed"));
    for name in ["new", "local"] {
        let place = (&name.parse().expect("valid"), &document);
        let error = store.save_environment(team(), place, None, at(2)).await.expect_err("refused");
        assert_eq!(
            error.to_string(),
            format!("could not save environment {name}: there is no cluster eu")
        );
    }
    assert_eq!(store.environments().await.expect("read"), [local], "nothing is in it");
}
