use std::time::Duration;

use flumen_e2e::{
    Remains,
    processes::{end_within, family, watch},
};

use crate::setup::{binary, up};

#[test]
fn nothing_is_left_five_seconds_after_flumen_up_was_killed() {
    let running = up();
    let data = running.flumen.directory().to_owned();
    let before = Remains::of(&data.join("nowhere"));
    let processes = family(running.flumen.id());
    // The supervisor of pods starts with the first of them.
    assert_eq!(processes.len(), 3, "up and its two children: {processes:?}");
    let processes: Vec<_> = processes.iter().map(|(id, _)| watch(*id).expect("it runs")).collect();
    running.flumen.kill().expect("killed");
    let ended = end_within(&processes, Duration::from_secs(5)).expect("waited for");
    let left = Remains::of(&data).since(&before);
    assert!(ended && left.is_empty(), "left behind: {left:?}");
}

#[test]
fn a_second_flumen_up_in_one_directory_is_refused_and_harms_nothing() {
    let running = up();
    let second = running.flumen.run(&["up"]).expect("ran");
    assert!(!second.status.success(), "{}", second.output);
    let directory = running.flumen.directory().display().to_string();
    assert!(second.error.contains(&directory), "{}", second.error);
    assert!(second.error.contains(&running.flumen.id().to_string()), "{}", second.error);
    running.flumen.succeed(&["job", "list"]).expect("the first one still answers");
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left_running() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let directory = tempfile::tempdir().expect("a directory");
    let before = Remains::of(directory.path());
    let output = flumen_e2e::command(&binary())
        .args(["up", "--listen", &address, "--ui-listen", "127.0.0.1:0"])
        .args(["--kubernetes-listen", "127.0.0.1:0", "--registry-listen", "127.0.0.1:0"])
        .arg("--data-directory")
        .arg(directory.path())
        .output()
        .expect("ran");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
    assert_eq!(Remains::of(directory.path()).since(&before), [""; 0]);
}
