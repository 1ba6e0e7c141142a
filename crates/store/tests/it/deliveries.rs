use flumen_lifecycle::{Outcome, State, Status};
use flumen_model::{Delivery, Digest, FetchFrom, Uuid};
use flumen_store::{
    DeliveredFile, EnvironmentDocument, NewJob, Removal, RemovalKind, RunDelivery, RunPlan,
};

use crate::{at, job, only, run, store};

fn digest() -> Digest {
    Digest::from_sha256(&[7; 32])
}

#[tokio::test]
async fn what_the_pods_of_a_run_fetch_stays_until_the_run_has_ended() {
    let (_directory, store) = store().await;
    let mut job = job(1, "word-count");
    let run = run(5, &job);
    store.create_job(&NewJob { run: Some(&run), ..only(&job) }).await.expect("created");
    store.save_artifact(&digest(), 3, at(1)).await.expect("saved");
    // No release has it, as it is with the plugin of a storage.
    store.mark_unused(at(2)).await.expect("marked");
    assert_eq!(store.unused_artifacts(None).await.expect("listed").len(), 1);

    let file = DeliveredFile { path: "/opt/a.jar".to_owned(), digest: digest(), size: 3 };
    let delivery = RunDelivery { by: Delivery::InitContainer, files: vec![file] };
    store.save_run_delivery(run.id, ("r/flink@1", "flink@1"), &delivery).await.expect("saved");
    assert_eq!(store.unused_artifacts(None).await.expect("listed"), []);
    let removal = Removal {
        id: Uuid::now_v7(),
        at: at(9),
        kind: RemovalKind::Artifact,
        name: digest().to_string(),
        bytes: 3,
        team: None,
    };
    let removed = store.remove_artifact(&digest(), at(8), &removal).await.expect("looked");
    assert!(!removed, "it is removed under a running job");
    let known = store.run(run.id).await.expect("loaded").expect("there");
    assert_eq!(
        (known.image.as_deref(), known.base.as_deref()),
        (Some("r/flink@1"), Some("flink@1"))
    );
    assert_eq!(known.delivery, Some(delivery));

    let plan = RunPlan {
        retained_checkpoints: 1,
        checkpoints: None,
        savepoints: None,
        high_availability: None,
    };
    let delivered = async || {
        let runs = store.delivered_runs().await.expect("listed");
        runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(delivered().await, [], "nothing of it is created yet");
    store.save_run_objects(run.id, "[]", &plan).await.expect("saved");
    assert_eq!(delivered().await, [run.id]);
    let state = State::Ended { outcome: Outcome::Finished, at: at(4) };
    job.status = Status::of(state, Some(run.id));
    store.save_status(&job, None, at(4)).await.expect("saved");
    assert_eq!(delivered().await, []);
    assert_eq!(store.unused_artifacts(None).await.expect("listed").len(), 1);
}

#[test]
fn an_environment_that_was_written_down_before_has_its_pods_ask_the_server() {
    let text = r#"{"cluster": "local", "namespace": "default", "registry": "127.0.0.1:5000",
        "storage": {"kind": "hostPath", "hostPath": "/a", "mountPath": "/b"}, "delivery": "init-container"}"#;
    let mut document: EnvironmentDocument = serde_json::from_str(text).expect("read");
    assert_eq!(document.fetch_from, FetchFrom::Server);
    document.fetch_from = FetchFrom::Storage;
    let text = serde_json::to_string(&document).expect("written");
    assert!(text.contains(r#""fetchFrom":"storage""#), "{text}");
    assert_eq!(serde_json::from_str::<EnvironmentDocument>(&text).expect("read"), document);
}
