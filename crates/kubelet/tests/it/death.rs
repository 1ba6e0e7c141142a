//! Nothing outlives the kubelet.

use std::{
    collections::BTreeMap,
    os::{fd::AsRawFd, unix::fs::MetadataExt},
    path::PathBuf,
    process::Command,
};

use flumen_kubelet::Output;
use serde_json::json;

use crate::{
    cluster::{Cluster, eventually},
    separate::{Separate, processes, sleeps},
    workshop::{POD, Workshop},
};

fn parents() -> BTreeMap<u32, u32> {
    let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let text = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let (before, after) = text.rsplit_once(')')?;
        let pid = before.split(' ').next()?.parse().ok()?;
        Some((pid, after.split_whitespace().nth(1)?.parse().ok()?))
    });
    stats.collect()
}

/// All processes below `root`.
fn descendants(root: u32) -> Vec<u32> {
    let parents = parents();
    let below = |pid: &u32| {
        let mut pid = *pid;
        while let Some(parent) = parents.get(&pid) {
            if *parent == root {
                return true;
            }
            pid = *parent;
        }
        false
    };
    parents.keys().copied().filter(below).collect()
}

fn mounts_below(directory: &str) -> usize {
    let all = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    all.lines().filter(|line| line.contains(directory)).count()
}

#[tokio::test]
async fn nothing_is_left_after_the_kubelet_was_killed() {
    let mut cluster = Cluster::start().await;
    cluster.stop_kubelet().await;
    let directory = cluster.directory.path().to_owned();
    let mut kubelet = Separate(
        Command::new(env!("CARGO_BIN_EXE_flumen-kubelet"))
            .arg(cluster.kubeconfig("system:node:here", &["system:nodes", "system:masters"]))
            .arg("here")
            .arg(directory.join("separate"))
            .spawn()
            .unwrap(),
    );
    // It becomes another user: that takes the parent-death signal from a process, so more is needed than that.
    let mark = format!("{}", 1_000_000 + std::process::id());
    let script = format!(
        "python3 -c 'import os; os.setgid(7); os.setuid(7); os.fork(); os.setsid() if os.getpid() > 1 else 0; os.execvp(\"sleep\", [\"sleep\", \"{mark}\"])'"
    );
    cluster
        .run("victim", "", |pod| {
            pod["spec"]["containers"][0]["command"] =
                json!(["/bin/sh", "-c", format!("exec {script}")]);
        })
        .await;
    cluster.wait_phase("victim", "Running").await;
    let sleepers = async || {
        let found: Vec<PathBuf> =
            processes(&mark).into_iter().filter(|process| sleeps(process)).collect();
        (found.len() == 2).then_some(found)
    };
    let sleepers = eventually("both sleep", sleepers).await;
    assert_eq!(std::fs::metadata(&sleepers[0]).unwrap().uid(), 1_000_007);
    let below = descendants(kubelet.0.id());
    assert!(below.len() >= 3, "a supervisor and two processes: {below:?}");

    kubelet.0.kill().unwrap();
    kubelet.0.wait().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while below.iter().any(|pid| PathBuf::from(format!("/proc/{pid}")).exists()) {
        assert!(std::time::Instant::now() < deadline, "something is left of {below:?}");
        tokio::task::yield_now().await;
    }
    assert_eq!(mounts_below(&directory.display().to_string()), 0);
}

#[tokio::test]
async fn a_process_that_nobody_waits_for_any_more_does_not_start() {
    let workshop = Workshop::with_pod().await;
    let mut container = workshop.shell("held", "true");
    // It says that it joins a control group where nobody listens.
    let group = workshop.path("group");
    nix::unistd::mkfifo(&group, nix::sys::stat::Mode::S_IRWXU).unwrap();
    container.cgroups.joins = vec![group];
    let (_read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
    let name = std::fs::read_link(format!("/proc/self/fd/{}", write.as_raw_fd())).unwrap();
    let writers = || {
        let mut stages = processes("__pod").into_iter();
        stages.any(|stage| std::fs::read_link(stage.join("fd/1")).is_ok_and(|end| end == name))
    };
    let output = Output { stdout: write.try_clone().unwrap(), stderr: write };
    tokio::select! {
        started = workshop.runner.start_container(POD, &container, output) => panic!("{started:?}"),
        () = eventually("it begins to start", async || writers().then_some(())) => {}
    }
    eventually("it has ended", async || (!writers()).then_some(())).await;
}
