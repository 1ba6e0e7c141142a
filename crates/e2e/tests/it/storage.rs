//! A job whose checkpoints, savepoints and HA data lie in S3.

use std::{
    io,
    net::{Shutdown, TcpStream},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    process::Command,
    thread,
};

use flumen_e2e::{Remains, Streaming, StreamingStep, apply_objects, base_image, example_jar};
use flumen_model::{Secret, Storage};
use flumen_storage::{Bucket, Keys};
use flumen_testkit::{S3Keys, S3Server};
use serde_json::{Value, json};

use crate::setup::{Running, cache, kubectl, until_pod_runs, up};

const VERSION: &str = "1.20.5";

/// Pods have no way out of the machine, so one of them passes what others send to a socket that it shares with the host.
const RELAY: &str = "\
import socket, threading
def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
server = socket.create_server(('', 9000))
while True:
    near, _ = server.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect('/relay/s3')
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
";

/// Passes what comes to the socket on to the server, until the test ends.
fn serve(socket: &Path, server: &S3Server) {
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    let listener = UnixListener::bind(socket).expect("a socket");
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o777)).expect("its mode");
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(&address) else { continue };
            let (Ok(back), Ok(forth)) = (far.try_clone(), near.try_clone()) else { continue };
            thread::spawn(move || pass(forth, far));
            thread::spawn(move || answer(back, near));
        }
    });
}

fn pass(mut near: UnixStream, mut far: TcpStream) {
    // A side that has gone away is no failure of the test.
    let _ = io::copy(&mut near, &mut far);
    let _ = far.shutdown(Shutdown::Write);
}

fn answer(mut far: TcpStream, mut near: UnixStream) {
    let _ = io::copy(&mut far, &mut near);
    let _ = near.shutdown(Shutdown::Write);
}

/// A Service `store` by which pods reach the server.
fn relay(running: &Running, server: &S3Server, image: &str) {
    let directory = running.directory.path().join("relay");
    std::fs::create_dir(&directory).expect("a directory");
    let open = std::fs::Permissions::from_mode(0o755);
    for directory in [running.directory.path(), &directory] {
        std::fs::set_permissions(directory, open.clone()).expect("its mode");
    }
    serve(&directory.join("s3"), server);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "store", "namespace": "default", "labels": {"app": "store"}},
        "spec": {
            "containers": [{
                "name": "relay", "image": image, "command": ["/usr/bin/python3", "-c", RELAY],
                "volumeMounts": [{"name": "relay", "mountPath": "/relay"}],
            }],
            "volumes": [{"name": "relay", "hostPath": {"path": directory, "type": "Directory"}}],
        },
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "store", "namespace": "default"},
        "spec": {"selector": {"app": "store"}, "ports": [{"port": 9000, "targetPort": 9000}]},
    });
    apply_objects(&running.kubeconfig(), &[pod, service]).expect("applied");
    until_pod_runs(running, "store");
}

/// Has the environment `local` keep state in S3, and its pods fetch their files as said.
fn keep_in_s3(running: &Running, server: &S3Server, (delivery, from): (&str, &str)) -> Value {
    running.flumen.change_environment(|environment| {
        environment["storage"] = json!({
            "kind": "s3", "place": format!("s3://{}/e2e", S3Server::BUCKET), "endpoint": "http://store:9000",
            "serverEndpoint": server.endpoint(), "pathStyleAccess": true,
            "credentials": {"accessKey": server.keys.access_key, "secretKey": server.keys.secret_key},
        });
        environment["delivery"] = json!(delivery);
        environment["fetchFrom"] = json!(from);
    }).expect("a changed environment")
}

