//! A part of a volume, found or made without ever leaving the volume: what a pod writes into it, links above all, must
//! not lead the kubelet, which is root, anywhere else.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Gid, Mode, OFlags, ResolveFlags, Uid},
    io::Errno,
};

use crate::protocol::IdMap;

/// Links may lead from one place of the volume to another.
const INSIDE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
/// Of what is made, none may be a link.
const NO_LINKS: ResolveFlags = INSIDE.union(ResolveFlags::NO_SYMLINKS);
const PLACE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
/// What is made may be used as the whole volume may: who may write, and whether its group goes on to what is made in it.
const PASSED_ON: u32 = 0o2777;
const SET_GROUP: u32 = 0o2000;

/// Opens `path` inside of `root`, as a place and not for reading; a missing one becomes a directory of the pods' root
/// with the volume's mode.
pub(crate) fn open(root: &Path, path: &Path, map: IdMap) -> io::Result<OwnedFd> {
    let root = rustix::fs::open(root, PLACE, Mode::empty())?;
    match rustix::fs::openat2(&root, path, PLACE, Mode::empty(), INSIDE) {
        Ok(place) => return Ok(place),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(explain(errno)),
    }
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&root)?.st_mode & PASSED_ON);
    let mut place = root;
    for name in path.components() {
        let name: &Path = name.as_ref();
        place = step(&place, name, mode, map)?;
    }
    Ok(place)
}

fn step(place: impl AsFd, name: &Path, mode: Mode, map: IdMap) -> io::Result<OwnedFd> {
    let place = place.as_fd();
    let enter = |how: OFlags| {
        rustix::fs::openat2(place, name, how | OFlags::DIRECTORY, Mode::empty(), NO_LINKS)
    };
    match enter(PLACE) {
        Err(Errno::NOENT) => {}
        other => return other.map_err(explain),
    }
    match rustix::fs::mkdirat(place, name, mode) {
        Ok(()) => {}
        // Another container of the pod was faster.
        Err(Errno::EXIST) => return enter(PLACE).map_err(explain),
        Err(errno) => return Err(errno.into()),
    }
    // A mode cannot be given to a mere place.
    let directory = enter(OFlags::RDONLY | OFlags::CLOEXEC).map_err(explain)?;
    if !map.is_one() {
        let parent = rustix::fs::fstat(place)?;
        let root = map.to_host(0);
        let group = if parent.st_mode & SET_GROUP == 0 { root } else { parent.st_gid };
        rustix::fs::fchown(&directory, Some(Uid::from_raw(root)), Some(Gid::from_raw(group)))?;
    }
    // The kubelet's umask does not count.
    rustix::fs::fchmod(&directory, mode)?;
    Ok(directory)
}

fn explain(errno: Errno) -> io::Error {
    match errno {
        Errno::XDEV | Errno::LOOP => io::Error::new(
            io::ErrorKind::InvalidInput,
            "a link in it leads out of the volume, or to where nothing is",
        ),
        errno => errno.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    };

    use super::*;

    const MAP: IdMap = IdMap { host: 1_000_000, size: 65_536 };

    fn inode(place: io::Result<OwnedFd>) -> u64 {
        rustix::fs::fstat(place.unwrap()).unwrap().st_ino
    }

    #[test]
    fn what_is_missing_becomes_a_directory_of_the_pods_root() {
        let volume = tempfile::tempdir().unwrap();
        let made = inode(open(volume.path(), "a/b".as_ref(), MAP));
        let metadata = fs::metadata(volume.path().join("a/b")).unwrap();
        assert_eq!((metadata.ino(), metadata.uid(), metadata.gid()), (made, 1_000_000, 1_000_000));
        assert_eq!(inode(open(volume.path(), "a/b".as_ref(), MAP)), made);
        fs::write(volume.path().join("a/file"), "").unwrap();
        let file = fs::metadata(volume.path().join("a/file")).unwrap().ino();
        assert_eq!(inode(open(volume.path(), "a/file".as_ref(), MAP)), file);
    }

    #[test]
    fn what_is_made_has_the_mode_of_the_volume_and_the_group_that_it_passes_on() {
        let volume = tempfile::tempdir().unwrap();
        let allow = |mode| {
            fs::set_permissions(volume.path(), fs::Permissions::from_mode(mode)).unwrap();
        };
        let found = |path: &str| {
            inode(open(volume.path(), path.as_ref(), MAP));
            let metadata = fs::metadata(volume.path().join(path)).unwrap();
            (metadata.mode() & 0o7777, metadata.uid(), metadata.gid())
        };
        chown(volume.path(), Some(1_000_000), Some(1_000_007)).unwrap();
        allow(0o777);
        assert_eq!(found("all/of"), (0o777, 1_000_000, 1_000_000));
        allow(0o2777);
        assert_eq!(found("group/of"), (0o2777, 1_000_000, 1_000_007));
        allow(0o750);
        assert_eq!(found("few"), (0o750, 1_000_000, 1_000_000));
        assert_eq!(found("all"), (0o777, 1_000_000, 1_000_000), "what is there stays as it is");
    }

    #[test]
    fn links_lead_only_from_one_place_of_the_volume_to_another() {
        let (volume, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| volume.path().join(name);
        fs::create_dir_all(at("real")).unwrap();
        symlink("real", at("inside")).unwrap();
        symlink(other.path(), at("absolute")).unwrap();
        symlink("../..", at("upwards")).unwrap();
        symlink(other.path().join("new"), at("dangling")).unwrap();
        symlink("loop", at("loop")).unwrap();
        let real = fs::metadata(at("real")).unwrap().ino();
        assert_eq!(inode(open(volume.path(), "inside".as_ref(), MAP)), real);
        for path in [
            "absolute",
            "absolute/x",
            "upwards",
            "upwards/etc",
            "dangling",
            "dangling/x",
            "loop",
            "../x",
            "real/../../x",
        ] {
            assert!(open(volume.path(), path.as_ref(), MAP).is_err(), "{path}");
        }
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0, "nothing was made out there");
    }
}
