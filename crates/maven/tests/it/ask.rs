//! Maven itself, asked anew. It takes minutes and a network, so it is for `make test-all`, which sets
//! `FLUMEN_ASK_MAVEN`; without it the recorded answers have to do.

use std::{io::Write as _, process::Command};

use flumen_maven::{Client, Environment, Remote, Settings};

use crate::{
    record::{cases, data, differences_from},
    server::settings,
};

#[tokio::test]
async fn maven_says_the_same_of_the_same_poms_today() {
    if std::env::var_os("FLUMEN_ASK_MAVEN").is_none() {
        return note("skipped: FLUMEN_ASK_MAVEN is not set, as `make test-all` does");
    }
    let work = tempfile::tempdir().expect("a directory");
    let answers = work.path().join("answers");
    let script = data().join("record/record.py");
    let status = Command::new("python3").arg(script).arg(work.path()).arg(&answers).status();
    assert!(status.expect("python3 runs").success(), "Maven could not be asked");
    // Offline in the local repository that Maven filled: both read the same files.
    let remote = Remote::new("central", "https://repository.invalid/").expect("an address");
    let filled = work.path().join("repository");
    let offline = Settings { offline: true, ..settings(&filled, vec![remote]) };
    let client = Client::new(offline);
    let mut trees = Vec::new();
    for case in cases() {
        let tree = client.resolve(&case.request, Environment::linux("17.0.15")).await;
        trees.push((case, tree.map_err(|error| format!("{error:?}"))));
    }
    assert_eq!(differences_from(&answers, &trees), [""; 0]);
}

fn note(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).expect("it is written");
}
