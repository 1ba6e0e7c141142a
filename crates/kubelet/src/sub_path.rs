//! A part of a volume, found or made without ever leaving the volume: what a pod writes into it, links above all, must
//! not lead the kubelet, which is root, anywhere else.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{AtFlags, Gid, Mode, OFlags, ResolveFlags, Uid},
    io::Errno,
};

use crate::protocol::IdMap;

/// Links may lead from one place of the volume to another.
const INSIDE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);
/// Of what is made, none may be a link.
const NO_LINKS: ResolveFlags = INSIDE.union(ResolveFlags::NO_SYMLINKS);
const PLACE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
const MODE: u32 = 0o755;

/// Opens `path` inside of `root`, as a place and not for reading; a missing one becomes a directory of the pods' root.
pub(crate) fn open(root: &Path, path: &Path, map: IdMap) -> io::Result<OwnedFd> {
    let root = rustix::fs::open(root, PLACE, Mode::empty())?;
    match rustix::fs::openat2(&root, path, PLACE, Mode::empty(), INSIDE) {
        Ok(place) => return Ok(place),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(explain(errno)),
    }
    let mut place = root;
    for name in path.components() {
        let name: &Path = name.as_ref();
        place = step(&place, name, map)?;
    }
    Ok(place)
}

fn step(place: impl AsFd, name: &Path, map: IdMap) -> io::Result<OwnedFd> {
    let place = place.as_fd();
    let enter =
        || rustix::fs::openat2(place, name, PLACE | OFlags::DIRECTORY, Mode::empty(), NO_LINKS);
    match enter() {
        Err(Errno::NOENT) => {}
        other => return other.map_err(explain),
    }
    let made = match rustix::fs::mkdirat(place, name, Mode::from_raw_mode(MODE)) {
        Ok(()) => true,
        // Another container of the pod was faster.
        Err(Errno::EXIST) => false,
        Err(errno) => return Err(errno.into()),
    };
    let directory = enter().map_err(explain)?;
    if made && map.size > 1 {
        let root = map.to_host(0);
        let (user, group) = (Uid::from_raw(root), Gid::from_raw(root));
        rustix::fs::chownat(&directory, "", Some(user), Some(group), AtFlags::EMPTY_PATH)?;
    }
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
        os::unix::fs::{MetadataExt, symlink},
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
