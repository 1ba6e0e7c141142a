//! To whom the script that fetches gives the credentials, with a real git.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use flumen_project::{Build, Failure, Part, config_map};

use crate::{OPERATION, spec};

/// What came as `Authorization` with each request; none where it was not there.
type Seen = Arc<Mutex<Vec<Option<String>>>>;

/// A server that answers each request so, until the test ends.
fn serve(answer: impl Fn(Option<&str>) -> String + Send + 'static) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let record = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let given = head.iter().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
            });
            let answer = answer(given.as_deref());
            record.lock().unwrap().push(given);
            // Who asked may be gone.
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    (origin, seen)
}

fn status(line: &str, more: &str) -> String {
    format!("HTTP/1.1 {line}\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n")
}

fn closed() -> String {
    status("401 Unauthorized", "www-authenticate: Basic realm=\"git\"\r\n")
}

/// Fetches from there by these credentials, if there are some; says why it failed.
fn fetch(origin: &str, credentials: Option<(&str, &str)>) -> Failure {
    let project = spec(
        r#"{"name":"a","environment":"local","repository":"https://h/a","builder":"maven","credentials":"git"}"#,
    );
    let (operation, namespace) = (OPERATION.parse().unwrap(), "default".parse().unwrap());
    let build = Build { operation, spec: &project, image: "x", namespace: &namespace };
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in config_map(&build).data.unwrap() {
        let path = directory.path().join("scripts").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).unwrap();
    }
    fs::create_dir(directory.path().join("workspace")).unwrap();
    fs::create_dir(directory.path().join("credentials")).unwrap();
    if let Some((name, password)) = credentials {
        fs::write(directory.path().join("credentials/username"), name).unwrap();
        fs::write(directory.path().join("credentials/password"), password).unwrap();
    }
    let output = Command::new("/bin/sh")
        .arg(directory.path().join("scripts/fetch.sh"))
        .env("FLUMEN_FILES", directory.path())
        .env("WORKSPACE", directory.path().join("workspace"))
        .env("TERMINATION_LOG", directory.path().join("told"))
        .env("REPOSITORY", format!("{origin}/team/a.git"))
        .env("REF", "main")
        .env("DIRECTORY", "")
        .env("ACCESS", if credentials.is_some() { "basic" } else { "none" })
        .env("ORIGIN", origin)
        .env_remove("http_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("hunter2"), "{said}");
    Failure::of(Part::Fetch, output.status.code().unwrap(), "Error", &said)
}

#[test]
fn a_server_that_asks_gets_the_credentials() {
    // "me:hunter2", and then there is no such repository.
    let (origin, seen) = serve(|given| match given {
        Some("Basic bWU6aHVudGVyMg==") => status("404 Not Found", ""),
        _ => closed(),
    });
    let failure = fetch(&origin, Some(("me", "hunter2\n")));
    assert!(matches!(failure, Failure::NoRepository { .. }), "{failure:?}");
    assert!(seen.lock().unwrap().iter().any(Option::is_some));
    let failure = fetch(&origin, Some(("me", "hunter22")));
    assert!(matches!(failure, Failure::Denied { .. }), "{failure:?}");
    let failure = fetch(&origin, None);
    assert!(matches!(failure, Failure::Denied { .. }), "{failure:?}");
}

#[test]
fn what_a_redirect_leads_to_gets_none() {
    let (other, seen) = serve(|_| closed());
    let target = format!("location: {other}/team/a.git/info/refs?service=git-upload-pack\r\n");
    let (origin, _) = serve(move |given| match given {
        Some(_) => status("302 Found", &target),
        None => closed(),
    });
    let failure = fetch(&origin, Some(("me", "hunter2")));
    assert!(matches!(failure, Failure::Denied { .. }), "{failure:?}");
    let seen = seen.lock().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(Option::is_none), "{seen:?}");
}
