//! `/proc`, `/sys` and a small `/dev`.

use std::{
    fs::{self, File},
    os::{fd::OwnedFd, unix::fs::symlink},
    path::Path,
};

use nix::mount::{MsFlags, mount};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsmount, fsopen,
};

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

/// What is taken while the host can be seen, and mounted when it cannot any more.
pub(super) struct Taken {
    /// The host's device files.
    devices: Vec<(&'static str, OwnedFd)>,
    /// Of the container's own processes and network. An ordinary user gets them only while those of the host are there.
    kernel: [(&'static str, OwnedFd); 2],
}

pub(super) fn take() -> Result<Taken, Failure> {
    let device = |name: &&'static str| -> Result<_, Failure> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree = rustix::mount::open_tree(rustix::fs::CWD, format!("/dev/{name}"), flags)
            .map_err(during(format!("take /dev/{name}")))?;
        Ok((*name, tree))
    };
    let devices = DEVICES.iter().map(device).collect::<Result<_, _>>()?;
    let inert = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let system = make("sysfs", inert | MountAttrFlags::MOUNT_ATTR_RDONLY)?;
    Ok(Taken { devices, kernel: [("/proc", make("proc", inert)?), ("/sys", system)] })
}

/// A file system that is mounted nowhere yet.
fn make(kind: &str, attributes: MountAttrFlags) -> Result<OwnedFd, Failure> {
    let made = || {
        let system = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        if attributes.contains(MountAttrFlags::MOUNT_ATTR_RDONLY) {
            fsconfig_set_flag(&system, "ro")?;
        }
        fsconfig_create(&system)?;
        fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    made().map_err(|errno: rustix::io::Errno| Failure::new(format!("make {kind}"), errno.into()))
}

/// Mounts them in the container's root, which is the caller's root by now.
pub(super) fn mount_all(taken: Taken, map: IdMap) -> Result<(), Failure> {
    let inert = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let root = map.to_host(0);
    for (target, tree) in taken.kernel {
        fs::create_dir_all(target).map_err(during(format!("make {target}")))?;
        attach(&tree, target.as_ref())?;
    }
    if Path::new(CONTROL_GROUPS).is_dir() {
        mount_at("tmpfs", CONTROL_GROUPS, inert, "mode=755,size=64k")?;
    }
    mount_at(
        "tmpfs",
        "/dev",
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        &format!("mode=755,size=64k,uid={root},gid={root}"),
    )?;
    for (name, tree) in taken.devices {
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
