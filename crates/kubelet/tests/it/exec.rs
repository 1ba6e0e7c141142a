//! Commands in containers that run, as the `kube` crate asks for them.

use std::{os::unix::fs::MetadataExt, time::Duration};

use kube::api::{AttachParams, AttachedProcess, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cluster::{Cluster, eventually};

pub(crate) struct Ended {
    code: String,
    pub(crate) stdout: String,
    stderr: String,
}

async fn text(from: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    if let Some(mut from) = from {
        from.read_to_string(&mut text).await.unwrap();
    }
    text
}

/// Takes all that the process says, until it has ended.
async fn end(mut process: AttachedProcess) -> Ended {
    let status = process.take_status().unwrap();
    let (stdout, stderr) = tokio::join!(text(process.stdout()), text(process.stderr()));
    let status = status.await.expect("a status");
    let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
    let code = causes.first().and_then(|cause| cause.message.clone()).unwrap_or_default();
    let code = if status.status.as_deref() == Some("Success") { "0".to_owned() } else { code };
    Ended { code, stdout, stderr }
}

pub(crate) async fn exec(cluster: &Cluster, pod: &str, script: &str) -> Ended {
    let parameters = AttachParams::default();
    let process = cluster.pods().exec(pod, ["/bin/sh", "-c", script], &parameters).await.unwrap();
    end(process).await
}

async fn idle(cluster: &Cluster, name: &str) {
    cluster
        .run(name, "echo up; exec sleep 100000", |pod| {
            let main = &mut pod["spec"]["containers"][0];
            main["env"] = serde_json::json!([{"name": "COLOR", "value": "green"}]);
            main["workingDir"] = "/tmp".into();
            main["securityContext"] = serde_json::json!({"runAsUser": 1234, "runAsGroup": 5678});
        })
        .await;
    cluster.wait_log(name, "up").await;
}

#[tokio::test]
async fn a_command_sees_what_its_container_sees() {
    let cluster = Cluster::start().await;
    idle(&cluster, "idle").await;
    let script = "echo $COLOR; pwd; id -u; id -g; hostname; cat /proc/1/cmdline | tr '\\0' ' '; echo; \
                  readlink /proc/self/fd/0; for kind in net ipc uts mnt user; do \
                  test $(readlink /proc/1/ns/$kind) = $(readlink /proc/self/ns/$kind) && echo -n same; done; \
                  grep CapBnd /proc/self/status; echo wrong >&2; exit 7";
    let ended = exec(&cluster, "idle", script).await;
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[..7], ["green", "/tmp", "1234", "5678", "idle", "sleep 100000 ", "/dev/null"]);
    assert_eq!(lines[7], "samesamesamesamesameCapBnd:\t00000000a80425fb");
    assert_eq!((ended.stderr.as_str(), ended.code.as_str()), ("wrong\n", "7"));
    let parameters = AttachParams::default();
    let process = cluster.pods().exec("idle", ["no-such-program"], &parameters).await.unwrap();
    let said = end(process).await.code;
    assert!(
        said.contains("exec: \"no-such-program\": executable file not found in $PATH"),
        "{said}"
    );
    let missing = AttachParams { container: Some("other".into()), ..AttachParams::default() };
    let refused = cluster.pods().exec("idle", ["true"], &missing).await.err().unwrap().to_string();
    assert!(refused.contains("400"), "{refused}");
}

#[tokio::test]
async fn what_goes_in_comes_out_however_much_it_is() {
    const SIZE: usize = 4 << 20;
    let cluster = Cluster::start().await;
    idle(&cluster, "idle").await;
    // One after the other: this client does not take anything while it waits to send.
    let parameters = AttachParams::default().stdin(true).stderr(false);
    let upload = ["/bin/sh", "-c", "cat > /dev/shm/big"];
    let mut process = cluster.pods().exec("idle", upload, &parameters).await.unwrap();
    let mut stdin = process.stdin().unwrap();
    for number in 0..SIZE / 1024 {
        let piece = [u8::try_from(number % 251).unwrap(); 1024];
        stdin.write_all(&piece).await.unwrap();
    }
    // The end of the input, which ends the command.
    stdin.shutdown().await.unwrap();
    drop(stdin);
    assert_eq!(end(process).await.code, "0");
    let parameters = AttachParams::default().stderr(false);
    let mut process =
        cluster.pods().exec("idle", ["cat", "/dev/shm/big"], &parameters).await.unwrap();
    let mut came = Vec::new();
    process.stdout().unwrap().read_to_end(&mut came).await.unwrap();
    assert_eq!(came.len(), SIZE);
    let mut pieces = came.chunks(1024).enumerate();
    let same = |(number, piece): (usize, &[u8])| {
        piece.iter().all(|byte| usize::from(*byte) == number % 251)
    };
    assert!(pieces.all(same));
}

