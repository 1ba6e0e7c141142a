//! What a container may use at most.

use std::path::Path;

use kube::api::{AttachParams, LogParams};
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
    let script = "cat /proc/self/cgroup; echo up; exec sleep 100000";
    cluster
        .run("part", script, |pod| {
            let resources = json!({"limits": {"cpu": "250m", "memory": "256Mi"}});
            pod["spec"]["containers"][0]["resources"] = resources;
        })
        .await;
    cluster.wait_log("part", "up").await;
    let said = cluster.log("part", &LogParams::default()).await;
    let second = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let controller = if second { "" } else { "cpu" };
    let group = group_of(&said, controller);
    assert!(group.contains("/flumen-") && group.ends_with("-main-0"), "{group}");
    let (top, file, part) = if second {
        ("/sys/fs/cgroup", "cpu.max", "25000 100000\n")
    } else {
        ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "25000\n")
    };
    let directory = Path::new(top).join(group.trim_start_matches('/'));
    assert_eq!(std::fs::read_to_string(directory.join(file)).unwrap(), part);
    let parameters = AttachParams::default().stderr(false);
    let command = ["cat", "/proc/self/cgroup"];
    let mut process = cluster.pods().exec("part", command, &parameters).await.unwrap();
    let mut said = String::new();
    process.stdout().unwrap().read_to_string(&mut said).await.unwrap();
    assert_eq!(group_of(&said, controller), group);
    drop(process);

    let kubelet = directory.parent().unwrap();
    assert!(kubelet.is_dir());
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

/// The group of a controller, in the words of the kernel.
fn group_of<'a>(said: &'a str, controller: &str) -> &'a str {
    let mut lines = said.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let found = lines.find(|(known, _)| known.split(',').any(|known| known == controller));
    found.unwrap_or_else(|| panic!("no such group: {said}")).1
}
