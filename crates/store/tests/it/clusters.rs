//! Clusters: what an earlier version wrote, and what is used.

use flumen_model::{AccessKind, ClusterAccess};
use flumen_store::{ClusterChange, Store};
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
        "INSERT INTO clusters (name, team, document) SELECT 'local', id, \
         '{\"name\":\"local\",\"kubeconfig\":\"/data/local/kubeconfig\",\"context\":null}' FROM teams",
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
    for name in ["local", "eu"] {
        assert!(store.add_cluster(team(), change(name), at(1)).await.expect("saved"));
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
