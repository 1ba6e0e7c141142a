//! What a container may use at most.

use std::path::Path;

use kube::{
    ResourceExt,
    api::{AttachParams, LogParams},
};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::cluster::Cluster;

#[tokio::test]
async fn a_container_with_too_much_memory_is_killed_and_that_is_said() {
    let cluster = Cluster::start().await;
    let greedy = "x = [bytearray(1 << 20) for _ in range(300)]; print('has it all')";
    cluster
        .run("greedy", "", |pod| {
            let main = &mut pod["spec"]["containers"][0];
            main["command"] = json!(["python3", "-c", greedy]);
            main["resources"] = json!({"limits": {"memory": "64Mi"}});
        })
        .await;
    let pod = cluster.wait_phase("greedy", "Failed").await;
    let ended = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((&ended["exitCode"], &ended["reason"]), (&json!(137), &json!("OOMKilled")));
}

#[tokio::test]
async fn a_container_gets_its_part_of_the_processors_and_so_do_commands_in_it() {
    let mut cluster = Cluster::start().await;
    let top = Path::new("/sys/fs/cgroup");
    let (top, file, part) = if top.join("cgroup.controllers").exists() {
        (top.to_owned(), "cpu.max", "25000 100000\n")
    } else {
        (top.join("cpu"), "cpu.cfs_quota_us", "25000\n")
    };
    // What the container sees of the groups is the one that it is in.
    let seen = top.display();
    let look = format!(
        "read process _ </proc/self/stat; grep -qx $process {seen}/cgroup.procs && cat {seen}/{file}"
    );
    let script = format!("{look}; echo up; exec sleep 100000");
    cluster
        .run("part", &script, |pod| {
            let resources = json!({"limits": {"cpu": "250m", "memory": "256Mi"}});
            pod["spec"]["containers"][0]["resources"] = resources;
        })
        .await;
    cluster.wait_log("part", "up").await;
    assert_eq!(cluster.log("part", &LogParams::default()).await, format!("{part}up\n"));
    let parameters = AttachParams::default().stderr(false);
    let command = ["sh", "-c", look.as_str()];
    let mut process = cluster.pods().exec("part", command, &parameters).await.unwrap();
    let mut said = String::new();
    process.stdout().unwrap().read_to_string(&mut said).await.unwrap();
    assert_eq!(said, part);
    drop(process);

    let uid = cluster.pods().get("part").await.unwrap().uid().unwrap();
    let inside = |directory: &Path| {
        let paths = std::fs::read_dir(directory).into_iter().flatten();
        paths.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    // Before the uid stands the number of the node.
    let mut groups = inside(&top).into_iter().flat_map(|kubelet| inside(&kubelet));
    let group = groups.find(|it| it.to_string_lossy().ends_with(&format!("{uid}-main-0"))).unwrap();
    assert_eq!(std::fs::read_to_string(group.join(file)).unwrap(), part);
    let kubelet = group.parent().unwrap();
    cluster.stop_kubelet().await;
    assert!(!kubelet.exists(), "{} is left", kubelet.display());
}

#[tokio::test]
async fn java_sees_the_limits_of_its_container() {
    let cluster = Cluster::start().await;
    let script = "exec java -Xlog:os+container=info -XX:+PrintFlagsFinal -version";
    cluster
        .run("java", script, |pod| {
            let resources = json!({"limits": {"cpu": "1", "memory": "512Mi"}});
            pod["spec"]["containers"][0]["resources"] = resources;
        })
        .await;
    cluster.wait_phase("java", "Succeeded").await;
    let said = cluster.log("java", &LogParams::default()).await;
    let flag = |name: &str| {
        let mut lines = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found = lines.find(|words| words.get(1) == Some(&name));
        found.unwrap_or_else(|| panic!("no {name}: {said}"))[3].to_owned()
    };
    // A quarter of the memory, and with one processor nothing is collected in parallel.
    assert_eq!(flag("MaxHeapSize"), (128 << 20).to_string());
    assert_eq!(flag("UseSerialGC"), "true");
}
