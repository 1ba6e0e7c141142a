//! A container's root file system: the image's layers, what leans on the host, volumes, devices.
//!
//! Sources are taken by descriptor while the host is still visible; targets are resolved only after the root has
//! been changed, so that no symbolic link of an image can name a place outside it.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{lchown, symlink},
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    unistd::pivot_root,
};
use rustix::{
    fs::StatVfsMountFlags,
    mount::{MoveMountFlags, OpenTreeFlags},
};

use super::{
    devices,
    failure::{Failure, during},
    mounts::Table,
};
use crate::{
    protocol::{Access, Container, IdMap, Mount},
    sub_path,
};

/// What a mount can forbid.
const KEPT: [(StatVfsMountFlags, MsFlags); 4] = [
    (StatVfsMountFlags::RDONLY, MsFlags::MS_RDONLY),
    (StatVfsMountFlags::NOSUID, MsFlags::MS_NOSUID),
    (StatVfsMountFlags::NODEV, MsFlags::MS_NODEV),
    (StatVfsMountFlags::NOEXEC, MsFlags::MS_NOEXEC),
];

enum Source {
    Directory(OwnedFd),
    File(OwnedFd),
    Link(PathBuf),
}

struct Planned {
    target: PathBuf,
    source: Source,
    flags: MsFlags,
    /// The flags are also for what the host has mounted below.
    recursive: bool,
}

/// Makes the container's file system the root of the caller, in a mount namespace of its own.
pub(super) fn enter(container: &Container) -> Result<(), Failure> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(during("make a mount namespace"))?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(during("keep mounts to the container"))?;
    mount_layers(container)?;
    let devices = devices::take()?;
    let planned = plan(container)?;

    std::env::set_current_dir(&container.root).map_err(during("enter the root file system"))?;
    pivot_root(".", ".").map_err(during("change the root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(during("let go of the host's root"))?;
    std::env::set_current_dir("/").map_err(during("enter the new root"))?;

    devices::mount_all(devices, container.map)?;
    let mounts = Table::open()?;
    for item in planned {
        place(item, container.map, &mounts)?;
    }
    let working_directory = Path::new(&container.working_directory);
    if working_directory.is_absolute() {
        make_directories(working_directory, container.map)?;
    }
    if container.read_only_root {
        remount("/".as_ref(), MsFlags::MS_RDONLY)?;
    }
    Ok(())
}

fn mount_layers(container: &Container) -> Result<(), Failure> {
    // The kernel takes one page of options, so layers are named relative to their directory.
    std::env::set_current_dir(&container.layers_directory)
        .map_err(during("enter the layers' directory"))?;
    let layers: Vec<&str> = container.layers.iter().rev().map(String::as_str).collect();
    // What the file system notes of its own goes where an ordinary user may write.
    let notes = if container.map.is_one() { ",userxattr" } else { "" };
    let options = format!(
        "lowerdir={},upperdir={},workdir={},volatile{notes}",
        layers.join(":"),
        option(&container.upper),
        option(&container.work)
    );
    let mounted = mount(
        Some("overlay"),
        &container.root,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    );
    mounted.map_err(|errno| {
        // The usual reasons, and the kernel does not say them.
        let hint = match errno {
            Errno::EINVAL if container.map.is_one() => {
                " (users other than root may mount them only from Linux 5.11 on, and the kubelet's data directory must not itself be on an overlay file system)"
            }
            Errno::EINVAL => {
                " (the kubelet's data directory must not itself be on an overlay file system)"
            }
            Errno::EPERM if container.map.is_one() => {
                " (only from Linux 5.11 on users other than root may mount them)"
            }
            _ => "",
        };
        Failure::new(format!("mount the {} layers of the image{hint}", layers.len()), errno.into())
    })
}

/// A path as the value of a mount option.
fn option(path: &Path) -> String {
    path.display().to_string().replace('\\', r"\\").replace(',', r"\,")
}

fn plan(container: &Container) -> Result<Vec<Planned>, Failure> {
    let mut planned = Vec::new();
    for path in &container.host_directories {
        let source = match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => Source::Link(
                fs::read_link(path).map_err(during(format!("read the link {}", path.display())))?,
            ),
            Ok(found) => take(path, found.is_dir())?,
            // An image may name more places than this host has.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::new(format!("look at {}", path.display()), error)),
        };
        let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        planned.push(Planned { target: path.clone(), source, flags, recursive: true });
    }
    let mut mounts: Vec<_> = container.mounts.iter().collect();
    mounts.sort_by_key(|mount| mount.target.components().count());
    for mount in mounts {
        let (flags, recursive) = match mount.access {
            Access::Full => (MsFlags::empty(), false),
            Access::ReadOnly => (MsFlags::MS_RDONLY, false),
            Access::RecursivelyReadOnly => (MsFlags::MS_RDONLY, true),
        };
        planned.push(Planned {
            target: mount.target.clone(),
            source: source_of(mount, container.map)?,
            flags,
            recursive,
        });
    }
    Ok(planned)
}

