use flumen_model::Kind;

use crate::support::{Registry, client};

#[tokio::test]
async fn a_registry_that_works_keeps_nothing_of_the_probe() {
    let registry = Registry::start();
    for _ in 0..2 {
        let checked = client().check(&registry.reference("team/jobs")).await.unwrap();
        assert_eq!(checked.kept_because, None);
        assert_eq!(client().manifest_digest(&checked.reference).await.unwrap(), None);
        let seen = registry.take_seen();
        let puts = seen.iter().filter(|seen| seen.method == "PUT").count();
        assert_eq!(puts, 3, "layer, configuration and manifest are sent each time");
    }
    assert_eq!(client().tags(&registry.reference("team/jobs")).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_registry_that_does_not_delete_is_fine_and_one_that_does_not_take_is_not() {
    let registry = Registry::start();
    registry.rules().refused_method = Some("DELETE");
    let checked = client().check(&registry.reference("jobs")).await.unwrap();
    assert!(checked.kept_because.is_some_and(|why| why.contains("405")));
    assert_eq!(client().tags(&registry.reference("jobs")).await.unwrap(), [checked.tag]);
    registry.rules().refused_method = Some("POST");
    let error = client().check(&registry.reference("jobs")).await.expect_err("read only");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("refused to take blob"), "{error}");
    registry.rules().wants_token = true;
    registry.rules().user = Some(("ann".into(), "secret".into()));
    let error = client().check(&registry.reference("jobs")).await.expect_err("nobody");
    assert_eq!(error.kind(), Kind::Denied, "{error}");
}
