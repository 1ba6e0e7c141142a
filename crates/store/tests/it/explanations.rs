//! Explanations of scripts, and the images that they need.

use flumen_model::Uuid;
use flumen_store::Explanation;

use crate::{at, id, store, team};

const REGISTRY: &str = "127.0.0.1:5000";

fn explanation(name: &str, image: &str) -> Explanation {
    Explanation {
        name: name.parse().expect("valid"),
        team: team(),
        principal: "admin".into(),
        server: id(1),
        cluster: "local".into(),
        namespace: "default".parse().expect("valid"),
        image: format!("{REGISTRY}/{image}"),
        created_at: at(1),
        ends_at: at(121),
    }
}

#[tokio::test]
async fn an_explanation_is_there_until_it_is_removed() {
    let (_directory, store) = store().await;
    let one = explanation("sql-check-a", "a@sha256:1");
    let other = Explanation {
        server: Uuid::from_u128(2),
        created_at: at(0),
        ..explanation("sql-check-b", "b")
    };
    for each in [&one, &other] {
        store.create_explanation(each).await.expect("saved");
    }
    store.create_explanation(&one).await.expect_err("its name is used once");
    assert_eq!(store.explanations().await.expect("read"), [other.clone(), one.clone()]);
    store.remove_explanation(&one.name).await.expect("removed");
    store.remove_explanation(&one.name).await.expect("gone already is fine");
    assert_eq!(store.explanations().await.expect("read"), [other]);
}

#[tokio::test]
async fn the_image_of_an_explanation_is_needed_while_that_goes_on() {
    let (_directory, store) = store().await;
    store.save_image("key", (REGISTRY, "a@sha256:1"), 7, at(0)).await.expect("saved");
    let explanation = explanation("sql-check-a", "a@sha256:1");
    store.create_explanation(&explanation).await.expect("saved");
    store.mark_unused(at(2)).await.expect("marked");
    assert_eq!(store.unused_images().await.expect("read"), []);
    assert!(!store.begin_image_removal("key", at(100)).await.expect("asked"));
    store.remove_explanation(&explanation.name).await.expect("removed");
    store.mark_unused(at(3)).await.expect("marked");
    let [unused] = &store.unused_images().await.expect("read")[..] else { panic!("one image") };
    assert_eq!((unused.key.as_str(), unused.since), ("key", Some(at(3))));
}
