use std::{
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use flumen_testkit::eventually;
use nix::sys::signal::{Signal, kill};

use crate::running::{Running, answer, flumen, pid};

/// Of [`SIZE`] zeros.
const DIGEST: &str = "bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8";
const SIZE: usize = 4 << 20;
const SENT: usize = 3 << 20;
const ON_DISK: u64 = 2 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// The file of the artifact in which it arrives.
fn part(data_directory: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(data_directory.join("artifacts")).ok()?;
    let paths = entries.map(|entry| entry.expect("read").path());
    paths.into_iter().find(|path| path.extension().is_some_and(|it| it == "upload"))
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Begins to upload the artifact and does not end.
fn begin(data_directory: &Path, server: SocketAddr) -> TcpStream {
    let token = std::fs::read_to_string(data_directory.join("token")).expect("a token");
    let mut stream = TcpStream::connect(server).expect("it listens");
    let head = format!(
        "PUT /api/v1/artifacts/sha256:{DIGEST} HTTP/1.1\r\nhost: {server}\r\nauthorization: Bearer {}\r\ncontent-length: {SIZE}\r\n\r\n",
        token.trim()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    stream.write_all(&vec![0; SENT]).expect("it reads");
    stream
}

#[test]
fn an_upload_goes_on_when_the_server_was_killed_in_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path();
    let up = Running::up(data);
    let url = up.said["url"].as_str().expect("a URL");
    let server = url.strip_prefix("http://").and_then(|url| url.trim_end_matches('/').parse().ok());
    let _stream = begin(data, server.expect("an address"));
    let arrived = eventually(PATIENCE, || {
        part(data).filter(|part| length(part) >= ON_DISK).ok_or("not enough has arrived")
    });
    let file = std::fs::read(data.join("server.json")).expect("a note");
    let file: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
    let id = file["pid"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("a process");
    kill(pid(id), Signal::SIGKILL).expect("it runs");
    eventually(PATIENCE, || {
        let answers = answer(flumen(data).args(["cluster", "check", "local"])).code == Some(0);
        answers.then_some(()).ok_or("no server again")
    });
    assert!(length(&arrived) >= ON_DISK, "what was written is kept");
    std::fs::write(data.join("orders.jar"), vec![0; SIZE]).expect("written");
    let job = data.join("job.yaml");
    let text = "name: orders\nenvironment: local\nflinkVersion: 1.20.5\nartifact: orders.jar\n";
    std::fs::write(&job, text).expect("written");
    // Zeros are no jar, and that is said when all of them are there.
    let applied = answer(flumen(data).arg("apply").arg("-f").arg(&job));
    let told = "uploaded orders.jar (4.2 MB, ";
    assert!(applied.errors.contains(told), "{}", applied.errors);
    assert_eq!(length(&data.join("artifacts").join(DIGEST)), SIZE as u64);
    assert_eq!(part(data), None);
}