#[tokio::test]
async fn a_terminal_is_one_and_can_change_its_size() {
    use futures::SinkExt;
    let cluster = Cluster::start().await;
    idle(&cluster, "idle").await;
    let parameters = AttachParams::interactive_tty();
    let script = "stty -echo; tty; id -u; stat -c %u $(tty); trap 'stty size' WINCH; echo ready; \
                  while :; do read line && [ \"$line\" = end ] && exit 5; done";
    let mut process =
        cluster.pods().exec("idle", ["/bin/sh", "-c", script], &parameters).await.unwrap();
    let (mut stdin, mut stdout) = (process.stdin().unwrap(), process.stdout().unwrap());
    let mut sizes = process.terminal_size().unwrap();
    let status = process.take_status().unwrap();
    let mut said = String::new();
    let mut hear = async |words: &str| {
        while !said.contains(words) {
            let mut buffer = [0; 256];
            let count = stdout.read(&mut buffer).await.unwrap();
            assert!(count > 0, "it ended after {said:?}");
            said.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        said.clone()
    };
    let begin = hear("ready").await;
    assert!(begin.contains("/dev/pts/0\r\n1234\r\n1234\r\n"), "{begin:?}");
    sizes.send(TerminalSize { width: 101, height: 33 }).await.unwrap();
    hear("33 101").await;
    stdin.write_all(b"end\n").await.unwrap();
    let status = status.await.unwrap();
    assert_eq!(status.reason.as_deref(), Some("NonZeroExitCode"));
    assert_eq!(status.details.unwrap().causes.unwrap()[0].message.as_deref(), Some("5"));
}

#[tokio::test]
async fn a_command_ends_with_its_client_and_with_its_pod() {
    let cluster = Cluster::start().await;
    idle(&cluster, "idle").await;
    let sleepers = async |count: &str| {
        let script = "ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c sleep";
        let seen = async || {
            let found = exec(&cluster, "idle", script).await.stdout;
            (found.trim() == count).then_some(())
        };
        eventually("so many sleep", seen).await;
    };
    let parameters = AttachParams::default().stdin(true);
    // It does not look at its input, be it none or more than fits, and nobody reads what it could say.
    for size in [0, 1 << 20] {
        let mut process =
            cluster.pods().exec("idle", ["sleep", "99999"], &parameters).await.unwrap();
        sleepers("2").await;
        process.stdin().unwrap().write_all(&vec![b' '; size]).await.unwrap();
        process.abort();
        drop(process);
        sleepers("1").await;
    }
    let process = cluster.pods().exec("idle", ["sleep", "99998"], &parameters).await.unwrap();
    sleepers("2").await;
    cluster.delete("idle", 0).await;
    assert_eq!(end(process).await.code, "137");
    cluster.wait_gone("idle").await;
}

#[tokio::test]
async fn input_is_the_users_and_the_hosts_null_device_is_not() {
    let cluster = Cluster::start().await;
    idle(&cluster, "idle").await;
    let null = || {
        let found = std::fs::metadata("/dev/null").unwrap();
        (found.uid(), found.gid(), found.mode())
    };
    let before = null();
    let parameters = AttachParams::default().stdin(true).stderr(false);
    let mut process =
        cluster.pods().exec("idle", ["cat", "/dev/stdin"], &parameters).await.unwrap();
    let mut stdin = process.stdin().unwrap();
    stdin.write_all(b"hello").await.unwrap();
    stdin.shutdown().await.unwrap();
    drop(stdin);
    let ended = end(process).await;
    assert_eq!(null(), before);
    assert_eq!((ended.stdout.as_str(), ended.code.as_str()), ("hello", "0"));
}

#[tokio::test]
async fn what_a_container_does_to_its_own_files_holds_nothing_up() {
    let cluster = Cluster::start().await;
    let script =
        "mkdir -p /etc; mkfifo /etc/passwd; ln -s /dev/zero /etc/group; echo up; exec sleep 100000";
    cluster.run("odd", script, |_| {}).await;
    cluster.wait_log("odd", "up").await;
    let ended = tokio::time::timeout(Duration::from_secs(20), exec(&cluster, "odd", "id -u"));
    assert_eq!(ended.await.expect("it starts").stdout, "0\n");
}

/// Puts a pipe where each command without input opens its `/dev/null`.
fn with_held_up_commands(pod: &mut serde_json::Value) {
    let image = pod["spec"]["containers"][0]["image"].clone();
    pod["spec"]["volumes"] = serde_json::json!([{"name": "dev", "emptyDir": {}}]);
    pod["spec"]["initContainers"] = serde_json::json!([{
        "name": "before", "image": image, "command": ["touch", "/made/null"],
        "volumeMounts": [{"name": "dev", "mountPath": "/made"}]}]);
    pod["spec"]["containers"][0]["volumeMounts"] =
        serde_json::json!([{"name": "dev", "mountPath": "/dev"}]);
}

#[tokio::test]
async fn a_command_that_does_not_start_ends_with_its_client_and_with_its_time() {
    let cluster = Cluster::start().await;
    let script = "rm /dev/null; mkfifo /dev/null; echo up; exec sleep 100000";
    cluster.run("held", script, with_held_up_commands).await;
    cluster
        .run("probed", script, |pod| {
            with_held_up_commands(pod);
            pod["spec"]["containers"][0]["readinessProbe"] = serde_json::json!({
                "exec": {"command": ["true"]}, "periodSeconds": 1, "timeoutSeconds": 1});
        })
        .await;
    cluster.wait_log("held", "up").await;
    let held = async |count: &str| {
        let seen = async || {
            let parameters = AttachParams::default().stdin(true);
            let script = "grep -l 'e[x]ecute' /proc/[0-9]*/cmdline | wc -l";
            let process =
                cluster.pods().exec("held", ["/bin/sh", "-c", script], &parameters).await.unwrap();
            (end(process).await.stdout.trim() == count).then_some(())
        };
        eventually("so many are held up", seen).await;
    };
    let process = cluster.pods().exec("held", ["true"], &AttachParams::default()).await.unwrap();
    held("1").await;
    process.abort();
    drop(process);
    held("0").await;
    let unhealthy = async || cluster.events("probed").await.remove("Unhealthy");
    let unhealthy = eventually("the probe fails", unhealthy).await;
    assert_eq!(unhealthy, "Readiness probe failed: command did not end within 1s");
}
