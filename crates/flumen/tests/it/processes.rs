use std::{path::Path, time::Duration};

use nix::sys::signal::{Signal, kill};

use crate::running::{Running, answer, bare, flumen, pid};

const SERVER_FILE: &str = "server.json";
const PATIENCE: Duration = Duration::from_secs(20);

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    flumen_testkit::eventually(PATIENCE, || {
        is_so().then_some(()).ok_or_else(|| format!("no {what}"))
    });
}

fn is_alive(id: nix::unistd::Pid) -> bool {
    // A process that nobody has waited for yet is a zombie, and as good as gone.
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn server(data_directory: &Path) -> Option<u32> {
    let text = std::fs::read(data_directory.join(SERVER_FILE)).ok()?;
    let file: serde_json::Value = serde_json::from_slice(&text).ok()?;
    u32::try_from(file["pid"].as_u64()?).ok()
}

fn answers(data_directory: &Path) -> bool {
    answer(flumen(data_directory).args(["cluster", "check", "local"])).code == Some(0)
}

#[test]
fn up_starts_all_and_one_signal_stops_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut up = Running::up(directory.path());
    assert!(
        up.said["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")),
        "{}",
        up.said
    );
    assert!(answers(directory.path()));
    let children = up.children();
    assert_eq!(children.len(), 2);
    up.signal(Signal::SIGINT);
    let status = up.process.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(!children.into_iter().any(is_alive));
    assert!(!directory.path().join(SERVER_FILE).exists(), "the note of a server that is gone");
}

#[test]
fn a_server_that_is_killed_is_started_again_at_its_address() {
    let directory = tempfile::tempdir().expect("a directory");
    let up = Running::up(directory.path());
    let first = server(directory.path()).expect("a server");
    kill(pid(first), Signal::SIGKILL).expect("it runs");
    eventually("another server", || server(directory.path()).is_some_and(|id| id != first));
    eventually("an answer", || answers(directory.path()));
    let file = std::fs::read_to_string(directory.path().join(SERVER_FILE)).expect("a note");
    assert!(file.contains(up.said["url"].as_str().expect("a url")), "{file}");
}

#[test]
fn a_local_cluster_that_is_killed_is_started_again_and_reached() {
    let directory = tempfile::tempdir().expect("a directory");
    let up = Running::up(directory.path());
    let server = pid(server(directory.path()).expect("a server"));
    let cluster = up.children().into_iter().find(|id| *id != server).expect("a cluster");
    kill(cluster, Signal::SIGKILL).expect("it runs");
    eventually("another cluster", || {
        up.children().iter().any(|id| *id != server && *id != cluster)
    });
    eventually("an answer", || answers(directory.path()));
}

#[test]
fn nothing_lives_on_when_up_is_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let up = Running::up(directory.path());
    let children = up.children();
    up.signal(Signal::SIGKILL);
    eventually("end of all children", || !children.iter().any(|id| is_alive(*id)));
    // Another one finds everything free, without having to be told to wait.
    drop(Running::up(directory.path()));
}

#[test]
fn a_local_cluster_says_in_one_value_where_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let local = Running::local(directory.path());
    let kubeconfig = Path::new(local.said["kubeconfig"].as_str().expect("a path"));
    assert_eq!(kubeconfig, directory.path().join("local/kubeconfig"));
    for key in ["url", "registry"] {
        assert!(local.said[key].as_str().is_some_and(|at| at.contains("127.0.0.1:")), "{key}");
    }
}

#[test]
fn a_client_finds_the_server_by_the_settings_file() {
    let (home, data) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
    let file = home.path().join("flumen.toml");
    let text = format!("data-directory = '{}'\n", data.path().display());
    std::fs::write(&file, text).expect("written");
    let _up = Running::up(data.path());
    let mut command = bare(home.path());
    command.args(["environment", "list"]).env("FLUMEN_CONFIG", &file);
    let found = answer(&mut command);
    assert_eq!(found.code, Some(0), "{}", found.errors);
    let mut command = bare(home.path());
    command.args(["doctor", "--output", "json", "--config"]).arg(&file);
    let seen: serde_json::Value = serde_json::from_str(&answer(&mut command).output).expect("JSON");
    let items = seen["items"].as_array().expect("a list");
    let server = items.iter().find(|item| item["name"] == "server").expect("a look at the server");
    assert_eq!(server["outcome"], "ok", "{server}");
}

#[test]
fn a_second_up_is_refused_and_the_first_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let up = Running::up(directory.path());
    let second = answer(flumen(directory.path()).arg("up"));
    assert_eq!(second.code, Some(1));
    assert!(second.errors.contains(&format!("process {}", up.process.id())), "{}", second.errors);
    assert!(answers(directory.path()));
}

#[test]
fn a_port_that_is_taken_is_said_with_who_wanted_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for setting in ["--listen", "--ui-listen", "--kubernetes-listen", "--registry-listen"] {
        let mut command = flumen(directory.path());
        command.arg("up");
        for other in ["--listen", "--ui-listen", "--kubernetes-listen", "--registry-listen"] {
            command.args([other, if other == setting { &address } else { "127.0.0.1:0" }]);
        }
        let refused = answer(&mut command);
        assert_eq!(refused.code, Some(1), "{setting}");
        assert!(refused.errors.contains(&address), "{setting}: {}", refused.errors);
        assert_eq!(refused.errors.matches("error:").count(), 1, "{}", refused.errors);
        assert!(!directory.path().join(SERVER_FILE).exists());
    }
}

/// A release build does not look at the variable.
#[cfg(debug_assertions)]
#[test]
fn a_debug_build_dies_at_the_point_it_was_told_and_the_next_server_goes_on() {
    use std::os::unix::process::ExitStatusExt as _;

    let directory = tempfile::tempdir().expect("a directory");
    let serve = |point: &str| {
        let mut command = flumen(directory.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0"]);
        command.env("FLUMEN_FAULT", point);
        command
    };
    let refused = answer(&mut serve("somewhere"));
    assert_eq!(refused.code, Some(1));
    assert!(refused.errors.contains("FLUMEN_FAULT is \"somewhere\""), "{}", refused.errors);
    let point = "store.create-first-token:after#1";
    let killed = serve(point).output().expect("the binary starts");
    assert_eq!(killed.status.signal(), Some(9), "{killed:?}");
    assert_eq!(server(directory.path()), None, "it was not ready yet");
    // The token is there, so that this point is not reached again.
    let mut next = serve(point).spawn().expect("the binary starts");
    eventually("a server", || server(directory.path()).is_some());
    next.kill().expect("it runs");
    next.wait().expect("it ends");
}