fn source_of(mount: &Mount, map: IdMap) -> Result<Source, Failure> {
    let look = || format!("look at {} for {}", mount.source.display(), mount.target.display());
    let Some(sub_path) = &mount.sub_path else {
        let found = fs::metadata(&mount.source).map_err(during(look()))?;
        return take(&mount.source, found.is_dir());
    };
    let place = sub_path::open(&mount.source, sub_path, map).map_err(during(format!(
        "{}, {} in it",
        look(),
        sub_path.display()
    )))?;
    let found = rustix::fs::fstat(&place).map_err(during(look()))?;
    let directory = rustix::fs::FileType::from_raw_mode(found.st_mode).is_dir();
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = rustix::mount::open_tree(&place, "", flags)
        .map_err(during(format!("take {}", sub_path.display())))?;
    Ok(if directory { Source::Directory(tree) } else { Source::File(tree) })
}

fn take(path: &Path, directory: bool) -> Result<Source, Failure> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    let tree = rustix::mount::open_tree(rustix::fs::CWD, path, flags)
        .map_err(during(format!("take {}", path.display())))?;
    Ok(if directory { Source::Directory(tree) } else { Source::File(tree) })
}

fn place(item: Planned, map: IdMap, mounts: &Table) -> Result<(), Failure> {
    let target = &item.target;
    let tree = match item.source {
        Source::Link(to) => {
            if fs::symlink_metadata(target).is_err() {
                make_directories(target.parent().unwrap_or(Path::new("/")), map)?;
                symlink(to, target)
                    .map_err(during(format!("make the link {}", target.display())))?;
            }
            return Ok(());
        }
        Source::Directory(tree) => {
            make_directories(target, map)?;
            tree
        }
        Source::File(tree) => {
            make_file(target, map)?;
            tree
        }
    };
    attach(&tree, target)?;
    if item.flags.is_empty() {
        return Ok(());
    }
    remount(target, item.flags)?;
    if item.recursive {
        for below in mounts.below(target)? {
            forbid(&below.path, item.flags | below.flags)?;
        }
    }
    Ok(())
}

/// Puts a detached mount on an existing path.
pub(super) fn attach(tree: impl AsFd, target: &Path) -> Result<(), Failure> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    rustix::mount::move_mount(tree, "", rustix::fs::CWD, target, flags)
        .map_err(during(format!("mount {}", target.display())))
}

fn remount(target: &Path, flags: MsFlags) -> Result<(), Failure> {
    // What was forbidden there stays so; only the host's root may allow it.
    let found = rustix::fs::statvfs(target).map_err(during(read_only(target)))?.f_flag;
    let kept = KEPT.iter().filter(|(on, _)| found.contains(*on)).map(|(_, flag)| *flag);
    forbid(target, kept.fold(flags, MsFlags::union))
}

/// Has a mount forbid just this.
fn forbid(target: &Path, flags: MsFlags) -> Result<(), Failure> {
    mount(
        None::<&str>,
        target,
        None::<&str>,
        MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags,
        None::<&str>,
    )
    .map_err(during(read_only(target)))
}

fn read_only(target: &Path) -> String {
    format!("make {} read-only", target.display())
}

fn make_directories(path: &Path, map: IdMap) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(parent, map)?;
    }
    fs::create_dir(path).map_err(during(format!("make the directory {}", path.display())))?;
    own(path, map)
}

fn make_file(path: &Path, map: IdMap) -> Result<(), Failure> {
    // A pipe or a socket is as good to mount on, and only waited for by who opens it.
    if fs::metadata(path).is_ok_and(|found| !found.is_dir()) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(parent, map)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        fs::remove_file(path)
            .map_err(during(format!("remove the dangling link {}", path.display())))?;
    }
    // A pod may put a link there at any time: what it leads to is neither emptied nor given away.
    File::create_new(path).map_err(during(format!("make the file {}", path.display())))?;
    own(path, map)
}

fn own(path: &Path, map: IdMap) -> Result<(), Failure> {
    if map.is_one() {
        return Ok(());
    }
    lchown(path, Some(map.to_host(0)), Some(map.to_host(0)))
        .map_err(during(format!("own {}", path.display())))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Pod, VolumeMount};
    use serde_json::json;

    use super::*;
    use crate::{environment::Facts, volumes::Volumes};

    #[test]
    fn a_pipe_is_a_fine_place_to_mount_a_file_on() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        make_file(&pipe, IdMap::OWN).unwrap();
        assert!(!fs::metadata(&pipe).unwrap().is_file());
        assert!(make_file(directory.path(), IdMap::OWN).is_err());
    }

    #[test]
    fn of_a_link_the_link_is_owned_and_not_what_it_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("nowhere", &link).unwrap();
        let map = IdMap { host: 0, size: 2 };
        own(&link, map).unwrap();
    }

    #[tokio::test]
    async fn what_a_pod_changes_after_the_first_look_at_its_volume_leads_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let part = directory.path().join("volumes/v/part");
        fs::create_dir_all(&part).unwrap();
        let api = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let map = IdMap { host: 1_000_000, size: 65_536 };
        let volumes = Volumes {
            client: kube::Client::try_from(api).unwrap(),
            directory: directory.path().to_owned(),
            map,
            facts: Facts::default(),
        };
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": {
            "containers": [], "volumes": [{"name": "v", "emptyDir": {}}]}}))
        .unwrap();
        let mount: VolumeMount =
            serde_json::from_value(json!({"name": "v", "mountPath": "/v"})).unwrap();
        let mount = volumes.source(&pod, "main", &mount, "part").unwrap();
        assert!(source_of(&mount, map).is_ok());
        fs::remove_dir(&part).unwrap();
        symlink("/etc", &part).unwrap();
        assert!(source_of(&mount, map).is_err());
    }
}
