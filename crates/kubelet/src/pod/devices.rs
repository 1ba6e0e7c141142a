//! `/proc`, `/sys` and a small `/dev`.

use std::{
    fs::{self, File},
    os::{fd::OwnedFd, unix::fs::symlink},
    path::Path,
};

use nix::mount::{MsFlags, mount};
use rustix::mount::OpenTreeFlags;

use super::{
    failure::{Failure, during},
    root::attach,
};
use crate::protocol::IdMap;

/// Where a container's control groups are mounted, if it has any.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
];
/// Group of terminals in every distribution.
const TTY_GROUP: u32 = 5;

/// Handles to the host's device files, taken while the host's `/dev` can be seen.
pub(super) fn take() -> Result<Vec<(&'static str, OwnedFd)>, Failure> {
    DEVICES
        .iter()
        .map(|name| {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            let tree = rustix::mount::open_tree(rustix::fs::CWD, format!("/dev/{name}"), flags)
                .map_err(during(format!("take /dev/{name}")))?;
            Ok((*name, tree))
        })
        .collect()
}

/// Mounts them in the container's root, which is the caller's root by now.
pub(super) fn mount_all(devices: Vec<(&'static str, OwnedFd)>, map: IdMap) -> Result<(), Failure> {
    let inert = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let root = map.to_host(0);
    mount_at("proc", "/proc", inert, "")?;
    mount_at("sysfs", "/sys", inert | MsFlags::MS_RDONLY, "")?;
    if Path::new(CONTROL_GROUPS).is_dir() {
        mount_at("tmpfs", CONTROL_GROUPS, inert, "mode=755,size=64k")?;
    }
    mount_at(
        "tmpfs",
        "/dev",
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        &format!("mode=755,size=64k,uid={root},gid={root}"),
    )?;
    for (name, tree) in devices {
        let path = format!("/dev/{name}");
        File::create(&path).map_err(during(format!("make {path}")))?;
        attach(&tree, path.as_ref())?;
    }
    for (target, link) in LINKS {
        symlink(target, link).map_err(during(format!("make {link}")))?;
    }
    let terminals = format!("newinstance,ptmxmode=0666,mode=0620,gid={}", map.to_host(TTY_GROUP));
    mount_at("devpts", "/dev/pts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, &terminals)?;
    mount_at("tmpfs", "/dev/shm", inert, "mode=1777,size=64m")
}

fn mount_at(kind: &str, target: &str, flags: MsFlags, options: &str) -> Result<(), Failure> {
    fs::create_dir_all(target).map_err(during(format!("make {target}")))?;
    mount(Some(kind), target, Some(kind), flags, Some(options))
        .map_err(during(format!("mount {target}")))
}
