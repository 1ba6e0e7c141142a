//! Volumes on disk. Content from the API changes all at once: the files lie in a directory of their own, which a link
//! named `..data` points to, and every name in the volume is a link through that one.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt, lchown, symlink},
    path::{Component, Path},
};

use rustix::fs::{Mode, OFlags};

use super::project::File;
use crate::protocol::IdMap;

const CURRENT: &str = "..data";
const NEXT: &str = "..data_next";

/// Whom files of a volume belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) map: IdMap,
    /// `fsGroup` of the pod.
    pub(crate) group: Option<u32>,
}

impl Owner {
    pub(super) fn take(self, path: &Path) -> io::Result<()> {
        if self.map.is_one() {
            return Ok(());
        }
        let group = self.map.to_host(self.group.unwrap_or(0));
        lchown(path, Some(self.map.to_host(0)), Some(group))
    }
}

/// Makes missing directories for the owner, with the mode 755 whatever umask the kubelet has.
pub(super) fn directories(path: &Path, owner: Owner) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        directories(parent, owner)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            // In a directory of the host a pod may put a link there meanwhile.
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let made = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
            made.set_permissions(fs::Permissions::from_mode(0o755))?;
            owner.take(path)
        }
    }
}

/// Of what is not a volume yet.
const UNFINISHED: &str = ".new";
/// How many bytes a name of a volume has at most, so that an unfinished one has a name that file systems take.
pub(crate) const LONGEST_NAME: usize = 255 - UNFINISHED.len() - 1;

/// A directory in which everyone of the pod may write; what is in it stays. It is there only when everyone may write:
/// whatever the kubelet dies between, the next try sees to it.
pub(crate) fn empty(path: &Path, owner: Owner) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(UNFINISHED);
    let unfinished = path.with_file_name(name);
    fs::create_dir_all(&unfinished)?;
    owner.take(&unfinished)?;
    let mode = if owner.group.is_some() { 0o2777 } else { 0o777 };
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(mode))?;
    fs::rename(&unfinished, path)
}

/// Replaces the content of a volume, if it is new.
pub(super) fn payload(path: &Path, files: &[File], owner: Owner) -> io::Result<()> {
    if holds(path, files) {
        // The try that wrote them may have failed after that.
        link_names(path, files)?;
        return remove_others(path);
    }
    fs::create_dir_all(path)?;
    owner.take(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    let version = format!("..{}", jiff::Timestamp::now().as_nanosecond());
    let content = path.join(&version);
    directories(&content, owner)?;
    for file in files {
        write_file(&content, file, owner)?;
    }
    let next = path.join(NEXT);
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(&version, &next)?;
    fs::rename(&next, path.join(CURRENT))?;
    link_names(path, files)?;
    remove_others(path)
}

/// Removes the content of before, and what tries left that failed.
fn remove_others(path: &Path) -> io::Result<()> {
    let current = fs::read_link(path.join(CURRENT))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(".."));
        let is_version = digits
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if is_version && current != Path::new(&name) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a volume has exactly these files already.
fn holds(path: &Path, files: &[File]) -> bool {
    let content = path.join(CURRENT);
    let same =
        |file: &File| fs::read(content.join(&file.path)).is_ok_and(|bytes| bytes == file.content);
    content.is_dir()
        && count(&content).is_ok_and(|count| count == files.len())
        && files.iter().all(same)
}

fn count(directory: &Path) -> io::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        files += if entry.file_type()?.is_dir() { count(&entry.path())? } else { 1 };
    }
    Ok(files)
}

fn write_file(content: &Path, file: &File, owner: Owner) -> io::Result<()> {
    let path = content.join(&file.path);
    if let Some(parent) = path.parent() {
        directories(parent, owner)?;
    }
    // A group that the pod's processes have must be able to read.
    let mode = if owner.group.is_some() { file.mode | 0o440 } else { file.mode };
    let mut target = fs::File::options().write(true).create_new(true).mode(0o600).open(&path)?;
    target.write_all(&file.content)?;
    owner.take(&path)?;
    target.set_permissions(fs::Permissions::from_mode(mode))
}

/// One link per first part of a name; links of names that are gone are removed.
fn link_names(path: &Path, files: &[File]) -> io::Result<()> {
    let first = |file: &File| match Path::new(&file.path)
        .components()
        .find(|c| matches!(c, Component::Normal(_)))
    {
        Some(Component::Normal(name)) => Some(name.to_owned()),
        _ => None,
    };
    let names: BTreeSet<OsString> = files.iter().filter_map(first).collect();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_symlink() && name != CURRENT && !names.contains(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    for name in names {
        match symlink(Path::new(CURRENT).join(&name), path.join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    use super::*;

    const OWNER: Owner = Owner { map: IdMap { host: 1_000_000, size: 65_536 }, group: None };

    fn file(path: &str, content: &str) -> File {
        File { path: path.into(), mode: 0o400, content: content.into() }
    }

    #[test]
    fn content_is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let volume = directory.path().join("volume");
        payload(&volume, &[file("a", "1"), file("deep/b", "2")], OWNER).unwrap();
        assert_eq!(fs::read_to_string(volume.join("deep/b")).unwrap(), "2");
        let metadata = fs::metadata(volume.join("a")).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (1_000_000, 0o400));
        let version = fs::read_link(volume.join(CURRENT)).unwrap();
        payload(&volume, &[file("a", "1"), file("deep/b", "2")], OWNER).unwrap();
        assert_eq!(fs::read_link(volume.join(CURRENT)).unwrap(), version, "nothing was new");
        payload(&volume, &[file("a", "3")], OWNER).unwrap();
        assert_eq!(fs::read_to_string(volume.join("a")).unwrap(), "3");
        let names: BTreeSet<OsString> =
            fs::read_dir(&volume).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 3, "one name, the link to the content, the content: {names:?}");
        assert!(!names.contains(&OsString::from("deep")));
    }

    #[test]
    fn what_a_failed_try_left_is_made_good() {
        let directory = tempfile::tempdir().unwrap();
        let volume = directory.path().join("volume");
        let files = [file("a", "1"), file("deep/b", "2")];
        payload(&volume, &files, OWNER).unwrap();
        let left = volume.join("..123");
        fs::create_dir_all(left.join("deep")).unwrap();
        fs::remove_file(volume.join("a")).unwrap();
        payload(&volume, &files, OWNER).unwrap();
        assert_eq!(fs::read_to_string(volume.join("a")).unwrap(), "1");
        assert!(!left.exists());
    }

    #[test]
    fn a_volume_whose_making_was_interrupted_is_made_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let volume = directory.path().join("v");
        let unfinished = directory.path().join(".v.new");
        fs::DirBuilder::new().mode(0o700).create(&unfinished).unwrap();
        empty(&volume, OWNER).unwrap();
        let metadata = fs::metadata(&volume).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (1_000_000, 0o777));
        assert!(!unfinished.exists());
    }

    #[test]
    fn a_group_of_the_pod_may_read() {
        let directory = tempfile::tempdir().unwrap();
        let volume = directory.path().join("volume");
        payload(&volume, &[file("a", "1")], Owner { group: Some(7), ..OWNER }).unwrap();
        let metadata = fs::metadata(volume.join("a")).unwrap();
        assert_eq!((metadata.gid(), metadata.mode() & 0o777), (1_000_007, 0o440));
    }
}