/// Init containers have fetched the files of the job, all of them from the storage.
fn fetched_from_s3(running: &Running) {
    let get = |arguments: &[&str]| {
        let output = kubectl(&running.kubeconfig(), &[&["get"], arguments].concat());
        String::from_utf8(output.stdout).expect("text")
    };
    let first = "jsonpath={.items[*].status.initContainerStatuses[0].state.terminated.exitCode}";
    for component in ["component=jobmanager", "component=taskmanager"] {
        let codes = get(&["pods", "--selector", component, "--output", first]);
        let all_good = codes.split_whitespace().all(|code| code == "0");
        assert!(!codes.is_empty() && all_good, "{component}: {codes:?}");
    }
    let links = "go-template={{range .items}}{{.data.files | base64decode}}{{end}}";
    let list = get(&["secrets", "--selector", "app=state-machine", "--output", links]);
    let is_there = |line: &str| line.contains("\thttp://store:9000/flink/e2e/artifacts/");
    assert!(!list.is_empty() && list.lines().all(is_there), "{list}");
}

/// All that lies in the bucket below a prefix of the environment is gone.
fn is_empty(server: &S3Server, below: &str) -> bool {
    let text = json!({
        "kind": "s3", "place": format!("s3://{}", S3Server::BUCKET), "endpoint": server.endpoint(),
        "pathStyleAccess": true,
    });
    let Ok(Storage::S3(storage)) = serde_json::from_value(text) else {
        unreachable!("its kind is s3")
    };
    let S3Keys { access_key, secret_key } = server.keys.clone();
    let keys = Keys { access_key: Secret::new(access_key), secret_key: Secret::new(secret_key) };
    let bucket = Bucket::new(&storage, &keys, None).expect("a bucket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(bucket.is_empty(below)).expect("listed")
}

fn take<'a>(streaming: &mut Streaming<'a>, (what, step): StreamingStep<'a>) -> String {
    step(streaming).map_err(|error| format!("{what}: {error:#}")).expect("the step")
}

#[test]
fn a_job_keeps_its_state_in_s3_and_goes_on_from_there() {
    let python = Command::new("/usr/bin/python3").arg("--version").output();
    assert!(python.is_ok_and(|told| told.status.success()), "pods need /usr/bin/python3");
    let examples = example_jar(&cache(), VERSION).expect("the example jar");
    let server = S3Server::unguarded();
    let running = up();
    let flumen = &running.flumen;
    flumen.succeed(&["version", "add", VERSION, "--wait"]).expect("a base image");
    let image = base_image(flumen, VERSION).expect("its name");
    relay(&running, &server, &image);
    let saved = keep_in_s3(&running, &server, ("image", "server")).to_string();
    assert!(!saved.contains(&server.keys.secret_key), "{saved}");
    let check = flumen.json(&["environment", "check", "local"]).expect("every check passes");
    assert_eq!(check["checks"][5]["name"], "plugin", "{check}");

    let directory = running.directory.path().to_owned();
    let mut streaming =
        Streaming { flumen, version: VERSION, examples, connector: None, directory };
    take(&mut streaming, Streaming::APPLY);
    let savepoint = take(&mut streaming, Streaming::SAVEPOINT);
    assert!(savepoint.starts_with("s3://flink/e2e/savepoints/"), "{savepoint}");
    keep_in_s3(&running, &server, ("init-container", "storage"));
    take(&mut streaming, Streaming::UPGRADE);
    let job = flumen.json(&["job", "show", "state-machine"]).expect("shown");
    let restored = job["run"]["restoredFrom"].as_str();
    assert!(restored.is_some_and(|path| path.starts_with("s3://flink/e2e/savepoints/")), "{job}");
    fetched_from_s3(&running);
    take(&mut streaming, Streaming::DELETE);
    assert!(is_empty(&server, "e2e/checkpoints") && is_empty(&server, "e2e/ha"), "removed");
    assert!(!is_empty(&server, "e2e/savepoints"), "savepoints outlive their job");

    let data = flumen.directory().to_owned();
    let before = Remains::of(&data.join("nowhere"));
    running.flumen.stop().expect("stopped");
    assert_eq!(Remains::of(&data).since(&before), [""; 0]);
}
