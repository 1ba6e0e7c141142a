//! Pods that try what they must not.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::PathBuf,
    process::Command,
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{LogParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, eventually},
    separate::{Separate, processes, sleeps},
};

/// The address by which this machine would be reached, if it has one.
fn address_of_the_host() -> Option<Ipv4Addr> {
    // Nothing is sent: this only asks for the route.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(address) if !address.ip().is_loopback() => Some(*address.ip()),
        _ => None,
    }
}

#[tokio::test]
async fn a_pod_reaches_no_service_of_the_host_and_the_api_not_without_its_token() {
    let cluster = Cluster::start().await;
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let hosts: Vec<String> = ["127.0.0.1", "10.244.0.1", "10.96.0.1"]
        .map(str::to_owned)
        .into_iter()
        .chain(address_of_the_host().map(|address| address.to_string()))
        .collect();
    let script = format!(
        r#"exec python3 -c '
import socket, ssl, urllib.request, urllib.error
for host in "{}".split():
    try: socket.create_connection((host, {port}), 2); print("reached", host)
    except OSError: pass
context = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
for headers in ({{}}, {{"Authorization": "Bearer none"}}):
    request = urllib.request.Request("https://10.96.0.1/api/v1/secrets", headers=headers)
    try: print(urllib.request.urlopen(request, context=context).status)
    except urllib.error.HTTPError as error: print(error.code)'"#,
        hosts.join(" ")
    );
    let (_, log) = cluster.run_to_end("curious", &script, |_| {}).await;
    assert_eq!(log, "403\n401\n", "who proves nothing may nothing, and who lies is nobody");
}

#[tokio::test]
async fn a_pod_changes_nothing_of_the_host_and_sees_nothing_of_it() {
    let cluster = Cluster::start().await;
    let secret = cluster.directory.path().join("secret of the host");
    fs::write(&secret, "secret").unwrap();
    let script = format!(
        r#"
        try() {{ "$@" >/dev/null 2>&1 && echo "done: $*"; }}
        for file in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/1/oom_score_adj; do
            (echo -999 > $file) 2>/dev/null && echo "wrote $file"
        done
        for group in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs); do
            (echo 0 > $group) 2>/dev/null && echo "wrote $group"
            try mkdir $(dirname $group)/mine
            try mount -o remount,rw,bind $(dirname $group)
        done
        try cat /proc/kcore; try cat /proc/1/environ/../../2/root; try dmesg
        try mknod /tmp/disk b 254 0; try cat /dev/vda; try cat /dev/sda
        try unshare --mount true; try unshare --user --map-root-user true; try nsenter --target 1 --net=/proc/1/ns/net true
        try mount -t proc proc /tmp; try mount -t cgroup cgroup /tmp
        try unshare --user --map-root-user --mount --cgroup sh -c 'mount -t cgroup2 cgroup /tmp && {{ mkdir /tmp/mine || echo 0 > /tmp/cgroup.procs; }}'
        try cat "{secret}"; try cat "/proc/1/root{secret}"; try cat "/proc/self/cwd/../../../..{secret}"
        for other in /proc/[0-9]*; do tr '\0' ' ' < $other/cmdline; echo; done | grep -c '[f]lumen-kubelet'
        "#,
        secret = secret.display()
    );
    let (_, log) = cluster
        .run_to_end("curious", &script, |pod| {
            let resources = json!({"limits": {"memory": "256Mi"}});
            pod["spec"]["containers"][0]["resources"] = resources;
        })
        .await;
    // A user namespace of its own gives it nothing there that it did not have.
    assert_eq!(log.replace("done: unshare --user --map-root-user true\n", ""), "0\n");
}

#[tokio::test]
async fn what_the_kubelet_refreshes_leads_it_nowhere() {
    let cluster = Cluster::start().await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), "default");
    let map = json!({"metadata": {"name": "settings"}, "data": {"level": "info"}});
    maps.create(&PostParams::default(), &serde_json::from_value(map).unwrap()).await.unwrap();
    // The link by which the kubelet finds what it replaces.
    let script = "exec 2>/dev/null; cd /etc/settings; rm -f ..data && ln -s /etc ..data && echo replaced; touch x && echo made; cat level";
    let (_, log) = cluster
        .run_to_end("curious", script, |pod| {
            pod["spec"]["volumes"] = json!([{"name": "v", "configMap": {"name": "settings"}}]);
            let mounts = json!([{"name": "v", "mountPath": "/etc/settings"}]);
            pod["spec"]["containers"][0]["volumeMounts"] = mounts;
        })
        .await;
    assert_eq!(log, "info");
}

