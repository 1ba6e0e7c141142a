//! Whose is what nothing needs any more.

use flumen_model::{ArtifactRole, Digest, ReleaseId, TeamId};
use flumen_store::{
    Job, NewJob, Release, ReleaseArtifact, ReleaseContent, Removal, RemovalKind, Store,
};
use sqlx::{Connection as _, SqliteConnection};

use crate::{at, id, job, only, store, team};

fn other_team() -> TeamId {
    TeamId::from_uuid(id(8))
}

fn digest(number: u8) -> Digest {
    Digest::from_sha256(&[number; 32])
}

fn release(job: &Job, number: u8, artifact: u8) -> Release {
    let artifact = ReleaseArtifact {
        name: "a.jar".to_owned(),
        digest: digest(artifact),
        size: 1,
        role: ArtifactRole::Usrlib,
        maven: None,
    };
    Release {
        id: ReleaseId::new(digest(number)),
        job: job.id,
        number: 0,
        content: ReleaseContent {
            flink_version: job.spec.flink_version,
            artifacts: vec![artifact],
            job: serde_json::Map::new(),
        },
        created_at: at(1),
        created_by: "admin".to_owned(),
    }
}

/// Two teams, each with a job that has two releases: of files of its own, and of one that both have.
async fn two_teams() -> (tempfile::TempDir, Store) {
    let (directory, store) = store().await;
    let path = directory.path().join("flumen.db");
    let mut connection =
        SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("opened");
    sqlx::query("INSERT INTO teams (id, name, created_at) VALUES ($1, 'other', 0)")
        .bind(other_team().to_string())
        .execute(&mut connection)
        .await
        .expect("written");
    connection.close().await.expect("closed");
    for number in 1..=3 {
        store.save_artifact(&digest(number), 1, at(0)).await.expect("saved");
    }
    for (number, team, own) in [(1_u8, team(), 1_u8), (2, other_team(), 2)] {
        let mut job = Job { team, ..job(u128::from(number), &format!("job-{number}")) };
        let [first, shared, last] = [(1, own), (2, 3), (3, own)]
            .map(|(place, artifact)| release(&job, number * 10 + place, artifact));
        job.release = first.id.clone();
        store.create_job(&NewJob { release: Some(&first), ..only(&job) }).await.expect("created");
        for next in [shared, last] {
            job.release = next.id.clone();
            let saved = store.update_job(&NewJob { release: Some(&next), ..only(&job) }).await;
            saved.expect("saved");
            job.version += 1;
        }
    }
    (directory, store)
}

fn removal(kind: RemovalKind, team: Option<TeamId>) -> Removal {
    Removal {
        id: flumen_model::Uuid::now_v7(),
        at: at(9),
        kind,
        name: "x".to_owned(),
        bytes: 1,
        team,
    }
}

#[tokio::test]
async fn a_team_is_told_of_its_own_surplus_only() {
    let (_directory, store) = two_teams().await;
    let names = async |team| {
        let found = store.surplus_releases(1, team).await.expect("listed");
        found.into_iter().map(|release| release.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Some(team())).await, ["local/job-1 1", "local/job-1 2"]);
    assert_eq!(names(Some(other_team())).await, ["local/job-2 1", "local/job-2 2"]);
    assert_eq!(names(None).await.len(), 4);
}

#[tokio::test]
async fn what_several_teams_had_is_removed_for_none_of_them() {
    let (_directory, store) = two_teams().await;
    for surplus in store.surplus_releases(1, None).await.expect("listed") {
        let removal = removal(RemovalKind::Release, Some(surplus.team));
        assert!(store.remove_release(&surplus, 1, &removal).await.expect("removed"));
    }
    store.save_artifact(&digest(4), 1, at(0)).await.expect("saved");
    store.own_artifact(&digest(4), other_team()).await.expect("saved");
    store.save_artifact(&digest(5), 1, at(0)).await.expect("saved");
    let unused = async |team| {
        let found = store.unused_artifacts(team).await.expect("listed");
        found.into_iter().map(|one| (one.digest, one.team)).collect::<Vec<_>>()
    };
    assert_eq!(unused(Some(team())).await, [], "its own file is in a release that it keeps");
    assert_eq!(unused(Some(other_team())).await, [(digest(4), Some(other_team()))]);
    let all = [(digest(3), None), (digest(4), Some(other_team())), (digest(5), None)];
    assert_eq!(unused(None).await, all);

    for (key, teams) in [("one", &[team()][..]), ("both", &[team(), other_team()])] {
        for team in teams {
            let image = ("registry", key);
            store.save_image((key, *team), image, 1, at(0)).await.expect("saved");
        }
    }
    let images = async |team| {
        let found = store.unused_images(team).await.expect("listed");
        found.into_iter().map(|image| image.key).collect::<Vec<_>>()
    };
    assert_eq!(images(Some(team())).await, ["one"]);
    assert_eq!(images(Some(other_team())).await, [""; 0]);
    assert_eq!(images(None).await, ["both", "one"]);

    let removals = async |team| store.removals(team, None, 10).await.expect("listed").len();
    assert_eq!((removals(team()).await, removals(other_team()).await), (2, 2));
}
