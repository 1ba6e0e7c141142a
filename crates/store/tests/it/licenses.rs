//! What POMs say of artifacts.

use flumen_model::Digest;
use flumen_store::ArtifactLicense;

use crate::{at, store};

fn said(name: &str) -> Vec<ArtifactLicense> {
    vec![ArtifactLicense { name: name.to_owned(), url: String::new() }]
}

#[tokio::test]
async fn what_a_pom_says_stays_until_it_says_something_else() {
    let (_directory, store) = store().await;
    let [first, second, absent] = [1, 2, 3].map(|number| Digest::from_sha256(&[number; 32]));
    for digest in [&first, &second] {
        store.save_artifact(digest, 1, at(1)).await.expect("saved");
    }
    let all =
        [(first.clone(), said("MIT")), (second.clone(), Vec::new()), (absent.clone(), said("MIT"))];
    store.save_licenses(&all).await.expect("saved");
    let known = async |digest| store.artifact_licenses(digest).await.expect("loaded");
    assert_eq!((known(&first).await, known(&second).await), (said("MIT"), Vec::new()));
    assert_eq!(known(&absent).await, [], "nobody has it");
    store.save_licenses(&[(first.clone(), Vec::new())]).await.expect("saved");
    assert_eq!(known(&first).await, said("MIT"), "a POM without a word takes none back");
    store.save_licenses(&[(first.clone(), said("Apache-2.0"))]).await.expect("saved");
    assert_eq!(known(&first).await, said("Apache-2.0"));
}