#[tokio::test]
async fn nothing_outlives_its_pod() {
    let cluster = Cluster::start().await;
    let mark = format!("{}", 2_000_000 + std::process::id());
    let script = format!(
        r#"exec python3 -c '
import os, signal, time
for kind in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(kind, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setgid(7); os.setuid(7)
        os.execvp("sleep", ["sleep", "{mark}"])
    os._exit(0)
os.wait()
print("up", flush=True)
time.sleep({mark})'"#
    );
    cluster.run("undead", &script, |_| {}).await;
    cluster.wait_log("undead", "up").await;
    let sleepers = || processes(&mark).iter().filter(|process| sleeps(process)).count();
    eventually("it sleeps", async || (sleepers() == 1).then_some(())).await;
    cluster.delete("undead", 1).await;
    cluster.wait_gone("undead").await;
    assert_eq!(sleepers(), 0);
}

#[tokio::test]
async fn a_pod_that_multiplies_comes_to_an_end() {
    let cluster = Cluster::start().await;
    let script = r"exec python3 -c '
import resource, threading
print(resource.getrlimit(resource.RLIMIT_NPROC))
threading.stack_size(65536)
wait, count = threading.Event(), 0
try:
    while True:
        threading.Thread(target=wait.wait, daemon=True).start()
        count += 1
except RuntimeError:
    print(count < 8192, count > 8000, flush=True)
wait.set()'";
    let (_, log) = cluster.run_to_end("many", script, |_| {}).await;
    assert_eq!(log, "(8192, 8192)\nTrue True\n");
}

/// The most memory that a process ever had, in KiB.
fn high_water(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn what_a_pod_says_without_end_does_not_stay_in_the_kubelets_memory() {
    let mut cluster = Cluster::start().await;
    cluster.stop_kubelet().await;
    let kubeconfig = cluster.kubeconfig("system:node:here", &["system:nodes", "system:masters"]);
    let directory: PathBuf = cluster.directory.path().join("separate");
    let kubelet = Separate(
        Command::new(env!("CARGO_BIN_EXE_flumen-kubelet"))
            .arg(kubeconfig)
            .arg("here")
            .arg(directory)
            .spawn()
            .unwrap(),
    );
    let quiet = |pod: &mut Value| {
        let main = &mut pod["spec"]["containers"][0];
        main["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    };
    cluster.run("quiet", "exit 1", quiet).await;
    cluster.wait_phase("quiet", "Failed").await;
    let before = high_water(kubelet.0.id());
    // One line, a message of which most is a hole, and an end that asks for both.
    let loud = "head -c 200000000 /dev/zero | tr '\\0' x; exit 1";
    cluster.run("loud", loud, quiet).await;
    let hole = "truncate -s 2G /dev/termination-log; printf end >> /dev/termination-log; exit 1";
    cluster.run("hole", hole, quiet).await;
    let loud = cluster.wait_phase("loud", "Failed").await;
    let hole = cluster.wait_phase("hole", "Failed").await;
    let message = |pod: &Value| {
        let ended = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
        ended["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(&loud), "x".repeat(2048));
    assert!(message(&hole).ends_with("end"));
    let more = high_water(kubelet.0.id()).saturating_sub(before);
    assert!(more < 50_000, "{more} KiB more");
}

#[tokio::test]
async fn a_pod_finds_nothing_of_another_one() {
    let cluster = Cluster::start().await;
    let own = "echo mine > /work/note; echo mine > /tmp/note; echo up; exec sleep 100000";
    cluster
        .run("one", own, |pod| {
            pod["spec"]["volumes"] = json!([{"name": "work", "emptyDir": {}}]);
            let mounts = json!([{"name": "work", "mountPath": "/work"}]);
            pod["spec"]["containers"][0]["volumeMounts"] = mounts;
        })
        .await;
    cluster.wait_log("one", "up").await;
    let below = cluster.kubelet_directory();
    let script = format!(
        "find / -xdev -name note 2>/dev/null; ls '{}' 2>/dev/null; ls -d /proc/[0-9]* | wc -l; ls /work 2>&1",
        below.display()
    );
    let (_, log) = cluster.run_to_end("other", &script, |_| {}).await;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].parse::<u32>().unwrap() <= 3 && lines[1].contains("/work"), "{log}");
    assert_eq!(cluster.log("one", &LogParams::default()).await, "up\n");
}
