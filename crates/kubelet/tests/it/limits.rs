//! What a container may use at most.

use std::path::Path;

use serde_json::json;

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
    let cluster = Cluster::start().await;
    let (_, said) = cluster
        .run_to_end("part", "cat /proc/self/cgroup", |pod| {
            let resources = json!({"limits": {"cpu": "250m", "memory": "256Mi"}});
            pod["spec"]["containers"][0]["resources"] = resources;
        })
        .await;
    let second = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let of = |line: &&str| {
        if second {
            line.starts_with("0::")
        } else {
            line.contains(":cpu:") || line.contains(":cpu,")
        }
    };
    let line = said.lines().find(of).unwrap_or_else(|| panic!("no such group: {said}"));
    assert!(line.contains("/flumen-") && line.contains("-main-0"), "{line}");
}
