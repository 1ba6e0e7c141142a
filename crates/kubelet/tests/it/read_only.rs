//! What the host has mounted below a directory that a pod sees.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flumen_kubelet::{Access, IdMap};
use nix::{
    mount::{MntFlags, MsFlags, mount as mount_system, umount2},
    sched::{CloneFlags, unshare},
};

use crate::workshop::{MAP, Workshop, mount};

/// Makes this binary the one that runs the pod of an ordinary user; its value is the directory.
const DIRECTORY: &str = "FLUMEN_TEST_SUBMOUNTS";
/// Says of each place whether it can be written to.
const SCRIPT: &str = r#"
for place in "$HOST" /plain /whole; do
    for below in . inner inner/deep covered under; do
        [ -d "$place/$below" ] || echo "no $place/$below"
        (: > "$place/$below/new") 2>/dev/null && echo "wrote $place/$below"
    done
done
grep -c ' /whole/inner ro,nosuid,nodev,noexec' /proc/self/mountinfo"#;

/// A directory with file systems mounted in it, which only this thread and its children see.
struct Submounts(PathBuf);

impl Submounts {
    fn make(directory: PathBuf) -> Self {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount_system(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        fs::create_dir(&directory).unwrap();
        mount_system(Some(&directory), &directory, none, MsFlags::MS_BIND, none).unwrap();
        let made = Self(directory);
        let inert = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        made.mount("inner", inert);
        made.mount("inner/deep", MsFlags::empty());
        // Of these two only the second one can be reached, and of those after them as well.
        made.mount("covered", MsFlags::empty());
        made.mount("covered", MsFlags::empty());
        made.mount("under/hidden", MsFlags::empty());
        made.mount("under", MsFlags::empty());
        made
    }

    fn mount(&self, name: &str, flags: MsFlags) {
        let path = self.0.join(name);
        fs::create_dir_all(&path).unwrap();
        mount_system(Some("tmpfs"), &path, Some("tmpfs"), flags, Some("mode=777")).unwrap();
    }
}

impl Drop for Submounts {
    fn drop(&mut self) {
        // With all that is mounted in it; otherwise the directory could not be removed.
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

async fn assert_only_plain_ones_are_written(workshop: &Workshop, directory: &Path) {
    workshop.make_pod().await;
    let mut container = workshop.shell("curious", SCRIPT);
    container.environment.push(("HOST".to_owned(), directory.to_str().unwrap().to_owned()));
    container.host_directories.push(directory.to_owned());
    container.mounts.push(mount(directory, "/plain", Access::ReadOnly));
    container.mounts.push(mount(directory, "/whole", Access::RecursivelyReadOnly));
    let ended = workshop.run(&container).await;
    let wrote = |below| format!("wrote /plain/{below}\n");
    let expected = ["inner", "inner/deep", "covered", "under"].map(wrote).concat() + "1\n";
    assert_eq!((ended.stdout, ended.stderr), (expected, String::new()));
}

#[tokio::test]
async fn what_is_mounted_below_a_host_directory_is_read_only_too() {
    let workshop = Workshop::of_users(MAP);
    let submounts = Submounts::make(workshop.path("host"));
    assert_only_plain_ones_are_written(&workshop, &submounts.0).await;
}

/// There the mounts of the host are locked: what they forbid cannot be allowed, and none can be taken from the others.
#[test]
fn what_is_mounted_below_a_host_directory_is_read_only_in_a_user_namespace_too() {
    let directory = tempfile::tempdir().unwrap();
    let submounts = Submounts::make(directory.path().join("host"));
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "read_only::an_ordinary_user_runs_a_pod", "--nocapture"])
        .env(DIRECTORY, &submounts.0)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// Does nothing unless the test above runs it.
#[tokio::test]
async fn an_ordinary_user_runs_a_pod() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let workshop = Workshop::of_users(IdMap::OWN);
    assert_only_plain_ones_are_written(&workshop, directory.as_ref()).await;
}
