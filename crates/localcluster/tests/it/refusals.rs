//! Starts that must fail, with words that help.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};

use crate::cluster::{Cluster, NOBODY, Place, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_cluster_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let cluster = Cluster::start().await;
    let said = refusal(cluster.place.command()).await;
    assert!(said.contains("in use by another local cluster (process "), "{said}");
    cluster.client.apiserver_version().await.expect("the first cluster still answers");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named_and_nothing_is_left() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let place = Place::new();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_flumen-localcluster"));
    command.arg(place.path()).arg(&address).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    let said = refusal(command).await;
    assert!(said.contains(&address) && said.contains("choose another port"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_nodes_that_cannot_be_are_refused_with_those_that_can() {
    for (option, number, expected) in [
        ("--nodes", "0", "expected a number from 1 to 255"),
        ("--nodes", "256", "expected a number from 1 to 255"),
        ("--pretend-nodes", "65536", "expected a number up to 65535"),
        ("--pretend-nodes", "many", "expected a number up to 65535"),
    ] {
        let place = Place::new();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_flumen-localcluster"));
        command.args([option, number]).arg(place.path()).args(["127.0.0.1:0", "127.0.0.1:0"]);
        command.stderr(std::process::Stdio::piped()).kill_on_drop(true);
        let said = refusal(command).await;
        assert!(said.contains(&format!("{option} is \"{number}\": {expected}")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_a_newer_version_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path()).expect("directory");
    std::fs::write(place.path().join("format"), "99\n").expect("format");
    let said = refusal(place.command()).await;
    assert!(said.contains("format \"99\""), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        let _ = writeln!(std::io::stdout(), "skipped: only root makes directories of others");
        return;
    }
    for (place, owner) in [(Place::new(), NOBODY), (Place::of_an_ordinary_user(), 0)] {
        std::fs::create_dir(place.path()).expect("directory");
        std::fs::write(place.path().join("format"), "1\n").expect("format");
        for path in [place.path().join("format"), place.path()] {
            chown(path, Some(owner), Some(owner)).expect("given away");
        }
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o700))
            .expect("closed");
        let said = refusal(place.command()).await;
        assert!(said.contains("was made by another user"), "{said}");
    }
}
